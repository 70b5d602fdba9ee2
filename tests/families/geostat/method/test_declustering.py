from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.geostat.method.declustering import (
    UNIT,
    cell_weights,
    declustering_weights,
    influence,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray, sphering
from haulier.families.geostat.method.search import Index, index_samples

RNG = np.random.default_rng(9)
#: 30 samples everywhere, and 90 more in one corner.
PLACES = np.concatenate([RNG.uniform(0, 100, (30, 3)), RNG.uniform(0, 20, (90, 3))])
GRID = np.stack(np.meshgrid(*(np.arange(5.0, 100.0, 10.0),) * 3), axis=-1).reshape(-1, 3)


def indexed(places: FloatArray, *, most: int, reach_m: float = 300.0, least: int = 1) -> Index:
    """Index samples for a round neighbourhood."""
    transform = sphering(np.full(3, reach_m), np.eye(3))
    return index_samples(places, Neighbourhood(transform, most, least))


def test_weights_are_the_sums_of_the_estimators_weights_over_the_grid() -> None:
    index = indexed(PLACES, most=6)

    weights = declustering_weights(influence(index, GRID, power=2.0))

    apart = np.linalg.norm(GRID[:, None] - PLACES, axis=2)
    nearest = np.argsort(apart, axis=1)[:, :6]
    shares = np.take_along_axis(apart, nearest, axis=1) ** -2.0
    expected = np.zeros(len(PLACES))
    np.add.at(expected, nearest, shares / shares.sum(axis=1)[:, None])
    assert weights == pytest.approx(expected / expected.sum(), abs=1e-9)
    assert weights.sum() == pytest.approx(1.0, abs=1e-15)


def test_without_a_power_neighbours_share_equally() -> None:
    won = influence(indexed(PLACES, most=4), GRID, power=None)

    assert np.all(won % round(0.25 / UNIT) == 0)
    assert won.sum() == round(len(GRID) / UNIT)


def test_a_sample_at_a_node_wins_it_all() -> None:
    won = influence(indexed(PLACES, most=8), PLACES[:1], power=2.0)

    assert won[0] == round(1.0 / UNIT)
    assert np.count_nonzero(won) == 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, len(GRID) - 1), max_size=6), st.sampled_from([None, 0.7, 2.0]))
def test_parts_of_a_grid_add_up_to_the_same_bits(cuts: list[int], power: float | None) -> None:
    index = indexed(PLACES, most=7)
    order = RNG.permutation(len(GRID))

    parts = [influence(index, GRID[some], power=power) for some in np.split(order, sorted(cuts))]

    assert np.array_equal(sum(parts), influence(index, GRID, power=power))


def test_clustered_samples_weigh_less() -> None:
    weights = declustering_weights(influence(indexed(PLACES, most=1), GRID, power=2.0))

    assert weights[30:].sum() < 0.1
    assert weights[:30].mean() > 10 * weights[30:].mean()


def test_nodes_with_too_few_neighbours_are_worth_nothing() -> None:
    index = indexed(PLACES, most=10, reach_m=15.0, least=10)

    won = influence(index, GRID, power=2.0)

    apart = np.linalg.norm(GRID[:, None] - PLACES, axis=2)
    served = np.count_nonzero((apart <= 15.0).sum(axis=1) >= 10)
    assert 0 < served < len(GRID)
    assert won.sum() * UNIT == pytest.approx(served, abs=1e-6)


def test_a_high_power_neither_overflows_nor_vanishes() -> None:
    far = PLACES * 1e-9

    weights = declustering_weights(influence(indexed(far, most=5), GRID, power=300.0))

    assert weights.sum() == pytest.approx(1.0)


def test_a_grid_out_of_reach_is_refused() -> None:
    won = influence(indexed(PLACES, most=5, reach_m=1.0), GRID + 1e6, power=2.0)

    with pytest.raises(ValueError, match="no node of the grid"):
        declustering_weights(won)


@pytest.mark.parametrize("power", [0.0, -1.0, float("nan"), float("inf")])
def test_a_power_that_is_not_positive_is_refused(power: float) -> None:
    with pytest.raises(ValueError, match="power must be positive"):
        influence(indexed(PLACES, most=5), GRID, power=power)


def test_samples_of_a_cell_share_its_weight() -> None:
    places = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [100, 0, 0]])

    weights = cell_weights(places, np.array([10.0, 10.0, 10.0]), offsets=1)

    assert weights == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])


def test_cells_without_size_are_refused() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        cell_weights(PLACES, np.array([1.0, 0.0, 1.0]))


@pytest.fixture
def cluster(shared: Callable[[str], Path]) -> tuple[FloatArray, FloatArray]:
    """Give places and values of GSLIB's cluster.dat: naive mean 4.3504, true mean 2.5802."""
    rows = np.loadtxt(shared("cluster.dat"), skiprows=7)
    return np.column_stack((rows[:, :2], np.zeros(len(rows)))), rows[:, 2]


@pytest.mark.parametrize(
    ("most", "power", "tolerance"),
    # the naive mean is 1.77 off; a fifth of that is what grid-based weights leave
    [(1, None, 0.35), (4, None, 0.35), (8, 2.0, 0.35)],
)
def test_grid_weights_bring_the_mean_of_cluster_dat_near_the_truth(
    cluster: tuple[FloatArray, FloatArray], most: int, power: float | None, tolerance: float
) -> None:
    places, values = cluster
    nodes = np.stack(np.meshgrid(np.arange(50) + 0.5, np.arange(50) + 0.5, [0.0]), axis=-1)

    won = influence(indexed(places, most=most), nodes.reshape(-1, 3), power=power)

    assert values.mean() == pytest.approx(4.3504, abs=1e-4)
    assert declustering_weights(won) @ values == pytest.approx(2.5802, abs=tolerance)


def test_cells_of_five_bring_the_mean_of_cluster_dat_to_the_truth(
    cluster: tuple[FloatArray, FloatArray],
) -> None:
    places, values = cluster

    weights = cell_weights(places, np.full(3, 5.0), offsets=8)

    assert weights @ values == pytest.approx(2.5802, abs=0.02)
    # the weights that GSLIB ships give 2.5281
    assert weights @ values == pytest.approx(2.5281, abs=0.07)
