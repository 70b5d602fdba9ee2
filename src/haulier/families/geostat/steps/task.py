"""What differs from kind to kind: a task says what to prepare, to make and to publish."""

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.entry import Publication
from haulier.core.family import Note, PartResult
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList
from haulier.families.geostat.io.objects import BLOCK_MODEL, PLACED, GeoObject
from haulier.families.geostat.io.publications import (
    Placed,
    check_spec,
    new_version,
    replacement,
    same_rows,
    settled,
)
from haulier.families.geostat.params.pieces import Parameters
from haulier.families.geostat.steps.blockmodels import block_publications, check_kinds
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Blob, Columns, Output, gather, written_of

P = TypeVar("P", bound=Parameters)
#: Rows of a part of a large job, unless a task says otherwise: two row groups.
PART_ROWS: Final = 131_072
LARGEST: Final = sys.float_info.max
#: A job of more rows has larger parts, so that there are not too many.
MOST_PARTS: Final = 256

Work = Callable[[int, int], Columns]
Said = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a task prepared.

    Attributes:
        rows: how many rows the work has.
        values: for the later steps, in JSON terms.
        files: inner outputs by name, written already.
    """

    rows: int
    values: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finished:
    """What the work gave, put together: blobs by the name of the output, values, warnings."""

    blobs: Mapping[str, Sequence[Blob]]
    values: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """What a job ends with: new versions of objects, and what callers are told."""

    publications: tuple[Publication, ...]
    result: Mapping[str, Any]
    statistics: Mapping[str, Any] = field(default_factory=dict)


class Task(ABC, Generic[P]):
    """What a kind does. One instance does all jobs: it holds nothing."""

    #: What is said of rows while they are worked on, such as "kriged".
    verb: str = "worked on"
    #: What rows are called.
    noun: str = "locations"
    #: Rows of one call of the work, if they are quick; progress is told in between.
    step_rows: int = 16_384
    part_rows: int = PART_ROWS
    #: Whether parts give the columns of the outputs; or else they keep files of their own.
    gives_columns: bool = False

    @abstractmethod
    def prepare(self, job: Job[P], folder: Path) -> Prepared:
        """Check all that can be wrong, and write to the folder what the work needs."""

    @abstractmethod
    def start(self, job: Job[P]) -> Work:
        """Load what the work needs; what is given makes the columns of a range of rows."""

    def outputs(self, job: Job[P]) -> list[Output]:
        """Say which columns rows have; none where parts keep files of their own."""
        del job
        return []

    def rows_at_once(self, job: Job[P]) -> int:
        """Say how many rows one call of the work gets."""
        del job
        return self.step_rows

    def tally(self, job: Job[P], columns: Columns, so_far: dict[str, float]) -> None:
        """Count what a range of rows gave; counts of all ranges are added up."""
        del job, columns, so_far

    @abstractmethod
    def finish(self, job: Job[P], results: Mapping[str, PartResult]) -> Finished:
        """Put the parts together."""

    @abstractmethod
    def publish(self, job: Job[P], done: Mapping[str, Any]) -> Published:
        """Give the new versions of objects, and the result; `done` is what `finish` said."""


def added_up(results: Mapping[str, PartResult]) -> dict[str, float]:
    """Add up the counts of all parts, in their order."""
    total: dict[str, float] = {}
    for each in results.values():
        for name, value in each.values.get("tally", {}).items():
            if name.startswith("min."):
                total[name] = min(total.get(name, value), value)
            elif name.startswith("max."):
                total[name] = max(total.get(name, value), value)
            else:
                total[name] = total.get(name, 0.0) + value
    return total


def count_values(values: NDArray[np.float64], so_far: dict[str, float], name: str) -> None:
    """Count the values of a column: how many, their sum, squares, least and greatest."""
    there = values[~np.isnan(values)]
    add(so_far, f"{name}.count", float(len(there)))
    with np.errstate(over="ignore"):
        add(so_far, f"{name}.sum", float(there.sum()))
        add(so_far, f"{name}.squares", float((there * there).sum()))
    if len(there):
        low, high = float(there.min()), float(there.max())
        so_far[f"min.{name}"] = min(so_far.get(f"min.{name}", low), low)
        so_far[f"max.{name}"] = max(so_far.get(f"max.{name}", high), high)


def add(so_far: dict[str, float], name: str, more: float) -> None:
    """Add to a count; it stays finite, as JSON knows no infinity."""
    so_far[name] = min(max(so_far.get(name, 0.0) + more, -LARGEST), LARGEST)


def summary(total: Mapping[str, float], name: str) -> dict[str, float | int | None]:
    """Give count, mean, variance, least and greatest of a column that was counted."""
    count = int(total.get(f"{name}.count", 0))
    if not count:
        return {"count": 0, "mean": None, "variance": None, "min": None, "max": None}
    mean = total[f"{name}.sum"] / count
    squares = total[f"{name}.squares"]
    variance = max(squares / count - mean * mean, 0.0) if squares < LARGEST else None
    return {
        "count": count,
        "mean": mean,
        "variance": variance,
        "min": total[f"min.{name}"],
        "max": total[f"max.{name}"],
    }


class AttributeTask(Task[P]):
    """A task that writes attributes on an object that is there."""

    #: The field that names the target.
    target_at: str = "target.object"
    gives_columns = True
    allowed: tuple[str, ...] = PLACED

    @abstractmethod
    def owner(self, job: Job[P], target: GeoObject) -> AttributeList:
        """Say which list of the target the attributes go to."""

    @abstractmethod
    def result(
        self,
        job: Job[P],
        done: Mapping[str, Any],
        target: Mapping[str, Any],
        placed: Sequence[Placed],
    ) -> dict[str, Any]:
        """Give the result as the vendor's client reads it.

        Args:
            job: the job.
            done: what `finish` said.
            target: reference, name, description and schema_id of the new version.
            placed: the attributes, in the order of `outputs`.
        """

    def statistics(self, job: Job[P], done: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give figures about what was made."""
        del job
        figures: Mapping[str, Any] = done.get("statistics", {})
        return figures

    def check_outputs(self, job: Job[P]) -> None:
        """Make sure that what is asked for can be written on the newest version of the target.

        Raises:
            Problem: INVALID; a name is taken, or an attribute holds other values.
        """
        newest = job.newest(self.target_at, self.allowed)
        owner = self.owner(job, newest)
        if newest.type == BLOCK_MODEL:
            check_kinds(self.outputs(job), newest)
        names: dict[str, str] = {}
        for each in self.outputs(job):
            spec = settled(newest, owner, each.spec, each.type, replace=each.replace)
            name = check_spec(newest, owner, spec, each.type, each.at)
            other = names.setdefault(name, each.at)
            if other != each.at:
                detail = f"{other} and {each.at} both write to the attribute {name!r}"
                raise Problem(
                    Code.INVALID,
                    f"{detail}; every output needs an attribute of its own",
                    at=each.at,
                )

    def finish(self, job: Job[P], results: Mapping[str, PartResult]) -> Finished:
        """Write each column of all parts as one table."""
        total = added_up(results)
        self.check_made(job, total)
        given = gather(job.context, self.outputs(job), list(results))
        return Finished(given, self.told(job, total))

    def check_made(self, job: Job[P], total: Mapping[str, float]) -> None:
        """Refuse results that are none."""
        del job, total

    def told(self, job: Job[P], total: Mapping[str, float]) -> dict[str, Any]:
        """Give `message` and `statistics` from the counts."""
        del job
        return {"message": "", "statistics": dict(total)}

    def publish(self, job: Job[P], done: Mapping[str, Any]) -> Published:
        """Give a new version of the target, made from its newest one."""
        newest = job.newest(self.target_at, self.allowed)
        owner = self.owner(job, newest)
        if not same_rows(job.object(self.target_at, self.allowed), newest, owner):
            detail = f"{self.target_at} was changed while the job ran; submit it again"
            raise Problem(Code.CONFLICT, detail, at=self.target_at)
        blobs = {
            name: [msgspec.convert(each, Blob) for each in given]
            for name, given in done["blobs"].items()
        }
        publications, placed = self._publications(job, newest, owner, blobs)
        target = {
            "reference": newest.url(newest.version + 1),
            "name": newest.title,
            "description": newest.document.get("description"),
            "schema_id": newest.schema,
        }
        return Published(
            publications,
            self.result(job, done, target, placed),
            self.statistics(job, done),
        )

    def _publications(
        self,
        job: Job[P],
        newest: GeoObject,
        owner: AttributeList,
        blobs: Mapping[str, Sequence[Blob]],
    ) -> tuple[tuple[Publication, ...], list[Placed]]:
        outputs = self.outputs(job)
        if newest.type == BLOCK_MODEL:
            return block_publications(job.context, newest, owner, outputs, blobs)
        document, placed = new_version(newest, owner.path, written_of(outputs, blobs))
        hashes = {each.artifact: each.sha256 for given in blobs.values() for each in given}
        return (replacement(newest, document, hashes),), placed


def attribute_result(placed: Placed) -> dict[str, str]:
    """Give an attribute as results name it."""
    return {"reference": placed.reference, "name": placed.name}
