"""Step match: each tile on its own, then one look at the segments that tiles share."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.kernels import LOADING
from haulier.families.roads.io.matchfile import (
    MATCH_SCHEMA,
    SHARED_SCHEMA,
    match_batch,
    read_matches,
    shared_batch,
    with_confidence_of,
)
from haulier.families.roads.io.prepared import TileRoads, batch_writer, mapped, read_tile
from haulier.families.roads.io.reference import TileSegments, Wanted, read_segments
from haulier.families.roads.io.releases import Release, open_release
from haulier.families.roads.io.tilebook import TileEntry, box_array, read_tilebook
from haulier.families.roads.method.compete import compete
from haulier.families.roads.method.confidence import with_confidence
from haulier.families.roads.method.lines import FloatArray, IntArray
from haulier.families.roads.method.match import match_tile
from haulier.families.roads.method.settings import Settings
from haulier.families.roads.ready import make_ready
from haulier.families.roads.tiles import meets

MATCHES_FILE: Final = "matches.arrow"
SHARED_FILE: Final = "shared.arrow"
ARROW: Final = "application/vnd.apache.arrow.file"
READ_DONE: Final = 0.15  # share of a tile's work that is reading, measured

Renewed = dict[str, tuple[IntArray, NDArray[np.uint8]]]


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Make each tile a part."""
    del step
    context.report(0.0, LOADING)
    make_ready()
    book = read_tilebook(context.read("step:prepare.tiles"))
    boxes = [box_array(tile.areas) for tile in book.tiles]
    outer = np.array([[*b[:, :2].min(axis=0), *b[:, 2:].max(axis=0)] for b in boxes])
    return [
        Part(
            f"{number:05d}-{tile.quadkey}",
            {
                "batch": tile.batch,
                "areas": tile.areas,
                "groups": tile.groups,
                "others": _others(number, tile, outer, boxes),
                "release_version": book.release_version,
            },
            tile.roads,
        )
        for number, tile in enumerate(book.tiles)
    ]


def _others(
    number: int, tile: TileEntry, outer: FloatArray, boxes: Sequence[FloatArray]
) -> list[list[float]]:
    """Give the areas of the tiles whose roads may match the same segments."""
    near = np.flatnonzero(meets(outer, box_array(tile.areas))).tolist()
    return [box for other in near if other != number for box in boxes[other].tolist()]


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Match the roads of one tile."""
    make_ready()
    name = part.key.partition("-")[2]
    roads = read_tile(context.read("step:prepare.customers"), int(part.params["batch"]))
    segments = _segments(step, part, roads, context)
    counts = {"roads": len(roads.row), "segments": len(segments.gers)}
    about = f"tile {name}: {counts['roads']} roads against {counts['segments']} segments"
    context.report(READ_DONE, f"read {about}", {"segments": counts["segments"]})

    def report(fraction: float, message: str) -> None:
        del message  # the tile says more to a person than the pass
        done = {"roads": int(fraction * counts["roads"]), "segments": counts["segments"]}
        context.report(READ_DONE + (1 - READ_DONE) * fraction, f"matching {about}", done)

    settings = Settings(mode=step.params["mode"])
    matches = match_tile(roads.customer, segments.reference, settings, report)
    gers = segments.gers.take(pa.array(matches.segment))
    shared = meets(segments.boxes, box_array(part.params["others"]))[matches.segment]
    with batch_writer(context.part_file(MATCHES_FILE), MATCH_SCHEMA) as writer:
        writer.write_batch(match_batch(matches, gers))
    with batch_writer(context.part_file(SHARED_FILE), SHARED_SCHEMA) as writer:
        writer.write_batch(shared_batch(matches, gers, shared, roads.row[matches.road]))
    return PartResult({"segments": counts["segments"]}, {**counts, "matches": len(matches)})


def _segments(step: StepPlan, part: Part, roads: TileRoads, context: Context) -> TileSegments:
    release = _same_release(step, part, context)
    customer = roads.customer
    wanted = Wanted(
        names=customer.names is not None,
        levels=customer.level is not None,
        one_way=customer.one_way is not None,
    )
    groups = [(int(file), int(group)) for file, group in part.params["groups"]]
    return read_segments(release, groups, box_array(part.params["areas"]), wanted)


def _same_release(step: StepPlan, part: Part, context: Context) -> Release:
    name = str(step.params["overture_release"])
    release = open_release(name, context.catalog("overture_release", name))
    if release.version != part.params["release_version"]:
        raise Problem(
            Code.CONFLICT,
            f"the files of release {name!r} changed since the job began; submit it again",
            at="overture_release",
        )
    return release


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Let roads of several tiles compete for the segments they share, and keep all matches."""
    if not any(result.values["segments"] for result in results.values()):
        raise Problem(
            Code.INVALID,
            f"release {step.params['overture_release']!r} does not cover the roads: "
            "none of its road segments lies near any of them",
            at="overture_release",
        )
    renewed = _compete(list(results), context)
    path = context.write("matches", media_type=ARROW, filename="matches.arrow")
    with batch_writer(path, MATCH_SCHEMA) as writer:
        for number, key in enumerate(results, 1):
            with mapped(context.part_file(MATCHES_FILE, key)) as reader:
                batch = reader.get_batch(0)
                if key in renewed:
                    batch = with_confidence_of(batch, *renewed[key])
                writer.write_batch(batch)
            context.report(number / len(results), "gathered the matches of all tiles")
    names = ("roads", "segments", "matches")
    counters = {name: sum(each.counters[name] for each in results.values()) for name in names}
    empty = [key.partition("-")[2] for key, each in results.items() if not each.values["segments"]]
    return StepResult({"tiles": len(results), "tiles_without_reference": empty}, counters)


def _compete(keys: Sequence[str], context: Context) -> Renewed:
    """Give, for each tile that shares segments, which of its matches have what confidence now."""
    batches: dict[str, pa.RecordBatch] = {}
    for key in keys:
        with mapped(context.part_file(SHARED_FILE, key)) as reader:
            batch = reader.get_batch(0)
            if batch.num_rows:
                batches[key] = batch
    if len(batches) < 2:  # noqa: PLR2004 -- one tile has nobody to compete with
        return {}
    joined = pa.Table.from_batches(list(batches.values())).combine_chunks().to_batches()[0]
    segment = joined["gers"].dictionary_encode().indices.to_numpy().astype(np.int64)
    matches = compete(read_matches(joined), joined["row"].to_numpy(), segment)
    confidence = with_confidence(matches).confidence
    renewed: Renewed = {}
    first = 0
    for key, batch in batches.items():
        last = first + batch.num_rows
        renewed[key] = (batch["place"].to_numpy(), confidence[first:last])
        first = last
    return renewed
