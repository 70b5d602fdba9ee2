"""Estimators on a target: what all of them share."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList
from haulier.families.geostat.io.geometry import main_list
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.params import estimation, simulation
from haulier.families.geostat.params.pieces import Filter
from haulier.families.geostat.params.search import AnyNeighborhood
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Columns
from haulier.families.geostat.steps.samples import (
    SAMPLES,
    Counts,
    Sampled,
    Wanted,
    counted,
    left_out,
    load_samples,
    read_samples,
    spelled,
    write_samples,
)
from haulier.families.geostat.steps.targets import Chunk, Target, open_target
from haulier.families.geostat.steps.task import (
    AttributeTask,
    Prepared,
    Work,
    add,
    attribute_result,
    count_values,
    summary,
)

Estimator = (
    estimation.Kriging
    | estimation.UniversalKriging
    | estimation.InverseDistance
    | estimation.NearestNeighbours
    | estimation.IndicatorKriging
    | simulation.ConditionalTurningBands
    | simulation.ConditionalSimulation
)
E = TypeVar("E", bound=Estimator)
#: Gives the columns of the locations that are asked for, and marks whose names begin with a dot.
Estimate = Callable[[Chunk], Mapping[str, NDArray[Any]]]
HOLE_LIMITS: Final = ("max_samples_per_drillhole", "max_drillholes_per_estimate")


class EstimatorTask(AttributeTask[E]):
    """An estimator: samples, a search, and one or more columns on a target."""

    verb = "estimated"
    #: What a result says was done with locations.
    did = "estimated"
    method = "estimator"
    source_at = "source.object"
    filter_at = "target.filter"

    def named(self, job: Job[E]) -> str:
        """Give the name of the method."""
        del job
        return self.method

    def wanted(self, job: Job[E]) -> Wanted:
        """Say which samples are read."""
        source: Any = getattr(job.params, "source")  # noqa: B009 -- not all kinds have it
        return Wanted(
            job.object(self.source_at),
            source.attribute,
            "source.attribute",
            source.filter,
            "source.filter",
        )

    def owner(self, job: Job[E], target: GeoObject) -> AttributeList:
        """Write to the main list of the target."""
        del job
        return main_list(target)

    @abstractmethod
    def estimator(self, job: Job[E], sampled: Sampled, target: Target) -> Estimate:
        """Give what estimates; refuse what does not fit the samples."""

    def check_samples(self, job: Job[E], sampled: Sampled, target: Target) -> None:
        """Refuse what `estimator` would refuse."""
        self.estimator(job, sampled, target)

    def prepare(self, job: Job[E], folder: Path) -> Prepared:
        """Read the samples, and look at the target."""
        target = self.target(job, None)
        self.check_outputs(job)
        sampled, counts = read_samples(job.context, self.wanted(job))
        check_holes(job.params.neighborhood, sampled, job.object(self.source_at))
        self.check_samples(job, sampled, target)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        steps = getattr(target.locations, "steps", ())
        values = {
            "counts": msgspec.to_builtins(counts),
            "steps": list(steps),
            "duplicates": len(sampled.places) - distinct_places(sampled),
            "noun": target.noun,
            "title": target.object_.title,
        }
        return Prepared(target.owner.length, values, {SAMPLES: path})

    def target(self, job: Job[E], steps: Sequence[int] | None) -> Target:
        """Open the target."""
        object_ = job.object(self.target_at)
        return open_target(
            job.context,
            object_,
            self.owner(job, object_),
            self.filter(job),
            filter_at=self.filter_at,
            steps=steps,
        )

    def filter(self, job: Job[E]) -> Filter | None:
        """Say which locations are asked for."""
        target: Any = getattr(job.params, "target")  # noqa: B009 -- not all kinds have it
        given: Filter | None = target.filter
        return given

    def start(self, job: Job[E]) -> Work:
        """Load the samples, and open the target again."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        target = self.target(job, job.said["steps"])
        estimate = self.estimator(job, sampled, target)
        empty: dict[str, NDArray[Any]] = {}

        def work(first: int, last: int) -> Columns:
            chunk = target.take(job.context, first, last)
            columns = estimate(chunk) if len(chunk.asked) else empty
            filled = {
                each.name: chunk.spread(columns.get(each.name, each.none()))
                for each in self.outputs(job)
            }
            marks = {name: mark for name, mark in columns.items() if name.startswith(".")}
            return {**filled, **chunk.marks, **marks}

        return work

    def tally(self, job: Job[E], columns: Columns, so_far: dict[str, float]) -> None:
        """Count what was asked for and what was estimated, and where."""
        for each in self.outputs(job):
            if each.type == "scalar":
                count_values(columns[each.name], so_far, each.name)
        for name in ("asked", "jittered", "singular"):
            if f".{name}" in columns:
                add(so_far, name, float(columns[f".{name}"].sum()))
        for name, better in (("low", min), ("high", max)):
            for axis, value in zip("xyz", columns.get(f".{name}", ()), strict=False):
                key = f"{better.__name__}.{axis}"
                so_far[key] = better(so_far.get(key, float(value)), float(value))

    def made_of(self, job: Job[E], total: Mapping[str, float]) -> int:
        """Count the locations that have a value."""
        return int(total.get(f"{self.outputs(job)[0].name}.count", 0))

    def check_made(self, job: Job[E], total: Mapping[str, float]) -> None:
        """Refuse a target where nothing could be estimated at all."""
        if self.made_of(job, total):
            return
        asked = int(total.get("asked", 0))
        if not asked:
            detail = f"{self.filter_at} must select {job.said['noun']}; it selects none of "
            detail += f"{job.said['rows']:,} of '{job.said['title']}'"
            raise Problem(Code.INVALID, detail, at=self.filter_at)
        if total.get("singular", 0) == asked:
            raise Problem(
                Code.INVALID,
                f"the kriging system is singular at each of {asked:,} {job.said['noun']}: give "
                "the variogram a nugget, shorten its ranges, or lower neighborhood.max_samples",
                at="variogram",
            )
        counts = msgspec.convert(job.said["counts"], Counts)
        low, high = ([total[f"{end}.{axis}"] for axis in "xyz"] for end in ("min", "max"))
        raise Problem(
            Code.INVALID,
            f"none of {asked:,} {job.said['noun']} has the samples that neighborhood asks for "
            f"({_limits(job.params.neighborhood)}) within its ellipsoid: enlarge ellipsoid_ranges "
            f"or ask for less; samples lie within {spelled(counts.low, counts.high)}, "
            f"{job.said['noun']} within {spelled(low, high)}",
            at="neighborhood",
        )

    def told(self, job: Job[E], total: Mapping[str, float]) -> dict[str, Any]:
        """Say what was estimated, from what, and what was not."""
        counts = msgspec.convert(job.said["counts"], Counts)
        outputs = self.outputs(job)
        asked, made = int(total["asked"]), self.made_of(job, total)
        noun = job.said["noun"]
        used = counted(counts.used, "sample")
        what = f"{made:,} of {asked:,} {noun} of '{job.said['title']}'"
        said = [
            f"{self.did.capitalize()} {what} by {self.named(job)} from {used}.",
            *missed(asked - made, int(total.get("singular", 0)), noun),
            *left_out(counts),
            *self.treated(job, total),
        ]
        statistics = {
            "locations": job.said["rows"],
            "locations_asked": asked,
            "locations_estimated": made,
            "samples": {
                name: getattr(counts, name) for name in ("rows", "used", "missing", "filtered")
            },
            "duplicate_samples": job.said["duplicates"],
            "systems_with_jitter": int(total.get("jittered", 0)),
            "systems_singular": int(total.get("singular", 0)),
            "outputs": {
                each.name: summary(total, each.name) for each in outputs if each.type == "scalar"
            },
        }
        return {"message": " ".join(said), "statistics": statistics}

    def treated(self, job: Job[E], total: Mapping[str, float]) -> list[str]:
        """Say in sentences what was done about samples and systems that are not as they should."""
        del job, total
        return []

    def result(
        self,
        job: Job[E],
        done: Mapping[str, Any],
        target: Mapping[str, Any],
        placed: Sequence[Placed],
    ) -> dict[str, Any]:
        """Give message, target and attribute."""
        del job
        attribute = attribute_result(placed[0])
        return {"message": done["message"], "target": {**target, "attribute": attribute}}


