"""An index of occupied cells that lists, for any place, every piece within a range of it."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.topology import Int32Array, Pieces

BLOCK: Final = 32  # cells along a side of a block; only blocks with a piece near them get cells
WIDEST_DIRECTORY: Final = 4096  # blocks along a side, whatever the extent
HALF_DIAGONAL: Final = 0.70711


class Grid(NamedTuple):
    """Pieces by cell, in two steps: a directory of blocks, then the cells of a block.

    Attributes:
        west: of the first cell, metres.
        south: of the first cell, metres.
        cell_m: side of a cell.
        range_m: how far a look-up sees.
        directory: (rows, columns) number of the block, -1 where nothing is near.
        first: (blocks * BLOCK² + 1,) first entry of each cell.
        piece: (entries,) pieces within range of the cell.
    """

    west: float
    south: float
    cell_m: float
    range_m: float
    directory: Int32Array
    first: Int32Array
    piece: Int32Array


def build_grid(pieces: Pieces, range_m: float, cell_m: float) -> Grid:
    """List the pieces near each cell.

    Every piece within `range_m` of any place in a cell is listed there, so that a look-up reads
    one cell. Some farther ones are too (up to half a diagonal), which costs time and no truth.

    Args:
        pieces: p pieces in metres; p may be 0.
        range_m: how far a look-up must see.
        cell_m: side of a cell; larger than asked where the extent would need a huge directory.

    Returns:
        The grid; memory grows with the pieces, not with the extent.
    """
    if len(pieces.x) == 0:
        nothing = np.zeros(0, np.int32)
        return Grid(
            0.0,
            0.0,
            float(cell_m),
            float(range_m),
            np.full((1, 1), -1, np.int32),
            np.zeros(1, np.int32),
            nothing,
        )
    x = np.concatenate([pieces.x, pieces.x + pieces.ux * pieces.length])
    y = np.concatenate([pieces.y, pieces.y + pieces.uy * pieces.length])
    extent_m = max(float(x.max() - x.min()), float(y.max() - y.min()))
    cell_m = max(float(cell_m), extent_m / (BLOCK * WIDEST_DIRECTORY))
    range_m = float(range_m)
    margin_m = range_m + cell_m
    west, south = float(x.min()) - margin_m, float(y.min()) - margin_m
    width, height = float(x.max()) + margin_m - west, float(y.max()) + margin_m - south
    shape = (int(height / cell_m / BLOCK) + 1, int(width / cell_m / BLOCK) + 1)
    directory = np.full(shape, -1, dtype=np.int32)
    nothing = np.zeros(1, np.int32)
    empty = Grid(west, south, cell_m, range_m, directory, nothing, nothing)
    blocks = _mark_blocks(pieces, empty)
    count = np.zeros(blocks * BLOCK * BLOCK + 1, dtype=np.int32)
    _visit_cells(pieces, empty, count, np.zeros(0, dtype=np.int32))
    first = np.zeros_like(count)
    np.cumsum(count[:-1], out=first[1:])
    piece = np.empty(int(first[-1]), dtype=np.int32)
    _visit_cells(pieces, empty, first.copy(), piece)
    return Grid(west, south, cell_m, range_m, directory, first, piece)


@kernel
def _mark_blocks(pieces: Pieces, grid: Grid) -> int:
    """Number every block that a piece's widened bounds meet; returns how many."""
    side, range_m = grid.cell_m * BLOCK, grid.range_m
    n = 0
    for p in range(len(pieces.x)):
        x0, y0 = pieces.x[p] - grid.west, pieces.y[p] - grid.south
        x1, y1 = x0 + pieces.ux[p] * pieces.length[p], y0 + pieces.uy[p] * pieces.length[p]
        i0, i1 = int((min(x0, x1) - range_m) / side), int((max(x0, x1) + range_m) / side)
        j0, j1 = int((min(y0, y1) - range_m) / side), int((max(y0, y1) + range_m) / side)
        for j in range(j0, j1 + 1):
            for i in range(i0, i1 + 1):
                if grid.directory[j, i] < 0:
                    grid.directory[j, i] = n
                    n += 1
    return n


@kernel
def _visit_cells(pieces: Pieces, grid: Grid, cursor: Int32Array, out: Int32Array) -> None:
    """Count the entries of each cell (`out` empty), or write them where `cursor` points."""
    cell, directory, range_m = grid.cell_m, grid.directory, grid.range_m
    reach = range_m + cell * HALF_DIAGONAL
    writing = len(out) > 0
    for p in range(len(pieces.x)):
        x0, y0 = pieces.x[p] - grid.west, pieces.y[p] - grid.south
        ux, uy, length = pieces.ux[p], pieces.uy[p], pieces.length[p]
        dx, dy = ux * length, uy * length
        j0 = int((min(y0, y0 + dy) - range_m) / cell)
        j1 = int((max(y0, y0 + dy) + range_m) / cell)
        i0 = int((min(x0, x0 + dx) - range_m) / cell)
        i1 = int((max(x0, x0 + dx) + range_m) / cell)
        for j in range(j0, j1 + 1):
            cy = (j + 0.5) * cell - y0
            for i in range(i0, i1 + 1):
                cx = (i + 0.5) * cell - x0
                t = min(max(cx * ux + cy * uy, 0.0), length)
                ox, oy = cx - t * ux, cy - t * uy
                if ox * ox + oy * oy > reach * reach:
                    continue
                block = directory[j // BLOCK, i // BLOCK]
                at = block * BLOCK * BLOCK + (j % BLOCK) * BLOCK + i % BLOCK
                if writing:
                    out[cursor[at]] = p
                cursor[at] += 1
