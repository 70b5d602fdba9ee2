"""Drift functions: polynomials of the coordinates, small numbers whatever the coordinates are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from haulier.families.geostat.method.discretisation import Discretisation
from haulier.families.geostat.method.rotation import FloatArray

AXES: Final = "xyz"
HIGHEST_ORDER: Final = 2
#: A function of which less than this is left when the others are taken away says nothing new.
LEAST_LEFT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Products of powers of coordinates, without the constant; p of them.

    Attributes:
        powers: p times the powers of x, y and z.
        centre: metres; where all functions are zero.
        scale: metres; at this distance from the centre along each axis they are one.
    """

    powers: tuple[tuple[int, int, int], ...]
    centre: tuple[float, float, float]
    scale: tuple[float, float, float]

    @property
    def names(self) -> tuple[str, ...]:
        """Give each function as a word: x, xx, xy."""
        return tuple(
            "".join(axis * power for axis, power in zip(AXES, each, strict=True))
            for each in self.powers
        )

    def columns(self, places: FloatArray) -> FloatArray:
        """Give the functions at (n, 3) places in metres: (n, p), no units."""
        scaled = (places - np.array(self.centre)) / np.array(self.scale)
        columns = [np.prod(scaled ** np.array(each), axis=1) for each in self.powers]
        return np.stack(columns, axis=1) if columns else np.empty((len(places), 0))

    def block_columns(
        self, centres: FloatArray, sides: FloatArray, axes: FloatArray, points: Discretisation
    ) -> FloatArray:
        """Give the averages of the functions over blocks, by the points kriging takes.

        Args:
            centres: (m, 3) metres.
            sides: (1, 3) or (m, 3) metres.
            axes: (3, 3) column j is the blocks' axis j in the world.
            points: of a block.

        Returns:
            (m, p) no units.
        """
        total = np.zeros((len(centres), len(self.powers)))
        for offset, weight in zip(points.offsets, points.weights, strict=True):
            total += weight * self.columns(centres + (sides * offset) @ axes.T)
        return total


def polynomial(places: FloatArray, order: int, axes: str = AXES) -> Polynomial:
    """Choose the drift functions of an order that samples can tell apart.

    An axis along which all samples lie at one coordinate has no functions.

    Args:
        places: (n, 3) of the samples, metres.
        order: 0, 1 or 2.
        axes: which coordinates the mean follows: letters of "xyz".

    Raises:
        ValueError: the order is not 0 to 2, an axis is not known, or the samples cannot tell the
            functions from each other (as where all lie on one line).

    Source:
        Matheron (1969), Le krigeage universel; Chiles & Delfiner (2012), Geostatistics, ch. 3.
    """
    if order not in range(HIGHEST_ORDER + 1):
        raise ValueError(f"the order of a drift must be 0 to {HIGHEST_ORDER}, got {order}")
    if not axes or not set(axes) <= set(AXES):
        raise ValueError(f"the axes of a drift must be of {AXES}, got {axes!r}")
    low, high = places.min(axis=0), places.max(axis=0)
    used = [axis in axes and high[i] > low[i] for i, axis in enumerate(AXES)]
    powers = [
        (x, y, z)
        for x, y, z in product(range(order + 1), repeat=3)
        if 1 <= x + y + z <= order and all(u or not p for u, p in zip(used, (x, y, z), strict=True))
    ]
    powers.sort(key=lambda each: (sum(each), [-p for p in each]))
    half = np.where(high > low, 0.5 * (high - low), 1.0)
    x, y, z = (0.5 * (low + high)).tolist()
    found = Polynomial(tuple(powers), (x, y, z), (float(half[0]), float(half[1]), float(half[2])))
    check_independent(found.columns(places), found.names)
    return found


def check_independent(columns: FloatArray, names: tuple[str, ...]) -> None:
    """Refuse drift functions that samples cannot tell from each other, or from a constant.

    Args:
        columns: (n, p) the functions at the samples.
        names: p words for the message.

    Raises:
        ValueError: one is a sum of multiples of those before it.
    """
    basis = np.ones((len(columns), 1)) / np.sqrt(len(columns))
    for name, column in zip(names, columns.T, strict=True):
        left = column.copy()
        for _ in range(2):  # twice is enough to be orthogonal to the digits of a double
            left -= basis @ (basis.T @ left)
        length = float(np.linalg.norm(left))
        if not length > LEAST_LEFT * float(np.linalg.norm(column)):
            raise ValueError(f"the samples cannot tell the drift {name!r} from the ones before it")
        basis = np.column_stack([basis, left / length])


def without_drift(columns: FloatArray, values: FloatArray) -> FloatArray:
    """Give what a drift leaves of values: residuals of ordinary least squares.

    Their variogram is the one that universal kriging takes.

    Args:
        columns: (n, p) drift functions without the constant.
        values: (n,) u.

    Returns:
        (n,) u, of mean zero.

    Source:
        Cressie (1993), Statistics for Spatial Data, section 3.4.3, which also says how they are
        biased: least at short distances.
    """
    left = np.column_stack([np.ones(len(values)), columns])
    found = np.linalg.lstsq(left, values, rcond=None)[0]
    return np.asarray(values - left @ found)
