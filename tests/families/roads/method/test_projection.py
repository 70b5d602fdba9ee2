"""The projection against PROJ, and at the places where others fail."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from haulier.families.roads.method.projection import Projection, centred_on

longitudes = st.floats(-180, 180, exclude_max=True)
latitudes = st.floats(-80, 80)
nearby = st.floats(-1, 1)


@pytest.mark.parametrize("centre", [(5.5, 50.6), (-105.0, 40.0), (20.0, -70.0), (0.0, 0.0)])
def test_places_within_a_degree_lie_where_proj_puts_them(centre: tuple[float, float]) -> None:
    longitude, latitude = centre
    random = np.random.default_rng(1)
    degrees = np.array(centre) + random.uniform(-1, 1, (500, 2))
    proj = Transformer.from_crs(
        "EPSG:4326",
        f"+proj=tmerc +lat_0={latitude} +lon_0={longitude} +datum=WGS84",
        always_xy=True,
    )

    metres = Projection(longitude, latitude).forward(degrees)

    expected = np.column_stack(proj.transform(degrees[:, 0], degrees[:, 1]))
    np.testing.assert_allclose(metres, expected, rtol=0, atol=1e-4)


@settings(deadline=None, max_examples=60)
@given(longitudes, latitudes, nearby, nearby)
def test_a_place_comes_back_from_metres(
    longitude: float, latitude: float, east: float, north: float
) -> None:
    projection = Projection(longitude, latitude)
    place = np.array([[longitude + east, latitude + north]])

    back = projection.inverse(projection.forward(place))

    assert abs((back[0, 0] - place[0, 0] + 180) % 360 - 180) < 1e-9
    assert abs(back[0, 1] - place[0, 1]) < 1e-9


def test_a_tile_across_the_antimeridian_is_one_place() -> None:
    degrees = np.array([[179.99, -17.0], [-179.99, -17.0]])

    metres = centred_on(degrees).forward(degrees)

    assert abs(metres[1, 0] - metres[0, 0]) == pytest.approx(2130, abs=10)


def test_the_centre_of_nothing_is_somewhere() -> None:
    assert centred_on(np.zeros((0, 2))) == Projection(0.0, 0.0)
    assert centred_on(np.array([[np.nan, np.nan]])) == Projection(0.0, 0.0)


def test_the_pole_has_finite_metres() -> None:
    assert np.isfinite(Projection(0.0, 89.0).forward(np.array([[10.0, 90.0]]))).all()
