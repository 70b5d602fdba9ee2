"""Polynomials in place of functions: exact where they can be, absent where they cannot."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.clouds.method.polynomials import quantise
from haulier.families.clouds.method.surrogate import Surrogate, fit

FloatArray = NDArray[np.float64]
Function = Callable[..., Sequence[FloatArray]]

SCALES = np.array([0.01, 0.01, 0.01])
OFFSETS = np.array([500.0, -200.0, 10.0])
LOW, HIGH = (480.0, -230.0, 0.0), (530.0, -180.0, 40.0)


def smooth(x: FloatArray, y: FloatArray, *_: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bend gently over hundreds of metres."""
    return 1e6 + x * np.cos(y / 3000) * 2, y * 3 + 1e-4 * x * y


def wavy(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Bend within tens of metres."""
    return x + np.sin(x / 5 + y / 9), y + np.cos(y / 4)


def solid(x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, ...]:
    """Move heights too."""
    first, second = smooth(x, y)
    return first + 1e-4 * z, second, z * 0.3048 + 1e-5 * x + 1e-9 * z * z


def kinked(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Have a ridge along a line that no patch ends at."""
    return x + 0.1 * np.abs(x - 501.2345), y


def places(number: int, axes: int, seed: int = 0) -> list[NDArray[np.int32]]:
    """Give random stored coordinates within the domain."""
    rng = np.random.default_rng(seed)
    return [
        ((rng.uniform(LOW[axis], HIGH[axis], number) - OFFSETS[axis]) / SCALES[axis]).astype(
            np.int32
        )
        for axis in range(axes)
    ]


def fitted(function: Function, axes: int, tolerance: float) -> Surrogate | None:
    """Fit over the domain, in metres."""
    return fit(function, LOW[:axes], HIGH[:axes], tolerance=tolerance, units=(1.0,) * axes)


def worst(surrogate: Surrogate, function: Function, axes: int) -> float:
    """Give the largest error at a hundred thousand places."""
    stored = places(100_000, axes)
    values, outside = surrogate(stored, SCALES, OFFSETS)
    assert outside == 0
    exact = function(*(stored[axis] * SCALES[axis] + OFFSETS[axis] for axis in range(axes)))
    return max(float(np.max(np.abs(a - b))) for a, b in zip(values, exact, strict=True))


@pytest.mark.parametrize(
    ("function", "axes", "tolerance"),
    [(smooth, 2, 1e-5), (wavy, 2, 1e-5), (wavy, 2, 1e-3), (solid, 3, 1e-5)],
)
def test_a_fit_keeps_its_tolerance_at_every_place(
    function: Function, axes: int, tolerance: float
) -> None:
    surrogate = fitted(function, axes, tolerance)

    assert surrogate is not None
    assert surrogate.error <= tolerance
    assert worst(surrogate, function, axes) <= tolerance


def test_a_function_that_bends_more_gets_more_patches() -> None:
    plain, bent = fitted(smooth, 2, 1e-5), fitted(wavy, 2, 1e-5)

    assert plain is not None
    assert bent is not None
    assert (plain.patches, bent.patches > 4) == (1, True)


def test_a_patch_that_is_a_hundred_times_better_than_asked_is_found_before_one_that_will_do() -> (
    None
):
    some, better = fitted(wavy, 2, 1.0), fitted(wavy, 2, 1e-2)

    assert some is not None
    assert better is not None
    assert some.error <= 1e-2
    assert better.error <= 1e-4


def jump(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Jump where a meridian is passed."""
    return np.where(x > 500.3, x - 360, x), y


def edge(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Have no value beyond an edge."""
    return np.where(x > 520, np.inf, x), y


def nothing(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Have no value at all."""
    return x * np.nan, y


@pytest.mark.parametrize("function", [jump, edge, nothing, kinked])
def test_a_function_that_jumps_ends_or_bends_sharply_gets_no_fit(function: Function) -> None:
    assert fitted(function, 2, 1e-5) is None


@settings(max_examples=40, deadline=None)
@given(at=st.floats(LOW[0], HIGH[0]))
def test_a_jump_anywhere_in_the_domain_is_never_fitted_over(at: float) -> None:
    def steep(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.where(x > at, x - 360, x), y

    surrogate = fitted(steep, 2, 1e-5)

    assert surrogate is None


def test_a_kink_between_the_places_of_the_usual_check_is_found_by_the_dense_one() -> None:
    def needle(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        return x + 0.01 * np.maximum(0, 0.15 - np.abs(x - 503.7)), y

    dense = fit(needle, LOW[:2], HIGH[:2], tolerance=1e-5, units=(1.0, 1.0), has_kinks=True)

    assert dense is None


@pytest.mark.parametrize(
    ("low", "high"),
    [((np.nan, 0), (1, 1)), ((0, 0), (np.inf, 1)), ((2, 0), (1, 1)), ((-np.inf, 0), (1, 1))],
)
def test_a_domain_that_is_none_gets_no_fit(
    low: tuple[float, float], high: tuple[float, float]
) -> None:
    assert fit(smooth, low, high, tolerance=1.0, units=(1.0, 1.0)) is None


def test_a_domain_of_one_place_is_fitted() -> None:
    surrogate = fit(smooth, (500, -200), (500, -200), tolerance=1e-5, units=(1.0, 1.0))

    assert surrogate is not None
    values, outside = surrogate([np.zeros(1, np.int32)] * 2, SCALES, OFFSETS)
    assert outside == 0
    assert abs(values[0][0] - smooth(np.array([500.0]), np.array([-200.0]))[0][0]) < 1e-5


@pytest.mark.parametrize(("function", "axes"), [(smooth, 2), (wavy, 2), (solid, 3)])
def test_places_beyond_the_domain_are_counted(function: Function, axes: int) -> None:
    surrogate = fitted(function, axes, 1e-5)
    assert surrogate is not None
    stored = places(1000, axes)
    stored[0][:7] = 2**31 - 1
    stored[axes - 1][5:9] = -(2**31)

    _, outside = surrogate(stored, SCALES, OFFSETS)

    assert outside == 9


def test_the_tolerance_is_in_metres_whatever_the_unit_of_what_comes_out() -> None:
    in_degrees = fit(kinked, LOW[:2], HIGH[:2], tolerance=1.0, units=(111_320.0, 111_320.0))
    in_metres = fit(kinked, LOW[:2], HIGH[:2], tolerance=1.0, units=(1.0, 1.0))

    assert in_degrees is None
    assert in_metres is not None


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-1e7, 1e7), min_size=1, max_size=20),
    scale=st.sampled_from([1e-3, 0.01, 0.25, 1.0]),
    offset=st.sampled_from([0.0, 1000.0, -8843265.0]),
)
def test_whole_numbers_are_rounded_as_numpy_rounds_them(
    values: list[float], scale: float, offset: float
) -> None:
    given_values = np.array(values)
    stored = np.empty(len(values), np.int32)
    expected = np.rint((given_values - offset) / scale)
    fits = np.abs(expected) < 2**31

    refused = quantise(given_values, scale, offset, stored)

    assert refused == np.count_nonzero(~fits)
    assert np.array_equal(stored[fits], expected[fits])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 2.0**31, -(2.0**31)])
def test_numbers_that_32_bits_cannot_hold_are_refused(value: float) -> None:
    assert quantise(np.array([1.0, value]), 1.0, 0.0, np.empty(2, np.int32)) == 1
