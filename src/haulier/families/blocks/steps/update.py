"""Step update: a part writes a column; together they are a new version of the block model."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.entry import Publication
from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.blocks.io.arranging import Wanted, arrange
from haulier.families.blocks.method.lattice import Lattice
from haulier.families.blocks.model import (
    OBJECT,
    STORAGE,
    TYPE,
    BlockModel,
    Column,
    column_id,
    document_of,
    model_of,
    version_id,
)
from haulier.families.blocks.params import Update, output_name

PARQUET: Final = "application/vnd.apache.parquet"
COLUMN: Final = "column.parquet"
NOTHING: Final = "nothing"


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make a part of each column that the file has; one that does nothing, where it has none."""
    params = msgspec.convert(step.params, Update)
    model = model_of(context.entry(TYPE, name=params.model))
    _check_titles(params, model)
    new = {column.title: column.data_type for column in params.new}
    parts = []
    for index, title in enumerate(params.written):
        known = None if title in new else model.column(title)
        said: dict[str, Any] = {
            "title": title,
            "data_type": new.get(title) or (known.data_type if known else ""),
            "old": known.data if known is not None and params.keep else "",
            "lattice": msgspec.to_builtins(model.lattice),
        }
        parts.append(Part(output_name(index), said))
    return parts or [Part(NOTHING)]


def _check_titles(params: Update, model: BlockModel) -> None:
    """Refuse an update of columns that are not there, and new ones that are.

    Raises:
        Problem: INVALID at the member.
    """
    known = {column.title for column in model.columns}
    for title in (*params.update, *params.delete, *(each.title for each in params.change)):
        model.column(title)
    left = known - set(params.delete) - {each.title for each in params.change if each.new_title}
    came = [column.title for column in params.new]
    came += [each.new_title for each in params.change if each.new_title]
    for title in came:
        if title in left or came.count(title) > 1:
            raise Problem(Code.INVALID, f"there would be two columns '{title}'", at="new")


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Write one column in the order of the blocks."""
    if part.key == NOTHING:
        return PartResult()
    params = msgspec.convert(step.params, Update)
    lattice = msgspec.convert(part.params["lattice"], Lattice)
    title, type_, old = (str(part.params[name]) for name in ("title", "data_type", "old"))
    column = (title, type_, old)
    blocks = _arrange(context, params, column, lattice, context.part_file(COLUMN))
    return PartResult({"blocks": blocks, "old": old}, {"columns": 1})


def _arrange(
    context: Context, params: Update, column: tuple[str, str, str], lattice: Lattice, target: Path
) -> int:
    """Write a column in the order of the blocks, upon the values that it had."""
    title, type_, old = column
    before = context.read(FileRef(STORAGE, old)) if old else None

    def told(fraction: float) -> None:
        context.check()
        context.report(fraction, f"arranging {title}")

    wanted = Wanted(context.read(params.file), title, type_, before)
    return arrange(wanted, lattice, context.scratch(), target, told)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the new version of the block model, and of the object that stands for it.

    It is called again where somebody else made a version in between.
    """
    params = msgspec.convert(step.params, Update)
    entry = context.entry(TYPE, name=params.model)
    model = model_of(entry)
    _check_titles(params, model)
    written, files = _written(params, model, results, context)
    version = entry.version + 1
    columns = _columns(params, model, written, version)
    changed = msgspec.structs.replace(model, columns=columns, comment=params.comment)
    stands = context.entry(OBJECT, id=model.object_id)
    document = document_of(stands.body["object"], changed, params.model, version)
    said = {"version_id": version, "version_uuid": version_id(params.model, version)}
    return StepResult(
        values=said,
        publish=(
            Publication(
                type=TYPE,
                name=entry.name,
                body=msgspec.to_builtins(changed),
                expects=entry.version,
                id=entry.id,
                files=files,
            ),
            Publication(
                type=OBJECT,
                name=stands.name,
                body={**stands.body, "object": document},
                expects=stands.version,
                id=stands.id,
            ),
        ),
    )


def _written(
    params: Update, model: BlockModel, results: Mapping[str, PartResult], context: Context
) -> tuple[dict[str, str], dict[str, FileRef]]:
    """Make the columns outputs; give their content's hash by title, and where each goes."""
    hashes, files = {}, {}
    for key, title in zip((key for key in results if key != NOTHING), params.written, strict=True):
        path = context.write(key, media_type=PARQUET, filename=f"{key}.parquet")
        old = str(results[key].values["old"])
        if old and old != model.column(title).data:  # somebody else wrote it in between
            newest = model.column(title)
            column = (title, newest.data_type, newest.data)
            _arrange(context, params, column, model.lattice, path)
        else:
            shutil.copyfile(context.part_file(COLUMN, key), path)
        with path.open("rb") as file:
            hashes[title] = hashlib.file_digest(file, "sha256").hexdigest()
        files[key] = FileRef(STORAGE, hashes[title])
    return hashes, files


def _columns(
    params: Update, model: BlockModel, written: Mapping[str, str], version: int
) -> tuple[Column, ...]:
    changes = {change.title: change for change in params.change}
    kept = []
    for column in model.columns:
        if column.title in params.delete:
            continue
        change = changes.get(column.title)
        kept.append(
            msgspec.structs.replace(
                column,
                title=(change and change.new_title) or column.title,
                unit_id=(change and change.unit_id) or column.unit_id,
                data=written.get(column.title, column.data),
            )
        )
    new = [
        Column(
            col_id=column_id(params.model, column.title, version),
            title=column.title,
            data_type=column.data_type,
            data=written[column.title],
            unit_id=column.unit_id,
        )
        for column in params.new
    ]
    return (*kept, *new)
