"""Polynomials of a surrogate, evaluated point by point: compiled loops."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]

#: A place beyond -1..1 is outside; the rest is rounding.
INSIDE: Final = 1.0 + 1e-9
INT32: Final = 2147483648.0


@kernel
def evaluate_plane(
    places_x: IntArray,
    places_y: IntArray,
    steps: FloatArray,
    starts: FloatArray,
    coefficients: FloatArray,
    out_x: FloatArray,
    out_y: FloatArray,
) -> int:
    """Evaluate two polynomials of X and Y at n places.

    Args:
        places_x: (n,) X as it is stored.
        places_y: (n,) Y.
        steps: (2,) what X and Y are times, and
        starts: (2,) what is added, to lie in -1..1.
        coefficients: (2, 5, 5) of powers of X and Y.
        out_x: (n,) the first polynomial's values, written.
        out_y: (n,) the second's.

    Returns:
        How many places are outside of -1..1.
    """
    a, b = coefficients[0], coefficients[1]
    outside = 0
    for i in range(len(places_x)):
        x = places_x[i] * steps[0] + starts[0]
        y = places_y[i] * steps[1] + starts[1]
        outside += (abs(x) > INSIDE) | (abs(y) > INSIDE)
        out_x[i] = _quartic(a, x, y)
        out_y[i] = _quartic(b, x, y)
    return outside


@kernel
def evaluate_patches(  # noqa: PLR0917 -- arrays one by one, as they are compiled for
    places_x: IntArray,
    places_y: IntArray,
    steps: FloatArray,
    starts: FloatArray,
    patches: int,
    coefficients: FloatArray,
    out_x: FloatArray,
    out_y: FloatArray,
) -> int:
    """Evaluate as `evaluate_plane` does, with polynomials by patch: (patches², 2, 5, 5)."""
    outside = 0
    for i in range(len(places_x)):
        x = places_x[i] * steps[0] + starts[0]
        y = places_y[i] * steps[1] + starts[1]
        outside += (abs(x) > INSIDE) | (abs(y) > INSIDE)
        column, x = _locate(x, patches)
        row, y = _locate(y, patches)
        chosen = coefficients[row * patches + column]
        out_x[i] = _quartic(chosen[0], x, y)
        out_y[i] = _quartic(chosen[1], x, y)
    return outside


@kernel
def evaluate_solid(  # noqa: PLR0917 -- as above
    places_x: IntArray,
    places_y: IntArray,
    places_z: IntArray,
    steps: FloatArray,
    starts: FloatArray,
    patches: int,
    coefficients: FloatArray,
    out: FloatArray,
) -> int:
    """Evaluate three polynomials of X, Y and Z at n places.

    Args:
        places_x: (n,) X as it is stored.
        places_y: (n,) Y.
        places_z: (n,) Z.
        steps: (3,) what they are times, and
        starts: (3,) what is added, to lie in -1..1.
        patches: along X, and along Y.
        coefficients: (patches², 3, 3, 5, 5) of powers of Z, X and Y.
        out: (3, n) the polynomials' values, written.

    Returns:
        How many places are outside of -1..1.
    """
    outside = 0
    for i in range(len(places_x)):
        x = places_x[i] * steps[0] + starts[0]
        y = places_y[i] * steps[1] + starts[1]
        z = places_z[i] * steps[2] + starts[2]
        outside += (abs(x) > INSIDE) | (abs(y) > INSIDE) | (abs(z) > INSIDE)
        column, x = _locate(x, patches)
        row, y = _locate(y, patches)
        chosen = coefficients[row * patches + column]
        for k in range(3):
            c = chosen[k]
            flat, bent = _quartic(c[0], x, y), _quartic(c[2], x, y)
            out[k, i] = (bent * z + _quartic(c[1], x, y)) * z + flat
    return outside


@kernel
def _locate(unit: float, patches: int) -> tuple[int, float]:
    """Give the patch that a place in -1..1 lies in, and the place in -1..1 of the patch."""
    scaled = (unit + 1.0) * (patches * 0.5)
    index = min(max(int(scaled), 0), patches - 1)
    return index, (scaled - index) * 2.0 - 1.0


@kernel
def _quartic(c: FloatArray, x: float, y: float) -> float:
    """Evaluate a polynomial of degree four in both; written out, so that it becomes vectors."""
    r0 = (((c[0, 4] * y + c[0, 3]) * y + c[0, 2]) * y + c[0, 1]) * y + c[0, 0]
    r1 = (((c[1, 4] * y + c[1, 3]) * y + c[1, 2]) * y + c[1, 1]) * y + c[1, 0]
    r2 = (((c[2, 4] * y + c[2, 3]) * y + c[2, 2]) * y + c[2, 1]) * y + c[2, 0]
    r3 = (((c[3, 4] * y + c[3, 3]) * y + c[3, 2]) * y + c[3, 1]) * y + c[3, 0]
    r4 = (((c[4, 4] * y + c[4, 3]) * y + c[4, 2]) * y + c[4, 1]) * y + c[4, 0]
    return float((((r4 * x + r3) * x + r2) * x + r1) * x + r0)


@kernel
def quantise(values: FloatArray, scale: float, offset: float, places: IntArray) -> int:
    """Write coordinates as whole numbers, halves to the even one.

    Args:
        values: (n,) coordinates.
        scale: what the whole numbers are times.
        offset: what they are counted from.
        places: (n,) written, where the number is one of 32 bits.

    Returns:
        How many are none: too far from the offset, or not finite.
    """
    refused = 0
    for i in range(len(values)):
        place = np.rint((values[i] - offset) / scale)
        fits = abs(place) < INT32
        refused += not fits
        places[i] = np.int32(place if fits else 0.0)
    return refused
