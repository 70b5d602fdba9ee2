"""Tasks that write on the rows of their own samples: ties, weights, validation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import AttributeList, find_attribute
from haulier.families.geostat.io.geometry import holes_of, main_list
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.method.break_ties import break_ties, tied
from haulier.families.geostat.method.declustering import declustering_weights, influence
from haulier.families.geostat.method.search import index_samples
from haulier.families.geostat.method.weighting import knn
from haulier.families.geostat.params.pieces import Parameters
from haulier.families.geostat.params.transforms import BreakTies, Declustering
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.outputs import Blob, Blobs, Columns, Output, batch_of
from haulier.families.geostat.steps.samples import (
    SAMPLES,
    Counts,
    Sampled,
    Wanted,
    left_out,
    load_samples,
    read_places,
    read_samples,
    write_samples,
)
from haulier.families.geostat.steps.tables import read_arrays, write_arrays
from haulier.families.geostat.steps.targets import Target, open_target
from haulier.families.geostat.steps.task import (
    AttributeTask,
    Finished,
    Prepared,
    Said,
    Work,
    attribute_result,
)

S = TypeVar("S", bound=Parameters)
SOURCE_AT: Final = "source.object"
PART: Final = "part.arrow"


class OwnTask(AttributeTask[S]):
    """A task that keeps files of its own in parts, and writes columns on rows of its samples."""

    gives_columns = False

    def on_rows(self, job: Job[S], columns: Mapping[str, NDArray[Any]]) -> dict[str, list[Blob]]:
        """Write columns of the samples on the rows of the target, missing in between."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        length = int(job.said["target_rows"])
        blobs = Blobs(job.context)
        given = {}
        for each in self.outputs(job):
            whole = np.full(length, np.nan)
            whole[sampled.rows] = columns[each.name]
            batch = batch_of([each], {each.name: whole})
            given[each.name] = [blobs.add_table(pa.Table.from_batches([batch]))]
        return given

    def check_rows(self, job: Job[S], rows: int) -> int:
        """Make sure that the target has the rows of the source.

        Raises:
            Problem: INVALID at the target.
        """
        target = job.object(self.target_at)
        owner = self.owner(job, target)
        if owner.length != rows:
            detail = f"{self.target_at} must have as many locations as the source ({rows:,})"
            detail += f"; '{target.title}' has {owner.length:,}"
            raise Problem(Code.INVALID, detail, at=self.target_at)
        return owner.length

    def result(
        self, job: Job[S], done: Said, target: Said, placed: Sequence[Placed]
    ) -> dict[str, Any]:
        """Give message, target and attribute."""
        del job
        attribute = attribute_result(placed[0])
        return {"message": done["message"], "target": {**target, "attribute": attribute}}


class BreakTiesTask(OwnTask[BreakTies]):
    """Order equal values by the means around them."""

    verb, noun = "looked around", "tied samples"
    name: Final = "untied"

    def outputs(self, job: Job[BreakTies]) -> list[Output]:
        """Give the values without ties."""
        return [Output(self.name, "target.attribute", job.params.target.attribute)]

    def owner(self, job: Job[BreakTies], target: GeoObject) -> AttributeList:
        """Write beside the attribute that is read."""
        source = job.object(SOURCE_AT)
        found = find_attribute(source, job.params.source.attribute, at="source.attribute")
        return main_list(target, found.owner if source.id == target.id else None)

    def prepare(self, job: Job[BreakTies], folder: Path) -> Prepared:
        """Read the samples, and find the ties."""
        self.check_outputs(job)
        wanted = Wanted(job.object(SOURCE_AT), job.params.source.attribute, "source.attribute")
        sampled, counts = read_samples(job.context, wanted)
        rows = self.check_rows(job, counts.rows)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        values = {
            "counts": msgspec.to_builtins(counts),
            "target_rows": rows,
            "title": job.object(self.target_at).title,
        }
        return Prepared(len(tied(sampled.values)), values, {SAMPLES: path})

    def start(self, job: Job[BreakTies]) -> Work:
        """Take the mean around each tied sample."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        places = tied(sampled.values)
        neighbourhood = neighbourhood_of(job.params.neighborhood)

        def work(first: int, last: int) -> Columns:
            chosen = places[first:last]
            around = sampled.places[chosen]
            means = knn(sampled.samples, neighbourhood, around) if len(chosen) else np.zeros(0)
            write_arrays(job.context.part_file(PART), {"mean": means})
            return {}

        return work

    def finish(self, job: Job[BreakTies], results: Mapping[str, PartResult]) -> Finished:
        """Break the ties, in one go: the order of random numbers must not depend on parts."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        parts = [read_arrays(job.context.part_file(PART, key))["mean"] for key in results]
        means = np.full(len(sampled.values), np.nan)
        means[tied(sampled.values)] = np.concatenate(parts)
        untied = break_ties(sampled.values, means, job.params.seed)
        ties = int(job.said["rows"])
        counts = msgspec.convert(job.said["counts"], Counts)
        said = [
            f"Broke the ties of {ties:,} among {counts.used:,} samples of '{job.said['title']}'.",
            *left_out(counts),
        ]
        moved = float(np.abs(untied - sampled.values).max(initial=0.0))
        figures = {"samples": counts.used, "tied_samples": ties, "largest_change": moved}
        told = {"message": " ".join(said), "statistics": figures}
        return Finished(self.on_rows(job, {self.name: untied}), told)


