"""Kriging against the bordered system, solved by LAPACK, one target at a time."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from haulier.families.geostat.method.discretisation import POINT, Discretisation, regular
from haulier.families.geostat.method.kriging import (
    Estimates,
    Kriging,
    Method,
    Ordinary,
    Simple,
    Targets,
    Universal,
    krige,
    krige_many,
    seconds_a_target,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import rotation_matrix, sphering
from haulier.families.geostat.method.samples import Samples, merge_duplicates
from haulier.families.geostat.method.search import find
from haulier.families.geostat.method.variogram import MODELS, Structure, Variogram

FloatArray = NDArray[np.float64]
VARIANCE = ("kriging_variance",)
RNG = np.random.default_rng(3)
PLACES = RNG.random((300, 3)) * 100
VALUES = 5 + np.sin(PLACES @ [0.05, 0.03, 0.02]) + 0.1 * RNG.standard_normal(300)
TARGETS = RNG.random((70, 3)) * 140 - 20
TRANSFORM = sphering(np.array([36.0, 27.0, 24.0]), rotation_matrix(30, 20, 10))
AREA = Neighbourhood(TRANSFORM, 15, 3)
AXES = rotation_matrix(25, 10, 0)
SIDES = np.array([8.0, 5.0, 3.0])
NESTED = Variogram(
    0.05,
    (
        Structure("spherical", 0.4, (30.0, 20.0, 10.0), (30.0, 20.0, 10.0)),
        Structure("exponential", 0.6, (90.0, 70.0, 50.0), (70.0, 0.0, 45.0)),
    ),
)


def model(name: str, nugget: float = 0.05) -> Variogram:
    alpha = 5 if name in {"spheroidal", "generalisedcauchy"} else 0
    return Variogram(nugget, (Structure(name, 0.9, (50.0, 40.0, 20.0), (10.0, 20.0, 30.0), alpha),))


def towards(kriging: Kriging, places: FloatArray, centre: FloatArray) -> FloatArray:
    """Give covariances with a target: with its points, without nugget where they are several."""
    block = kriging.discretisation
    if block.is_point:
        return kriging.variogram.covariance(places - centre)
    smooth = replace(kriging.variogram, nugget=0.0)
    points = centre + (block.offsets * SIDES) @ kriging.axes.T
    return smooth.covariance(places[:, None] - points[None]) @ block.weights


def itself(kriging: Kriging) -> float:
    block = kriging.discretisation
    if block.is_point:
        return float(kriging.variogram.covariance(np.zeros((1, 3)))[0])
    smooth = replace(kriging.variogram, nugget=0.0)
    points = (block.offsets * SIDES) @ kriging.axes.T
    among = smooth.covariance(points[:, None] - points[None])
    return float(block.weights @ among @ block.weights)


def functions(kriging: Kriging, drift: FloatArray) -> FloatArray:
    """Give the constant and the drift; nothing of simple kriging."""
    if isinstance(kriging.method, Simple):
        return np.empty((len(drift), 0))
    return np.column_stack([np.ones(len(drift)), drift])


def by_lapack(kriging: Kriging, targets: Targets) -> tuple[FloatArray, FloatArray]:
    """Solve the bordered system of each target."""
    places, values = kriging.samples.places, kriging.samples.values
    found = find(kriging.index, targets.centres)
    mean = kriging.method.mean if isinstance(kriging.method, Simple) else 0.0
    at_targets = np.empty((len(found.counts), 0)) if targets.drift is None else targets.drift
    estimates = np.full(len(found.counts), np.nan)
    variances = estimates.copy()
    for i in np.flatnonzero(found.accepted):
        near = found.numbers[i, : found.counts[i]]
        f = functions(kriging, kriging.drift[near])
        n, p = f.shape
        left = np.zeros((n + p, n + p))
        left[:n, :n] = kriging.variogram.covariance(places[near][:, None] - places[near][None])
        left[:n, n:], left[n:, :n] = f, f.T
        right = np.append(
            towards(kriging, places[near], targets.centres[i]),
            functions(kriging, at_targets[i : i + 1])[0],
        )
        weights = np.linalg.solve(left, right)
        estimates[i] = mean + weights[:n] @ (values[near] - mean)
        variances[i] = itself(kriging) - weights @ right
    return estimates, variances


def drift_of(places: FloatArray) -> FloatArray:
    return np.column_stack([places[:, 0], places[:, 1] ** 2])


METHODS: dict[str, Method] = {
    "ordinary": Ordinary(),
    "simple": Simple(4.5),
    "universal": Universal(drift_of(PLACES)),
}
BLOCKS = {"point": POINT, "block": regular(3, 2, 2)}


def targets_for(kriging: Kriging, centres: FloatArray = TARGETS) -> Targets:
    universal = isinstance(kriging.method, Universal)
    return Targets(centres, SIDES, drift_of(centres) if universal else None)


@pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("name", [*MODELS, "nested", "nugget alone"])
def test_kriging_solves_the_bordered_system(
    name: str, method: Method, block: Discretisation
) -> None:
    variogram = {"nested": NESTED, "nugget alone": Variogram(0.7, ())}.get(name) or model(name)
    if name == "linear" and isinstance(method, Simple):
        pytest.skip("refused, see below")
    if name == "nugget alone" and not block.is_point:
        pytest.skip("a block of pure nugget has no variance")
    kriging = Kriging(Samples(PLACES, VALUES), variogram, AREA, method, block, AXES)
    targets = targets_for(kriging)

    got = krige(kriging, targets, VARIANCE)

    estimates, variances = by_lapack(kriging, targets)
    assert 10 < np.isnan(estimates).sum() < 45
    np.testing.assert_allclose(got.values, estimates, rtol=0, atol=1e-10)
    np.testing.assert_allclose(
        got.diagnostics["kriging_variance"], np.maximum(variances, 0), rtol=0, atol=1e-10
    )
    assert (got.jittered, got.singular) == (0, 0)


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_many_columns_get_the_weights_of_one(method: Method) -> None:
    columns = np.column_stack([VALUES, VALUES**2, np.arange(300.0)])
    kriging = Kriging(Samples(PLACES, columns), NESTED, AREA, method)

    got = krige_many(kriging, targets_for(kriging)).values

    for number, column in enumerate(columns.T):
        one = replace(kriging, samples=Samples(PLACES, column))
        np.testing.assert_allclose(got[:, number], krige(one, targets_for(one)).values, rtol=1e-11)


def everything(kriging: Kriging, targets: Targets) -> list[NDArray[np.float64]]:
    names = ("kriging_variance", "kriging_mean", "sum_positive_weights", "aniso_mean_distance")
    got: Estimates = krige(kriging, targets, names)
    return [got.values, *(got.diagnostics[name] for name in names)]


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("name", MODELS)
def test_an_estimate_is_the_same_to_the_bit_in_any_company(name: str, method: Method) -> None:
    if name == "linear" and isinstance(method, Simple):
        pytest.skip("refused, see below")
    kriging = Kriging(Samples(PLACES, VALUES), model(name), AREA, method, regular(2, 2, 1), AXES)
    together = everything(kriging, targets_for(kriging))

    for size in (1, 3, 29):
        parts = [
            everything(kriging, targets_for(kriging, TARGETS[begin : begin + size]))
            for begin in range(0, len(TARGETS), size)
        ]
        for number, whole in enumerate(together):
            joined = np.concatenate([part[number] for part in parts])
            np.testing.assert_array_equal(joined.view(np.int64), whole.view(np.int64))


def test_a_shuffled_grid_gets_the_bits_of_a_grid() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(2.0, 100, 7)] * 3, indexing="ij"), -1).reshape(-1, 3)
    turn = np.random.default_rng(1).permutation(len(grid))
    kriging = Kriging(Samples(PLACES, VALUES), NESTED, AREA)

    whole, shuffled = (krige(kriging, Targets(each), VARIANCE) for each in (grid, grid[turn]))

    np.testing.assert_array_equal(whole.values[turn], shuffled.values)
    np.testing.assert_array_equal(
        whole.diagnostics["kriging_variance"][turn], shuffled.diagnostics["kriging_variance"]
    )


@pytest.mark.parametrize("most", [1, 2, 7, 200, 300])
def test_few_and_many_neighbours_are_solved_alike(most: int) -> None:
    area = Neighbourhood(TRANSFORM / 10, most)
    kriging = Kriging(Samples(PLACES, VALUES), NESTED, area)

    got = krige(kriging, Targets(TARGETS), VARIANCE)

    estimates, variances = by_lapack(kriging, Targets(TARGETS))
    np.testing.assert_allclose(got.values, estimates, rtol=0, atol=1e-10)
    np.testing.assert_allclose(got.diagnostics["kriging_variance"], variances, atol=1e-10)


def test_neighbours_beyond_memory_are_refused_with_a_limit() -> None:
    places = np.random.default_rng(2).random((2100, 3))
    kriging = Kriging(Samples(places, places[:, 0]), NESTED, Neighbourhood(np.eye(3) / 9, 9999))

    with pytest.raises(ValueError, match=r"max_samples must be at most 2000 .*got 9999"):
        krige(kriging, Targets(places[:1]))


def test_a_sample_s_own_place_gets_its_value_without_variance() -> None:
    kriging = Kriging(Samples(PLACES, VALUES), NESTED, AREA)

    got = krige(kriging, Targets(PLACES), VARIANCE)

    np.testing.assert_allclose(got.values, VALUES, rtol=1e-12)
    assert np.abs(got.diagnostics["kriging_variance"]).max() < 1e-12


def test_a_fold_left_out_is_as_if_it_were_not_there() -> None:
    folds = np.arange(300) % 4
    kriging = Kriging(Samples(PLACES, VALUES), NESTED, AREA, folds=folds)

    got = krige(kriging, Targets(PLACES, left_out=folds), VARIANCE)

    for fold in range(4):
        rest = Kriging(Samples(PLACES[folds != fold], VALUES[folds != fold]), NESTED, AREA)
        alone = krige(rest, Targets(PLACES[folds == fold]), VARIANCE)
        np.testing.assert_allclose(got.values[folds == fold], alone.values, rtol=1e-11)


def test_few_samples_give_missing_values_not_zeros() -> None:
    kriging = Kriging(Samples(PLACES[:2], VALUES[:2]), NESTED, AREA)

    got = krige(kriging, Targets(PLACES), VARIANCE)

    assert np.isnan(got.values).all()
    assert np.isnan(got.diagnostics["kriging_variance"]).all()
    assert got.singular == 0


def test_duplicates_without_nugget_are_singular_until_merged() -> None:
    twice = Samples(np.vstack([PLACES, PLACES[:150]]), np.append(VALUES, VALUES[:150] + 1))
    smooth = replace(NESTED, nugget=0.0)

    raw = krige(Kriging(twice, smooth, AREA), Targets(TARGETS))
    merged = krige(Kriging(merge_duplicates(twice), smooth, AREA), Targets(TARGETS))

    assert raw.jittered > 20
    assert raw.singular == 0
    assert merged.jittered == 0
    half = VALUES + 0.5 * (np.arange(300) < 150)
    direct = krige(Kriging(Samples(PLACES, half), smooth, AREA), Targets(TARGETS))
    np.testing.assert_array_equal(merged.values, direct.values)


def test_a_gaussian_without_nugget_is_treated_and_counted() -> None:
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    values = np.sin(grid @ [0.3, 0.2, 0.1])
    gaussian = Variogram(0.0, (Structure("gaussian", 1.0, (30.0, 30.0, 30.0)),))
    kriging = Kriging(Samples(grid, values), gaussian, Neighbourhood(np.eye(3) / 9, 60))
    targets = np.random.default_rng(4).random((100, 3)) * 5

    got = krige(kriging, Targets(targets), VARIANCE)

    assert got.jittered == 100
    assert got.singular == 0
    np.testing.assert_allclose(got.values, np.sin(targets @ [0.3, 0.2, 0.1]), atol=1e-3)
    assert (got.diagnostics["kriging_variance"] >= 0).all()


def test_a_broken_lane_changes_no_bit_of_the_others() -> None:
    places = np.vstack([PLACES, PLACES[:1]])
    variogram = replace(NESTED, nugget=0.0)
    single = Kriging(Samples(places[:300], VALUES), variogram, AREA)
    double = Kriging(Samples(places, np.append(VALUES, 0.0)), variogram, AREA)
    far = np.linalg.norm((TARGETS - PLACES[0]) @ TRANSFORM.T, axis=1) > 1

    first, second = (krige(each, Targets(TARGETS)) for each in (single, double))

    assert second.jittered > 0
    np.testing.assert_allclose(second.values[far], first.values[far], rtol=1e-12)


def test_drift_that_samples_cannot_tell_apart_is_counted_not_guessed() -> None:
    twins = np.column_stack([PLACES[:, 0], 2 * PLACES[:, 0] + 7])
    kriging = Kriging(Samples(PLACES, VALUES), NESTED, AREA, Universal(twins))

    got = krige(kriging, Targets(PLACES, drift=twins), VARIANCE)

    assert np.isnan(got.values).all()
    assert got.singular == 300


def test_linear_variograms_need_weights_that_sum_to_one() -> None:
    with pytest.raises(ValueError, match="simple kriging needs a variogram with a sill"):
        Kriging(Samples(PLACES, VALUES), model("linear"), AREA, Simple(1.0))


@pytest.mark.parametrize("extent", [1.0, 1e3, 1e6])
def test_linear_kriging_does_not_depend_on_the_unit_of_length(extent: float) -> None:
    linear = Variogram(0.0, (Structure("linear", 1.0, (extent, extent, extent)),))
    scaled = PLACES / 100 * extent
    area = Neighbourhood(np.eye(3) / extent, 20)

    got = krige(Kriging(Samples(scaled, VALUES), linear, area), Targets(TARGETS / 100 * extent))

    one = Variogram(0.0, (Structure("linear", 1.0, (1.0, 1.0, 1.0)),))
    same = krige(
        Kriging(Samples(PLACES / 100, VALUES), one, Neighbourhood(np.eye(3), 20)),
        Targets(TARGETS / 100),
    )
    np.testing.assert_allclose(got.values, same.values, rtol=1e-9)
    assert got.jittered == 0


def test_tensor_grids_have_blocks_of_their_own_sides() -> None:
    sides = np.random.default_rng(5).choice([2.0, 5.0, 9.0], (len(TARGETS), 3))
    kriging = Kriging(Samples(PLACES, VALUES), NESTED, AREA, Ordinary(), regular(2, 3, 2), AXES)

    got = krige(kriging, Targets(TARGETS, sides), VARIANCE)

    for i in range(0, len(TARGETS), 7):
        alone = krige(kriging, Targets(TARGETS[i : i + 1], sides[i]), VARIANCE)
        np.testing.assert_array_equal(alone.values, got.values[i : i + 1])
        np.testing.assert_array_equal(
            alone.diagnostics["kriging_variance"],
            got.diagnostics["kriging_variance"][i : i + 1],
        )


def test_no_targets_get_no_estimates() -> None:
    got = krige(Kriging(Samples(PLACES, VALUES), NESTED, AREA), Targets(np.empty((0, 3))), VARIANCE)

    assert got.values.shape == got.diagnostics["kriging_variance"].shape == (0,)


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (Targets(np.zeros((3, 2))), "centres must be"),
        (Targets(np.full((3, 3), np.nan)), "centres must be .* finite"),
        (Targets(np.zeros((3, 3)), left_out=np.zeros(3, np.int64)), "left_out must be"),
    ],
)
def test_targets_that_do_not_fit_are_refused(targets: Targets, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        krige(Kriging(Samples(PLACES, VALUES), NESTED, AREA), targets)


def test_blocks_need_sides_and_universal_kriging_needs_drift() -> None:
    samples = Samples(PLACES, VALUES)

    with pytest.raises(ValueError, match="sides must be given"):
        krige(Kriging(samples, NESTED, AREA, discretisation=regular(2, 2, 2)), Targets(TARGETS))
    with pytest.raises(ValueError, match=r"drift must be \(70, 1\)"):
        krige(Kriging(samples, NESTED, AREA, Universal(PLACES[:, 0])), Targets(TARGETS))
    with pytest.raises(ValueError, match="values must be"):
        krige(Kriging(Samples(PLACES, PLACES), NESTED, AREA), Targets(TARGETS))


def test_more_work_a_target_takes_longer() -> None:
    times = [
        seconds_a_target(samples, points) for samples, points in ((8, 1), (8, 729), (250, 729))
    ]

    assert times == sorted(times)
    assert 0 < 100 * times[0] < times[2]
    assert seconds_a_target(8, limited=True) > times[0]
