"""Step prepare: read and check the whole input, and sort it into tiles."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from haulier.core.artifact import FileRef
from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.roads.io.checks import BadRow, check_rows
from haulier.families.roads.io.duplicates import find_duplicates
from haulier.families.roads.io.prepared import (
    BAD_SCHEMA,
    bad_table,
    batch_writer,
    mapped,
    road_batch,
    road_schema,
)
from haulier.families.roads.io.releases import Release, RowGroup, Survey, open_release, survey
from haulier.families.roads.io.sources import Source, cut_short, open_source
from haulier.families.roads.io.tilebook import Tilebook, TileEntry, write_tilebook
from haulier.families.roads.method.lines import FloatArray
from haulier.families.roads.params import Columns, OnBadRow
from haulier.families.roads.tiles import (
    FIRST_ZOOM,
    LAST_ZOOM,
    Tile,
    envelope,
    meets,
    partition,
    tally,
)

PART_ROWS: Final = 250_000
ROWS_FILE: Final = "rows.arrow"
BAD_FILE: Final = "bad.arrow"
ARROW: Final = "application/vnd.apache.arrow.file"
# Shares of the work of `merge`, measured on 440,000 roads.
DUPLICATES_DONE: Final = 0.1
SURVEY_DONE: Final = 0.4


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Open the release and the input, and cut the input at its row groups."""
    _release(step, context)
    source = _source(step, context)
    parts: list[Part] = []
    groups: list[int] = []
    first_row = rows = 0
    for group, size in enumerate(source.row_groups):
        groups.append(group)
        rows += size
        if rows >= PART_ROWS or group + 1 == len(source.row_groups):
            params = {"row_groups": groups, "first_row": first_row, "rows": rows}
            parts.append(Part(f"rows-{first_row}-{group}", params, max(rows, 1)))
            first_row, rows, groups = first_row + rows, 0, []
    return parts


def _release(step: StepPlan, context: Context) -> Release:
    name = str(step.params["overture_release"])
    return open_release(name, context.catalog("overture_release", name))


def _source(step: StepPlan, context: Context) -> Source:
    ref = msgspec.convert(step.params["input"], FileRef)
    path = context.read(step.params["input"])
    return open_source(path, ref.filename, _columns(step), context.scratch())


def _columns(step: StepPlan) -> Columns:
    return msgspec.convert(step.params["columns"], Columns)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Read and check some row groups; the first bad row ends it unless bad rows are skipped."""
    source = _source(step, context)
    stop_at_bad = step.params["on_bad_row"] == OnBadRow.FAIL
    first, rows = int(part.params["first_row"]), int(part.params["rows"])
    bad: list[BadRow] = []
    read = roads = 0
    with batch_writer(context.part_file(ROWS_FILE), road_schema(source.columns)) as writer:
        for batch in source.batches(part.params["row_groups"]):
            checked = check_rows(source, batch, first + read)
            read += batch.num_rows
            bad.extend(checked.bad)
            if bad and stop_at_bad:
                return PartResult({"bad": _named(bad[0])})
            if len(checked.row):
                roads += len(checked.row)
                writer.write_batch(road_batch(source, checked))
            message = f"read and checked row {first + read} of {source.rows}"
            context.report(min(read / max(rows, 1), 1.0), message, {"rows": read})
    if read != rows:
        raise cut_short(rows, read)
    with batch_writer(context.part_file(BAD_FILE), BAD_SCHEMA) as writer:
        writer.write_table(bad_table(bad))
    first_skipped = bad[0].sentence() if bad else ""
    counters = {"rows": read, "roads": roads, "skipped": len(bad)}
    return PartResult({"bad": None, "first_skipped": first_skipped}, counters)


def _named(bad: BadRow) -> dict[str, Any]:
    return {"row": bad.row, "column": bad.column, "sentence": bad.sentence()}


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Check what only the whole can show, choose the tiles, and write each tile's roads."""
    _refuse_bad_rows(results)
    release = _release(step, context)
    with ExitStack() as stack:
        readers = [
            stack.enter_context(mapped(context.part_file(ROWS_FILE, key))) for key in results
        ]
        batches = [r.get_batch(i) for r in readers for i in range(r.num_record_batches)]
        if not batches:
            sentences = [str(each.values["first_skipped"]) for each in results.values()]
            first = next(filter(None, sentences), "")
            detail = f"no row of the input can be used, all were skipped; the first: {first}"
            raise Problem(Code.INVALID, detail, at="input")
        duplicates = _duplicates(step, batches)
        context.report(DUPLICATES_DONE, "checked that ids are unique")
        seen = _survey(release, batches, context)
        tiles = partition(tally(batch["key"].to_numpy() for batch in batches), tally(seen.keys))
        dropped = pa.array([each.row for each in duplicates], pa.int64())
        book = _write_tiles(batches, tiles, dropped, seen.groups, context)
    skipped = _write_skipped(results, duplicates, context)
    path = context.write("tiles", media_type="application/json", filename="tiles.json")
    write_tilebook(path, Tilebook(release.name, release.version, book))
    roads = sum(int(each.counters["roads"]) for each in results.values()) - len(duplicates)
    values = {"tiles": len(book), "skipped": skipped, "roads": roads}
    return StepResult(values, {"roads": roads, "skipped": skipped, "segments": seen.segments})


