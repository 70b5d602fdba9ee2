"""Second pass: build each bin on its own, encode its nodes, and set aside what nodes above keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.layout import Layout, Records
from haulier.families.clouds.io.nodes import NodeWriter, ShareWriter, read_index
from haulier.families.clouds.io.spill import (
    Levels,
    Piece,
    Points,
    Rows,
    count_cells,
    find_rows,
    in_order,
    read_blocks,
    read_rows,
    write_piece,
)
from haulier.families.clouds.method.bins import Bin, group, plan_bins
from haulier.families.clouds.method.dense import Path as DensePath
from haulier.families.clouds.method.morton import DEPTH, CodeArray, Cube, codes_of
from haulier.families.clouds.method.octree import KEPT, Int64Array, share_out
from haulier.families.clouds.params.octree import Octree
from haulier.families.clouds.steps import binning
from haulier.families.clouds.steps.building import (
    Binned,
    Job,
    Noded,
    SharedNode,
    open_job,
    said,
    values_of,
)

STAGE: Final = "node"
PAYLOADS: Final = "payloads"
INDEX: Final = "index.npy"
SHARES: Final = "shares"
SHARE_INDEX: Final = "shares.npy"
BLOCKS_OF_A_DENSE_CELL: Final = 4

#: Gives the bytes that a container keeps of a node.
Encode = Callable[[Records, Layout], bytes]


def split(step: StepPlan, context: Context, type_: type[Octree]) -> Sequence[Part]:
    """Give groups of neighbouring bins."""
    job = open_job(step, context, type_)
    bins = values_of(context, binning.STAGE, Binned).bins
    weights = [each.points for each in bins]
    return [
        Part(f"{first:06}", {"first": first, "last": last}, weight=sum(weights[first:last]))
        for first, last in group(weights, job.part_points)
    ]


def run(
    step: StepPlan, part: Part, context: Context, type_: type[Octree], encode: Encode
) -> PartResult:
    """Build some bins."""
    job = open_job(step, context, type_)
    binned = values_of(context, binning.STAGE, Binned)
    pieces = binning.pieces_of(job, binned.pieces, context, stage=binning.STAGE)
    bins = binned.bins[part.params["first"] : part.params["last"]]
    with ExitStack() as stack:
        builder = _Builder(
            job=job,
            cube=binned.cube.cube,
            encode=encode,
            context=context,
            nodes=stack.enter_context(
                NodeWriter(context.part_file(PAYLOADS), context.part_file(INDEX))
            ),
            shares=stack.enter_context(
                ShareWriter(context.part_file(SHARES), context.part_file(SHARE_INDEX))
            ),
            points=sum(each.points for each in bins),
        )
        planned = [Bin(each.depth, each.first, each.last, each.points) for each in bins]
        builder.build_all(pieces, planned, first_depth=0)
    return PartResult({}, {"points": builder.done})


def merge(
    step: StepPlan, results: Mapping[str, PartResult], context: Context, type_: type[Octree]
) -> StepResult:
    """List the nodes that are still to be put together from shares."""
    del step, type_
    counts: dict[tuple[int, int], int] = {}
    for key in results:
        for row in read_index(context.part_file(SHARE_INDEX, key)):
            node = int(row["depth"]), int(row["prefix"])
            counts[node] = counts.get(node, 0) + int(row["points"])
    shared = tuple(SharedNode(*node, points) for node, points in sorted(counts.items()))
    return StepResult(said(Noded(tuple(results), shared)))


@dataclass
class _Builder:
    """Builds bins one after the other."""

    job: Job
    cube: Cube
    encode: Encode
    context: Context
    nodes: NodeWriter
    shares: ShareWriter
    points: int
    done: int = 0

    def build_all(self, pieces: Sequence[Piece], bins: Sequence[Bin], first_depth: int) -> None:
        """Build some bins of a spill; the nodes above `first_depth` have had their turn."""
        found = find_rows(pieces, [(each.first, each.last) for each in bins])
        for each, rows in zip(bins, found, strict=True):
            self.context.check()
            if each.points > self.job.points_at_once:
                self._divide(rows, each, first_depth)
            else:
                self._build(rows, each, first_depth)
                self.done += each.points
                fraction = self.done / self.points
                self.context.report(fraction, "building nodes", {"points": self.done})

    def _build(self, rows: Sequence[Rows], each: Bin, first_depth: int) -> None:
        """Build one bin in memory."""
        found = read_rows(rows)
        order = in_order(found.places)
        codes = self._codes(found)[order]
        nodes = share_out(codes, first_depth, each.depth, self.job.rule)
        positions = order[nodes.order]
        ends = np.cumsum(nodes.counts)
        for depth, prefix, begin, end in zip(
            nodes.depths.tolist(),
            nodes.prefixes.tolist(),
            (ends - nodes.counts).tolist(),
            ends.tolist(),
            strict=True,
        ):
            self._keep(found, positions[begin:end], (depth, prefix), whole=depth >= each.depth)

    def _keep(
        self, found: Points, positions: NDArray[np.integer], node: tuple[int, int], *, whole: bool
    ) -> None:
        self.context.check()
        records = np.take(found.records, positions, axis=0, mode="clip")
        if whole:
            payload = self.encode(self.job.records_of(records), self.job.layout)
            self.nodes.add(node, records, payload)
        else:
            self.shares.add(node, records, found.places[positions])

    def _divide(self, rows: Sequence[Rows], dense: Bin, first_depth: int) -> None:
        """Build a cell that memory does not hold, over a finer spill of its own."""
        rule = self.job.rule
        if dense.depth >= rule.deepest:
            side = self.cube.size / 2**dense.depth
            detail = (
                f"CLOUD_TOO_DENSE: a cell of {side:.3g} units has {dense.points} points, more than "
                f"the {self.job.points_at_once} that memory_mb allows; thin the cloud, "
                "or give it more memory"
            )
            raise Problem(Code.INVALID, detail, at="memory_mb")
        levels = Levels(dense.depth, min(dense.depth + rule.span_bits, rule.deepest))
        folder = self.context.scratch() / f"{dense.depth}-{dense.first}"
        folder.mkdir()
        path = DensePath(first_depth, dense.depth, rule)
        pieces = list(self._spill_finer(rows, path, levels, folder))
        bins = plan_bins(count_cells(pieces, levels), dense.depth, self.job.points_at_once)
        self.build_all(pieces, bins, first_depth=dense.depth + 1)
        for piece in pieces:
            piece.records.unlink()

    def _spill_finer(
        self, rows: Sequence[Rows], path: DensePath, levels: Levels, folder: Path
    ) -> Iterator[Piece]:
        """Let the open nodes down to the cell keep their points, and spill what all of it has."""
        most = max(self.job.points_at_once // BLOCKS_OF_A_DENSE_CELL, 1)
        before = 0
        for block in read_blocks(rows, most):
            self.context.check()
            codes = self._codes(block)
            self._share(block, codes, path.take(codes))
            files = folder / f"{before}.records", folder / f"{before}.npy"
            write_piece(block.records, codes, levels, files)
            yield Piece(*files, len(block), before, self.job.layout.record_size)
            before += len(block)

    def _share(self, block: Points, codes: CodeArray, depths: Int64Array) -> None:
        """Set aside what the nodes down to a dense cell keep of a block."""
        prefix = int(codes[0] & ~KEPT)
        for depth in np.unique(depths[depths >= 0]).tolist():
            node = depth, prefix >> 3 * (DEPTH - depth)
            positions = np.flatnonzero(depths == depth)
            self._keep(block, positions, node, whole=False)

    def _codes(self, points: Points) -> CodeArray:
        codes, _ = codes_of(points.records, self.cube)
        codes[points.kept] |= KEPT
        return codes
