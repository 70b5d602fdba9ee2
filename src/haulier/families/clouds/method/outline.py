"""The outline of a cloud: the cells that hold points, as a shape with holes."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

BoolArray = NDArray[np.bool_]


def outline_of(
    held: BoolArray, origin: tuple[float, float], size: tuple[float, float]
) -> BaseGeometry:
    """Give the outline of cells.

    Args:
        held: (nx, ny) which cells hold points.
        origin: X and Y of the corner of the first cell, in any unit.
        size: of a cell along X and Y, in that unit.

    Returns:
        A polygon or several, without the corners that lie on a straight edge; empty where no
        cell is held.
    """
    column, first, last = _runs(held)
    boxes = shapely.box(
        origin[0] + column * size[0],
        origin[1] + first * size[1],
        origin[0] + (column + 1) * size[0],
        origin[1] + last * size[1],
    )
    whole = shapely.union_all(boxes)
    return shapely.normalize(whole.simplify(0))


def _runs(held: BoolArray) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Give the runs of held cells along Y: their column, first cell, and the one after the last."""
    padded = np.pad(held, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    column, first = np.nonzero(change == 1)
    _, last = np.nonzero(change == -1)
    return column, first, last
