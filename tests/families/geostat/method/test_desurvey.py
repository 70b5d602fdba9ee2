"""Drillholes: straight ones, arcs whose geometry is known, and joins without gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.geostat.method.desurvey import Desurvey, hole_places

COLLAR = np.array([100.0, 200.0, 50.0])
STATIONS = st.lists(
    st.tuples(st.floats(1, 40), st.floats(0, 360), st.floats(20, 90)), min_size=1, max_size=6
)


@pytest.mark.parametrize("desurvey", Desurvey)
def test_a_straight_hole_is_straight(desurvey: Desurvey) -> None:
    stations = np.array([[0.0, 90.0, 30.0], [40.0, 90.0, 30.0], [90.0, 90.0, 30.0]])

    places = hole_places(COLLAR, stations, np.array([0.0, 25.0, 65.0, 120.0]), desurvey)

    along = np.array([np.cos(np.pi / 6), 0.0, -0.5])
    assert np.allclose(places, COLLAR + np.array([0, 25, 65, 120])[:, None] * along)


def test_a_hole_without_stations_goes_straight_down() -> None:
    places = hole_places(COLLAR, np.zeros((0, 3)), np.array([7.0]))

    assert np.allclose(places, COLLAR - [0, 0, 7])


def test_a_quarter_of_a_circle_is_one() -> None:
    radius = 10.0
    length = radius * np.pi / 2
    stations = np.array([[0.0, 0.0, 90.0], [length, 0.0, 0.0]])  # from straight down to North

    places = hole_places(np.zeros(3), stations, np.array([length / 2, length, length + 5]))

    half = radius * np.sqrt(0.5)
    assert np.allclose(places[0], [0, radius - half, -half])
    assert np.allclose(places[1], [0, radius, -radius])
    assert np.allclose(places[2], [0, radius + 5, -radius])


def test_balanced_tangents_go_half_the_way_each() -> None:
    stations = np.array([[0.0, 0.0, 90.0], [10.0, 0.0, 0.0]])

    places = hole_places(np.zeros(3), stations, np.array([4.0, 10.0]), Desurvey.BALANCED_TANGENT)

    assert np.allclose(places, [[0, 0, -4], [0, 5, -5]])


def test_a_trench_goes_as_its_end_says() -> None:
    stations = np.array([[0.0, 0.0, 0.0], [10.0, 90.0, 0.0]])

    places = hole_places(np.zeros(3), stations, np.array([10.0]), Desurvey.TRENCH)

    assert np.allclose(places, [[10, 0, 0]])


@given(legs=STATIONS, desurvey=st.sampled_from(Desurvey))
def test_a_hole_has_no_gaps_and_is_no_longer_than_its_depth(
    legs: list[tuple[float, float, float]], desurvey: Desurvey
) -> None:
    rows = np.array(legs)
    stations = np.column_stack([np.cumsum(rows[:, 0]), rows[:, 1:]])
    depths = np.linspace(0.0, stations[-1, 0] * 1.2, 200)

    places = hole_places(COLLAR, stations, depths, desurvey)

    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    assert np.allclose(places[0], COLLAR)
    assert np.all(steps <= np.diff(depths) * (1 + 1e-9))


@pytest.mark.parametrize(
    ("stations", "word"),
    [([[0, 0, np.nan]], "finite"), ([[5, 0, 90], [5, 10, 90]], "share a depth")],
)
def test_stations_that_cannot_be_are_refused(stations: list[list[float]], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        hole_places(COLLAR, np.array(stations, dtype=float), np.array([1.0]))
