"""What documents of objects must look like, as far as they are read here."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from haulier.core.problem import Code, Problem


class _Table(msgspec.Struct):
    data: str = ""
    length: Annotated[int, Meta(ge=0)] = 0
    width: Annotated[int, Meta(ge=1)] = 1


class _Missing(msgspec.Struct):
    values: list[Any] | None = None


class _Attribute(msgspec.Struct):
    name: str = ""
    key: str | None = None
    attribute_type: str = ""
    values: _Table | None = None
    table: _Table | None = None
    nan_description: _Missing | None = None


Attributes = list[_Attribute] | None


class _Valued(msgspec.Struct):
    values: _Table


class _Locations(msgspec.Struct):
    coordinates: _Table
    attributes: Attributes = None


class _Points(msgspec.Struct):
    locations: _Locations


class _Grid(msgspec.Struct):
    size: tuple[int, int, int]
    cell_attributes: Attributes = None
    vertex_attributes: Attributes = None


class _Masked(msgspec.Struct):
    mask: _Valued
    number_of_active_cells: Annotated[int, Meta(ge=0)]
    cell_attributes: Attributes = None


class _BlockModel(msgspec.Struct):
    size: tuple[int, int, int]
    attributes: Attributes = None


class _Ends(msgspec.Struct):
    start_and_end: _Table


class _Intervals(msgspec.Struct):
    intervals: _Ends
    attributes: Attributes = None


class _Depths(msgspec.Struct):
    values: _Table
    attributes: Attributes = None


class _DownholeIntervals(msgspec.Struct):
    from_to: _Intervals
    mid_points: _Locations
    hole_id: _Valued
    attributes: Attributes = None


class _Collars(msgspec.Struct):
    coordinates: _Table
    hole_id: _Valued
    path: _Table
    holes: _Table | None = None
    attributes: Attributes = None


class _DownTable(msgspec.Struct):
    from_to: _Intervals | UnsetType = UNSET
    distance: _Depths | UnsetType = UNSET
    holes: _Table | None = None


class _Collection(msgspec.Struct):
    location: _Collars
    collections: list[_DownTable] | None = None


SHAPES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "pointset": _Points,
    "regular-3d-grid": _Grid,
    "tensor-3d-grid": _Grid,
    "regular-masked-3d-grid": _Masked,
    "block-model": _BlockModel,
    "downhole-intervals": _DownholeIntervals,
    "downhole-collection": _Collection,
}


def check_shape(document: Mapping[str, Any], type_: str, *, at: str) -> None:
    """Make sure that a document has what is read of documents of its type, where it is read.

    Raises:
        Problem: INVALID at the parameter, with the member that is wrong.
    """
    shape = SHAPES.get(type_)
    if shape is None:
        return
    try:
        msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        detail = f"{at} names a {type_} whose document cannot be read: {error}"
        raise Problem(Code.INVALID, detail, at=at) from None
