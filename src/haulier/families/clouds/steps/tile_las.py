"""TILE_LAS: a cloud as a folder of square tiles, each a LAZ file, with a margin if asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.frame import Frame, frame_of
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS, ShardWriter, assemble
from haulier.families.clouds.method.squares import Squares
from haulier.families.clouds.notes import trap
from haulier.families.clouds.params.handling import TileLas
from haulier.families.clouds.steps import rewriting, selecting, spilling

STAGES: Final = ("sort", "write")
OUTPUT: Final = "output_tiles"
INDEX: Final = "tiles.json"
MOST_TILES: Final = 100_000
#: Names of tiles say their corner with twelve digits: of two tiles, the corners must differ there.
NAMED: Final = 1e11
#: Points that a part writes; a tile with more is a part of its own.
PART_POINTS: Final = 500_000
WITHHELD: Final = 4


@dataclass(frozen=True)
class Task:
    """What is to be cut, and how."""

    cloud: Cloud
    params: TileLas
    squares: Squares


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points to be sorted; then groups of tiles to be written."""
    task = _task(step, context)
    if step.stage == STAGES[0]:
        return spilling.split(task.cloud)
    return _groups(spilling.load_rooms(context, STAGES[0]))


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Sort a range by tile, or write some tiles."""
    task = _task(step, context)
    if step.stage == STAGES[0]:
        return spilling.spill(task.cloud, part, context, task.squares)
    return _write(task, part, context)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Name what was sorted, or put the tiles into one folder."""
    task = _task(step, context)
    if step.stage == STAGES[0]:
        return spilling.merge(results, context)
    folder = context.write_folder(OUTPUT)
    tiles: list[dict[str, Any]] = []
    for key, result in results.items():
        for tile in result.values["tiles"]:
            _put(context.part_file(tile["filename"], key), folder / tile["filename"])
            tiles.append(tile)
    document = {"size": task.params.size, "buffer": task.params.buffer, "tiles": tiles}
    (folder / INDEX).write_bytes(msgspec.json.format(msgspec.json.encode(document), indent=2))
    points = sum(tile["points"] for tile in tiles)
    values = {
        "tiles": len(tiles),
        "point_count": points,
        "buffer_points": sum(tile["buffer_points"] for tile in tiles),
        "crs_wkt": crs_of(task.cloud).wkt,
        "warnings": rewriting.in_json(task.cloud.notes),
    }
    return StepResult(values, {"points": points, "tiles": len(tiles)})


def _task(step: StepPlan, context: Context) -> Task:
    """Open the cloud.

    Raises:
        Problem: INVALID with TOO_MANY_TILES, SIZE_TOO_SMALL or BUFFER_TOO_WIDE.
    """
    cloud = selecting.open_input(step, context)
    params = msgspec.convert(step.params, TileLas)
    x, y = params.origin or (0.0, 0.0)
    spilling.check_size(cloud, params.size, max(abs(x), abs(y)), NAMED)
    if params.buffer > params.size:  # a point would be in ever more tiles, not in nine at most
        message = f"a buffer of {params.buffer:g} is wider than tiles of {params.size:g}"
        raise trap("BUFFER_TOO_WIDE", message, "choose larger tiles, or less", at="buffer")
    (west, south, _), (east, north, _) = cloud.bounds
    number = ((east - west) / params.size + 1) * ((north - south) / params.size + 1)
    if cloud.bounds_are_credible:
        _check_number(number)
    return Task(cloud, params, Squares(params.size, (x, y), params.buffer))


def _check_number(tiles: float) -> None:
    if tiles > MOST_TILES:
        message = f"the cloud would become about {tiles:,.0f} tiles, at most {MOST_TILES:,} may be"
        raise trap("TOO_MANY_TILES", message, "choose larger tiles", at="size")


def _groups(rooms: spilling.Rooms) -> list[Part]:
    """Give the tiles that have points of their own in groups of about as many points.

    Raises:
        Problem: INVALID with TOO_MANY_TILES, which no header may hide.
    """
    groups: list[list[list[int]]] = []
    held = PART_POINTS
    sizes: list[int] = []
    for tile, own, all_points in rooms.tiles():
        if not own:
            continue
        if held + all_points > PART_POINTS:
            groups.append([])
            sizes.append(0)
            held = 0
        groups[-1].append(list(tile))
        held += all_points
        sizes[-1] += all_points
    _check_number(sum(map(len, groups)))
    named = zip(groups, sizes, strict=True)
    parts = [
        Part(f"{number:06d}", {"tiles": tiles}, weight=float(size))
        for number, (tiles, size) in enumerate(named)
    ]
    return parts or [Part("none", {"tiles": []})]


def _write(task: Task, part: Part, context: Context) -> PartResult:
    rooms = spilling.load_rooms(context, STAGES[0])
    cloud = task.cloud
    frame = frame_of(cloud, crs_of(cloud).wkt)
    tiles = []
    done, whole = 0, sum(rooms.points(tuple(tile)) for tile in part.params["tiles"])
    for column, row in part.params["tiles"]:
        tile = _tile(task, (column, row), rooms, frame, context)
        tiles.append(tile)
        done += tile["points"] + tile["buffer_points"]
        context.report(done / max(whole, 1), "writing tiles", {"points": done})
    return PartResult({"tiles": tiles}, {"points": done})


def _tile(
    task: Task, place: tuple[int, int], rooms: spilling.Rooms, frame: Frame, context: Context
) -> dict[str, Any]:
    """Write one tile; own points are in the order of the file."""
    west, south, east, north = task.squares.bounds(*place)
    filename = f"tile_{west:.12g}_{south:.12g}.laz"
    path = context.part_file(filename)
    shard = path.with_name(f"{filename}.chunks")
    strangers = 0
    with ShardWriter(shard, task.cloud.layout) as writer:
        for records, is_own in rooms.read(place, task.cloud.layout.dtype, CHUNK_POINTS):
            context.check()
            strangers += int(np.count_nonzero(~is_own))
            if task.params.mark_buffer == "withheld":
                records["classification_flags"][~is_own] |= WITHHELD
            writer.add(records)
        facts = writer.facts()
    assemble(path, frame, [(shard, facts)])
    shard.unlink()
    return {
        "filename": filename,
        "bounds": [west, south, east, north],
        "points": facts.point_count - strangers,
        "buffer_points": strangers,
    }


def _put(source: Path, destination: Path) -> None:
    """Give a file another name, without a copy where that can be."""
    try:
        os.link(source, destination)
    except OSError:
        shutil.copyfile(source, destination)
