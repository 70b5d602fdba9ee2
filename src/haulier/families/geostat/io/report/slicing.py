"""Which cells of a grid a slice shows, and how to gather them while a long column streams by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.io.report.texts import number
from haulier.families.geostat.method.rotation import FloatArray

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

#: Axis that a slice stands across: the axes that run across and up its picture.
SIDES: Final = {2: (0, 1), 1: (0, 2), 0: (1, 2)}
WORLD: Final = ("Easting", "Northing", "Elevation")
OWN: Final = ("Grid x", "Grid y", "Grid z")


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """A regular or tensor grid, as slices need it.

    Attributes:
        origin: (3,) corner of the first cell, in metres.
        axes: (3, 3) columns are the directions of the grid's own axes.
        steps: sizes of the cells along each axis, in metres: (nx,), (ny,) and (nz,).
    """

    origin: FloatArray
    axes: FloatArray
    steps: tuple[FloatArray, FloatArray, FloatArray]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Give the number of cells along each axis."""
        return len(self.steps[0]), len(self.steps[1]), len(self.steps[2])

    @property
    def upright(self) -> bool:
        """Whether its axes are those of the world, so that slices have the world's coordinates."""
        return bool(np.allclose(self.axes, np.eye(3), atol=1e-9))

    def edges(self, axis: int) -> FloatArray:
        """Give the (n + 1,) metres where cells meet along an axis.

        They are the world's where the grid is upright, else distances from its corner.
        """
        along = np.concatenate([[0.0], np.cumsum(self.steps[axis])])
        return along + self.origin[axis] if self.upright else along

    def name(self, axis: int) -> str:
        """Give the label of an axis."""
        return f"{(WORLD if self.upright else OWN)[axis]} [m]"

    def own(self, places: FloatArray) -> FloatArray:
        """Give (n, 3) places in the coordinates of `edges`."""
        if self.upright:
            return places
        return np.asarray((places - self.origin) @ self.axes)

    def cells(self, places: FloatArray) -> IntArray:
        """Give the (n, 3) cell that each place lies in, -1 where it lies outside."""
        own = self.own(places)
        found = np.empty(own.shape, dtype=np.int64)
        for axis in range(3):
            edges = self.edges(axis)
            found[:, axis] = np.searchsorted(edges, own[:, axis], side="right") - 1
            outside = (own[:, axis] < edges[0]) | (own[:, axis] >= edges[-1])
            found[outside, axis] = -1
        return found


def busiest_layers(lattice: Lattice, places: FloatArray) -> tuple[int, int, int]:
    """Give on each axis the layer with the most samples; of equals, the one nearest the middle.

    Args:
        lattice: the grid.
        places: (n, 3) metres.
    """
    cells = lattice.cells(places)
    inside = cells[(cells >= 0).all(axis=1)]
    i, j, k = (_busiest(inside[:, axis], lattice.shape[axis]) for axis in range(3))
    return i, j, k


def _busiest(cells: IntArray, layers: int) -> int:
    counts = np.bincount(cells, minlength=layers)
    from_middle = np.abs(2 * np.arange(layers) - (layers - 1))
    return int(np.lexsort((from_middle, -counts))[0])


def slice_cells(shape: tuple[int, int, int], axis: int, index: int) -> IntArray:
    """Give the numbers of the cells of a slice, x running fastest, then y, then z.

    Args:
        shape: cells along x, y and z.
        axis: the axis that the slice stands across: 2 gives a plan, 0 and 1 give sections.
        index: of the layer.

    Returns:
        (rows, columns) as `SIDES` says; the first row is the lowest.
    """
    strides = (1, shape[0], shape[0] * shape[1])
    across, up = SIDES[axis]
    columns = np.arange(shape[across], dtype=np.int64) * strides[across]
    rows = np.arange(shape[up], dtype=np.int64) * strides[up]
    return rows[:, None] + columns[None, :] + index * strides[axis]