def check_holes(search: AnyNeighborhood, sampled: Sampled, source: GeoObject) -> None:
    """Refuse limits by drillhole where samples belong to none.

    Raises:
        Problem: INVALID at the limit.
    """
    for name in HOLE_LIMITS:
        if getattr(search, name, None) is not None and sampled.holes is None:
            detail = f"neighborhood.{name} must be left out: '{source.title}' is a {source.type}"
            raise Problem(
                Code.INVALID,
                f"{detail}, which has no drillholes; downhole intervals and collections have",
                at=f"neighborhood.{name}",
            )


def _limits(search: AnyNeighborhood) -> str:
    """Give the limits that make a search refuse what it found, as the request names them."""
    asked = {"min_samples": search.min_samples or 1}
    for name in ("max_empty_octants", "max_empty_quadrants"):
        most = getattr(search, name, None)
        asked |= {} if most is None else {name: most}
    return ", ".join(f"{name} {value}" for name, value in asked.items())


def distinct_places(sampled: Sampled) -> int:
    """Count the places of samples."""
    return len(np.unique(sampled.places + 0.0, axis=0))


def missed(count: int, singular: int, noun: str) -> list[str]:
    """Say what became of locations without a value."""
    said = []
    if count > singular:
        said.append(
            f"{count - singular:,} {noun} had too few samples within reach: their values are "
            "missing, not zero."
        )
    if singular:
        said.append(f"{singular:,} {noun} had a singular system: their values are missing.")
    return said
