"""Slices of columns of a target: where to cut it, and what the cuts show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from haulier.core.family import Context
from haulier.families.geostat.io.grids import GridLocations, MaskedLocations
from haulier.families.geostat.io.report.slicing import (
    Lattice,
    Slice,
    SliceReader,
    busiest_layers,
    fullest,
    places_in,
    slice_of,
)
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.steps.pages.survey import axes_across, column_ranges, lattice_of
from haulier.families.geostat.steps.targets import Target

MOST_POINTS: Final = 20_000  # of a target without blocks that are drawn


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A target with blocks, and the layers of it that are shown.

    Attributes:
        locations: its blocks.
        lattice: where their edges are.
        layers: by axis, the most telling one first.
    """

    locations: GridLocations | MaskedLocations
    lattice: Lattice
    layers: Mapping[int, int]

    def slices(self, context: Context, path: Path, column: int = 0) -> tuple[Slice, ...]:
        """Read the slices of a column."""
        reader = SliceReader(self.lattice.shape, self.layers)
        for first, values in column_ranges(path, column):
            reader.take(self.locations.cells(context, first, first + len(values)), values)
            context.check()
        return tuple(
            slice_of(self.lattice, axis, self.layers[axis], values)
            for axis, values in reader.slices().items()
        )

    def first(self, context: Context, path: Path, title: str, column: int = 0) -> Slice:
        """Read the most telling slice of a column, and give it a title."""
        axis, layer = next(iter(self.layers.items()))
        found = replace(self, layers={axis: layer}).slices(context, path, column)[0]
        return replace(found, title=title, layer=found.title)


def cut_by_samples(target: Target, places: FloatArray) -> Cut | None:
    """Cut through the layers with the most of (n, 3) samples; None where there are no blocks."""
    if not isinstance(target.locations, GridLocations | MaskedLocations):
        return None
    lattice = lattice_of(target.locations.grid)
    return _cut(target.locations, lattice, busiest_layers(lattice, places))


def cut_by_values(context: Context, target: Target, path: Path) -> Cut | None:
    """Cut through the layers in which a column has most values; None where there are no blocks."""
    locations = target.locations
    if not isinstance(locations, GridLocations | MaskedLocations):
        return None
    lattice = lattice_of(locations.grid)
    counts = [np.zeros(n, dtype=np.int64) for n in lattice.shape]
    for first, values in column_ranges(path):
        cells = locations.cells(context, first, first + len(values))[np.isfinite(values)]
        for axis, places in enumerate(places_in(lattice.shape, cells)):
            counts[axis] += np.bincount(places, minlength=lattice.shape[axis])
        context.check()
    i, j, k = (fullest(count) for count in counts)
    return _cut(locations, lattice, (i, j, k))


def _cut(
    locations: GridLocations | MaskedLocations, lattice: Lattice, layers: Sequence[int]
) -> Cut:
    return Cut(locations, lattice, {axis: layers[axis] for axis in axes_across(lattice.shape)})


def some_points(context: Context, target: Target, path: Path) -> tuple[FloatArray, FloatArray]:
    """Read evenly chosen rows of a column: (k, 3) metres and (k,) values."""
    step = -(-max(target.owner.length, 1) // MOST_POINTS)
    places: list[FloatArray] = [np.zeros((0, 3))]
    chosen: list[FloatArray] = [np.zeros(0)]
    for first, values in column_ranges(path):
        begin = -first % step
        where = target.locations.places(context, first, first + len(values))
        places.append(where[begin::step])
        chosen.append(values[begin::step])
        context.check()
    return np.concatenate(places), np.concatenate(chosen)