class DeclusteringTask(OwnTask[Declustering]):
    """Weigh samples by the share of a grid that each influences."""

    verb, noun = "shared out", "blocks"
    name: Final = "weights"

    def outputs(self, job: Job[Declustering]) -> list[Output]:
        """Give the weights."""
        return [Output(self.name, "target.attribute", job.params.target.attribute)]

    def owner(self, job: Job[Declustering], target: GeoObject) -> AttributeList:
        """Write to the main list of the samples."""
        del job
        return main_list(target)

    def prepare(self, job: Job[Declustering], folder: Path) -> Prepared:
        """Read the places of the samples, and look at the grid."""
        self.check_outputs(job)
        sampled = self._placed(job)
        rows = self.check_rows(job, main_list(job.object(SOURCE_AT)).length)
        grid = self._grid(job, None)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        values = {
            "target_rows": rows,
            "steps": list(getattr(grid.locations, "steps", ())),
            "title": job.object(self.target_at).title,
            "grid": grid.object_.title,
            "samples": len(sampled.rows),
        }
        return Prepared(grid.owner.length, values, {SAMPLES: path})

    def _placed(self, job: Job[Declustering]) -> Sampled:
        source = job.object(SOURCE_AT)
        owner = main_list(source)
        places = read_places(job.context, source, owner)
        rows = np.flatnonzero(np.isfinite(places).all(axis=1))
        if not len(rows):
            detail = f"{SOURCE_AT} must have samples; '{source.title}' has none with coordinates"
            raise Problem(Code.INVALID, detail, at=SOURCE_AT)
        holes = holes_of(job.context, source, owner)
        return Sampled(
            np.ascontiguousarray(places[rows]),
            np.zeros(len(rows)),
            rows,
            None if holes is None else holes[rows],
            {},
        )

    def _grid(self, job: Job[Declustering], steps: Sequence[int] | None) -> Target:
        object_ = job.object("grid.object")
        owner = main_list(object_)
        return open_target(job.context, object_, owner, None, filter_at="", steps=steps)

    def start(self, job: Job[Declustering]) -> Work:
        """Count how many locations of the grid each sample wins."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        neighbourhood = neighbourhood_of(job.params.neighborhood)
        index = index_samples(sampled.places, neighbourhood, holes=sampled.holes)
        grid = self._grid(job, job.said["steps"])

        def work(first: int, last: int) -> Columns:
            won = np.zeros(len(sampled.rows), dtype=np.int64)
            for low in range(first, last, self.step_rows):
                high = min(low + self.step_rows, last)
                chunk = grid.take(job.context, low, high)
                won += influence(index, chunk.centres, power=job.params.power)
                message = f"{self.verb} {high:,} of {job.said['rows']:,} {self.noun}"
                job.context.report((high - first) / (last - first), message)
                job.context.check()
            write_arrays(job.context.part_file(PART), {"won": won})
            return {}

        return work

    def finish(self, job: Job[Declustering], results: Mapping[str, PartResult]) -> Finished:
        """Add up whole numbers, which no order of parts changes, and make weights of them."""
        parts = [read_arrays(job.context.part_file(PART, key))["won"] for key in results]
        won = np.sum(parts, axis=0)
        if not won.any():
            raise Problem(
                Code.INVALID,
                "neighborhood must reach from the grid to the samples; no location of "
                f"'{job.said['grid']}' has enough samples within its ellipsoid: enlarge "
                "ellipsoid_ranges, or choose a grid around the samples",
                at="neighborhood",
            )
        weights = declustering_weights(won)
        without = int((won == 0).sum())
        said = f"Weighed {job.said['samples']:,} samples of '{job.said['title']}' by the locations "
        said += f"of '{job.said['grid']}' that each influences; the weights add up to 1."
        if without:
            said += f" {without:,} samples influence none, and weigh nothing."
        figures = {
            "samples": job.said["samples"],
            "samples_without_weight": without,
            "largest_weight": float(weights.max()),
            "locations": job.said["rows"],
        }
        told = {"message": said, "statistics": figures}
        return Finished(self.on_rows(job, {self.name: weights}), told)
