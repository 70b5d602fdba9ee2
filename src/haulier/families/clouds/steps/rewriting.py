"""Write a cloud anew with its records changed: ranges of chunks, then one file of them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from haulier.core.family import Context, Part, PartResult
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.frame import Facts, frame_of, real_bounds
from haulier.families.clouds.io.layout import Layout, Records
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS, ShardFacts, ShardWriter, assemble
from haulier.families.clouds.notes import Note

STAGE: Final = "write"
OUTPUT: Final = "output_las"
MEDIA_TYPE: Final = "application/vnd.laszip"
SHARD: Final = "chunks.laz"
#: A cloud is cut into about so many parts, of chunks within these bounds.
PARTS: Final = 24
LEAST_CHUNKS, MOST_CHUNKS = 4, 40

#: Gives records as they are to be written, of the new layout; fewer, or the same ones.
Change = Callable[[Records], Records]


@dataclass(frozen=True)
class Rewriting:
    """What a cloud becomes.

    Attributes:
        cloud: as it is.
        layout: of the new records.
        message: what is being done, for a person who waits.
    """

    cloud: Cloud
    layout: Layout
    message: str


def split(cloud: Cloud, shared: Mapping[str, Any] | None = None) -> Sequence[Part]:
    """Cut a cloud into ranges of chunks as they will be written.

    Args:
        cloud: to be cut; one without points becomes one empty range.
        shared: what all parts get besides, for it decides what they give.
    """
    chunks = -(-cloud.point_count // CHUNK_POINTS)
    points = min(max(chunks // PARTS, LEAST_CHUNKS), MOST_CHUNKS) * CHUNK_POINTS
    parts = []
    for first in range(0, cloud.point_count, points):
        last = min(first + points, cloud.point_count)
        params = {"first": first, "last": last, **(shared or {})}
        parts.append(Part(f"{first:012d}", params, weight=float(last - first)))
    return parts or [Part("none", {"first": 0, "last": 0, **(shared or {})})]


def run(rewriting: Rewriting, part: Part, context: Context, change: Change) -> ShardFacts:
    """Change a range of records, and compress them chunk by chunk."""
    first, last = part.params["first"], part.params["last"]
    done = 0
    with ShardWriter(context.part_file(SHARD), rewriting.layout) as writer:
        for records in rewriting.cloud.read(first, last, batch=CHUNK_POINTS):
            context.check()
            writer.add(change(records))
            done += len(records)
            context.report(done / (last - first), rewriting.message, {"points": done})
        return writer.facts()


def result_of(facts: ShardFacts, points: int, **tally: int) -> PartResult:
    """Give what a part did."""
    return PartResult({"facts": msgspec.to_builtins(facts), "tally": tally}, {"points": points})


def tallies(results: Mapping[str, PartResult]) -> dict[str, int]:
    """Give the tallies of all parts together."""
    sums: dict[str, int] = {}
    for result in results.values():
        for name, number in result.values["tally"].items():
            sums[name] = sums.get(name, 0) + number
    return sums


def merge(
    rewriting: Rewriting,
    results: Mapping[str, PartResult],
    context: Context,
    wkt: str | None = None,
) -> dict[str, Any]:
    """Put the chunks of all parts together to one file.

    Args:
        rewriting: what the cloud became.
        results: of the parts.
        context: of the step.
        wkt: the coordinate system of the new file; None: that of the old one.

    Returns:
        What the next step and a person want to know of it.
    """
    cloud = rewriting.cloud
    shards = [
        (context.part_file(SHARD, key), msgspec.convert(result.values["facts"], ShardFacts))
        for key, result in results.items()
    ]
    said = crs_of(cloud)
    frame = frame_of(cloud, said.wkt if wkt is None else wkt)
    frame = replace(frame, layout=rewriting.layout)
    path = context.write(OUTPUT, media_type=MEDIA_TYPE, filename="output.laz")
    whole = assemble(path, frame, shards)
    facts = Facts(whole.point_count, whole.mins, whole.maxs, whole.returns)
    low, high = real_bounds(frame, facts)
    return {
        "point_count": whole.point_count,
        "bounds": [*low, *high],
        "classes": whole.classes,
        "crs": said.crs.name if said.crs else "",
        "crs_wkt": frame.wkt,
        "scales": list(frame.scales),
        "offsets": list(frame.offsets),
        "point_format": frame.layout.point_format,
    }


def in_json(notes: Sequence[Note]) -> list[dict[str, str]]:
    """Give warnings as the values of a result have them, each once."""
    once = {(note.code, note.message): note for note in notes}
    return [msgspec.to_builtins(note) for note in once.values()]
