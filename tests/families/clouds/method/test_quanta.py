"""Scales and offsets: fine enough, and never too fine for 32 bits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.clouds.method.quanta import (
    TooWideError,
    angular_scale,
    checked_scale,
    linear_scale,
    offset_of,
)


@pytest.mark.parametrize(
    ("extent", "source_step", "expected"),
    [
        (1000.0, 0.01, 1e-3),
        (1000.0, 0.001, 1e-3),
        (1000.0, 0.00025, 1e-4),
        (1000.0, 1e-6, 1e-6),
        (1000.0, 1e-9, 1e-6),  # as fine as there is room for
        (5_000_000.0, 0.01, 1e-2),
    ],
)
def test_metres_get_a_millimetre_unless_the_source_is_finer_or_the_cloud_too_wide(
    extent: float, source_step: float, expected: float
) -> None:
    assert linear_scale(extent, source_step) == expected


@pytest.mark.parametrize(
    ("extent", "expected"), [(0.1, 1e-9), (2.0, 1e-9), (3.0, 2e-9), (9.0, 5e-9), (360.0, 2e-7)]
)
def test_degrees_get_the_finest_step_there_is_room_for(extent: float, expected: float) -> None:
    assert angular_scale(extent) == expected


@given(extent=st.floats(1e-3, 1e9), step=st.floats(1e-10, 10))
def test_every_chosen_step_has_room_for_the_cloud(extent: float, step: float) -> None:
    assert extent / linear_scale(extent, step) < 2**31
    assert extent / angular_scale(extent) < 2**31


def test_a_step_that_was_asked_for_must_have_room_for_the_cloud() -> None:
    assert checked_scale(0.01, 1000.0) == 0.01
    with pytest.raises(TooWideError, match=r"a step of 1e-09 reaches 2\.04"):
        checked_scale(1e-9, 1000.0)


@pytest.mark.parametrize(("low", "offset"), [(-8843228.6, -8843229.0), (0.0, 0.0), (41.2, 41.0)])
def test_coordinates_are_counted_from_the_whole_number_below_the_least(
    low: float, offset: float
) -> None:
    assert offset_of(low) == offset
