"""Step write: count what was matched, and write each file that was asked for."""

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.roads.io.outcomes import Outcome, counted, outcomes
from haulier.families.roads.io.prepared import mapped
from haulier.families.roads.io.report import MapData, map_data, write_report
from haulier.families.roads.io.tables import (
    BRIDGE_SCHEMA,
    RESULT_SCHEMA,
    ROADS_SCHEMA,
    bridge_table,
    result_table,
    roads_table,
    skipped_table,
    table_writer,
)
from haulier.families.roads.io.tilebook import read_tilebook
from haulier.families.roads.io.view import write_view
from haulier.families.roads.method.confidence import shipped_model
from haulier.families.roads.params import Outputs, View, results_filename, stem
from haulier.families.roads.result import Counts, statistics, together

PARQUET: Final = "application/vnd.apache.parquet"
VIEW_TYPES: Final = {
    View.GEOJSON: ("view.geojson", "application/geo+json"),
    View.FLATGEOBUF: ("view.fgb", "application/vnd.flatgeobuf"),
}


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make the tables, the view and the map parts of their own: each reads the tiles once."""
    del context
    asked = msgspec.convert(step.params["outputs"], Outputs)
    parts = [Part("tables", {"bridge": asked.bridge}, 3)]
    if asked.view is not View.NONE:
        parts.append(Part("view", {"format": asked.view.value}, 3))
    if asked.report:
        parts.append(Part("map", {}, 2))
    return parts


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Write one kind of file."""
    if part.key == "tables":
        return _write_tables(step, part, context)
    if part.key == "view":
        return _write_view(step, part, context)
    return _write_map(step, context)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Give the files their names, and put the report together."""
    filename = str(step.params["filename"])
    name = stem(filename)
    _give(context, "tables", "results", PARQUET, results_filename(filename))
    _give(context, "tables", "roads", PARQUET, f"{name}.roads.parquet")
    if msgspec.convert(step.params["outputs"], Outputs).bridge:
        _give(context, "tables", "bridge", PARQUET, f"{name}.bridge.parquet")
    if "view" in results:
        suffix, media_type = VIEW_TYPES[View(results["view"].values["format"])]
        _give(context, "view", "view", media_type, f"{name}.{suffix}")
    counts = msgspec.convert(results["tables"].values["counts"], Counts)
    figures = statistics(counts, int(step.params["confidence_threshold"]))
    values = {"statistics": figures, "result": _result(step, counts, context)}
    if "map" in results:
        path = context.write("report", media_type="text/html", filename=f"{name}.report.html")
        packed = context.part_file("map", "map").read_bytes()
        write_report(path, filename, msgspec.msgpack.decode(packed, type=MapData), values)
    return StepResult(values, {"roads": counts.roads, "matches": counts.rows})


def _give(context: Context, part: str, name: str, media_type: str, filename: str) -> None:
    """Make a part's file an output, without copying it where the file system can.

    It is linked, not moved: the part stays whole for another attempt.
    """
    source = context.part_file(name, part)
    target = context.write(name, media_type=media_type, filename=filename)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _result(step: StepPlan, counts: Counts, context: Context) -> dict[str, Any]:
    """Give what the statistics of the vendor do not say."""
    return {
        "overture_release": step.params["overture_release"],
        "mode": step.params["mode"],
        "model": shipped_model().version,
        "num_matches": counts.matches,
        "num_matches_below_threshold": counts.rows - counts.matches,
        "kms_matched": round(counts.matched_m / 1000.0, 2),
        "roads_by_reason": dict(counts.reasons),
        "matches_by_confidence": list(counts.histogram),
        "rows_skipped": context.values("prepare")["skipped"],
        "tiles": context.values("match")["tiles"],
        "tiles_without_reference": context.values("match")["tiles_without_reference"],
    }


def _outcomes(step: StepPlan, context: Context, *, counted_here: bool = False) -> Iterator[Outcome]:
    """Read the outcomes, reporting how many roads are done; one part alone counts them."""
    book = read_tilebook(context.read("step:prepare.tiles"))
    names = set(context.values("match")["tiles_without_reference"])
    empty = [number for number, tile in enumerate(book.tiles) if tile.quadkey in names]
    total = int(context.values("prepare")["roads"])
    threshold = int(step.params["confidence_threshold"])
    customers, matches = (
        context.read("step:prepare.customers"),
        context.read("step:match.matches"),
    )
    roads = 0
    for outcome in outcomes(customers, matches, threshold, empty):
        yield outcome
        roads += len(outcome.row)
        message = f"wrote {roads} of {total} roads"
        counters = {"roads": roads} if counted_here else None
        context.report(min(roads / max(total, 1), 1.0), message, counters)


def _about(step: StepPlan) -> dict[str, str]:
    return {
        "haulier.overture_release": str(step.params["overture_release"]),
        "haulier.confidence_model": shipped_model().version,
        "haulier.mode": str(step.params["mode"]),
        "haulier.confidence_threshold": str(step.params["confidence_threshold"]),
    }


def _write_tables(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Write matches, roads and the bridge file in one pass, and count."""
    release = str(step.params["overture_release"])
    threshold = int(step.params["confidence_threshold"])
    about, counts = _about(step), Counts()
    with ExitStack() as stack:
        results = stack.enter_context(
            table_writer(context.part_file("results"), RESULT_SCHEMA, about)
        )
        roads = stack.enter_context(table_writer(context.part_file("roads"), ROADS_SCHEMA, about))
        bridge = stack.enter_context(_bridge_writer(part, context, about))
        for outcome in _outcomes(step, context, counted_here=True):
            table = result_table(outcome, release)
            results.write_table(table)
            roads.write_table(roads_table(outcome))
            if bridge is not None:
                dataset = stem(str(step.params["filename"]))
                bridge.write_table(bridge_table(table, dataset, threshold))
            counts = together(counts, counted(outcome, threshold))
        with mapped(context.read("step:prepare.skipped")) as reader:
            roads.write_table(skipped_table(reader.read_all()))
    return PartResult({"counts": msgspec.to_builtins(counts)})


@contextmanager
def _bridge_writer(part: Part, context: Context, about: Mapping[str, str]) -> Iterator[Any]:
    if not part.params["bridge"]:
        yield None
        return
    with table_writer(context.part_file("bridge"), BRIDGE_SCHEMA, about) as writer:
        yield writer


def _write_view(step: StepPlan, part: Part, context: Context) -> PartResult:
    view = View(part.params["format"])
    made = context.scratch() / VIEW_TYPES[view][0]
    write_view(made, view, _outcomes(step, context), int(step.params["confidence_threshold"]))
    shutil.move(made, context.part_file("view"))
    return PartResult({"format": view.value})


def _write_map(step: StepPlan, context: Context) -> PartResult:
    total = int(context.values("prepare")["roads"])
    data = map_data(_outcomes(step, context), total, int(step.params["confidence_threshold"]))
    context.part_file("map").write_bytes(msgspec.msgpack.encode(data))
    return PartResult({"shown": data.shown})
