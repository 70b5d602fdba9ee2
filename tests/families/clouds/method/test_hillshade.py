"""Hillshades against numpy, and at what the sun must do."""

import numpy as np
import pytest

from haulier.families.clouds.method.hillshade import hillshade


def by_numpy(
    heights: np.ndarray, cell: tuple[float, float], z: float, azimuth: float, altitude: float
) -> np.ndarray:
    """Shade the inner cells as Horn's formula is written in textbooks."""
    a, b, c = heights[:-2, :-2], heights[:-2, 1:-1], heights[:-2, 2:]
    d, f = heights[1:-1, :-2], heights[1:-1, 2:]
    g, h, i = heights[2:, :-2], heights[2:, 1:-1], heights[2:, 2:]
    east = z * ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * cell[0])
    south = z * ((g + 2 * h + i) - (a + 2 * b + c)) / (8 * cell[1])
    slope = np.arctan(np.hypot(east, south))
    aspect = np.arctan2(south, -east)
    zenith = np.radians(90 - altitude)
    mathematical = np.radians((360 - azimuth + 90) % 360)
    bright = np.cos(zenith) * np.cos(slope)
    bright += np.sin(zenith) * np.sin(slope) * np.cos(mathematical - aspect)
    return np.asarray(np.floor(1.5 + 254 * np.maximum(bright, 0)))


@pytest.mark.parametrize("azimuth", [0.0, 45.0, 135.0, 315.0])
@pytest.mark.parametrize("altitude", [20.0, 45.0, 90.0])
def test_a_hillshade_is_that_of_the_textbook(azimuth: float, altitude: float) -> None:
    heights = np.random.default_rng(0).normal(0, 3, (40, 50)).cumsum(axis=0)

    shades = hillshade(
        heights.astype(np.float32),
        (2.0, 3.0),
        z_factor=0.7,
        azimuth_deg=azimuth,
        altitude_deg=altitude,
    )

    expected = by_numpy(heights, (2.0, 3.0), 0.7, azimuth, altitude)
    assert np.abs(shades[1:-1, 1:-1].astype(int) - expected).max() <= 1


def test_a_slope_towards_the_light_is_brighter_than_one_away() -> None:
    down, right = np.mgrid[:20, :20]
    towards = (down + right).astype(np.float32)  # falls to the north-west, where light is from

    assert hillshade(towards, (1.0, 1.0))[10, 10] > hillshade(-towards, (1.0, 1.0))[10, 10]


def test_a_plane_is_one_shade_up_to_its_edges_and_voids() -> None:
    down, right = np.mgrid[:20, :20]
    plane = (0.4 * down + 0.2 * right).astype(np.float32)
    plane[8:12, 8:12] = np.nan

    shades = hillshade(plane, (1.0, 1.0))

    assert np.array_equal(shades == 0, np.isnan(plane))
    assert len(np.unique(shades[shades > 0])) == 1
