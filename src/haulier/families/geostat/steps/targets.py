"""Targets: the rows of an object where values are made, range by range."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList
from haulier.families.geostat.io.filters import Selection, select
from haulier.families.geostat.io.geometry import Locations, locations_of, steps_of
from haulier.families.geostat.io.grids import GridLocations, MaskedLocations
from haulier.families.geostat.io.objects import GRIDS, GeoObject
from haulier.families.geostat.io.quota import check_quota
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.params.pieces import Filter

IntArray = NDArray[np.int64]
NO_AXES: Final = np.eye(3)


@dataclass(frozen=True, slots=True)
class Chunk:
    """The rows of a range where values are made.

    Attributes:
        first: row of the target that it begins with.
        rows: how many rows the range has.
        asked: (m,) which of them are asked for, counted from the first.
        centres: (m, 3) metres.
        sides: (1, 3) or (m, 3) metres of blocks; None where rows are points.
    """

    first: int
    rows: int
    asked: IntArray
    centres: FloatArray
    sides: FloatArray | None

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Give (m, ...) values their places among all rows: (rows, ...), NaN in between."""
        kind = np.float64 if values.dtype != np.bool_ else np.bool_
        fill = np.nan if kind is np.float64 else False
        out = np.full((self.rows, *values.shape[1:]), fill, dtype=kind)
        out[self.asked] = values
        return out

    @property
    def marks(self) -> dict[str, NDArray[Any]]:
        """Give what is counted of a range beside its columns: how many were asked, and where."""
        if not len(self.asked):
            return {".asked": np.zeros(1)}
        return {
            ".asked": np.array([float(len(self.asked))]),
            ".low": self.centres.min(axis=0),
            ".high": self.centres.max(axis=0),
        }


@dataclass(frozen=True, slots=True)
class Target:
    """A target whose rows can be taken.

    Attributes:
        object_: of the version that the job works with.
        owner: the list of attributes whose rows they are.
        locations: where they are.
        selection: which are asked for; None: all.
        axes: (3, 3) of its blocks.
    """

    object_: GeoObject
    owner: AttributeList
    locations: Locations
    selection: Selection | None
    axes: FloatArray

    @property
    def noun(self) -> str:
        """Give what its rows are called."""
        return "blocks" if self.object_.type in GRIDS else "points"

    def take(self, context: Context, first: int, last: int) -> Chunk:
        """Give the rows of a range that are asked for; those without a place are not."""
        places = self.locations.places(context, first, last)
        asked = np.isfinite(places).all(axis=1)
        if self.selection is not None:
            asked &= self.selection.rows(context, first, last)
        chosen = np.flatnonzero(asked)
        return Chunk(
            first,
            last - first,
            chosen,
            np.ascontiguousarray(places[chosen]),
            self._sides(context, first, last, chosen),
        )

    def _sides(
        self, context: Context, first: int, last: int, chosen: IntArray
    ) -> FloatArray | None:
        if not isinstance(self.locations, GridLocations | MaskedLocations):
            return None
        if self.locations.grid.even:
            return self.locations.grid.sizes(np.zeros(1, dtype=np.int64))
        return self.locations.grid.sizes(self.locations.cells(context, first, last)[chosen])


def open_target(
    context: Context,
    object_: GeoObject,
    owner: AttributeList,
    filter_: Filter | None,
    *,
    filter_at: str,
    steps: Sequence[int] | None,
) -> Target:
    """Open a target.

    Args:
        context: where files are.
        object_: the target.
        owner: the list that is written to.
        filter_: which rows are asked for.
        filter_at: the parameter that holds it.
        steps: of a masked grid, as they were found before; None: they are looked for, after the
            quota was looked at.

    Raises:
        Problem: the target cannot be used, is too large, or the filter does not fit.
    """
    if steps is None:
        check_quota(context, owner.length, at=object_.at)
        if not owner.length:
            detail = f"{object_.at} must have locations; '{object_.title}' has none"
            raise Problem(Code.INVALID, detail, at=object_.at)
        steps = steps_of(context, object_)
    locations = locations_of(context, object_, owner, steps)
    axes = NO_AXES
    if isinstance(locations, GridLocations | MaskedLocations):
        axes = locations.grid.axes
    selection = select(context, object_, filter_, owner, at=filter_at)
    return Target(object_, owner, locations, selection, axes)
