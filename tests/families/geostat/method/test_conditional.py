import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from haulier.families.geostat.method import conditional
from haulier.families.geostat.method.conditional import (
    Cells,
    Conditioning,
    condition,
    simulate_blocks,
    simulate_points,
    standardised,
)
from haulier.families.geostat.method.declustering import cell_weights
from haulier.families.geostat.method.discretisation import POINT, regular
from haulier.families.geostat.method.distribution import (
    Distribution,
    LowerTail,
    UpperTail,
    fit_distribution,
)
from haulier.families.geostat.method.kriging import Kriging, Ordinary, Simple, Targets, krige
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.normal_score import forward
from haulier.families.geostat.method.rotation import FloatArray, rotation_matrix, sphering
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.validation import check_histogram, realisation_quantiles
from haulier.families.geostat.method.variogram import Structure, Variogram

TURN = (30.0, 20.0, 10.0)
AXES = rotation_matrix(*TURN)
VARIOGRAM = Variogram(
    0.1,
    (
        Structure("spherical", 0.5, (60.0, 40.0, 20.0), TURN),
        Structure("exponential", 0.4, (150.0, 90.0, 50.0), TURN),
    ),
)
RNG = np.random.default_rng(12)
PLACES = RNG.uniform(0, 100, (40, 3))
GRADES = RNG.lognormal(0.0, 0.8, 40)
DISTRIBUTION = fit_distribution(GRADES, lower=LowerTail(2.0, 0.0))
#: So wide that every target has all samples: kriging is then that of a textbook.
ALL = Neighbourhood(sphering(np.full(3, 1000.0), np.eye(3)), max_samples=40)
SEED = 38239342
BOTH = pytest.mark.parametrize("method", [Simple(0.0), Ordinary()], ids=["simple", "ordinary"])


@cache
def conditioned(
    method: Simple | Ordinary = Simple(0.0),  # noqa: B008 - it is frozen
    *,
    realisations: int = 12,
    lines: int = 60,
    most: int = 12,
) -> Conditioning:
    """Condition on the samples' scores, with a neighbourhood that moves."""
    near = Neighbourhood(sphering(np.array([90.0, 60.0, 40.0]), AXES), most)
    samples = Samples(PLACES, forward(GRADES, DISTRIBUTION))
    return condition(
        samples,
        VARIOGRAM,
        near if most < 40 else ALL,
        method=method,
        lines=lines,
        seed=SEED,
        realisations=range(realisations),
    )


def cells(count: int, nx: int, ny: int, nz: int) -> Cells:
    """Give blocks of 8 x 6 x 4 metres among the samples."""
    centres = np.random.default_rng(4).uniform(20, 80, (count, 3))
    return Cells(centres, np.array([[8.0, 6.0, 4.0]]), AXES, regular(nx, ny, nz))


@BOTH
def test_data_are_honoured_to_the_bit_at_their_places(method: Simple | Ordinary) -> None:
    found = simulate_points(conditioned(method), PLACES)

    assert np.array_equal(found, np.repeat(forward(GRADES, DISTRIBUTION)[:, None], 12, axis=1))


def test_data_are_honoured_in_their_own_unit() -> None:
    target = Cells(PLACES, np.array([[8.0, 6.0, 4.0]]), AXES, POINT)

    found = simulate_blocks(conditioned(), target, DISTRIBUTION)

    assert np.array_equal(found.points, np.repeat(GRADES[:, None], 12, axis=1))
    assert found.blocks is found.points


@BOTH
def test_close_to_a_sample_simulations_come_close_to_it(method: Simple | Ordinary) -> None:
    smooth = Variogram(0.0, VARIOGRAM.structures)
    samples = Samples(PLACES, forward(GRADES, DISTRIBUTION))
    tied = condition(samples, smooth, ALL, method=method, lines=60, seed=1, realisations=range(12))

    found = simulate_points(tied, PLACES + 1e-6)

    # gamma(1e-6 m) is some 1e-7, so that they differ by some 3e-4
    assert found == pytest.approx(np.repeat(samples.values[:, None], 12, axis=1), abs=3e-3)


def test_their_mean_and_variance_are_those_of_simple_kriging() -> None:
    many = 1500
    tied = conditioned(realisations=many, lines=40, most=40)
    targets = np.random.default_rng(6).uniform(0, 100, (40, 3))

    found = simulate_points(tied, targets)

    kriging = Kriging(Samples(PLACES, tied.scores), VARIOGRAM, ALL, Simple(0.0))
    expected = krige(kriging, Targets(targets), ["kriging_variance"])
    variance = np.asarray(expected.diagnostics["kriging_variance"], dtype=np.float64)
    # five standard errors of a mean, and of a variance, of so many Gaussians
    assert np.all(np.abs(found.mean(axis=1) - expected.values) < 5 * np.sqrt(variance / many))
    assert found.var(axis=1) == pytest.approx(variance, rel=5 * math.sqrt(2 / many))


