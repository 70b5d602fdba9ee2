"""Tasks that make an object: a distribution from samples."""

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.distributions import (
    distribution_document,
    distribution_table,
    tails_of,
)
from haulier.families.geostat.io.newobjects import NewObject, new_object
from haulier.families.geostat.io.objects import DISTRIBUTION
from haulier.families.geostat.method.distribution import Distribution, fit_distribution
from haulier.families.geostat.params.pieces import ObjectTarget, Parameters
from haulier.families.geostat.params.transforms import ContinuousDistribution
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Blob, Blobs, Columns
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import (
    SAMPLES,
    Counts,
    Further,
    Sampled,
    Wanted,
    counted,
    left_out,
    load_samples,
    read_samples,
    write_samples,
)
from haulier.families.geostat.steps.task import Finished, Prepared, Published, Task, Work

O = TypeVar("O", bound=Parameters)  # noqa: E741 -- an object is made
WEIGHTS: Final = "weights"


class ObjectTask(Task[O]):
    """A task whose result is an object of its own."""

    #: Type of the object.
    makes: str = ""
    #: What results call it.
    word: str = ""

    def target(self, job: Job[O]) -> ObjectTarget:
        """Give where the object goes."""
        target: ObjectTarget = job.params.target  # type: ignore[attr-defined] # all of these have it
        return target

    def where(self, job: Job[O]) -> NewObject:
        """Find out where the object goes now.

        Raises:
            Problem: CONFLICT; something is there.
        """
        return new_object(job.context, self.target(job), self.makes, at="target")

    def start(self, job: Job[O]) -> Work:
        """Do nothing in parts; `finish` does it."""
        del job

        def work(first: int, last: int) -> Columns:
            del first, last
            return {}

        return work

    @abstractmethod
    def document(self, job: Job[O], done: Mapping[str, Any], name: str) -> dict[str, Any]:
        """Give the document, without description and tags."""

    def publish(self, job: Job[O], done: Mapping[str, Any]) -> Published:
        """Give the object."""
        target, where = self.target(job), self.where(job)
        document = self.document(job, done, where.name)
        if target.description is not None:
            document["description"] = target.description
        if target.tags:
            document["tags"] = dict(target.tags)
        blobs = [msgspec.convert(each, Blob) for given in done["blobs"].values() for each in given]
        publication = where.publication(document, {each.artifact: each.sha256 for each in blobs})
        made = {
            "reference": where.url,
            "name": where.name,
            "description": target.description,
            "schema_id": document["schema"],
        }
        result = {"message": done["message"], self.word: made, **self.told(done)}
        return Published((publication,), result, done["statistics"])

    def told(self, done: Mapping[str, Any]) -> dict[str, Any]:
        """Give what the result says besides."""
        del done
        return {}


class DistributionTask(ObjectTask[ContinuousDistribution]):
    """A distribution from samples, weighted or not, with tails or without."""

    verb, noun = "read", "samples"
    makes = DISTRIBUTION
    word = "distribution"

    def prepare(self, job: Job[ContinuousDistribution], folder: Path) -> Prepared:
        """Read samples and weights, and make sure that a distribution can be made of them."""
        self.where(job)
        source = job.object("source.object")
        extra = {}
        if job.params.weights is not None:
            weighing = job.object("weights.object")
            if weighing.id != source.id:
                detail = f"weights.object must be source.object, '{source.title}'"
                raise Problem(
                    Code.INVALID, f"{detail}, got '{weighing.title}'", at="weights.object"
                )
            extra[WEIGHTS] = Further(weighing, job.params.weights.attribute, "weights.attribute")
        wanted = Wanted(source, job.params.source.attribute, "source.attribute", extra=extra)
        sampled, counts = read_samples(job.context, wanted)
        distribution_of(job, sampled)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        spatial = ("bounding_box", "coordinate_reference_system")
        values = {
            "counts": msgspec.to_builtins(counts),
            "title": source.title,
            "spatial": {name: source.document[name] for name in spatial if name in source.document},
        }
        return Prepared(0, values, {SAMPLES: path})

    def finish(
        self, job: Job[ContinuousDistribution], results: Mapping[str, PartResult]
    ) -> Finished:
        """Make the distribution."""
        del results
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        distribution = distribution_of(job, sampled)
        blob = Blobs(job.context).add_table(distribution_table(distribution))
        counts = msgspec.convert(job.said["counts"], Counts)
        weighed = ", weighted," if job.params.weights else ""
        used = counted(counts.used, "sample")
        said = [
            f"Made a distribution of {used}{weighed} of '{job.said['title']}'.",
            *left_out(counts),
        ]
        statistics = {
            "samples": counts.used,
            "points": len(distribution.values),
            "mean": distribution.mean,
            "variance": distribution.variance,
            "min": float(distribution.values[0]),
            "max": float(distribution.values[-1]),
        }
        return Finished({"cdf": [blob]}, {"message": " ".join(said), "statistics": statistics})

    def document(
        self, job: Job[ContinuousDistribution], done: Mapping[str, Any], name: str
    ) -> dict[str, Any]:
        """Give the document of the distribution."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        (blob,) = done["blobs"]["cdf"]
        return distribution_document(
            blob["info"],
            distribution_of(job, sampled),
            declustered=job.params.weights is not None,
            extra={"name": name, **job.said["spatial"]},
        )


def distribution_of(job: Job[ContinuousDistribution], sampled: Sampled) -> Distribution:
    """Make the distribution that is asked for.

    Raises:
        Problem: INVALID; weights are unfit, or a tail ends within the data.
    """
    at = "weights.attribute" if WEIGHTS in sampled.extra else "source.attribute"
    with refused_at(at):
        fit_distribution(sampled.values, sampled.extra.get(WEIGHTS))
    with refused_at("tail_extrapolation"):
        lower, upper = tails_of(job.params.tail_extrapolation)
        return fit_distribution(
            sampled.values, sampled.extra.get(WEIGHTS), lower=lower, upper=upper
        )
