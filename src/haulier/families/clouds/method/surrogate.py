"""Polynomials in place of an operation of PROJ: fitted to it, checked, and then much faster."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.polynomial.chebyshev import chebpts1
from numpy.typing import NDArray

from haulier.families.clouds.method.polynomials import (
    evaluate_patches,
    evaluate_plane,
    evaluate_solid,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]
Function = Callable[..., Sequence[FloatArray]]

#: Along X and Y; along Z, where the operation needs it.
DEGREE: Final = 4
DEGREE_Z: Final = 2
NODES: Final = DEGREE + 1
NODES_Z: Final = DEGREE_Z + 1
PATCHES: Final = (1, 2, 4, 8, 16, 32)
#: A fit this many times better than asked for is searched for first.
WISH: Final = 100.0
#: Places of the check along an edge of a patch; along the whole, where the operation has kinks.
CHECKS: Final = 13
CHECKS_OF_GRIDS: Final = 257
CHECKS_Z: Final = 5
#: A domain is fitted a little beyond its edges.
MARGIN: Final = 1e-3
FLAT: Final = 2


@dataclass(frozen=True)
class Surrogate:
    """Polynomials of one function, by patches of its domain.

    Attributes:
        centre: (d,) of the domain, in the units of what goes in; d is 2 or 3.
        half: (d,) half its lengths.
        patches: how many there are along X, and along Y.
        coefficients: (patches², d outputs, terms of Z, 5, 5) of powers of Z, X and Y, each in
            -1..1 over its patch.
        error: the worst that the check found, in metres.
    """

    centre: FloatArray
    half: FloatArray
    patches: int
    coefficients: FloatArray
    error: float

    def __call__(
        self, places: Sequence[IntArray], scales: FloatArray, offsets: FloatArray
    ) -> tuple[tuple[FloatArray, ...], int]:
        """Evaluate at stored coordinates.

        Args:
            places: X and Y, or X, Y and Z: (n,) whole numbers.
            scales: (3,) what they are times.
            offsets: (3,) what they are counted from.

        Returns:
            As many arrays (n,) in the units of what comes out; and how many places were outside
            the domain, where the values mean nothing.
        """
        number = len(self.centre)
        steps = scales[:number] / self.half
        starts = (offsets[:number] - self.centre) / self.half
        given = np.empty((number, len(places[0])))
        if number > FLAT:
            outside = evaluate_solid(
                places[0],
                places[1],
                places[2],
                steps,
                starts,
                self.patches,
                self.coefficients,
                given,
            )
        elif self.patches == 1:
            outside = evaluate_plane(
                places[0], places[1], steps, starts, self.coefficients[0, :, 0], given[0], given[1]
            )
        else:
            outside = evaluate_patches(
                places[0],
                places[1],
                steps,
                starts,
                self.patches,
                self.coefficients[:, :, 0],
                given[0],
                given[1],
            )
        return tuple(given), int(outside)


def fit(
    function: Function,
    low: Sequence[float],
    high: Sequence[float],
    *,
    tolerance: float,
    units: Sequence[float],
    has_kinks: bool = False,
) -> Surrogate | None:
    """Fit polynomials to a function, with as few patches as it takes.

    The least number of patches is taken that is a hundred times better than the tolerance, or
    else the best that is within it.

    Args:
        function: takes and gives d arrays (n,).
        low: (d,) the least coordinates of the domain; d is 2 or 3.
        high: (d,) the greatest.
        tolerance: the largest error allowed, in metres.
        units: (d,) metres of a unit of each array that comes out.
        has_kinks: the function may bend sharply anywhere: check it on a dense grid.

    Returns:
        None where no fit is good enough, or the function has no finite value somewhere: at a
        pole, at the edge of a projection, across a jump at 180 degrees.

    Source:
        Trefethen (2019), Approximation Theory and Approximation Practice, ch. 2-4; the tensor of
        two of its interpolations in Chebyshev points.
    """
    lows, highs = np.asarray(low, float), np.asarray(high, float)
    if not (np.all(np.isfinite(lows)) and np.all(np.isfinite(highs)) and np.all(lows <= highs)):
        return None
    centre = (lows + highs) / 2
    least = np.maximum(np.abs(centre) * 1e-9, 1e-9)
    half = np.maximum((highs - lows) / 2 * (1 + MARGIN), least)
    best: Surrogate | None = None
    for patches in PATCHES:
        given = _fit_patches(function, centre, half, patches)
        error = _check(function, given, units, has_kinks=has_kinks) if given else None
        if given is None or error is None:
            return None
        given = replace(given, error=error)
        if given.error <= tolerance and (best is None or given.error < best.error):
            best = given
        if given.error <= tolerance / WISH:
            break
    return best


def _fit_patches(
    function: Function, centre: FloatArray, half: FloatArray, patches: int
) -> Surrogate | None:
    nodes = chebpts1(NODES)
    inverse = np.linalg.inv(np.vander(nodes, increasing=True))
    solid = len(centre) > FLAT
    heights = chebpts1(NODES_Z) if solid else np.zeros(1)
    inverse_z = np.linalg.inv(np.vander(heights, increasing=True)) if solid else np.ones((1, 1))
    values = _sample(function, centre, half, patches, nodes, heights)
    if values is None:
        return None
    coefficients = np.einsum("ijozxy,ax,by,cz->jiocab", values, inverse, inverse, inverse_z)
    flat = coefficients.reshape(patches * patches, *coefficients.shape[2:])
    return Surrogate(centre, half, patches, np.ascontiguousarray(flat), np.inf)


def _sample(
    function: Function,
    centre: FloatArray,
    half: FloatArray,
    patches: int,
    nodes: FloatArray,
    heights: FloatArray,
) -> FloatArray | None:
    """Give the values at the nodes of all patches: (column, row, output, z, x, y)."""
    middles = (2 * np.arange(patches) + 1 - patches) / patches
    ticks = middles[:, None] + nodes[None, :] / patches  # (patch, node), in -1..1
    shape = (patches, patches, len(heights), len(nodes), len(nodes))
    u = np.broadcast_to(ticks[:, None, None, :, None], shape).ravel()
    v = np.broadcast_to(ticks[None, :, None, None, :], shape).ravel()
    w = np.broadcast_to(heights[None, None, :, None, None], shape).ravel()
    given = _call(function, centre, half, (u, v, w))
    if given is None:
        return None
    return np.stack([each.reshape(shape) for each in given], axis=2)


def _call(
    function: Function, centre: FloatArray, half: FloatArray, units: Sequence[FloatArray]
) -> list[FloatArray] | None:
    """Give the function's values at places in -1..1; None where one is not finite."""
    places = [c + h * unit for c, h, unit in zip(centre, half, units, strict=False)]
    given = [np.asarray(each, float) for each in function(*places)][: len(centre)]
    return given if all(np.all(np.isfinite(each)) for each in given) else None


