"""One pass over a column on a target: its distribution, its swaths and its slices."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from haulier.core.family import Context
from haulier.families import parquet
from haulier.families.geostat.io.grids import Grid, GridLocations, MaskedLocations
from haulier.families.geostat.io.report.slicing import (
    SIDES,
    Lattice,
    Slice,
    SliceReader,
    beside,
    busiest_layers,
    places_in,
    slice_of,
)
from haulier.families.geostat.io.report.summary import Band, Binned, SwathTally, Tally
from haulier.families.geostat.io.report.swaths import Swath, swath_edges
from haulier.families.geostat.io.tables import CHUNK_ROWS, FloatArray, numbers
from haulier.families.geostat.steps.samples import Sampled
from haulier.families.geostat.steps.targets import Target

MOST_POINTS: Final = 20_000  # of a target without blocks that are drawn
SLABS: Final = 25  # of a target without blocks
NAMES: Final = ("Easting [m]", "Northing [m]", "Elevation [m]")


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What was seen of a column.

    Attributes:
        samples: their distribution, for comparison.
        made: the distribution of the column; of blocks of several sizes by their volume.
        swaths: of both along each axis that is long enough.
        slices: of the column; none where the target has no blocks.
        places: (k, 3) metres of points, evenly chosen; none where the target has blocks.
        values: (k,) at these.
    """

    samples: Binned
    made: Binned
    swaths: tuple[Swath, ...]
    slices: tuple[Slice, ...]
    places: FloatArray
    values: FloatArray


class Gauge(Protocol):
    """Looks at a column range by range."""

    def take(self, context: Context, first: int, values: FloatArray) -> FloatArray | None:
        """Look at the rows from `first` on; give what they weigh if they do not weigh the same."""
        ...

    def seen(self, samples: Binned, made: Binned) -> Survey:
        """Give what was seen."""
        ...


def survey(
    context: Context, target: Target, path: Path, sampled: Sampled, edges: FloatArray, label: str
) -> Survey:
    """Look at a column of a target once.

    Args:
        context: of the call.
        target: whose rows they are.
        path: of the column's table.
        sampled: the samples that it was made from.
        edges: of the histograms.
        label: of the column.
    """
    blocks = isinstance(target.locations, GridLocations | MaskedLocations)
    gauge: Gauge = (
        BlockGauge(target, sampled, label) if blocks else PointGauge(target, sampled, label)
    )
    samples, made = Tally("Samples", edges), Tally(label, edges)
    samples.add(sampled.values)
    for first, values in column_ranges(path):
        made.add(values, gauge.take(context, first, values))
        context.check()
        context.report(0.5 * (first + len(values)) / max(target.owner.length, 1), "reading values")
    return gauge.seen(samples.binned(), made.binned())


def column_ranges(path: Path, column: int = 0) -> Iterator[tuple[int, FloatArray]]:
    """Give the values of a column in ranges of rows, each with its first row."""
    with parquet.opened(path) as file:
        name = file.schema_arrow.names[column]
        first = 0
        for batch in file.iter_batches(CHUNK_ROWS, columns=[name]):
            yield first, numbers(batch.column(0))
            first += batch.num_rows


def lattice_of(grid: Grid) -> Lattice:
    """Give a grid as slices need it."""
    x, y, z = (np.diff(edges) for edges in grid.edges)
    return Lattice(grid.origin, grid.axes, (x, y, z))


