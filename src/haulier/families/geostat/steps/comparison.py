"""Simulation report: simulations that are there, compared with their samples and variogram."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from haulier.core.artifact import FileRef
from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import Attribute, find_attribute
from haulier.families.geostat.io.distributions import tails_of
from haulier.families.geostat.io.objects import STORAGE
from haulier.families.geostat.io.values import check_ensemble, width_of
from haulier.families.geostat.io.variograms import check_bounded, load_variogram
from haulier.families.geostat.kinds import REPORT_FILE
from haulier.families.geostat.method.conditional import standardised
from haulier.families.geostat.method.distribution import (
    Distribution,
    fit_distribution,
    weighted_mean,
)
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.params.simulation import SimulationReport
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Columns
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import (
    SAMPLES,
    Further,
    Sampled,
    Wanted,
    load_samples,
    read_samples,
    write_samples,
)
from haulier.families.geostat.steps.targets import Target, open_target
from haulier.families.geostat.steps.task import Finished, Prepared, Published, Task, Work
from haulier.families.geostat.steps.validation import Fields, column_of, validation_of

WEIGHTS: Final = "weights"
ENSEMBLES: Final = (
    "block_simulations",
    "block_simulations_normal_score",
    "point_simulations",
    "point_simulations_normal_score",
)


class SimulationReportTask(Task[SimulationReport]):
    """Nothing is written on objects: the result is a summary and a page."""

    verb, noun = "compared", "realisations"

    def _ensemble(self, job: Job[SimulationReport], name: str) -> Attribute:
        text = getattr(job.params, name)
        found = find_attribute(job.object("simulation_target"), text, at=name)
        check_ensemble(found)
        return found

    def _target(self, job: Job[SimulationReport], steps: list[int] | None) -> Target:
        owner = self._ensemble(job, ENSEMBLES[0]).owner
        object_ = job.object("simulation_target")
        return open_target(job.context, object_, owner, None, filter_at="", steps=steps)

    def _wanted(self, job: Job[SimulationReport]) -> Wanted:
        source, said = job.object("simulation_source"), job.params.distribution
        extra = {}
        if said is not None and said.weights is not None:
            extra[WEIGHTS] = Further(source, said.weights, "distribution.weights")
        return Wanted(source, job.params.source_attribute, "source_attribute", extra=extra)

    def prepare(self, job: Job[SimulationReport], folder: Path) -> Prepared:
        """Find the simulations and read the samples."""
        widths = {name: width_of(self._ensemble(job, name)) for name in ENSEMBLES}
        least = min(widths.values())
        if least < job.params.number_of_simulations:
            name = min(widths, key=lambda each: widths[each])
            detail = f"number_of_simulations must be at most the {least} that {name} has"
            raise Problem(
                Code.INVALID,
                f"{detail}, got {job.params.number_of_simulations}",
                at="number_of_simulations",
            )
        target = self._target(job, None)
        sampled, counts = read_samples(job.context, self._wanted(job))
        self._distribution(job, sampled)
        self._variogram(job)
        path = folder / "samples.arrow"
        write_samples(path, sampled)
        values = {
            "counts": msgspec.to_builtins(counts),
            "steps": list(getattr(target.locations, "steps", ())),
            "title": target.object_.title,
            "noun": target.noun,
        }
        return Prepared(0, values, {SAMPLES: path})

    def _distribution(self, job: Job[SimulationReport], sampled: Sampled) -> Distribution:
        said = job.params.distribution
        with refused_at("distribution"):
            lower, upper = tails_of(said.tail_extrapolation if said else None)
            weights = sampled.extra.get(WEIGHTS)
            return fit_distribution(sampled.values, weights, lower=lower, upper=upper)

    def _variogram(self, job: Job[SimulationReport]) -> Variogram:
        at = "variogram_model"
        variogram = load_variogram(job.context, job.reference(at), at=at)
        check_bounded(variogram, at=at, what="simulation")
        return standardised(variogram)

    def start(self, job: Job[SimulationReport]) -> Work:
        """Do nothing in parts: realisations are compared one by one at the end."""
        del job

        def work(first: int, last: int) -> Columns:
            del first, last
            return {}

        return work

    def finish(self, job: Job[SimulationReport], results: Mapping[str, PartResult]) -> Finished:
        """Compare."""
        del results
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        count = job.params.number_of_simulations
        paths = {name: self._path(job, name) for name in ENSEMBLES}
        means = [_mean(paths["block_simulations"], number) for number in range(count)]
        fields = Fields(paths["point_simulations"], paths["point_simulations_normal_score"], count)
        validation = validation_of(
            job.context,
            self._target(job, job.said["steps"]),
            reference=weighted_mean(sampled.values, sampled.extra.get(WEIGHTS)),
            means=means,
            thresholds=job.params.report_mean_thresholds,
            distribution=self._distribution(job, sampled),
            variogram=self._variogram(job),
            fields=fields,
        )
        mean = validation["mean"]
        message = f"Compared {count} realisations of '{job.said['title']}' with the samples: "
        message += f"mean {mean['mean']:.6g} against {mean['reference']:.6g}"
        message += f", which is {mean['verdict']}." if mean["verdict"] else "."
        statistics = {name: mean[name] for name in ("reference", "mean", "difference", "relative")}
        told = {"message": message, "validation": validation, "means": means}
        return Finished({}, {**told, "statistics": {**statistics, "realisations": count}})

    def _path(self, job: Job[SimulationReport], name: str) -> Path:
        values = self._ensemble(job, name).document["values"]
        return job.context.read(FileRef(STORAGE, str(values["data"])))

    def publish(self, job: Job[SimulationReport], done: Mapping[str, Any]) -> Published:
        """Give the summary, and where the page is."""
        del job
        mean = done["validation"]["mean"]
        result = {
            "message": done["message"],
            "validation_summary": {"reference_mean": mean["reference"], "mean": mean["mean"]},
            "validation_report": {"reference": REPORT_FILE},
            "links": {"dashboard": REPORT_FILE},
        }
        return Published((), result, done["statistics"])


def _mean(path: Path, number: int) -> float | None:
    values = column_of(path, number)
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else None
