"""What the three passes that build an octree share: their input, their settings, their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import msgspec
import numpy as np

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records
from haulier.families.clouds.method.morton import ByteArray, Cube
from haulier.families.clouds.method.octree import Rule
from haulier.families.clouds.params.octree import Octree

SLOT: Final = "input_las"
#: The field that says which of several sources a point is from, as EPT has it.
ORIGIN_ID: Final = ExtraDimension("OriginId", 5, description="source of the point")
#: What a point takes beside its record while nodes are chosen: places, codes, orders.
WORKING_BYTES: Final = 80
#: More at once would not be faster, and parts would be too few to share out.
MOST_AT_ONCE: Final = 500_000

P = TypeVar("P", bound=Octree)
T = TypeVar("T")


class PieceFacts(msgspec.Struct, frozen=True):
    """One piece of the spill, as the first pass wrote it.

    Attributes:
        key: of the part.
        number: of the piece within the part.
        points: in it.
        first: the place of its first point in the cloud.
        mins: the smallest X, Y, Z in quanta.
        maxs: the largest.
        returns: points of each return.
        times: the earliest and the latest GPS time; None where none is a number.
    """

    key: str
    number: int
    points: int
    first: int
    mins: tuple[int, int, int]
    maxs: tuple[int, int, int]
    returns: tuple[int, ...]
    times: tuple[float, float] | None


class CubeFacts(msgspec.Struct, frozen=True):
    """The root of the octree, in JSON terms."""

    lowest: tuple[float, float, float]
    size: float
    origin: tuple[int, int, int]
    quanta: tuple[float, float, float]

    @property
    def cube(self) -> Cube:
        """Give it as what the method knows."""
        return Cube(self.lowest, self.size, self.origin, self.quanta)


class BinFacts(msgspec.Struct, frozen=True, array_like=True):
    """One bin: its depth, the cells that it is made of, and its points."""

    depth: int
    first: int
    last: int
    points: int


class Binned(msgspec.Struct, frozen=True):
    """What the first pass gave."""

    cube: CubeFacts
    pieces: tuple[PieceFacts, ...]
    bins: tuple[BinFacts, ...]


class SharedNode(msgspec.Struct, frozen=True, array_like=True):
    """A node that several bins have points of."""

    depth: int
    prefix: int
    points: int


class Noded(msgspec.Struct, frozen=True):
    """What the second pass gave: its parts, and the nodes that are still to be put together."""

    parts: tuple[str, ...]
    shared: tuple[SharedNode, ...]


@dataclass(frozen=True)
class Job:
    """The input of a build, opened, and what it is to be.

    Attributes:
        clouds: the sources, in order.
        layout: of the records that are built from.
        params: what was asked for.
    """

    clouds: tuple[Cloud, ...]
    layout: Layout
    params: Octree

    @property
    def rule(self) -> Rule:
        """Give what decides the octree."""
        return Rule(self.params.span.bit_length() - 1, self.params.leaf_max)

    @property
    def points_at_once(self) -> int:
        """Give how many points a process may hold."""
        each = self.layout.record_size + WORKING_BYTES
        return max(int(self.params.memory_mb * 1e6 / each), 1)

    @property
    def part_points(self) -> int:
        """Give how many points a part has, so that there are parts to share out."""
        return min(self.points_at_once, max(MOST_AT_ONCE, self.params.leaf_max))

    def records_of(self, raw: ByteArray) -> Records:
        """Give bytes as records."""
        return np.ascontiguousarray(raw).view(self.layout.dtype).reshape(len(raw))


def open_job(step: StepPlan, context: Context, type_: type[P]) -> Job:
    """Open what a step is to build from.

    Raises:
        Problem: INVALID; a source cannot be read, there are no points, sources do not go together,
            or the memory is too small for one leaf.
    """
    values = step.inputs.get(SLOT)
    several = list(values) if isinstance(values, list | tuple) else [values]
    at = f"inputs.{SLOT}"
    clouds = tuple(open_cloud(context.read(each), at) for each in several)
    _check_together(clouds, at)
    layout = clouds[0].layout
    known = {dimension.name for dimension in layout.extra}
    if len(clouds) > 1 and ORIGIN_ID.name not in known:
        layout = layout.extended(ORIGIN_ID)
    job = Job(clouds, layout, params_of(step, type_))
    if job.points_at_once < job.params.leaf_max:
        least = job.params.leaf_max * (layout.record_size + WORKING_BYTES) / 1e6
        detail = (
            f"memory_mb must be at least {least:.3g}, for a leaf has up to "
            f"{job.params.leaf_max} points; got {job.params.memory_mb:g}"
        )
        raise Problem(Code.INVALID, detail, at="memory_mb")
    return job


def params_of(step: StepPlan, type_: type[P]) -> P:
    """Give the parameters of a step as what they decode to."""
    return msgspec.convert(dict(step.params), type_)


def values_of(context: Context, stage: str, type_: type[T]) -> T:
    """Give the values of an earlier stage."""
    return msgspec.convert(dict(context.values(f"stage:{stage}")), type_)


def said(value: msgspec.Struct) -> dict[str, Any]:
    """Give a struct in JSON terms."""
    return cast(dict[str, Any], msgspec.to_builtins(value))


def _check_together(clouds: Sequence[Cloud], at: str) -> None:
    if not sum(cloud.point_count for cloud in clouds):
        detail = "CLOUD_EMPTY: an octree needs at least one point, the input has none"
        raise Problem(Code.INVALID, detail, at=at)
    first = clouds[0]
    for number, cloud in enumerate(clouds[1:], 1):
        same = {
            "scale": (cloud.scales, first.scales),
            "offset": (cloud.offsets, first.offsets),
            "fields": (cloud.layout.dtype.descr, first.layout.dtype.descr),
        }
        for what, (its, wanted) in same.items():
            if its != wanted:
                detail = (
                    f"CLOUDS_DIFFER: sources must have one {what}; '{first.path.name}' has "
                    f"{wanted}, '{cloud.path.name}' has {its}; merge them with MERGE_LAS first"
                )
                raise Problem(Code.INVALID, detail, at=f"{at}[{number}]")
