"""Locations of objects: where the rows of a list of attributes are, range by range."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList, attribute_lists
from haulier.families.geostat.io.grids import grid_locations, grid_of, mask_steps
from haulier.families.geostat.io.holes import collection_rows, interval_holes
from haulier.families.geostat.io.objects import COLLECTION, GRIDS, INTERVALS, MASKED, GeoObject
from haulier.families.geostat.io.tables import FloatArray, is_number, matrix, open_table, read_rows

IntArray = NDArray[np.int64]


class Locations(Protocol):
    """Where rows are."""

    @property
    def length(self) -> int:
        """Give how many rows there are."""
        ...

    def places(self, context: Context, first: int, last: int) -> FloatArray:
        """Give the places of the rows from `first` up to `last`: (m, 3) metres."""
        ...


@dataclass(frozen=True, slots=True)
class TableLocations:
    """Locations whose coordinates are a table."""

    info: Mapping[str, Any]
    length: int
    at: str

    def places(self, context: Context, first: int, last: int) -> FloatArray:
        """Give the places of the rows from `first` up to `last`: (m, 3) metres."""
        with open_table(context, self.info, at=self.at, what="the coordinates") as file:
            types = file.schema_arrow.types
            if len(types) != 3 or not all(map(is_number, types)):  # noqa: PLR2004 -- x, y, z
                detail = "the coordinates must be three columns of numbers"
                raise Problem(Code.INVALID, f"{detail}, got {types}", at=self.at)
            return matrix(read_rows(file, first, last))


@dataclass(frozen=True, slots=True)
class HoleLocations:
    """Locations along drillholes, worked out once."""

    rows: FloatArray

    @property
    def length(self) -> int:
        """Give how many rows there are."""
        return len(self.rows)

    def places(self, context: Context, first: int, last: int) -> FloatArray:
        """Give the places of the rows from `first` up to `last`: (m, 3) metres."""
        del context
        return np.ascontiguousarray(self.rows[first:last])


def locations_of(
    context: Context, object_: GeoObject, owner: AttributeList, steps: Sequence[int] = ()
) -> Locations:
    """Give where the rows of a list of attributes are.

    Args:
        context: where files are.
        object_: a placed object.
        owner: the list.
        steps: of a masked grid, as `steps_of` gave them.

    Raises:
        Problem: INVALID; the rows have no places of their own, as vertices of a grid.
    """
    if object_.type in GRIDS:
        if owner.path not in {"cell_attributes", "attributes"}:
            detail = f"{object_.at} must be used by its cells, got {owner.path}"
            raise Problem(Code.INVALID, detail, at=object_.at)
        return grid_locations(object_, steps)
    if object_.type == COLLECTION:
        return HoleLocations(collection_rows(context, object_, owner)[0])
    holder = "mid_points" if object_.type == INTERVALS else "locations"
    return TableLocations(object_.document[holder]["coordinates"], owner.length, object_.at)


def steps_of(context: Context, object_: GeoObject) -> tuple[int, ...]:
    """Go through the mask of a masked grid; other objects have no steps."""
    if object_.type != MASKED:
        return ()
    return mask_steps(context, object_, grid_of(object_))


def holes_of(context: Context, object_: GeoObject, owner: AttributeList) -> IntArray | None:
    """Give the code of the drillhole of each row: (n,); None where rows belong to none."""
    if object_.type == INTERVALS:
        return interval_holes(context, object_)
    if object_.type == COLLECTION:
        return collection_rows(context, object_, owner)[1]
    return None


def main_list(object_: GeoObject, owner: AttributeList | None = None) -> AttributeList:
    """Give the list that a new attribute of an object goes to.

    Args:
        object_: the target.
        owner: a list that was read from, of the same object; then it goes there.

    Raises:
        Problem: INVALID; the object has several tables, and none of them was read.
    """
    lists = attribute_lists(object_)
    if owner is not None:
        return next(each for each in lists if each.path == owner.path)
    tables = [each for each in lists if each.path.startswith("collections[")]
    if len(tables) > 1:
        names = ", ".join(each.path for each in tables)
        raise Problem(
            Code.INVALID,
            f"{object_.at} must have one table; '{object_.title}' has {names}: update an "
            "attribute of one of them instead of creating one",
            at=object_.at,
        )
    return lists[0]
