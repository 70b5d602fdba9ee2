"""What is asked of block models: updates and queries, and the parameters of jobs they mean."""

from typing import Annotated, Any, Literal

import msgspec

from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.wire.evo.blockbodies import BoxIJK, Mapped


class Changes(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to change of what a block model says of itself."""

    name: Annotated[str, msgspec.Meta(min_length=3, max_length=100)] | None = None
    description: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    coordinate_reference_system: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None
    size_unit_id: str | None = None


class WantedColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column to make."""

    title: str
    data_type: str
    unit_id: str | None = None
    group: str | None = None
    tags: dict[str, Any] | None = None


class Renamed(msgspec.Struct, frozen=True):
    """A column to call otherwise."""

    title: str
    new_title: str


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """What else is to be said of a column."""

    title: str | None = None
    unit_id: str | None = None
    group: str | None = None
    tags: dict[str, Any] | None = None


class DescribedColumn(msgspec.Struct, frozen=True):
    """A column of which something else is to be said."""

    title: str
    values: Described


class ColumnChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to become of the columns."""

    new: tuple[WantedColumn, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    rename: tuple[Renamed, ...] = ()
    update_metadata: tuple[DescribedColumn, ...] | None = None


class UpdateBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request for an update."""

    columns: ColumnChanges
    comment: str | None = None
    update_type: Literal["merge", "replace"] = "merge"
    geometry_change: bool | None = None
    groups: dict[str, Any] | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """An update that waits for its table: where that goes, and where to ask after it."""

    job_uuid: str
    job_url: str
    version_uuid: str
    upload_url: str | None
    changes: UpdateBody


class Uploaded(msgspec.Struct, frozen=True):
    """Where to ask after an update."""

    job_url: str


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """How a table is to be written."""

    file_format: Literal["parquet"] = "parquet"
    column_headers: Literal["id", "name"] | None = None
    exclude_null_rows: bool | None = None


class QueryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a table of blocks."""

    columns: tuple[str, ...]
    bbox: BoxIJK | None = None
    geometry_columns: Literal["indices", "coordinates"] = "indices"
    output_options: Output | None = None
    version_uuid: str | None = None


class QueryStarted(msgspec.Struct, frozen=True, kw_only=True):
    """A query that runs: which version it reads, and where to ask after it."""

    bm_uuid: str
    bbox: BoxIJK
    columns: tuple[str, ...]
    job_url: str
    mapping: Mapped
    version_id: int
    version_uuid: str


def update_params(data: UpdateBody) -> dict[str, Any]:
    """Give the parameters of an update, all but the name of the file.

    Raises:
        Problem: UNSUPPORTED; groups and tags of columns are not kept here.
    """
    columns = data.columns
    described = columns.update_metadata or ()
    grouped = [column.title for column in columns.new if column.group or column.tags]
    grouped += [each.title for each in described if each.values.group or each.values.tags]
    if data.groups or grouped or data.geometry_change:
        detail = "groups and tags of columns, and changes of the lattice, are not supported here"
        raise Problem(Code.UNSUPPORTED, detail, at="columns")
    renamed = [{"title": each.title, "new_title": each.new_title} for each in columns.rename]
    said = [
        {"title": each.title, "new_title": each.values.title, "unit_id": each.values.unit_id}
        for each in described
    ]
    return {
        "new": [
            {"title": each.title, "data_type": each.data_type, "unit_id": each.unit_id}
            for each in columns.new
        ],
        "update": list(columns.update),
        "delete": list(columns.delete),
        "change": renamed + said,
        "keep": data.update_type == "merge",
        "comment": data.comment or "",
        "file": bool(columns.new or columns.update),
    }


def query_params(data: QueryBody, entry: Entry) -> dict[str, Any]:
    """Give the parameters of a query of a version."""
    options, box = data.output_options or Output(), data.bbox
    params: dict[str, Any] = {
        "version": entry.version,
        "columns": list(data.columns),
        "geometry": data.geometry_columns,
        "headers": options.column_headers or "name",
        "exclude_null_rows": options.exclude_null_rows is not False,
    }
    if box is not None:
        sides = (box.i_minmax, box.j_minmax, box.k_minmax)
        params["box"] = {
            "first": [side.min for side in sides],
            "last": [side.max for side in sides],
        }
    return params


def whole_box(entry: Entry) -> BoxIJK:
    """Give the box of every block."""
    last = [{"min": 0, "max": count - 1} for count in entry.body["n_blocks"]]
    names = ("i_minmax", "j_minmax", "k_minmax")
    return msgspec.convert(dict(zip(names, last, strict=True)), BoxIJK)
