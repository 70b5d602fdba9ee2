"""The squares that rasters are made of: one lattice for all clouds, so that rasters fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

#: Cells along a side of a tile: what a process holds at once, and the unit of parallel work.
TILE: Final = 1024


@dataclass(frozen=True)
class Window:
    """A rectangle of cells; rows count southwards, columns eastwards.

    Attributes:
        top: its first row.
        left: its first column.
        rows: how many.
        columns: how many.
    """

    top: int
    left: int
    rows: int
    columns: int

    @property
    def bottom(self) -> int:
        """Give the row after its last."""
        return self.top + self.rows

    @property
    def right(self) -> int:
        """Give the column after its last."""
        return self.left + self.columns

    @property
    def shape(self) -> tuple[int, int]:
        """Give rows and columns."""
        return self.rows, self.columns

    def grown(self, cells: int, within: Window) -> Window:
        """Give it with so many more cells on each side, as far as another window reaches."""
        return _between(
            max(self.top - cells, within.top),
            max(self.left - cells, within.left),
            min(self.bottom + cells, within.bottom),
            min(self.right + cells, within.right),
        )

    def common(self, other: Window) -> Window | None:
        """Give the cells that two windows share; None if there are none."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return _between(top, left, bottom, right) if top < bottom and left < right else None

    def inside(self, whole: Window) -> tuple[slice, slice]:
        """Give where its cells are in the array of a window that holds it."""
        rows = slice(self.top - whole.top, self.bottom - whole.top)
        return rows, slice(self.left - whole.left, self.right - whole.left)

    def tiles(self, size: int = TILE) -> Iterator[Window]:
        """Give its tiles, row by row; their edges lie at multiples of `size` from cell (0, 0)."""
        for top in range(self.top // size * size, self.bottom, size):
            for left in range(self.left // size * size, self.right, size):
                tile = Window(top, left, size, size).common(self)
                if tile:
                    yield tile


def _between(top: int, left: int, bottom: int, right: int) -> Window:
    return Window(top, left, bottom - top, right - left)
