"""Inverse distance and nearest neighbours, from the neighbours that the search finds."""

import numpy as np
import pytest

from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import rotation_matrix, sphering
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.search import find, index_samples
from haulier.families.geostat.method.weighting import idw, knn

RNG = np.random.default_rng(2)
PLACES, TARGETS = RNG.random((300, 3)), RNG.random((80, 3)) * 1.5
SAMPLES = Samples(PLACES, RNG.random((300, 2)))
AREA = Neighbourhood(sphering(np.array([0.4, 0.3, 0.2]), rotation_matrix(20, 30, 40)), 9, 2)


@pytest.mark.parametrize("power", [0.5, 2.0, 7.0])
def test_weights_fall_by_distance_in_ellipsoid_space(power: float) -> None:
    got = idw(SAMPLES, AREA, TARGETS, power)

    found = find(index_samples(PLACES, AREA), TARGETS)
    assert 0 < found.accepted.sum() < 80
    for i in range(80):
        if not found.accepted[i]:
            assert np.isnan(got[i]).all()
            continue
        near = found.numbers[i, : found.counts[i]]
        weights = found.distances[i, : found.counts[i]] ** -power
        np.testing.assert_allclose(
            got[i], weights @ SAMPLES.values[near] / weights.sum(), rtol=1e-12
        )


def test_nearest_neighbours_count_alike() -> None:
    got = knn(SAMPLES, AREA, TARGETS)

    found = find(index_samples(PLACES, AREA), TARGETS)
    for i in np.flatnonzero(found.accepted):
        near = found.numbers[i, : found.counts[i]]
        np.testing.assert_allclose(got[i], SAMPLES.values[near].mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize("power", [0.5, 2.0, 200.0])
def test_a_sample_s_own_place_gets_its_very_value(power: float) -> None:
    one = Samples(PLACES, SAMPLES.values[:, 0])

    np.testing.assert_array_equal(idw(one, AREA, PLACES, power)[:5], one.values[:5])


def test_samples_at_one_place_share_it() -> None:
    twice = Samples(np.zeros((2, 3)), np.array([1.0, 4.0]))

    assert idw(twice, Neighbourhood(np.eye(3), 5), np.zeros((1, 3)), 2.0).tolist() == [2.5]


@pytest.mark.parametrize("power", [1e-3, 300.0])
def test_any_power_and_unit_of_length_stay_finite(power: float) -> None:
    area = Neighbourhood(np.eye(3) / 1e-9, 30)

    got = idw(Samples(PLACES * 1e-9, SAMPLES.values), area, PLACES * 0.9e-9, power)

    assert np.isfinite(got).all()
    assert got.min() >= SAMPLES.values.min() - 1e-12
    assert got.max() <= SAMPLES.values.max() + 1e-12


def test_an_average_is_the_same_to_the_bit_in_any_company() -> None:
    whole = idw(SAMPLES, AREA, TARGETS, 2.0)

    parts = [idw(SAMPLES, AREA, TARGETS[i : i + 3], 2.0) for i in range(0, 80, 3)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("power", [0.0, -1.0, np.inf, np.nan])
def test_a_power_that_is_not_positive_is_refused(power: float) -> None:
    with pytest.raises(ValueError, match="power must be positive, got"):
        idw(SAMPLES, AREA, TARGETS, power)
