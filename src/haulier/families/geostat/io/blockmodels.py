"""Block models: geoscience objects whose values the catalog keeps as columns of an entry beside.

The entry, of the type `block-model`, is called `{organisation}/{workspace}/{block_model_uuid}`.
Its body lists `columns`, each with `col_id`, `title`, `data_type`, `unit_id` and `data`: the file
of its values, in the order of blocks, by the SHA-256 of the content. The object that stands for it
names the version that it shows. Jobs make a version of both at once.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import pyarrow as pa

from haulier.core.entry import Entry
from haulier.core.family import Context
from haulier.core.problem import Code, Problem

ENTRY: Final = "block-model"
#: What a column's values are, as attributes of other objects call it; others cannot be used.
TYPES: Final[Mapping[str, str]] = {
    "Float64": "scalar",
    "Float32": "scalar",
    "Float16": "scalar",
    **{f"{sign}Int{bits}": "integer" for sign in ("", "U") for bits in (8, 16, 32, 64)},
    "Boolean": "bool",
    "Utf8": "string",
}
#: What a job writes, and how its column is stored.
WRITTEN: Final[Mapping[str, tuple[str, pa.DataType]]] = {
    "scalar": ("Float64", pa.float64()),
    "integer": ("Int64", pa.int64()),
    "bool": ("Boolean", pa.bool_()),
    "category": ("Utf8", pa.string()),
}
_GEOMETRY: Final = ("origin", "n_blocks", "block_size")


def widened(
    context: Context, document: Mapping[str, Any], space: str, *, at: str
) -> dict[str, Any]:
    """Give the document of a block model as if it were a grid with attributes of its own.

    Args:
        context: where the entry is.
        document: of the object that stands for the model.
        space: what names in its workspace begin with.
        at: the parameter.

    Raises:
        Problem: INVALID; it is not regular. NOT_FOUND; its values are not here.
    """
    geometry = document.get("geometry")
    if (
        not isinstance(geometry, Mapping)
        or geometry.get("model_type") != "regular"
        or any(name not in geometry for name in _GEOMETRY)
    ):
        detail = f"{at} must be a regular block model; that of '{document.get('name')}' is not"
        raise Problem(Code.INVALID, detail, at=at)
    entry = entry_of(context, document, space, at=at)
    length = math.prod(int(n) for n in geometry["n_blocks"])
    return {
        **document,
        "origin": geometry["origin"],
        "size": geometry["n_blocks"],
        "cell_size": geometry["block_size"],
        "rotation": geometry.get("rotation"),
        "attributes": [_attribute(column, length) for column in entry.body.get("columns", ())],
    }


def _attribute(column: Mapping[str, Any], length: int) -> dict[str, Any]:
    return {
        "name": column["title"],
        "key": column["col_id"],
        "attribute_type": TYPES.get(column["data_type"], column["data_type"]),
        "values": {"data": column["data"], "length": length, "width": 1},
    }


def entry_of(context: Context, document: Mapping[str, Any], space: str, *, at: str) -> Entry:
    """Find the version of the entry that the object shows.

    Raises:
        Problem: NOT_FOUND at the parameter.
    """
    name = space + str(document.get("block_model_uuid"))
    shown = str(document.get("block_model_version_uuid"))
    try:
        newest = context.entry(ENTRY, name=name)
        for version in range(newest.version, 0, -1):
            if version_uuid(name, version) == shown:
                return context.entry(ENTRY, name=name, version=version)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
    detail = f"{at} names block model {document.get('block_model_uuid')}, of which version {shown}"
    raise Problem(Code.NOT_FOUND, f"{detail} is not here", at=at)


def newest_entry(context: Context, document: Mapping[str, Any], space: str) -> Entry:
    """Give the newest version of the entry, to write the next one."""
    return context.entry(ENTRY, name=space + str(document["block_model_uuid"]))


def version_uuid(name: str, version: int) -> str:
    """Give the UUID of a version of a block model."""
    return str(uuid5(NAMESPACE_URL, f"{name}/{version}"))


def changed_columns(
    entry: Entry, written: Sequence[tuple[str, str, str, str]]
) -> list[dict[str, Any]]:
    """Give the columns of the next version.

    Args:
        entry: of the version before.
        written: id of the column that is replaced (empty: it is new), title, type, and SHA-256.
    """
    columns = [dict(each) for each in entry.body.get("columns", ())]
    for column_id, title, type_, data in written:
        data_type, _ = WRITTEN[type_]
        if column_id:
            column = next(each for each in columns if each["col_id"] == column_id)
            column |= {"data": data, "data_type": data_type}
            continue
        said = f"{entry.name}/{entry.version + 1}/{title}"
        new = {"col_id": str(uuid5(NAMESPACE_URL, said)), "title": title, "unit_id": None}
        columns.append({**new, "data_type": data_type, "data": data})
    return columns


def shown_document(
    document: Mapping[str, Any], name: str, version: int, columns: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Give the document of the object that shows a version with these columns."""
    return {
        **document,
        "block_model_version_uuid": version_uuid(name, version),
        "attributes": [
            {
                "name": column["title"],
                "key": column["col_id"],
                "attribute_type": column["data_type"],
                "block_model_column_uuid": column["col_id"],
                **({"unit": column["unit_id"]} if column.get("unit_id") else {}),
            }
            for column in columns
        ],
    }
