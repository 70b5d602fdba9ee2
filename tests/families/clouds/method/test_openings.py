"""Openings against scipy's, and what an opening is by its laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from haulier.families.clouds.method.openings import Shape, opened

SURFACES = arrays(np.float32, (13, 17), elements=st.integers(0, 50).map(float))


def footprint(radius: int, shape: Shape) -> np.ndarray:
    down, right = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    if shape == "square":
        return np.ones(down.shape, dtype=bool)
    return np.asarray(down**2 + right**2 <= radius**2)


@pytest.mark.parametrize("shape", ["square", "disc"])
@pytest.mark.parametrize("radius", [1, 2, 5, 18, 40])
def test_an_opening_is_that_of_scipy(radius: int, shape: Shape) -> None:
    surface = np.random.default_rng(radius).random((61, 47)).astype(np.float32)
    mask = footprint(radius, shape)

    lowest = ndimage.grey_erosion(surface, footprint=mask, mode="constant", cval=np.inf)
    expected = ndimage.grey_dilation(lowest, footprint=mask, mode="constant", cval=-np.inf)

    assert np.array_equal(opened(surface, radius, shape), expected)


@settings(max_examples=40, deadline=None)
@given(SURFACES, st.integers(1, 4))
def test_an_opening_never_rises_and_a_second_one_changes_nothing(
    surface: np.ndarray, radius: int
) -> None:
    once = opened(surface, radius, "square")

    assert np.all(once <= surface)
    assert np.array_equal(opened(once, radius, "square"), once)


@settings(max_examples=40, deadline=None)
@given(SURFACES, st.integers(1, 4))
def test_squares_give_the_same_one_after_the_other_and_at_once(
    surface: np.ndarray, radius: int
) -> None:
    stepwise = opened(opened(surface, radius, "square"), radius + 1, "square")

    assert np.array_equal(stepwise, opened(surface, radius + 1, "square"))


def test_voids_count_neither_as_low_nor_as_high() -> None:
    surface = np.full((9, 9), 5.0, dtype=np.float32)
    surface[3:6, 3:6] = np.nan

    lowered = opened(surface, 2, "square")

    assert np.array_equal(np.isnan(lowered), np.isnan(surface))
    assert np.nanmin(lowered) == np.nanmax(lowered) == 5.0
