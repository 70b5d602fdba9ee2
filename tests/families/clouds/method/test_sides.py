"""Lengths of units on the ground are those of geodesics."""

import numpy as np
import pytest
from pyproj import CRS, Geod

from haulier.families.clouds.method.sides import sides_of

FOOT = 1200 / 3937


@pytest.mark.parametrize(
    ("code", "x", "y", "unit_m", "expected"),
    [
        pytest.param(25832, 500_000.0, 5.5e6, 1.0, (1 / 0.9996, 1 / 0.9996), id="utm"),
        pytest.param(3857, 0.0, 8_399_737.9, 1.0, (0.50126, 0.50042), id="mercator-60"),
        pytest.param(2271, 1.97e6, 3e5, FOOT, (FOOT, FOOT), id="feet"),
        pytest.param(4326, 10.0, 60.0, 1.0, (55_800.0, 111_412.0), id="degrees-60"),
    ],
)
def test_a_unit_is_as_long_as_the_ground_below_it(
    code: int, x: float, y: float, unit_m: float, expected: tuple[float, float]
) -> None:
    sides = sides_of(CRS.from_epsg(code), x, np.array([y]), unit_m)

    assert sides is not None
    assert sides.middle == pytest.approx(expected, rel=2e-4)
    assert sides.areas_m2[0] == pytest.approx(expected[0] * expected[1], rel=4e-4)


def test_a_row_further_north_is_shorter() -> None:
    sides = sides_of(CRS.from_epsg(4326), 5.0, np.array([0.0, 45.0, 80.0]), 1.0)

    assert sides is not None
    _, _, equator = Geod(ellps="WGS84").inv(4.5, 0.0, 5.5, 0.0)
    assert sides.x_m[0] == pytest.approx(equator, rel=1e-6)
    assert np.all(np.diff(sides.x_m) < 0)
    assert np.all(np.diff(sides.y_m) > 0)


@pytest.mark.parametrize(
    ("code", "x", "y"), [(4326, 515_368.0, 4_918_340.0), (4326, 0.0, 91.0), (2154, 1e12, 1e12)]
)
def test_what_is_no_place_has_no_lengths(code: int, x: float, y: float) -> None:
    assert sides_of(CRS.from_epsg(code), x, np.array([y]), 1.0) is None