@BOTH
@pytest.mark.parametrize("parts", [2, 7, 23])
def test_any_cut_of_a_grid_gives_the_same_bits(method: Simple | Ordinary, parts: int) -> None:
    tied, whole = conditioned(method), cells(23, 2, 2, 2)
    bounds = np.linspace(0, 23, parts + 1).astype(int).tolist()

    pieces = [
        simulate_blocks(tied, whole.slice(start, stop), DISTRIBUTION)
        for start, stop in pairwise(bounds)
    ]

    together = simulate_blocks(tied, whole, DISTRIBUTION)
    for name in ("blocks", "block_scores", "points", "point_scores"):
        glued = np.concatenate([getattr(piece, name) for piece in pieces])
        assert np.array_equal(glued, getattr(together, name))


def test_a_realisation_is_the_same_alone_and_among_others() -> None:
    samples = Samples(PLACES, forward(GRADES, DISTRIBUTION))
    alone = condition(
        samples,
        VARIOGRAM,
        conditioned().kriging.neighbourhood,
        method=Simple(0.0),
        lines=60,
        seed=SEED,
        realisations=[7],
    )
    targets = RNG.uniform(0, 100, (30, 3))

    assert np.array_equal(
        simulate_points(alone, targets)[:, 0], simulate_points(conditioned(), targets)[:, 7]
    )


def test_blocks_are_the_means_of_their_points_in_the_unit_of_the_data() -> None:
    blocks = cells(5, 3, 2, 2)

    found = simulate_blocks(conditioned(), blocks, DISTRIBUTION)

    points = Cells(blocks.points(), np.ones((1, 3)), AXES, POINT)
    single = simulate_blocks(conditioned(), points, DISTRIBUTION)
    assert found.blocks == pytest.approx(single.points.reshape(5, 12, 12).mean(axis=1))
    assert found.block_scores == pytest.approx(single.point_scores.reshape(5, 12, 12).mean(axis=1))
    middles = simulate_points(conditioned(), blocks.centres)
    assert np.array_equal(found.point_scores, middles)


def test_points_of_a_block_lie_along_the_axes_of_its_grid() -> None:
    block = Cells(
        np.array([[10.0, 20.0, 30.0]]), np.array([[8.0, 6.0, 4.0]]), AXES, regular(2, 1, 1)
    )

    points = block.points()

    assert points == pytest.approx(np.array([10.0, 20, 30]) + np.outer([-2.0, 2.0], AXES[:, 0]))


def test_blocks_vary_less_than_points() -> None:
    tied = conditioned(realisations=200, lines=40, most=40)

    found = simulate_blocks(tied, cells(30, 3, 3, 3), DISTRIBUTION)

    assert found.block_scores.var(axis=1).mean() < 0.8 * found.point_scores.var(axis=1).mean()
    assert found.blocks.mean() == pytest.approx(found.points.mean(), rel=0.05)


def test_where_there_are_too_few_samples_nothing_is_simulated() -> None:
    few = Neighbourhood(sphering(np.full(3, 20.0), np.eye(3)), 10, min_samples=2)
    samples = Samples(PLACES, forward(GRADES, DISTRIBUTION))
    tied = condition(
        samples, VARIOGRAM, few, method=Simple(0.0), lines=10, seed=1, realisations=range(3)
    )
    blocks = Cells(np.full((1, 3), 1e4), np.ones((1, 3)), AXES, regular(2, 2, 2))

    found = simulate_blocks(tied, blocks, DISTRIBUTION)

    assert np.isnan(found.blocks).all()
    assert np.isnan(found.points).all()


def test_samples_at_one_place_count_as_their_mean() -> None:
    twice = Samples(np.concatenate([PLACES, PLACES[:1]]), np.arange(41.0) / 20.0 - 1.0)

    tied = condition(
        twice, VARIOGRAM, ALL, method=Ordinary(), lines=10, seed=1, realisations=range(2)
    )

    assert simulate_points(tied, PLACES[:1]) == pytest.approx(np.zeros((1, 2)), abs=1e-12)


