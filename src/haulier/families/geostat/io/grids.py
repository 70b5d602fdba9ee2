"""Grids of blocks: where the blocks of a range of rows are, without holding the whole grid."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.masks import ActiveBlocks
from haulier.families.geostat.io.objects import MASKED, TENSOR, GeoObject
from haulier.families.geostat.io.tables import CHUNK_ROWS, FloatArray, open_table
from haulier.families.geostat.method.rotation import rotation_matrix

IntArray = NDArray[np.int64]
#: Blocks along one side: the edges of all of them are held.
LONGEST_SIDE: Final = 10_000_000


class _Rotation(msgspec.Struct):
    dip_azimuth: float = 0.0
    dip: float = 0.0
    pitch: float = 0.0


class _Sizes(msgspec.Struct):
    cell_sizes_x: tuple[float, ...]
    cell_sizes_y: tuple[float, ...]
    cell_sizes_z: tuple[float, ...]


class _Grid(msgspec.Struct):
    """What the document of a grid says of its geometry."""

    origin: tuple[float, float, float]
    size: tuple[int, int, int]
    rotation: _Rotation | None = None
    cell_size: tuple[float, float, float] | None = None
    grid_cells_3d: _Sizes | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid of nx * ny * nz blocks; x changes fastest.

    Attributes:
        origin: (3,) metres: the outer corner of the first block.
        edges: of the blocks along each local axis, from 0: (nx+1,), (ny+1,), (nz+1,) metres.
        axes: (3, 3): column j is local axis j in the world's coordinates.
    """

    origin: FloatArray
    edges: tuple[FloatArray, FloatArray, FloatArray]
    axes: FloatArray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Give the number of blocks along each local axis."""
        nx, ny, nz = (len(each) - 1 for each in self.edges)
        return nx, ny, nz

    @property
    def length(self) -> int:
        """Give the number of blocks."""
        nx, ny, nz = self.shape
        return nx * ny * nz

    @property
    def even(self) -> bool:
        """Whether all blocks have one size."""
        return all(np.ptp(np.diff(each)) <= 1e-9 * each[-1] for each in self.edges)

    def centres(self, cells: IntArray) -> FloatArray:
        """Give the centres of blocks by their numbers: (m, 3) metres."""
        local = np.stack(
            [
                0.5 * (edges[places] + edges[places + 1])
                for edges, places in zip(self.edges, self._places(cells), strict=True)
            ],
            axis=1,
        )
        return np.ascontiguousarray(local @ self.axes.T + self.origin)

    def sizes(self, cells: IntArray) -> FloatArray:
        """Give the sizes of blocks along the local axes: (1, 3) where all are alike, or (m, 3)."""
        if self.even:
            return np.array([[float(edges[1]) for edges in self.edges]])
        return np.stack(
            [
                edges[places + 1] - edges[places]
                for edges, places in zip(self.edges, self._places(cells), strict=True)
            ],
            axis=1,
        )

    def _places(self, cells: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        nx, ny, _ = self.shape
        return cells % nx, cells // nx % ny, cells // (nx * ny)


def grid_of(object_: GeoObject) -> Grid:
    """Read the geometry of a grid.

    Raises:
        Problem: INVALID at the parameter; the document says no whole grid.
    """
    said = _converted(object_.document, object_)
    if min(said.size) < 1 or max(said.size) > LONGEST_SIDE:
        sides = f"the blocks along each side must be 1 to {LONGEST_SIDE:,}"
        raise _bad(object_, f"{sides}, got {list(said.size)}")
    sizes = _block_sizes(said, object_)
    for name, each, count in zip("xyz", sizes, said.size, strict=True):
        if len(each) != count:
            raise _bad(object_, f"it must have {count} block sizes along {name}, got {len(each)}")
        if not np.all(np.isfinite(each)) or np.min(each) <= 0:
            raise _bad(object_, f"its block sizes along {name} must be positive")
    turn = said.rotation or _Rotation()
    edges = [np.concatenate([[0.0], np.cumsum(each)]) for each in sizes]
    axes = rotation_matrix(turn.dip_azimuth, turn.dip, turn.pitch)
    return Grid(np.array(said.origin), (edges[0], edges[1], edges[2]), axes)


def _converted(document: Mapping[str, Any], object_: GeoObject) -> _Grid:
    try:
        return msgspec.convert(document, _Grid)
    except msgspec.ValidationError as error:
        raise _bad(object_, f"its document does not say where its blocks are: {error}") from None


def _block_sizes(said: _Grid, object_: GeoObject) -> Sequence[FloatArray]:
    if object_.type == TENSOR:
        if said.grid_cells_3d is None:
            raise _bad(object_, "its document lacks grid_cells_3d")
        listed = said.grid_cells_3d
        return [
            np.array(each)
            for each in (listed.cell_sizes_x, listed.cell_sizes_y, listed.cell_sizes_z)
        ]
    if said.cell_size is None:
        raise _bad(object_, "its document lacks cell_size")
    return [np.full(n, size) for n, size in zip(said.size, said.cell_size, strict=True)]


def _bad(object_: GeoObject, what: str) -> Problem:
    detail = f"{object_.at} names a {object_.type} that cannot be used: {what}"
    return Problem(Code.INVALID, detail, at=object_.at)


@dataclass(frozen=True, slots=True)
class GridLocations:
    """The blocks of a grid as locations."""

    grid: Grid

    @property
    def length(self) -> int:
        """Give how many there are."""
        return self.grid.length

    def cells(self, context: Context, first: int, last: int) -> IntArray:
        """Give the numbers of the blocks of a range of rows."""
        del context
        return np.arange(first, last, dtype=np.int64)

    def places(self, context: Context, first: int, last: int) -> FloatArray:
        """Give the centres of a range of rows: (m, 3) metres."""
        return self.grid.centres(self.cells(context, first, last))


@dataclass(frozen=True, slots=True)
class MaskedLocations:
    """The active blocks of a masked grid as locations.

    Attributes:
        grid: all blocks.
        steps: every `CHUNK_ROWS`-th active block's number, so that rows are found without
            counting from the first; the number of blocks stands at the end.
        active: how many are.
        blocks: the mask, as it is read.
    """

    grid: Grid
    steps: tuple[int, ...]
    active: int
    blocks: ActiveBlocks

    @property
    def length(self) -> int:
        """Give how many there are."""
        return self.active

    def cells(self, context: Context, first: int, last: int) -> IntArray:
        """Give the numbers of the blocks of a range of rows."""
        return self.blocks.cells(context, first, last)

    def places(self, context: Context, first: int, last: int) -> FloatArray:
        """Give the centres of a range of rows: (m, 3) metres."""
        return self.grid.centres(self.cells(context, first, last))


def mask_steps(context: Context, object_: GeoObject, grid: Grid) -> tuple[int, ...]:
    """Go through the mask once, and give the steps of `MaskedLocations`.

    Raises:
        Problem: INVALID; the mask is not one truth a block, or says another number of active
            blocks than the document.
    """
    info = object_.document.get("mask", {}).get("values")
    steps: list[int] = []
    active = row = 0
    with open_table(context, info, at=object_.at, what="the mask") as file:
        if (
            file.metadata.num_rows != grid.length
            or str(file.schema_arrow.types) != "[DataType(bool)]"
        ):
            raise _bad(object_, f"its mask must be one truth for each of {grid.length} blocks")
        for batch in file.iter_batches(CHUNK_ROWS):
            context.check()
            cells = row + np.flatnonzero(batch.column(0).to_numpy(zero_copy_only=False))
            first = -active % CHUNK_ROWS
            steps += cells[first::CHUNK_ROWS].tolist()
            active, row = active + len(cells), row + batch.num_rows
    said = object_.document.get("number_of_active_cells")
    if active != said:
        raise _bad(object_, f"its mask has {active} active blocks, its document says {said}")
    return (*steps, grid.length)


def grid_locations(object_: GeoObject, steps: Sequence[int]) -> GridLocations | MaskedLocations:
    """Give the locations of a grid; `steps` as `mask_steps` gave them, if it is masked."""
    grid = grid_of(object_)
    if object_.type != MASKED:
        return GridLocations(grid)
    document = object_.document
    active = int(document["number_of_active_cells"])
    blocks = ActiveBlocks(document["mask"]["values"], tuple(steps), object_.at)
    return MaskedLocations(grid, tuple(steps), active, blocks)
