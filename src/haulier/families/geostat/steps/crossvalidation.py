"""Cross-validation: each sample estimated from others, and what that says of the model."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import INTEGER, SCALAR, AttributeList, find_attribute
from haulier.families.geostat.io.geometry import main_list
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.io.variograms import check_bounded, load_variogram
from haulier.families.geostat.kinds import ARROW
from haulier.families.geostat.method.crossvalidation import (
    cross_validate,
    drillhole_folds,
    leave_one_out,
    random_folds,
)
from haulier.families.geostat.method.kriging import Kriging, Method, Ordinary, Simple
from haulier.families.geostat.method.samples import IntArray
from haulier.families.geostat.method.scores import score
from haulier.families.geostat.params.estimation import CrossValidation, CrossValidationOutputs
from haulier.families.geostat.params.search import SimpleKriging
from haulier.families.geostat.steps.estimators import check_holes
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.outputs import Columns, Output, give
from haulier.families.geostat.steps.owntargets import PART, OwnTask
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import (
    SAMPLES,
    Counts,
    Sampled,
    Wanted,
    counted,
    left_out,
    load_samples,
    read_samples,
    write_samples,
)
from haulier.families.geostat.steps.tables import read_arrays, write_arrays
from haulier.families.geostat.steps.task import (
    Finished,
    Prepared,
    Published,
    Said,
    Work,
    attribute_result,
)

MADE: Final = "made"
SOURCE_AT: Final = "source.object"
#: Generators take no negative seed; requests may have one.
SEEDS: Final = 2**63


class CrossValidationTask(OwnTask[CrossValidation]):
    """One part: a single search holds all samples, and passes over those that are left out."""

    verb, noun = "validated", "samples"
    target_at = SOURCE_AT

    def outputs(self, job: Job[CrossValidation]) -> list[Output]:
        """Give what was asked for."""
        names = [field.name for field in msgspec.structs.fields(CrossValidationOutputs)]
        specs = {name: getattr(job.params.outputs, name) for name in names}
        return [
            Output(name, f"outputs.{name}", spec, INTEGER if name == "fold" else SCALAR)
            for name, spec in specs.items()
            if spec is not None
        ]

    def owner(self, job: Job[CrossValidation], target: GeoObject) -> AttributeList:
        """Write beside the attribute that is read."""
        source = job.object(SOURCE_AT)
        found = find_attribute(source, job.params.source.attribute, at="source.attribute")
        return main_list(target, found.owner)

    def prepare(self, job: Job[CrossValidation], folder: Path) -> Prepared:
        """Read the samples, and share them out to folds."""
        self.check_outputs(job)
        source, said = job.object(SOURCE_AT), job.params.source
        wanted = Wanted(source, said.attribute, "source.attribute", said.filter, "source.filter")
        sampled, counts = read_samples(job.context, wanted)
        check_holes(job.params.neighborhood, sampled, source)
        self._kriging(job, sampled)
        self._folds(job, sampled)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        values = {
            "counts": msgspec.to_builtins(counts),
            "target_rows": counts.rows,
            "title": source.title,
            "attribute": find_attribute(source, said.attribute, at=wanted.at).name,
        }
        return Prepared(1, values, {SAMPLES: path})

    def _kriging(self, job: Job[CrossValidation], sampled: Sampled) -> Kriging:
        variogram = load_variogram(job.context, job.reference("variogram"), at="variogram")
        method: Method = Ordinary()
        if isinstance(job.params.kriging_method, SimpleKriging):
            check_bounded(variogram, at="variogram", what="simple kriging")
            method = Simple(job.params.kriging_method.mean)
        with refused_at("variogram"):
            neighbourhood = neighbourhood_of(job.params.neighborhood)
            return Kriging(sampled.samples, variogram, neighbourhood, method)

    def _folds(self, job: Job[CrossValidation], sampled: Sampled) -> IntArray:
        count, folds = len(sampled.rows), job.params.folds
        seed = job.params.random_seed % SEEDS
        if count < 2:  # noqa: PLR2004 -- one to estimate, one to estimate from
            detail = f"source.attribute must have two samples or more, got {count}"
            raise Problem(Code.INVALID, detail, at="source.attribute")
        if job.params.by_drillhole:
            if sampled.holes is None:
                source = job.object(SOURCE_AT)
                detail = f"by_drillhole must be false: '{source.title}' is a {source.type}"
                raise Problem(Code.INVALID, f"{detail}, without drillholes", at="by_drillhole")
            with refused_at("folds"):
                return drillhole_folds(sampled.holes, folds, seed)
        if folds is None:
            return leave_one_out(count)
        with refused_at("folds"):
            return random_folds(count, folds, seed)

    def start(self, job: Job[CrossValidation]) -> Work:
        """Estimate every sample."""
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        kriging, folds = self._kriging(job, sampled), self._folds(job, sampled)
        count = len(sampled.rows)

        def report(fraction: float) -> None:
            done = int(fraction * count)
            job.context.report(fraction, f"validated {done:,} of {count:,} samples")
            job.context.check()

        def work(first: int, last: int) -> Columns:
            del first, last
            with refused_at("folds"):
                found = cross_validate(kriging, folds, report=report)
            columns: dict[str, NDArray[Any]] = {
                **dict(zip("xyz", sampled.places.T, strict=True)),
                "measured": found.observed,
                "estimate": found.estimated,
                "variance": found.variance,
                "residual": found.residual,
                "standardised_residual": found.standardised,
                "fold": found.folds,
            }
            write_arrays(job.context.part_file(PART), columns)
            return {}

        return work

    def finish(self, job: Job[CrossValidation], results: Mapping[str, PartResult]) -> Finished:
        """Score the estimates."""
        (key,) = results
        path = job.context.part_file(PART, key)
        columns = read_arrays(path)
        there = int((~np.isnan(columns["estimate"])).sum())
        if not there:
            detail = "neighborhood must reach from each sample to others; none has enough within "
            detail += "its ellipsoid: enlarge ellipsoid_ranges, or lower min_samples"
            raise Problem(Code.INVALID, detail, at="neighborhood")
        give(path, job.context.write(MADE, media_type=ARROW))
        scores = score(columns["measured"], columns["estimate"], columns["standardised_residual"])
        statistics = {name: _plain(value) for name, value in msgspec.to_builtins(scores).items()}
        counts = msgspec.convert(job.said["counts"], Counts)
        folds = len(np.unique(columns["fold"]))
        what = f"{there:,} of {counted(counts.used, 'sample')} of '{job.said['title']}'"
        errors = f"root mean square error {scores.root_mean_square_error:.6g}"
        errors += f", mean error {scores.mean_error:.6g}"
        said = [f"Validated {what} in {counted(folds, 'fold')}: {errors}.", *left_out(counts)]
        told = {"message": " ".join(said), "statistics": {**statistics, "folds": folds}}
        return Finished(self.on_rows(job, columns), told)

    def publish(self, job: Job[CrossValidation], done: Mapping[str, Any]) -> Published:
        """Give a new version of the samples, if anything is written on them."""
        if self.outputs(job):
            return super().publish(job, done)
        result = {"message": done["message"], "statistics": done["statistics"]}
        return Published((), result, done["statistics"])

    def result(
        self, job: Job[CrossValidation], done: Said, target: Said, placed: Sequence[Placed]
    ) -> dict[str, Any]:
        """Give the statistics, and the attributes by name."""
        named = {
            each.name: attribute_result(one)
            for each, one in zip(self.outputs(job), placed, strict=True)
        }
        return {
            "message": done["message"],
            "statistics": done["statistics"],
            "target": {**target, "attributes": named},
        }


def _plain(value: Any) -> Any:  # noqa: ANN401 -- JSON
    """Give a statistic in JSON terms: what is not defined is null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