def test_blocks_of_unequal_sizes_each_have_their_own() -> None:
    centres = np.full((2, 3), 50.0)
    sizes = np.array([[8.0, 6.0, 4.0], [1e-3, 1e-3, 1e-3]])

    points = Cells(centres, sizes, AXES, regular(2, 2, 2)).points().reshape(2, 8, 3)

    spreads = np.linalg.norm(points - 50.0, axis=2).max(axis=1)
    assert spreads == pytest.approx(np.linalg.norm(sizes / 4.0, axis=1))


def test_a_standardised_variogram_has_a_sill_of_one_and_its_shape() -> None:
    tripled = Variogram(0.3, tuple(_scaled(each, 3.0) for each in VARIOGRAM.structures))
    lags: FloatArray = np.outer([0.0, 5.0, 20.0, 80.0], [1.0, 0.5, 0.2])

    found = standardised(tripled)

    assert found.sill == pytest.approx(1.0)
    assert found.gamma(lags) == pytest.approx(VARIOGRAM.gamma(lags))


def _scaled(structure: Structure, factor: float) -> Structure:
    return Structure(
        structure.model, factor * structure.contribution, structure.ranges_m, structure.rotation_deg
    )


@pytest.mark.parametrize(
    "variogram",
    [Variogram(0.0, ()), Variogram(0.0, (Structure("linear", 1.0, (1.0, 1.0, 1.0)),))],
)
def test_a_variogram_without_a_sill_cannot_be_standardised(variogram: Variogram) -> None:
    with pytest.raises(ValueError, match="positive sill"):
        standardised(variogram)


def test_many_tiles_give_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = simulate_blocks(conditioned(), cells(23, 2, 2, 2), DISTRIBUTION)
    monkeypatch.setattr(conditional, "AT_ONCE", 12 * 8 * 5)

    tiled = simulate_blocks(conditioned(), cells(23, 2, 2, 2), DISTRIBUTION)

    assert np.array_equal(tiled.blocks, whole.blocks)
    assert np.array_equal(tiled.point_scores, whole.point_scores)


def test_no_blocks_give_no_values() -> None:
    found = simulate_blocks(conditioned(), cells(3, 2, 2, 2).slice(0, 0), DISTRIBUTION)

    assert found.blocks.shape == (0, 12)


def test_systems_that_need_help_are_counted() -> None:
    smooth = Variogram(0.0, (Structure("gaussian", 1.0, (9e3, 9e3, 9e3)),))
    samples = Samples(PLACES, forward(GRADES, DISTRIBUTION))
    tied = condition(
        samples, smooth, ALL, method=Simple(0.0), lines=10, seed=1, realisations=range(2)
    )

    found = simulate_blocks(tied, cells(4, 2, 1, 1), DISTRIBUTION)

    assert found.jittered + found.singular == 4 * 3


def test_the_distribution_is_not_touched() -> None:
    before: Distribution = fit_distribution(GRADES, lower=LowerTail(2.0, 0.0))

    simulate_blocks(conditioned(), cells(2, 2, 1, 1), DISTRIBUTION)

    assert np.array_equal(before.values, DISTRIBUTION.values)


def test_simulations_of_cluster_dat_find_its_declustered_mean(
    shared: Callable[[str], Path],
) -> None:
    rows = np.loadtxt(shared("cluster.dat"), skiprows=7)
    places, grades = np.column_stack((rows[:, :2], np.zeros(140))), rows[:, 2]
    weights = cell_weights(places, np.full(3, 5.0), offsets=8)
    distribution = fit_distribution(
        grades, weights, lower=LowerTail(1.0, 0.0), upper=UpperTail(0.5, 60.0)
    )
    # of the normal scores, as GSLIB's manual models it
    variogram = Variogram(0.1, (Structure("spherical", 0.9, (10.0, 10.0, 10.0)),))
    near = Neighbourhood(sphering(np.full(3, 25.0), np.eye(3)), 24)
    nodes = np.stack(np.meshgrid(np.arange(50) + 0.5, np.arange(50) + 0.5, [0.0]), axis=-1)
    samples = Samples(places, forward(grades, distribution))

    tied = condition(
        samples, variogram, near, method=Simple(0.0), lines=200, seed=1, realisations=range(30)
    )
    grid = Cells(nodes.reshape(-1, 3), np.ones((1, 3)), np.eye(3), POINT)
    found = simulate_blocks(tied, grid, distribution)

    # naive mean 4.35, truth 2.58: the mean of one realisation varies by some 0.2
    assert found.points.mean() == pytest.approx(2.58, abs=0.3)
    assert found.points.mean() == pytest.approx(distribution.mean, abs=0.3)
    apart = check_histogram(distribution, [realisation_quantiles(v) for v in found.points.T])
    assert np.mean((apart.low <= apart.reference) & (apart.reference <= apart.high)) > 0.9