def _check(
    function: Function, fitted: Surrogate, units: Sequence[float], *, has_kinks: bool
) -> float | None:
    """Give the worst error on a grid in each patch, denser than the nodes, up to its edges.

    Each patch is checked on its own edges: a jump just before one would else hide in the gap
    between the last place of one patch and the first of the next.
    """
    along = max(CHECKS, CHECKS_OF_GRIDS // fitted.patches) if has_kinks else CHECKS
    ticks = np.linspace(-1, 1, along)
    heights = np.linspace(-1, 1, CHECKS_Z) if len(fitted.centre) > FLAT else np.zeros(1)
    exact = _sample(function, fitted.centre, fitted.half, fitted.patches, ticks, heights)
    if exact is None:
        return None
    terms = fitted.coefficients.shape[2]
    found = np.einsum(
        "jiocab,xa,yb,zc->ijozxy",
        fitted.coefficients.reshape(fitted.patches, fitted.patches, *fitted.coefficients.shape[1:]),
        np.vander(ticks, NODES, increasing=True),
        np.vander(ticks, NODES, increasing=True),
        np.vander(heights, terms, increasing=True),
        optimize=True,
    )
    worst = np.max(np.abs(exact - found), axis=(0, 1, 3, 4, 5))
    return float(np.max(worst * np.asarray(units)))
