"""The sixteen diagnostics, from weights and distances computed another way."""

import numpy as np
import pytest
from numpy.typing import NDArray

from haulier.families.geostat.method.discretisation import regular
from haulier.families.geostat.method.kriging import (
    DIAGNOSTICS,
    Kriging,
    Method,
    Ordinary,
    Simple,
    Targets,
    Universal,
    krige,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import rotation_matrix, sphering
from haulier.families.geostat.method.samples import Samples, merge_duplicates
from haulier.families.geostat.method.search import find
from haulier.families.geostat.method.variogram import Structure, Variogram

FloatArray = NDArray[np.float64]
RNG = np.random.default_rng(11)
PLACES = RNG.random((200, 3)) * 100
VALUES = 3 + np.cos(PLACES @ [0.05, 0.02, 0.03])
HOLES = RNG.integers(0, 12, 200)
TARGETS = RNG.random((40, 3)) * 150 - 25
MODEL = Variogram(0.1, (Structure("spherical", 0.8, (70.0, 50.0, 30.0), (20.0, 10.0, 0.0)),))
TRANSFORM = sphering(np.array([45.0, 40.0, 35.0]), rotation_matrix(30, 20, 10))
AREA = Neighbourhood(TRANSFORM, 12, 4)
SIDES = np.array([10.0, 10.0, 5.0])


def diagnosed(method: Method) -> tuple[Kriging, dict[str, NDArray[np.float64]]]:
    samples = Samples(PLACES, VALUES, HOLES)
    kriging = Kriging(samples, MODEL, AREA, method, regular(2, 2, 2))
    drift = TARGETS[:, :1] if isinstance(method, Universal) else None
    got = krige(kriging, Targets(TARGETS, SIDES, drift), DIAGNOSTICS)
    return kriging, {"values": got.values, **got.diagnostics}


def system(kriging: Kriging, near: NDArray[np.int64], centre: FloatArray) -> list[FloatArray]:
    """Give C, c and the block's variance."""
    smooth = Variogram(0.0, MODEL.structures)
    points = kriging.discretisation.offsets * SIDES
    among = MODEL.covariance(PLACES[near][:, None] - PLACES[near][None])
    there = smooth.covariance(PLACES[near][:, None] - (centre + points)[None]).mean(axis=1)
    return [among, there, smooth.covariance(points[:, None] - points[None]).mean()]


METHODS: dict[str, Method] = {
    "ordinary": Ordinary(),
    "simple": Simple(2.5),
    "universal": Universal(PLACES[:, 0]),
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_diagnostics_are_what_their_formulae_say(method: Method) -> None:
    kriging, got = diagnosed(method)
    found = find(kriging.index, TARGETS)
    simple = isinstance(method, Simple)

    assert 5 < found.accepted.sum() < 40
    for i in np.flatnonzero(found.accepted):
        near = found.numbers[i, : found.counts[i]]
        among, there, block = system(kriging, near, TARGETS[i])
        inverse = np.linalg.inv(among)
        drift = [np.ones(len(near))]
        here = [1.0]
        if isinstance(method, Universal):
            drift.append(PLACES[near, 0])
            here.append(TARGETS[i, 0])
        f = np.array([] if simple else drift).reshape(-1, len(near)).T
        f0 = np.array([] if simple else here)
        multipliers = np.linalg.solve(f.T @ inverse @ f, f0 - f.T @ inverse @ there)
        weights = inverse @ (there + f @ multipliers)
        variance = block - 2 * weights @ there + weights @ among @ weights
        coefficients = np.linalg.solve(f.T @ inverse @ f, f.T @ inverse @ VALUES[near])
        multiplier = abs(multipliers @ f0)
        offsets = PLACES[near] - TARGETS[i]
        metres, sphered = (
            np.linalg.norm(each, axis=1) for each in (offsets, offsets @ TRANSFORM.T)
        )
        expected = {
            "valid": True,
            "kriging_variance": variance,
            "slope_of_regression": (block - variance + multiplier)
            / (block - variance + 2 * multiplier),
            "kriging_efficiency": (block - variance) / block,
            "kriging_mean": 2.5 if simple else coefficients @ f0,
            "num_samples": len(near),
            "num_drillholes": len(set(HOLES[near].tolist())),
            "num_duplicates": 0,
            "num_equidistant": 0,
            "sum_weights": weights.sum(),
            "sum_positive_weights": weights[weights > 0].sum(),
            "sum_negative_weights": weights[weights < 0].sum(),
            "min_distance": metres.min(),
            "mean_distance": metres.mean(),
            "aniso_min_distance": sphered.min(),
            "aniso_mean_distance": sphered.mean(),
        }
        assert list(expected) == list(DIAGNOSTICS)
        for name, value in expected.items():
            assert got[name][i] == pytest.approx(value, rel=1e-9, abs=1e-12), name


def test_the_slope_is_that_of_true_blocks_on_estimates() -> None:
    kriging, got = diagnosed(Ordinary())
    found = find(kriging.index, TARGETS)

    for i in np.flatnonzero(found.accepted):
        near = found.numbers[i, : found.counts[i]]
        among, there, _ = system(kriging, near, TARGETS[i])
        bordered = np.block([[among, np.ones((len(near), 1))], [np.ones(len(near)), 0.0]])
        weights = np.linalg.solve(bordered, np.append(there, 1.0))
        if weights[-1] < 0:  # the multiplier by this convention: ours is positive
            w = weights[:-1]
            slope = (w @ there) / (w @ among @ w)
            assert got["slope_of_regression"][i] == pytest.approx(slope, rel=1e-9)


def test_targets_without_estimate_keep_counts_and_lose_the_rest() -> None:
    kriging, got = diagnosed(Ordinary())
    refused = ~find(kriging.index, TARGETS).accepted

    assert refused.any()
    np.testing.assert_array_equal(got["valid"], ~refused)
    assert (got["num_samples"][refused] < 4).all()
    for name in ("kriging_variance", "slope_of_regression", "kriging_mean", "sum_weights"):
        assert np.isnan(got[name][refused]).all()
    none = got["num_samples"] == 0
    np.testing.assert_array_equal(np.isnan(got["min_distance"]), none)


def test_kinds_are_those_of_the_attributes() -> None:
    _, got = diagnosed(Ordinary())

    for name in DIAGNOSTICS:
        kind = bool if name == "valid" else np.int64 if name.startswith("num_") else np.float64
        assert got[name].dtype == kind, name


def test_duplicates_are_counted_where_they_are_used() -> None:
    twice = Samples(np.vstack([PLACES, PLACES[:50], PLACES[:10]]), np.zeros(260))
    kriging = Kriging(merge_duplicates(twice), MODEL, Neighbourhood(TRANSFORM, 12))

    got = krige(kriging, Targets(TARGETS), ["num_duplicates"]).diagnostics["num_duplicates"]

    extra = np.where(np.arange(200) < 10, 2, np.where(np.arange(200) < 50, 1, 0))
    found = find(kriging.index, TARGETS)
    expected = [extra[found.numbers[i, : found.counts[i]]].sum() for i in range(40)]
    assert got.tolist() == expected
    assert max(expected) > 0


def test_samples_that_a_limit_kept_out_at_the_same_distance_are_counted() -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    samples = Samples(corners, np.arange(8.0))
    names = ["num_equidistant"]

    def equidistant(most: int) -> int:
        kriging = Kriging(samples, MODEL, Neighbourhood(np.eye(3) / 9, most))
        got = krige(kriging, Targets(np.array([[0.5, 0.5, 0.5]])), names)
        return int(got.diagnostics["num_equidistant"][0])

    assert [equidistant(most) for most in (1, 3, 7, 8, 9)] == [7, 5, 1, 0, 0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("skill", "diagnostics must be of valid, .*got skill"),
        ("num_drillholes", "needs samples with drillholes"),
        ("kriging_efficiency", "needs a variogram with a sill"),
        ("slope_of_regression", "needs a variogram with a sill"),
    ],
)
def test_diagnostics_without_meaning_are_refused(name: str, message: str) -> None:
    linear = Variogram(0.0, (Structure("linear", 1.0, (1.0, 1.0, 1.0)),))
    kriging = Kriging(Samples(PLACES, VALUES), linear, AREA)

    with pytest.raises(ValueError, match=message):
        krige(kriging, Targets(TARGETS), [name])
