"""The map of countries shows places where they are."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from haulier.families.reporting.locator import country_at, locate, middle
from haulier.families.reporting.page import png_size
from haulier.families.reporting.world import EARTH_KM, FloatArray, around, countries, on_globe

SPHERE = Geod(a=EARTH_KM, b=EARTH_KM)


def square(lon: float, lat: float, half: float = 0.1) -> FloatArray:
    steps = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
    return np.asarray(steps + np.array([lon, lat]))


@pytest.mark.parametrize(
    ("place", "country"),
    [
        ((2.35, 48.86), "France"),
        ((-79.43, 41.19), "United States of America"),
        ((28.5, -29.5), "Lesotho"),  # within another country
        ((179.0, -16.6), "Fiji"),  # where the map ends
        ((-150.0, 64.0), "United States of America"),
        ((178.0, 66.0), "Russia"),
        ((-30.0, 40.0), ""),
    ],
)
def test_a_place_is_in_its_country(place: tuple[float, float], country: str) -> None:
    found = country_at(place)

    assert found == country or {found, country} == {"South Africa", "Lesotho"}


def test_countries_are_whole_and_known_by_name() -> None:
    found = {country.name: country for country in countries()}

    assert len(found) > 230
    for country in found.values():
        assert country.rings, country.name
        for ring in country.rings:
            assert np.abs(ring[:, 0]).max() <= 180
            assert np.abs(ring[:, 1]).max() <= 90
    germany = shapely.Polygon(max(found["Germany"].rings, key=len))
    area, _ = SPHERE.geometry_area_perimeter(germany)
    assert abs(area) == pytest.approx(357_000, rel=0.02)


@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-80, 80),
    away=st.floats(1, 2000),
    bearing=st.floats(-180, 180),
)
def test_the_map_keeps_areas_and_directions(
    lon: float, lat: float, away: float, bearing: float
) -> None:
    to_lon, to_lat, _ = SPHERE.fwd(lon, lat, bearing, away)

    (place,) = around(np.array([(to_lon, to_lat)]), (lon, lat))

    assert np.hypot(*place) == pytest.approx(2 * EARTH_KM * np.sin(away / EARTH_KM / 2), rel=1e-3)
    turned = np.degrees(np.arctan2(*place)) - bearing
    assert abs((turned + 180) % 360 - 180) < 0.5


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
@settings(max_examples=20, deadline=None)
def test_a_globe_shows_nothing_beyond_its_rim(lon: float, lat: float) -> None:
    for country in countries()[::12]:
        for ring in country.rings:
            shown = on_globe(ring, (lon, lat))
            assert np.isfinite(shown).all()
            assert not len(shown) or np.hypot(*shown.T).max() <= 1 + 1e-6


@pytest.mark.parametrize(("lon", "lat"), [(179.98, -17.0), (0.0, 89.5)])
def test_a_map_is_drawn_anywhere_and_the_same_each_time(lon: float, lat: float) -> None:
    outline = square(lon, lat)

    png = locate(outline)

    assert png == locate(outline)
    assert png_size(png)[0] > 900
    assert len(png) < 150_000


def test_the_middle_of_what_crosses_180_degrees_is_there() -> None:
    assert middle(square(180.0, 10.0, 2.0)) == pytest.approx((-180.0, 10.0))
    assert middle(square(-170.0, 10.0, 2.0)) == pytest.approx((-170.0, 10.0))
