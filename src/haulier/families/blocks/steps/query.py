"""Step query: one table of the blocks and the columns that were asked for."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.blocks.io import tables
from haulier.families.blocks.method.lattice import Lattice
from haulier.families.blocks.model import STORAGE, TYPE, BlockModel, Column, model_of
from haulier.families.blocks.params import Query
from haulier.families.blocks.steps.update import PARQUET

BLOCKS: Final = "blocks"
TABLE: Final = "blocks.parquet"
EVERY: Final = "*"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make one part that names all it reads, for versions of a block model never change."""
    params = msgspec.convert(step.params, Query)
    entry = context.entry(TYPE, name=params.model, version=params.version)
    model = model_of(entry)
    said: dict[str, Any] = {
        "version": entry.version,
        "lattice": msgspec.to_builtins(model.lattice),
        "columns": msgspec.to_builtins(chosen(model, params.columns)),
    }
    return [Part("all", said)]


def chosen(model: BlockModel, names: Sequence[str]) -> list[Column]:
    """Give the columns that are asked for, each once, in the order asked.

    Raises:
        Problem: INVALID; there is none of that name.
    """
    columns: dict[str, Column] = {}
    for name in names:
        every = sorted(model.columns, key=lambda column: column.title.lower())
        for column in every if name == EVERY else [model.column(name)]:
            columns.setdefault(column.col_id, column)
    return list(columns.values())


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Write the table, a slab of blocks at a time."""
    params = msgspec.convert(step.params, Query)
    lattice = msgspec.convert(part.params["lattice"], Lattice)
    columns = msgspec.convert(part.params["columns"], list[Column])
    called = [
        (column.col_id if params.headers == "id" else column.title, column) for column in columns
    ]
    files = [(name, context.read(FileRef(STORAGE, column.data))) for name, column in called]
    behind = tables.gather(
        files,
        lattice,
        context.part_file(TABLE),
        geometry=params.geometry,
        box=(params.box.first, params.box.last) if params.box else None,
        exclude_null_rows=params.exclude_null_rows,
    )
    for blocks in behind:
        context.check()
        context.report(blocks / lattice.size, f"gathered {blocks} of {lattice.size} blocks")
    return PartResult({"version_id": part.params["version"]}, {"blocks": lattice.size})


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Make the table the output."""
    del step
    ((key, result),) = results.items()
    path = context.write(BLOCKS, media_type=PARQUET, filename=TABLE)
    with context.part_file(TABLE, key).open("rb") as source, path.open("wb") as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)
    return StepResult(values=result.values)
