"""The whole workflow of simulation: statistics, categories of material, and validation."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import PartResult
from haulier.families.geostat.io.attributes import (
    CATEGORY,
)
from haulier.families.geostat.io.distributions import tails_of
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.kinds import REPORT_FILE
from haulier.families.geostat.method.conditional import (
    Simulated,
)
from haulier.families.geostat.method.distribution import (
    Distribution,
    fit_distribution,
    weighted_mean,
)
from haulier.families.geostat.method.economics import least_loss
from haulier.families.geostat.params.simulation import (
    ConditionalSimulation,
)
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Blob, Output
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import SAMPLES, Further, Sampled, Wanted, load_samples
from haulier.families.geostat.steps.simulations import SimulationTask
from haulier.families.geostat.steps.statistics import (
    MEAN,
    PROBABILITY,
    QUANTILE,
    SUMMARY,
    statistics_of,
    statistics_outputs,
)
from haulier.families.geostat.steps.task import Finished, Said, attribute_result
from haulier.families.geostat.steps.validation import Fields, validation_of
from haulier.families.geostat.steps.values import economics_of

WEIGHTS: Final = "weights"
LOSS: Final = "loss"
#: Suffix of the attribute, and where it comes from in what was simulated.
KEPT: Final = {
    "simulations": "blocks",
    "simulations_normal_score": "block_scores",
    "point_simulations": "points",
    "point_simulations_normal_score": "point_scores",
}


class ConditionalSimulationTask(SimulationTask[ConditionalSimulation]):
    """Realisations, their statistics, categories of material, and validation."""

    method = "conditional simulation"
    source_at = "source_object"
    target_at = "target_object"

    def count(self, job: Job[ConditionalSimulation]) -> int:
        """Give the number of realisations."""
        return job.params.number_of_simulations

    def saved(self, job: Job[ConditionalSimulation]) -> int:
        """Give how many of them are written."""
        return min(job.params.number_of_simulations_to_save, self.count(job))

    def wanted(self, job: Job[ConditionalSimulation]) -> Wanted:
        """Read weights of the samples too."""
        wanted = super().wanted(job)
        said = job.params.distribution
        if said is None or said.weights is None:
            return wanted
        weights = Further(wanted.object_, said.weights, "distribution.weights")
        return Wanted(
            wanted.object_,
            wanted.attribute,
            wanted.at,
            wanted.filter,
            wanted.filter_at,
            {WEIGHTS: weights},
        )

    def distribution(self, job: Job[ConditionalSimulation], sampled: Sampled) -> Distribution:
        """Make the samples' own distribution."""
        said = job.params.distribution
        with refused_at("distribution"):
            lower, upper = tails_of(said.tail_extrapolation if said else None)
            return fit_distribution(
                sampled.values, sampled.extra.get(WEIGHTS), lower=lower, upper=upper
            )

    def outputs(self, job: Job[ConditionalSimulation]) -> list[Output]:
        """Give the statistics, the realisations that are saved, and the category."""
        made = statistics_outputs(job.params, self.name(job), at=self.target_at)
        if self.saved(job):
            made += [self.ensemble(job, name, self.saved(job)) for name in KEPT]
        loss = job.params.loss_calculation
        if loss is not None:
            labels = tuple(each.label for each in loss.material_categories)
            at = "loss_calculation.target_attribute"
            made.append(Output(LOSS, at, loss.target_attribute, CATEGORY, categories=labels))
        return made

    def columns(self, job: Job[ConditionalSimulation], made: Simulated) -> dict[str, NDArray[Any]]:
        """Give statistics over all realisations, the first ones, and the category."""
        columns: dict[str, NDArray[Any]] = dict(statistics_of(job.params, made.blocks))
        for name, source in KEPT.items():
            columns[name] = getattr(made, source)[:, : self.saved(job)]
        if job.params.loss_calculation is not None:
            chosen = least_loss(made.blocks, *economics_of(job.params.loss_calculation))
            columns[LOSS] = np.where(chosen < 0, np.nan, chosen)
        return columns

    def finish(
        self, job: Job[ConditionalSimulation], results: Mapping[str, PartResult]
    ) -> Finished:
        """Put the parts together, and validate if that was asked for."""
        finished = super().finish(job, results)
        sampled = load_samples(job.context.read(f"step:prepare.{SAMPLES}"))
        reference = weighted_mean(sampled.values, sampled.extra.get(WEIGHTS))
        values = {**finished.values, "reference_mean": reference}
        if job.params.perform_validation:
            values["validation"] = self._validation(job, sampled, finished, reference)
        return Finished(finished.blobs, values)

    def _validation(
        self,
        job: Job[ConditionalSimulation],
        sampled: Sampled,
        finished: Finished,
        reference: float,
    ) -> dict[str, Any]:
        target = self.target(job, job.said["steps"])
        fields = None
        if self.saved(job):
            fields = Fields(
                self._path(job, finished, "point_simulations"),
                self._path(job, finished, "point_simulations_normal_score"),
                self.saved(job),
            )
        return validation_of(
            job.context,
            target,
            reference=reference,
            means=finished.values["means"],
            thresholds=job.params.report_mean_thresholds,
            distribution=self.distribution(job, sampled),
            variogram=self.variogram(job),
            fields=fields,
        )

    def _path(self, job: Job[ConditionalSimulation], finished: Finished, name: str) -> Any:  # noqa: ANN401 -- a path
        blob: Blob = finished.blobs[name][0]
        return job.context.write(blob.artifact, filename=f"{blob.artifact}.parquet")

    def result(
        self, job: Job[ConditionalSimulation], done: Said, target: Said, placed: Sequence[Placed]
    ) -> dict[str, Any]:
        """Give the target with every attribute by what it is, the validation, and links."""
        named = {
            each.name: attribute_result(one)
            for each, one in zip(self.outputs(job), placed, strict=True)
        }
        given: dict[str, Any] = {
            **target,
            "summary_attributes": {name: named[name] for name in SUMMARY},
        }
        asked = (
            ("quantile_attributes", "quantile", QUANTILE, job.params.location_wise_quantiles),
            (
                "probability_above_cutoff_attributes",
                "cutoff",
                PROBABILITY,
                job.params.probability_above_cutoff,
            ),
            ("mean_above_cutoff_attributes", "cutoff", MEAN, job.params.mean_above_cutoff),
        )
        for field, word, prefix, listed in asked:
            if listed:
                given[field] = [
                    {**named[f"{prefix}_{value:.12g}"], word: value} for value in listed
                ]
        given |= {name: named[name] for name in KEPT if name in named}
        if LOSS in named:
            given["loss_calculation_attribute"] = named[LOSS]
        result: dict[str, Any] = {
            "message": done["message"],
            "target": given,
            "links": {"dashboard": None},
        }
        if "validation" in done:
            mean = done["validation"]["mean"]
            result["validation_summary"] = {
                "reference_mean": mean["reference"],
                "mean": mean["mean"],
            }
            result["validation_report"] = {"reference": REPORT_FILE, "name": "report.html"}
            result["links"] = {"dashboard": REPORT_FILE}
        return result
