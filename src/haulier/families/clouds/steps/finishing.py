"""Third pass: put shared nodes together, and hand all nodes to what writes the container."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.frame import Facts
from haulier.families.clouds.io.nodes import NODE, Index, NodeWriter, gather_node, read_index
from haulier.families.clouds.method.bins import group
from haulier.families.clouds.method.morton import Cube, key_of
from haulier.families.clouds.notes import Note
from haulier.families.clouds.params.octree import Octree
from haulier.families.clouds.steps import binning, noding
from haulier.families.clouds.steps.building import (
    Binned,
    Job,
    Noded,
    open_job,
    values_of,
)
from haulier.families.clouds.steps.crsfindings import crs_findings
from haulier.families.clouds.steps.rewriting import in_json
from haulier.families.clouds.steps.traps import SEAM

STAGE: Final = "write"
Key = tuple[int, int, int, int]


@dataclass(frozen=True)
class Built:
    """A whole octree, encoded, in files of several parts.

    Attributes:
        job: what it was built from.
        cube: its root.
        facts: what a header says of its points.
        times: the earliest and the latest GPS time.
        rows: one row a node, the highest first and by Morton code within a depth.
        files: (k,) which of `payloads` a node's bytes are in.
        payloads: files of encoded nodes.
    """

    job: Job
    cube: Cube
    facts: Facts
    times: tuple[float, float]
    rows: Index
    files: NDArray[np.int64]
    payloads: Sequence[Path]

    @property
    def keys(self) -> list[Key]:
        """Give depth, x, y, z of each node."""
        pairs = zip(self.rows["depth"].tolist(), self.rows["prefix"].tolist(), strict=True)
        return [key_of(depth, prefix) for depth, prefix in pairs]

    def payload(self, index: int) -> bytes:
        """Give the bytes of a node."""
        row = self.rows[index]
        with self.payloads[self.files[index]].open("rb") as file:
            file.seek(int(row["offset"]))
            return bytes(file.read(int(row["size"])))

    def each_payload(self, context: Context) -> Iterator[bytes]:
        """Give the bytes of all nodes in turn, and say how far it is."""
        for index in range(len(self.rows)):
            context.check()
            yield self.payload(index)
            context.report((index + 1) / len(self.rows), "writing nodes")


#: Writes the container of an octree, and gives what the result says of it.
Write = Callable[[StepPlan, Built, Context], Mapping[str, Any]]


def split(step: StepPlan, context: Context, type_: type[Octree]) -> Sequence[Part]:
    """Give groups of shared nodes; where there are none, one part with nothing to do."""
    job = open_job(step, context, type_)
    weights = [each.points for each in values_of(context, noding.STAGE, Noded).shared]
    return [
        Part(f"{first:06}", {"first": first, "last": last}, weight=sum(weights[first:last]))
        for first, last in group(weights, job.part_points)
    ] or [Part("000000", {"first": 0, "last": 0})]


def run(
    step: StepPlan, part: Part, context: Context, type_: type[Octree], encode: noding.Encode
) -> PartResult:
    """Put some shared nodes together, and encode them."""
    job = open_job(step, context, type_)
    noded = values_of(context, noding.STAGE, Noded)
    shares = [
        (
            context.part_file(noding.SHARES, key, stage=noding.STAGE),
            read_index(context.part_file(noding.SHARE_INDEX, key, stage=noding.STAGE)),
        )
        for key in noded.parts
    ]
    done = 0
    nodes = noded.shared[part.params["first"] : part.params["last"]]
    with NodeWriter(context.part_file(noding.PAYLOADS), context.part_file(noding.INDEX)) as writer:
        for number, node in enumerate(nodes, 1):
            context.check()
            records = gather_node(shares, (node.depth, node.prefix), job.layout.record_size)
            payload = encode(job.records_of(records), job.layout)
            writer.add((node.depth, node.prefix), records, payload)
            done += len(records)
            context.report(number / len(nodes), "joining shared nodes", {"points": done})
    return PartResult({}, {"points": done})


def merge(
    step: StepPlan,
    results: Mapping[str, PartResult],
    context: Context,
    type_: type[Octree],
    write: Write,
) -> StepResult:
    """Write the container."""
    built = _built(open_job(step, context, type_), list(results), context)
    written = write(step, built, context)
    cloud = built.job.clouds[0]
    low, high = _bounds(built)
    values = {
        "point_count": built.facts.point_count,
        "bounds": [*low, *high],
        "cube": [*built.cube.lowest, *(each + built.cube.size for each in built.cube.lowest)],
        "node_count": len(built.rows),
        "depth": int(built.rows["depth"].max()),
        "span": built.job.params.span,
        "leaf_max": built.job.params.leaf_max,
        "scales": list(cloud.scales),
        "offsets": list(cloud.offsets),
        "warnings": in_json(_notes(built.job.clouds, (*low[:2], *high[:2]))),
        **written,
    }
    return StepResult(values, {"points": built.facts.point_count})


def _notes(clouds: Sequence[Cloud], box: Sequence[float]) -> list[Note]:
    """Give what to warn of; a viewer would show clouds in a wrong system without a word."""
    notes = [note for each in clouds for note in each.notes]
    found = crs_findings(clouds[0], crs_of(clouds[0]), box)
    return notes + [each.note for each in found if each.severity == "error" or each.code == SEAM]


def _built(job: Job, own: Sequence[str], context: Context) -> Built:
    binned = values_of(context, binning.STAGE, Binned)
    parts = [(key, noding.STAGE) for key in values_of(context, noding.STAGE, Noded).parts]
    parts += [(key, "") for key in own]
    indexes = [
        read_index(context.part_file(noding.INDEX, key, stage=stage)) for key, stage in parts
    ]
    rows = np.concatenate([np.empty(0, dtype=NODE), *indexes])
    files = np.repeat(np.arange(len(parts)), [len(each) for each in indexes])
    times = [time for each in binned.pieces if each.times for time in each.times]
    order = np.lexsort((rows["prefix"], rows["depth"]))
    return Built(
        job=job,
        cube=binned.cube.cube,
        facts=_facts(binned),
        times=(min(times, default=0.0), max(times, default=0.0)),
        rows=rows[order],
        files=files[order],
        payloads=[context.part_file(noding.PAYLOADS, key, stage=stage) for key, stage in parts],
    )


def _facts(binned: Binned) -> Facts:
    lows = np.min([each.mins for each in binned.pieces], axis=0).tolist()
    highs = np.max([each.maxs for each in binned.pieces], axis=0).tolist()
    return Facts(
        point_count=sum(each.points for each in binned.pieces),
        mins=(lows[0], lows[1], lows[2]),
        maxs=(highs[0], highs[1], highs[2]),
        returns=tuple(np.sum([each.returns for each in binned.pieces], axis=0).tolist()),
    )


def _bounds(built: Built) -> tuple[list[float], list[float]]:
    cloud = built.job.clouds[0]
    low, high = (
        [n * s + o for n, s, o in zip(ends, cloud.scales, cloud.offsets, strict=True)]
        for ends in (built.facts.mins, built.facts.maxs)
    )
    return low, high