def _refuse_bad_rows(results: Mapping[str, PartResult]) -> None:
    """Report the first bad row of the file, whichever part found its own first."""
    found = [each.values["bad"] for each in results.values() if each.values.get("bad")]
    if found:
        first = min(found, key=lambda bad: bad["row"])
        raise Problem(Code.INVALID, first["sentence"], at=f"input.{first['column']}")


def _duplicates(step: StepPlan, batches: Sequence[pa.RecordBatch]) -> list[BadRow]:
    column = _columns(step).id
    duplicates = [each.bad_row(column) for each in find_duplicates(batches)]
    if duplicates and step.params["on_bad_row"] == OnBadRow.FAIL:
        raise Problem(Code.INVALID, duplicates[0].sentence(), at=f"input.{column}")
    return duplicates


def _boxes(batch: pa.RecordBatch) -> FloatArray:
    return np.asarray(batch["box"].flatten().to_numpy(), dtype=np.float64).reshape(-1, 4)


def _survey(release: Release, batches: Sequence[pa.RecordBatch], context: Context) -> Survey:
    """Look through the release where the roads are.

    Raises:
        Problem: INVALID; the release has no road segment there.
    """
    areas = _areas(batches)
    seen = Survey()
    for number, seen in enumerate(survey(release, areas), 1):
        fraction = DUPLICATES_DONE + (SURVEY_DONE - DUPLICATES_DONE) * number / len(release.files)
        message = f"found {seen.segments} segments of {release.name} near the roads"
        context.report(fraction, message, {"segments": seen.segments})
    if seen.segments == 0:
        lies = _spelled((*areas[:, :2].min(axis=0), *areas[:, 2:].max(axis=0)))
        raise Problem(
            Code.INVALID,
            f"release {release.name!r} does not cover the roads: they lie within {lies} "
            "(longitude, latitude), where it has no road segments; "
            f"the release lies within {_spelled(seen.bounds or (0, 0, 0, 0))}",
            at="overture_release",
        )
    return seen


def _spelled(box: Sequence[float]) -> str:
    return "({:.4f}, {:.4f}) to ({:.4f}, {:.4f})".format(*box)


def _areas(batches: Sequence[pa.RecordBatch]) -> FloatArray:
    """Bound the roads of each coarsest tile; (k, 4) with a halo."""
    shift = 2 * (LAST_ZOOM - FIRST_ZOOM)
    boxes: dict[int, list[FloatArray]] = {}
    for batch in batches:
        keys = batch["key"].to_numpy() >> shift
        starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
        for start, rows in zip(starts, np.split(_boxes(batch), starts[1:]), strict=True):
            low, high = rows[:, :2].min(axis=0), rows[:, 2:].max(axis=0)
            boxes.setdefault(int(keys[start]), []).append(np.concatenate([low, high]))
    return np.concatenate([envelope(np.array(each)) for each in boxes.values()])


def _write_tiles(
    batches: Sequence[pa.RecordBatch],
    tiles: Sequence[Tile],
    dropped: pa.Array,
    groups: Sequence[RowGroup],
    context: Context,
) -> list[TileEntry]:
    """Write one record batch for each tile, and note where its segments are."""
    group_boxes = np.array([group.box for group in groups]).reshape(-1, 4)
    path = context.write("customers", media_type=ARROW, filename="customers.arrow")
    entries: list[TileEntry] = []
    with batch_writer(path, batches[0].schema) as writer:
        for number, tile in enumerate(tiles, 1):
            roads = _tile_roads(batches, tile, dropped)
            if roads is None:
                continue
            areas = envelope(_boxes(roads))
            near = [groups[i] for i in np.flatnonzero(meets(group_boxes, areas)).tolist()]
            writer.write_batch(roads)
            entry = TileEntry(
                tile.quadkey,
                len(entries),
                roads.num_rows,
                tile.segments,
                areas.tolist(),
                [[group.file, group.group] for group in near],
            )
            entries.append(entry)
            fraction = SURVEY_DONE + (1 - SURVEY_DONE) * number / len(tiles)
            context.report(fraction, f"sorted the roads into tile {number} of {len(tiles)}")
    return entries


def _tile_roads(
    batches: Sequence[pa.RecordBatch], tile: Tile, dropped: pa.Array
) -> pa.RecordBatch | None:
    """Gather a tile's rows; each batch is sorted by key, so they are one slice of it."""
    slices = []
    for batch in batches:
        low, high = np.searchsorted(batch["key"].to_numpy(), [tile.first, tile.last])
        if high > low:
            slices.append(batch.slice(int(low), int(high - low)))
    table = pa.Table.from_batches(slices, batches[0].schema)
    if len(dropped):
        table = table.filter(pc.invert(pc.is_in(table["row"], dropped)))
    if table.num_rows == 0:
        return None
    table = table.sort_by([("row", "ascending"), ("start", "ascending")])
    return table.combine_chunks().to_batches()[0]


def _write_skipped(
    results: Mapping[str, PartResult], duplicates: Sequence[BadRow], context: Context
) -> int:
    """Write which rows were left out, and why; gives how many."""
    path = context.write("skipped", media_type=ARROW, filename="skipped.arrow")
    count = 0
    with batch_writer(path, BAD_SCHEMA) as writer:
        for table in _bad_tables(results, duplicates, context):
            count += table.num_rows
            writer.write_table(table)
    return count


def _bad_tables(
    results: Mapping[str, PartResult], duplicates: Sequence[BadRow], context: Context
) -> Iterator[pa.Table]:
    for key in results:
        with mapped(context.part_file(BAD_FILE, key)) as reader:
            yield reader.read_all()
    yield bad_table(duplicates)