class SliceReader:
    """Gathers the values of a few slices while the column of a grid streams by in order."""

    def __init__(
        self,
        shape: tuple[int, int, int],
        layers: Mapping[int, int],
        active: BoolArray | None = None,
    ) -> None:
        """Begin with every cell missing.

        Args:
            shape: cells along x, y and z.
            layers: by axis, the layer to be shown.
            active: (nx * ny * nz,) which cells have a row in the column; None: all have.
        """
        self._values = {}
        self._wanted = {}
        for axis, index in layers.items():
            cells = slice_cells(shape, axis, index)
            self._values[axis] = np.full(cells.size, np.nan)
            self._wanted[axis] = _rows(cells.ravel(), active)

    def take(self, start: int, values: FloatArray) -> None:
        """Take the rows from `start` on."""
        for axis, (rows, positions) in self._wanted.items():
            first, last = np.searchsorted(rows, [start, start + len(values)])
            self._values[axis][positions[first:last]] = values[rows[first:last] - start]

    def slices(self, lattice: Lattice) -> dict[int, FloatArray]:
        """Give by axis the (rows, columns) of each slice, NaN where nothing was taken."""
        return {
            axis: values.reshape(tuple(lattice.shape[side] for side in reversed(SIDES[axis])))
            for axis, values in self._values.items()
        }


def _rows(cells: IntArray, active: BoolArray | None) -> tuple[IntArray, IntArray]:
    """Give the rows that hold cells, ascending, and where in the slice each belongs."""
    positions = np.arange(len(cells), dtype=np.int64)
    if active is not None:
        here = active[cells]
        rows = (np.cumsum(active, dtype=np.int64) - 1)[cells]
        cells, positions = rows[here], positions[here]
    order = np.argsort(cells, kind="stable")
    return cells[order], positions[order]


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """Samples that lie near a slice, as they are drawn over it.

    Attributes:
        across: (k,) metres, in the coordinates of the picture.
        up: (k,) metres.
        values: (k,) in units of the variable.
    """

    across: FloatArray
    up: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """One slice of a block model, ready to be drawn.

    Attributes:
        title: where it stands.
        layer: which layer of how many that is; may be empty.
        values: (rows, columns), NaN where there is no value.
        across_edges: (columns + 1,) metres.
        up_edges: (rows + 1,) metres.
        across: label of the axis that runs across.
        up: label of the one that runs up.
        samples: the ones near it.
    """

    title: str
    values: FloatArray
    across_edges: FloatArray
    up_edges: FloatArray
    across: str
    up: str
    samples: Beside | None = None
    layer: str = ""


def slice_of(
    lattice: Lattice, axis: int, index: int, values: FloatArray, samples: Beside | None = None
) -> Slice:
    """Give a slice with the coordinates that belong to it."""
    across, up = SIDES[axis]
    edges = lattice.edges(axis)
    middle = 0.5 * (edges[index] + edges[index + 1])
    kind = "Plan" if axis == 2 and lattice.upright else "Section"  # noqa: PLR2004 -- 2 is z
    where = lattice.name(axis).removesuffix(" [m]").lower()
    layers = lattice.shape[axis]
    return Slice(
        title=f"{kind} at {where} {number(float(middle), 6)} m",
        values=values,
        across_edges=lattice.edges(across),
        up_edges=lattice.edges(up),
        across=lattice.name(across),
        up=lattice.name(up),
        samples=samples,
        layer=f"layer {index + 1:,} of {layers:,}",
    )


def beside(
    lattice: Lattice, axis: int, index: int, places: FloatArray, values: FloatArray
) -> Beside:
    """Give the samples in the slice's own layer, or within half a layer of it.

    Args:
        lattice: the grid.
        axis: that the slice stands across.
        index: of its layer.
        places: (n, 3) metres.
        values: (n,).
    """
    own, edges = lattice.own(places), lattice.edges(axis)
    reach = 0.5 * (edges[index + 1] - edges[index])
    near = (own[:, axis] >= edges[index] - reach) & (own[:, axis] <= edges[index + 1] + reach)
    across, up = SIDES[axis]
    return Beside(own[near, across], own[near, up], values[near])