class BlockGauge:
    """Looks at a column of blocks: slices through the layers with the most samples, and swaths."""

    def __init__(self, target: Target, sampled: Sampled, label: str) -> None:
        """Choose the layers, and begin."""
        locations = target.locations
        if not isinstance(locations, GridLocations | MaskedLocations):
            raise TypeError(f"a target with blocks is needed, got {type(locations).__name__}")
        self._locations = locations
        self._lattice = lattice_of(locations.grid)
        self._sampled = sampled
        layers = busiest_layers(self._lattice, sampled.places)
        self._layers = {axis: layers[axis] for axis in axes_across(self._lattice.shape)}
        self._reader = SliceReader(self._lattice.shape, self._layers)
        axes = [axis for axis in range(3) if self._lattice.shape[axis] > 1]
        self._swaths = {axis: SwathTally(label.lower(), self._slabs(axis)) for axis in axes}

    def _slabs(self, axis: int) -> FloatArray:
        edges = self._lattice.edges(axis)
        step = float(edges[-1] - edges[0]) / (len(edges) - 1)
        return swath_edges(float(edges[0]), float(edges[-1]), step)

    def take(self, context: Context, first: int, values: FloatArray) -> FloatArray | None:
        """Look at a range; blocks of several sizes weigh as much as they hold."""
        cells = self._locations.cells(context, first, first + len(values))
        grid = self._locations.grid
        weights = None if grid.even else grid.sizes(cells).prod(axis=1)
        self._reader.take(cells, values)
        places = places_in(self._lattice.shape, cells)
        for axis, tally in self._swaths.items():
            tally.add(self._lattice.middles(axis)[places[axis]], values, weights)
        return weights

    def seen(self, samples: Binned, made: Binned) -> Survey:
        """Give slices and swaths with the samples beside them."""
        inside = (self._lattice.cells(self._sampled.places) >= 0).all(axis=1)
        own = self._lattice.own(self._sampled.places)[inside]
        swaths = []
        for axis, tally in self._swaths.items():
            slabs = self._slabs(axis)
            beside_it = _band(slabs, own[:, axis], self._sampled.values[inside])
            swaths.append(Swath(self._lattice.name(axis), slabs, (beside_it, tally.band())))
        return Survey(
            samples, made, tuple(swaths), tuple(self._slices()), np.zeros((0, 3)), np.zeros(0)
        )

    def _slices(self) -> Iterator[Slice]:
        for axis, values in self._reader.slices().items():
            layer = self._layers[axis]
            near = beside(self._lattice, axis, layer, self._sampled.places, self._sampled.values)
            yield slice_of(self._lattice, axis, layer, values, near)


def axes_across(shape: tuple[int, int, int]) -> list[int]:
    """Give the axes whose slices show something: the plan first, then sections."""
    found = [axis for axis in (2, 1, 0) if all(shape[side] > 1 for side in SIDES[axis])]
    return found or [2]


def _band(slabs: FloatArray, coordinates: FloatArray, values: FloatArray) -> Band:
    tally = SwathTally("samples", slabs)
    tally.add(coordinates, values)
    return tally.band()


class PointGauge:
    """Looks at a column of points: some of them, and swaths over where the samples are."""

    def __init__(self, target: Target, sampled: Sampled, label: str) -> None:
        """Begin with nothing."""
        self._target = target
        self._sampled = sampled
        self._stride = -(-target.owner.length // MOST_POINTS)
        self._places: list[FloatArray] = []
        self._values: list[FloatArray] = []
        low, high = sampled.places.min(axis=0), sampled.places.max(axis=0)
        self._slabs = {
            axis: np.linspace(low[axis], high[axis], SLABS + 1)
            for axis in range(3)
            if high[axis] > low[axis]
        }
        self._swaths = {
            axis: SwathTally(label.lower(), slabs) for axis, slabs in self._slabs.items()
        }

    def take(self, context: Context, first: int, values: FloatArray) -> None:
        """Look at a range; points all weigh the same."""
        places = self._target.locations.places(context, first, first + len(values))
        for axis, tally in self._swaths.items():
            tally.add(places[:, axis], values)
        begin = -first % self._stride
        self._places.append(places[begin :: self._stride])
        self._values.append(values[begin :: self._stride])

    def seen(self, samples: Binned, made: Binned) -> Survey:
        """Give points and swaths."""
        swaths: Sequence[Swath] = [
            Swath(
                NAMES[axis],
                self._slabs[axis],
                (
                    _band(self._slabs[axis], self._sampled.places[:, axis], self._sampled.values),
                    tally.band(),
                ),
            )
            for axis, tally in self._swaths.items()
        ]
        places, values = np.concatenate(self._places), np.concatenate(self._values)
        return Survey(samples, made, tuple(swaths), (), places, values)
