"""Ramps of colours, and the length of maps."""

import math

import numpy as np
import pytest
from pyproj import CRS

from haulier.families.clouds.method.ramps import RAMPS, colours_of, parse_ramp
from haulier.families.clouds.method.scale import map_scale


@pytest.mark.parametrize("name", [*RAMPS, "gray", "Viridis", "#000000,#ff0000"])
def test_a_ramp_has_a_name_or_colours(name: str) -> None:
    ramp = parse_ramp(name)

    assert ramp.shape[1] == 3
    assert 0.0 <= ramp.min() <= ramp.max() <= 1.0


@pytest.mark.parametrize("text", ["", "no such ramp", "#000000", "#00000g,#ffffff", "#fff,#000"])
def test_what_is_no_ramp_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="viridis"):
        parse_ramp(text)


def test_values_beyond_the_ends_have_the_colours_of_the_ends() -> None:
    ramp = parse_ramp("#000000,#ff8000")

    colours = colours_of(np.array([-5.0, 0.0, 5.0, 10.0, 99.0, np.nan]), 0.0, 10.0, ramp)

    assert colours[:5, 0].tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert colours[2, 1] == pytest.approx(64 / 255)
    assert np.isnan(colours[5]).all()


@pytest.mark.parametrize("latitude", [0.0, 41.19, 60.0, -33.0])
def test_web_mercator_is_longer_than_the_ground_by_the_secant_of_latitude(latitude: float) -> None:
    north = 6378137.0 * math.asinh(math.tan(math.radians(latitude)))

    scale = map_scale(CRS(3857), -8_000_000.0, north, 1.0)

    assert scale == pytest.approx(1 / math.cos(math.radians(latitude)), rel=4e-3)


def test_a_metric_system_of_the_region_is_as_long_as_the_ground() -> None:
    assert map_scale(CRS(2154), 292_500.0, 6_832_500.0, 1.0) == pytest.approx(1.0, abs=5e-4)
    assert map_scale(CRS(2271), 1_503_500.0, 375_500.0, 1200 / 3937) == pytest.approx(1.0, abs=5e-4)
