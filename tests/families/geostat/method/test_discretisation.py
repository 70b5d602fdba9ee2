"""Points that stand for a block."""

import numpy as np
import pytest

from haulier.families.geostat.method.discretisation import POINT, Discretisation, gauss, regular
from haulier.families.geostat.method.rotation import rotation_matrix
from haulier.families.geostat.method.variogram import Structure, Variogram

MODEL = Variogram(0.3, (Structure("spherical", 0.7, (30.0, 20.0, 10.0), (20.0, 30.0, 0.0)),))
SIDES = np.array([[8.0, 6.0, 4.0], [1.0, 2.0, 3.0]])
AXES = rotation_matrix(40, 10, 5)


@pytest.mark.parametrize("block", [regular(3, 2, 4), gauss(4), gauss(3, 3), regular(9, 1, 1)])
def test_a_block_s_variance_is_the_mean_over_pairs_without_nugget(block: Discretisation) -> None:
    got = block.variance(MODEL, SIDES, AXES)

    for side, variance in zip(SIDES, got, strict=True):
        points = (block.offsets * side) @ AXES.T
        smooth = Variogram(0.0, MODEL.structures).covariance(points[:, None] - points[None])
        assert variance == pytest.approx(block.weights @ smooth @ block.weights, rel=1e-12)


def test_a_point_s_variance_is_the_sill() -> None:
    assert POINT.variance(MODEL, SIDES, AXES) == pytest.approx([1.0, 1.0])
    assert regular(1, 1, 1).is_point


def test_points_lie_in_the_middles_of_equal_parts() -> None:
    block = regular(2, 1, 4)

    assert sorted(set(block.offsets[:, 0].tolist())) == [-0.25, 0.25]
    assert sorted(set(block.offsets[:, 2].tolist())) == [-0.375, -0.125, 0.125, 0.375]
    assert block.weights.sum() == pytest.approx(1.0)


def test_gaussian_points_average_polynomials_exactly() -> None:
    block = gauss(4)
    x, y = block.offsets[:, 0], block.offsets[:, 1]

    assert block.weights @ (x**6 * y**4) == pytest.approx(0.5**6 / 7 * 0.5**4 / 5)


@pytest.mark.parametrize("numbers", [(0, 1, 1), (1, 10, 1), (1, 1, -3)])
def test_more_than_nine_points_along_a_side_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"n[xyz] must be 1 to 9, got"):
        regular(*numbers)


def test_points_outside_a_block_are_refused() -> None:
    with pytest.raises(ValueError, match="offsets must lie between"):
        Discretisation(np.array([[0.6, 0.0, 0.0]]), np.ones(1))
    with pytest.raises(ValueError, match="weights must sum to 1"):
        Discretisation(np.zeros((2, 3)), np.ones(2))
    with pytest.raises(ValueError, match="offsets must be"):
        Discretisation(np.zeros((2, 3)), np.ones(3))
