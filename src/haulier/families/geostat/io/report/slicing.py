"""Slices of a grid: where they stand, and their values gathered while the grid streams by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.texts import number

IntArray = NDArray[np.int64]

#: Axis that a slice stands across: the axes that run across and up its picture.
SIDES: Final = {2: (0, 1), 1: (0, 2), 0: (1, 2)}
#: Blocks along a side of a slice that are kept: a screen shows no more.
MOST_SIDE: Final = 1200
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

    def middles(self, axis: int) -> FloatArray:
        """Give the (n,) metres of the middles of the layers of an axis."""
        edges = self.edges(axis)
        return np.asarray(0.5 * (edges[1:] + edges[:-1]))

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
    i, j, k = (
        fullest(np.bincount(inside[:, axis], minlength=lattice.shape[axis])) for axis in range(3)
    )
    return i, j, k


def fullest(counts: NDArray[Any]) -> int:
    """Give the layer with the highest of (n,) counts; of equals, the one nearest the middle."""
    from_middle = np.abs(2 * np.arange(len(counts)) - (len(counts) - 1))
    return int(np.lexsort((from_middle, -counts))[0])


def places_in(shape: tuple[int, int, int], cells: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Give layer by layer where blocks are, by their numbers: x runs fastest, then y, then z."""
    nx, ny, _ = shape
    return cells % nx, cells // nx % ny, cells // (nx * ny)


def stride(blocks: int) -> int:
    """Give how many blocks of a side one that is kept stands for."""
    return -(-blocks // MOST_SIDE)


def _kept(edges: FloatArray) -> FloatArray:
    """Give the edges of the blocks that are kept along a side."""
    step = stride(len(edges) - 1)
    return edges if step == 1 else np.append(edges[:-1:step], edges[-1])


class SliceReader:
    """Gathers the values of a few slices while the blocks of a grid stream by, in any order."""

    def __init__(self, shape: tuple[int, int, int], layers: Mapping[int, int]) -> None:
        """Begin with every block missing.

        Args:
            shape: blocks along x, y and z.
            layers: by axis, the layer to be shown.
        """
        self._shape = shape
        self._layers = dict(layers)
        self._strides = [stride(n) for n in shape]
        kept = [-(-n // each) for n, each in zip(shape, self._strides, strict=True)]
        self._values = {
            axis: np.full(tuple(kept[side] for side in reversed(SIDES[axis])), np.nan)
            for axis in layers
        }

    def take(self, cells: IntArray, values: FloatArray) -> None:
        """Take the values of blocks by their numbers: x runs fastest, then y, then z."""
        places = places_in(self._shape, cells)
        for axis, layer in self._layers.items():
            across, up = SIDES[axis]
            here = places[axis] == layer
            for side in (across, up):
                here &= places[side] % self._strides[side] == 0
            row, column = (places[side][here] // self._strides[side] for side in (up, across))
            self._values[axis][row, column] = values[here]

    def slices(self) -> dict[int, FloatArray]:
        """Give by axis the (rows, columns) of each slice, the lowest row first.

        NaN where nothing was taken.
        """
        return self._values


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
    middle = float(lattice.middles(axis)[index])
    kind = "Plan" if axis == 2 and lattice.upright else "Section"  # noqa: PLR2004 -- 2 is z
    where = lattice.name(axis).removesuffix(" [m]").lower()
    layers = lattice.shape[axis]
    return Slice(
        title=f"{kind} at {where} {number(middle, 6)} m",
        values=values,
        across_edges=_kept(lattice.edges(across)),
        up_edges=_kept(lattice.edges(up)),
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
