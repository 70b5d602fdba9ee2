"""The rubber sheet: it finds a displacement, and stays flat where it knows nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.sheet import (
    Residuals,
    displacements,
    flat_sheet,
    stretch,
)


def residuals_under(east: float, north: float, n: int = 4000) -> Residuals:
    """Give what streets in all directions measure when the map is displaced."""
    random = np.random.default_rng(2)
    x, y = random.uniform(0, 3000, (2, n))
    angle = random.uniform(0, 2 * np.pi, n)
    nx, ny = np.cos(angle), np.sin(angle)
    return Residuals(x, y, nx, ny, nx * east + ny * north)


@settings(deadline=None, max_examples=30)
@given(st.floats(-15, 15), st.floats(-15, 15))
def test_a_displaced_map_is_moved_back(east: float, north: float) -> None:
    sheet = stretch(flat_sheet(), residuals_under(east, north), 2.5, 250.0)

    moved = displacements(sheet, np.array([700.0, 1500.0]), np.array([900.0, 2000.0]))

    np.testing.assert_allclose(moved, [[east, north]] * 2, atol=0.02 + 0.05 * np.hypot(east, north))


def test_a_second_sheet_adds_to_the_first() -> None:
    first = stretch(flat_sheet(), residuals_under(4.0, 0.0), 2.5, 250.0)
    second = stretch(first, residuals_under(0.0, 3.0), 1.0, 250.0)

    moved = displacements(second, np.array([1500.0]), np.array([1500.0]))

    np.testing.assert_allclose(moved, [[4.0, 3.0]], atol=0.3)


def test_a_few_wrong_matches_hardly_move_the_sheet() -> None:
    right = residuals_under(3.0, -2.0)
    wrong = right.offset.copy()
    wrong[::20] += 40.0

    sheet = stretch(flat_sheet(), right._replace(offset=wrong), 2.5, 250.0)

    moved = displacements(sheet, np.array([1500.0]), np.array([1500.0]))
    np.testing.assert_allclose(moved, [[3.0, -2.0]], atol=0.5)


def test_streets_of_one_direction_say_nothing_about_a_shift_along_them() -> None:
    random = np.random.default_rng(2)
    x, y = random.uniform(0, 3000, (2, 2000))
    north = Residuals(x, y, np.zeros(2000), np.ones(2000), np.full(2000, 5.0))

    moved = displacements(
        stretch(flat_sheet(), north, 2.5, 250.0), np.array([1500.0]), np.array([1500.0])
    )

    assert moved[0].tolist() == pytest.approx([0.0, 5.0], abs=0.1)


def test_a_flat_sheet_moves_nothing_and_nothing_keeps_it_flat() -> None:
    nothing = np.zeros(0)
    sheet = stretch(flat_sheet(), Residuals(*[nothing] * 5), 2.5, 250.0)

    assert displacements(sheet, np.array([1.0]), np.array([2.0])).tolist() == [[0.0, 0.0]]
