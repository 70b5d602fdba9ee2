"""Cross-validation against gstat's, against kriging without the fold, and its statistics."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.geostat.method.crossvalidation import (
    cross_validate,
    drillhole_folds,
    leave_one_out,
    random_folds,
)
from haulier.families.geostat.method.kriging import (
    Kriging,
    Method,
    Ordinary,
    Simple,
    Targets,
    Universal,
    krige,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.samples import IntArray, Samples
from haulier.families.geostat.method.scores import score
from haulier.families.geostat.method.variogram import Structure, Variogram

FloatArray = NDArray[np.float64]
#: Of the log of Meuse's zinc, as gstat was told.
ZINC = Variogram(0.05066, (Structure("spherical", 0.59066, (897.01,) * 3),))
MODEL = Variogram(0.2, (Structure("exponential", 1.0, (60.0, 60.0, 20.0)),))
NEAR = Neighbourhood(np.eye(3) / 50.0, max_samples=12)


def scattered(n: int, seed: int = 2) -> Samples:
    """Give samples in ten drillholes."""
    random = np.random.default_rng(seed)
    places = random.random((n, 3)) * (100.0, 80.0, 30.0)
    values = np.sin(places[:, 0] / 20.0) + random.normal(0.0, 0.3, n)
    return Samples(places, values, np.sort(random.integers(0, 10, n)))


def without(kriging: Kriging, folds: IntArray, fold: int) -> tuple[FloatArray, FloatArray]:
    """Krige the samples of one fold from a model built without them."""
    rest, left = folds != fold, folds == fold
    samples, method = kriging.samples, kriging.method
    drift = None
    if isinstance(method, Universal):
        method, drift = Universal(kriging.drift[rest]), kriging.drift[left]
    kept = Samples(
        samples.places[rest],
        samples.values[rest],
        None if samples.holes is None else samples.holes[rest],
    )
    found = krige(
        Kriging(kept, kriging.variogram, kriging.neighbourhood, method),
        Targets(samples.places[left], drift=drift),
        ("kriging_variance",),
    )
    return found.values, found.diagnostics["kriging_variance"]


def test_every_residual_of_meuse_is_that_of_gstat(
    table: Callable[[str], dict[str, FloatArray]],
) -> None:
    meuse, expected = table("meuse.csv"), table("gstat/meuse_loocv_nmax40.csv")
    places = np.column_stack([meuse["x"], meuse["y"], np.zeros(len(meuse["x"]))])
    nearest = Neighbourhood(np.eye(3) / 1e5, max_samples=40)
    kriging = Kriging(Samples(places, np.log(meuse["zinc"])), ZINC, nearest)

    found = cross_validate(kriging, leave_one_out(len(places)))

    np.testing.assert_allclose(found.residual, expected["residual"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.variance, expected["var1.var"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.standardised, expected["zscore"], rtol=0, atol=1e-12)
    scores = score(found.observed, found.estimated, found.standardised)
    assert scores.root_mean_square_error == pytest.approx(0.38687, abs=5e-6)
    assert scores.mean_squared_deviation_ratio == pytest.approx(0.8002, abs=5e-5)
    assert scores.count == 155


@pytest.mark.parametrize("by", ["one", "three", "drillhole"])
@pytest.mark.parametrize("method", [Ordinary(), Simple(0.4), Universal(np.empty((60, 1)))])
def test_a_fold_is_estimated_as_if_it_had_never_been_there(method: Method, by: str) -> None:
    samples = scattered(60)
    assert samples.holes is not None
    if isinstance(method, Universal):
        method = Universal(samples.places[:, :1])
    kriging = Kriging(samples, MODEL, NEAR, method)
    folds = {
        "one": leave_one_out(60),
        "three": random_folds(60, 3, seed=7),
        "drillhole": drillhole_folds(samples.holes, None, seed=7),
    }[by]

    found = cross_validate(kriging, folds)

    for fold in np.unique(folds):
        values, variance = without(kriging, folds, int(fold))
        np.testing.assert_allclose(found.estimated[folds == fold], values, atol=1e-9)
        np.testing.assert_allclose(found.variance[folds == fold], variance, atol=1e-9)


def test_a_twin_at_the_same_place_does_not_tell_the_answer() -> None:
    one = scattered(40)
    places, values = np.r_[one.places, one.places[:5]], np.r_[one.values, one.values[:5] + 1.0]
    twins = Kriging(Samples(places, values), MODEL, NEAR)
    alone = Kriging(Samples(one.places[5:], one.values[5:]), MODEL, NEAR)

    found = cross_validate(twins, leave_one_out(45))

    expected = krige(alone, Targets(one.places[:5])).values
    assert found.estimated[0] != pytest.approx(values[0], abs=1e-6)
    assert found.estimated[:5].tolist() == found.estimated[40:].tolist()
    assert found.residual[40:] - found.residual[:5] == pytest.approx(np.ones(5))
    assert found.folds[40:].tolist() == found.folds[:5].tolist()
    only_first = cross_validate(
        Kriging(Samples(one.places, np.r_[values[:5] + 0.5, one.values[5:]]), MODEL, NEAR),
        np.r_[np.zeros(5, dtype=np.int64), np.arange(1, 36)],
    )
    np.testing.assert_allclose(only_first.estimated[:5], expected, atol=1e-9)


def test_a_sample_with_nothing_near_has_no_estimate() -> None:
    samples = scattered(30)
    lonely = Samples(np.r_[samples.places, [[1e4, 0.0, 0.0]]], np.r_[samples.values, 9.0])

    found = cross_validate(Kriging(lonely, MODEL, NEAR), leave_one_out(31))
    scores = score(found.observed, found.estimated, found.standardised)

    assert math.isnan(found.estimated[30])
    assert math.isnan(found.residual[30])
    assert (scores.count, scores.missing) == (30, 1)
    assert math.isfinite(scores.root_mean_square_error)


def test_progress_rises_to_one() -> None:
    told: list[float] = []

    cross_validate(Kriging(scattered(30), MODEL, NEAR), leave_one_out(30), report=told.append)

    assert told[-1] == 1.0


@given(n=st.integers(2, 200), folds=st.integers(2, 20), seed=st.integers(0, 2**63))
def test_random_folds_are_even_and_the_same_for_a_seed(n: int, folds: int, seed: int) -> None:
    folds = min(n, folds)

    made = random_folds(n, folds, seed)

    sizes = np.bincount(made, minlength=folds)
    assert len(sizes) == folds
    assert sizes.max() - sizes.min() <= 1
    assert made.tolist() == random_folds(n, folds, seed).tolist()


@given(
    holes=st.lists(st.integers(0, 30), min_size=2, max_size=200).filter(lambda h: len(set(h)) > 1),
    seed=st.integers(0, 1000),
)
def test_a_drillhole_is_never_split_and_no_fold_is_empty(holes: list[int], seed: int) -> None:
    codes = np.array(holes)
    folds = min(5, len(set(holes)))

    made, each = drillhole_folds(codes, folds, seed), drillhole_folds(codes, None, seed)

    assert set(made.tolist()) == set(range(folds))
    assert len({(a, b) for a, b in zip(holes, made.tolist(), strict=True)}) == len(set(holes))
    assert len(set(each.tolist())) == len(set(holes))
    largest = int(np.bincount(codes).max())
    assert np.bincount(made).max() - np.bincount(made).min() <= largest


def test_seeds_differ() -> None:
    assert random_folds(50, 5, 1).tolist() != random_folds(50, 5, 2).tolist()


def test_scores_are_their_formulae() -> None:
    random = np.random.default_rng(8)
    observed, estimated = random.normal(3.0, 2.0, 50), random.normal(3.0, 1.0, 50)
    scaled = random.normal(size=50)

    scores = score(observed, estimated, scaled)

    slope, intercept = np.polyfit(estimated, observed, 1)
    assert scores.slope == pytest.approx(slope)
    assert scores.intercept == pytest.approx(intercept)
    assert scores.correlation == pytest.approx(np.corrcoef(observed, estimated)[0, 1])
    assert scores.r_squared == pytest.approx(np.corrcoef(observed, estimated)[0, 1] ** 2)
    error = observed - estimated
    assert scores.mean_error == pytest.approx(error.mean())
    assert scores.mean_absolute_error == pytest.approx(np.abs(error).mean())
    assert scores.efficiency == pytest.approx(1 - (error**2).mean() / observed.var())
    assert scores.within_95 == np.mean(np.abs(scaled) <= 1.959963984540054)
    assert scores.within_90 == np.mean(np.abs(scaled) <= 1.6448536269514722)
    assert scores.standardised_quantiles[3] == pytest.approx(np.median(scaled))


def test_perfect_estimates_score_perfectly() -> None:
    values = np.array([1.0, 2.0, 4.0])

    scores = score(values, values, np.full(3, np.nan))

    assert scores.efficiency == 1.0
    assert scores.slope == pytest.approx(1.0)
    assert scores.correlation == pytest.approx(1.0)
    assert math.isnan(scores.mean_squared_deviation_ratio)


def test_nothing_estimated_has_no_scores_but_counts() -> None:
    nothing = np.full(4, np.nan)

    scores = score(np.arange(4.0), nothing, nothing)

    assert (scores.count, scores.missing) == (0, 4)
    assert math.isnan(scores.root_mean_square_error)
    assert math.isnan(scores.standardised_quantiles[0])


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: random_folds(5, 6, 0), "number of samples, 5, got 6"),
        (lambda: random_folds(5, 1, 0), "folds must be 2 to"),
        (lambda: drillhole_folds(np.array([1, 1, 2]), 3, 0), "number of drillholes, 2, got 3"),
        (lambda: drillhole_folds(np.array([1, 1]), None, 0), "number of drillholes, 1, got 1"),
        (
            lambda: cross_validate(Kriging(scattered(9), MODEL, NEAR), np.zeros(9, dtype=int)),
            r"folds must be \(9,\) codes",
        ),
        (
            lambda: cross_validate(Kriging(scattered(9), MODEL, NEAR), leave_one_out(8)),
            r"folds must be \(9,\) codes",
        ),
    ],
)
def test_what_makes_no_folds_is_refused(make: Callable[[], object], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        make()
