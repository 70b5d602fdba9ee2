"""Trends: their terms, their means over blocks, and what samples can tell."""

import numpy as np
import pytest

from haulier.families.geostat.method.discretisation import regular
from haulier.families.geostat.method.rotation import rotation_matrix
from haulier.families.geostat.method.trend import Trend, dependent

PLACES = np.random.default_rng(3).uniform(-50, 50, (40, 3))


@pytest.mark.parametrize(
    ("order", "axes", "count"),
    [(0, (0, 1, 2), 0), (1, (0, 1), 2), (1, (0, 1, 2), 3), (2, (0, 1), 5), (2, (0, 1, 2), 9)],
)
def test_a_polynomial_has_its_terms(order: int, axes: tuple[int, ...], count: int) -> None:
    trend = Trend.around(PLACES, order, axes)

    assert trend.columns(PLACES).shape == (40, count)
    assert np.all(np.abs(trend.columns(PLACES)) <= 1.0)


def test_a_polynomial_of_order_two_holds_every_square() -> None:
    trend = Trend.around(PLACES, 2, (0, 1, 2))
    x, y, z = PLACES.T
    wanted = 3 + 2 * x - z + x * y - 0.5 * z**2 + y**2

    whole = np.column_stack([np.ones(40), trend.columns(PLACES)])
    left = np.linalg.lstsq(whole, wanted, rcond=None)[0]

    assert np.allclose(whole @ left, wanted)


@pytest.mark.parametrize("sides", [[[4.0, 2.0, 6.0]], None])
def test_means_over_blocks_are_those_of_their_points(sides: list[list[float]] | None) -> None:
    trend = Trend.around(PLACES, 2, (0, 1, 2))
    axes = rotation_matrix(33.0, 50.0, 12.0)
    points = regular(3, 2, 4)
    given = np.array(sides) if sides else np.random.default_rng(1).uniform(1, 9, (40, 3))

    means = trend.block_columns(PLACES, given, axes, points)

    each = np.broadcast_to(given, (40, 3))
    offsets = np.einsum("ij,dj,mj->mdi", axes, points.offsets, each)
    places = (PLACES[:, None, :] + offsets).reshape(-1, 3)
    columns = trend.columns(places).reshape(40, -1, 9)
    assert np.allclose(means, np.einsum("d,mdp->mp", points.weights, columns))


def test_samples_in_a_plane_cannot_tell_a_trend_across_it() -> None:
    flat = PLACES * [1, 1, 0]

    assert dependent(Trend.around(flat, 1, (0, 1, 2)).columns(flat))
    assert not dependent(Trend.around(flat, 1, (0, 1)).columns(flat))
    assert not dependent(Trend.around(PLACES, 2, (0, 1, 2)).columns(PLACES))


def test_fewer_samples_than_terms_cannot_tell() -> None:
    few = PLACES[:5]

    assert dependent(Trend.around(few, 2, (0, 1, 2)).columns(few))
