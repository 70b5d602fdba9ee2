"""What the jobs of block models are asked."""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from haulier.core.artifact import FileRef
from haulier.core.problem import Code, Fault, Problem

DataType = Literal[
    "Boolean",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float16",
    "Float32",
    "Float64",
    "Utf8",
    "Date32",
    "Timestamp",
]
MOST_COLUMNS: Final = 200  # that one update can write
#: Columns of tables that say which block a row is, and where.
INDICES: Final = ("i", "j", "k")
PLACES: Final = ("x", "y", "z")
GEOMETRY: Final = frozenset({*INDICES, *PLACES})
Title = Annotated[str, Meta(min_length=1, max_length=100)]


class NewColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column that is to be: its title, what its values are, and their unit."""

    title: Title
    data_type: DataType
    unit_id: str | None = None


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A column that is to be called otherwise, or to have another unit."""

    title: Title
    new_title: Title | None = None
    unit_id: str | None = None


class Update(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of an update."""

    model: Annotated[str, Meta(description="Name of the block model in the catalog.")]
    file: Annotated[
        FileRef | None, Meta(description="Parquet with i, j, k or x, y, z, and the columns.")
    ] = None
    new: Annotated[tuple[NewColumn, ...], Meta(description="Columns to make.")] = ()
    update: Annotated[tuple[Title, ...], Meta(description="Columns to write again.")] = ()
    delete: Annotated[tuple[Title, ...], Meta(description="Columns to remove.")] = ()
    change: Annotated[tuple[Change, ...], Meta(description="Columns to rename or give units.")] = ()
    keep: Annotated[
        bool, Meta(description="Blocks that the file lacks keep what they have, or lose it.")
    ] = False
    comment: Annotated[str, Meta(max_length=250, description="Said of the new version.")] = ""

    @property
    def written(self) -> tuple[str, ...]:
        """Give the columns whose values come from the file."""
        return (*(column.title for column in self.new), *self.update)


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Blocks by their numbers: from the first to the last of each axis, both included."""

    first: tuple[int, int, int]
    last: tuple[int, int, int]


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Parameters of a query."""

    model: Annotated[str, Meta(description="Name of the block model in the catalog.")]
    version: Annotated[int, Meta(ge=0, description="Which version; 0 is the newest.")] = 0
    columns: Annotated[
        tuple[str, ...], Meta(description="Titles or ids; * is every column, by title.")
    ] = ("*",)
    box: Annotated[Box | None, Meta(description="Only these blocks.")] = None
    geometry: Annotated[
        Literal["indices", "coordinates"], Meta(description="i, j, k or x, y, z in the answer.")
    ] = "indices"
    headers: Annotated[
        Literal["name", "id"], Meta(description="What the columns of the answer are called.")
    ] = "name"
    exclude_null_rows: Annotated[
        bool, Meta(description="Leave blocks out that have no value in any column asked.")
    ] = True


def output_name(index: int) -> str:
    """Give the name of the output that a written column is."""
    return f"column-{index:03d}"


def check_update(params: Update) -> None:
    """Refuse an update that contradicts itself.

    Raises:
        Problem: INVALID, with every fault.
    """
    titles = [*params.written, *params.delete]
    faults = [
        Fault("new", f"column '{title}' is named more than once")
        for title in sorted({title for title in titles if titles.count(title) > 1})
    ]
    came = [("new", column.title) for column in params.new]
    came += [("change", change.new_title or "") for change in params.change]
    faults += [
        Fault(at, f"no column can be called '{title}': that is where a block is")
        for at, title in came
        if title in GEOMETRY
    ]
    if len(params.written) > MOST_COLUMNS:
        detail = f"at most {MOST_COLUMNS} columns can be written at once, got {len(params.written)}"
        faults.append(Fault("new", detail))
    if params.written and params.file is None:
        detail = f"file must hold the columns {', '.join(params.written)}, got none"
        faults.append(Fault("file", detail))
    if faults:
        raise Problem(Code.INVALID, faults[0].detail, at=faults[0].at, faults=faults)
