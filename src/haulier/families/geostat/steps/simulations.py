"""Conditional simulation on a target: turning bands, and the whole workflow around them."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import PartResult
from haulier.families.geostat.io.attributes import (
    CATEGORY,
    ENSEMBLE,
    AttributeList,
    find_attribute,
)
from haulier.families.geostat.io.distributions import load_distribution, tails_of
from haulier.families.geostat.io.geometry import main_list
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.io.variograms import check_bounded, load_variogram
from haulier.families.geostat.method.conditional import (
    Cells,
    Simulated,
    condition,
    simulate_blocks,
    standardised,
)
from haulier.families.geostat.method.distribution import (
    Distribution,
    fit_distribution,
    weighted_mean,
)
from haulier.families.geostat.method.economics import least_loss
from haulier.families.geostat.method.kriging import Ordinary, Simple
from haulier.families.geostat.method.normal_score import forward
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.params.pieces import CreateAttribute, Filter
from haulier.families.geostat.params.simulation import (
    ConditionalSimulation,
    ConditionalTurningBands,
)
from haulier.families.geostat.steps.estimators import Estimate, EstimatorTask, refused_at
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.kriging import discretisation_of
from haulier.families.geostat.steps.outputs import Blob, Columns, Output
from haulier.families.geostat.steps.samples import SAMPLES, Further, Sampled, Wanted, load_samples
from haulier.families.geostat.steps.statistics import (
    MEAN,
    PROBABILITY,
    QUANTILE,
    SUMMARY,
    statistics_of,
    statistics_outputs,
)
from haulier.families.geostat.steps.targets import Chunk, Target
from haulier.families.geostat.steps.task import Finished, Said, add, attribute_result
from haulier.families.geostat.steps.validation import Fields, validation_of
from haulier.families.geostat.steps.values import economics_of

T = TypeVar("T", bound=ConditionalTurningBands | ConditionalSimulation)
SIMULATIONS: Final = "simulations"
WEIGHTS: Final = "weights"
LOSS: Final = "loss"
#: Suffix of the attribute, and where it comes from in what was simulated.
KEPT: Final = {
    "simulations": "blocks",
    "simulations_normal_score": "block_scores",
    "point_simulations": "points",
    "point_simulations_normal_score": "point_scores",
}


class SimulationTask(EstimatorTask[T]):
    """What both simulations share: scores of the samples, conditioning, blocks."""

    verb = did = "simulated"
    filter_at = "filter"
    step_rows = 8_192

    @abstractmethod
    def count(self, job: Job[T]) -> int:
        """Give the number of realisations."""

    @abstractmethod
    def distribution(self, job: Job[T], sampled: Sampled) -> Distribution:
        """Give the distribution of the variable."""

    @abstractmethod
    def columns(self, job: Job[T], made: Simulated) -> dict[str, NDArray[Any]]:
        """Give the columns of locations that were simulated."""

    def filter(self, job: Job[T]) -> Filter | None:
        """Say which locations are asked for."""
        return job.params.filter

    def wanted(self, job: Job[T]) -> Wanted:
        """Say which samples are read."""
        return Wanted(
            job.object(self.source_at),
            job.params.source_attribute,
            "source_attribute",
            job.params.source_filter,
            "source_filter",
        )

    def owner(self, job: Job[T], target: GeoObject) -> AttributeList:
        """Write to the main list of the target."""
        del job
        return main_list(target)

    def name(self, job: Job[T]) -> str:
        """Give the name of the attribute that is simulated."""
        source = job.object(self.source_at)
        return find_attribute(source, job.params.source_attribute, at="source_attribute").name

    def ensemble(self, job: Job[T], column: str, width: int) -> Output:
        """Give an output of realisations, named after the attribute; a rerun replaces it."""
        spec = CreateAttribute(f"{self.name(job)}_{column}")
        return Output(column, self.target_at, spec, ENSEMBLE, width, replace=True)

    def variogram(self, job: Job[T]) -> Variogram:
        """Give the variogram of the scores: its sill is made one."""
        version = int(job.pins["variogram_model"][1])
        variogram = load_variogram(
            job.context, job.params.variogram_model, at="variogram_model", version=version
        )
        check_bounded(variogram, at="variogram_model", what="simulation")
        return standardised(variogram)

    def estimator(self, job: Job[T], sampled: Sampled, target: Target) -> Estimate:
        """Draw the realisations, and condition them."""
        variogram, distribution = self.variogram(job), self.distribution(job, sampled)
        discretisation = discretisation_of(job.params.block_discretization, target)
        scores = forward(sampled.values, distribution)
        with refused_at("variogram_model"):
            conditioning = condition(
                Samples(sampled.places, scores, sampled.holes),
                variogram,
                neighbourhood_of(job.params.neighborhood),
                method=Simple(0.0) if job.params.kriging_method == "simple" else Ordinary(),
                lines=job.params.number_of_lines,
                seed=job.params.random_seed,
                realisations=range(self.count(job)),
            )

        def estimate(chunk: Chunk) -> Mapping[str, NDArray[Any]]:
            sides = np.ones((1, 3)) if chunk.sides is None else chunk.sides
            cells = Cells(chunk.centres, sides, target.axes, discretisation)
            made = simulate_blocks(conditioning, cells, distribution)
            there = ~np.isnan(made.blocks)
            marks = {
                ".simulated": np.array([float(there.any(axis=1).sum())]),
                ".sums": np.where(there, made.blocks, 0.0).sum(axis=0),
                ".counts": there.sum(axis=0).astype(np.float64),
                ".jittered": np.array([float(made.jittered)]),
                ".singular": np.array([float(made.singular)]),
            }
            return {**self.columns(job, made), **marks}

        return estimate

    def tally(self, job: Job[T], columns: Columns, so_far: dict[str, float]) -> None:
        """Count also the sum of each realisation."""
        super().tally(job, columns, so_far)
        add(so_far, "main.count", float(columns.get(".simulated", np.zeros(1))[0]))
        for name in ("sums", "counts"):
            for number, value in enumerate(columns.get(f".{name}", ())):
                add(so_far, f"{name}.{number}", float(value))

    def made_of(self, job: Job[T], total: Mapping[str, float]) -> int:
        """Count the locations that were simulated."""
        del job
        return int(total.get("main.count", 0))

    def told(self, job: Job[T], total: Mapping[str, float]) -> dict[str, Any]:
        """Say how many realisations there are, too."""
        said = super().told(job, total)
        said["means"] = means_of(total, self.count(job))
        said["statistics"]["realisations"] = self.count(job)
        return said


def means_of(total: Mapping[str, float], count: int) -> list[float | None]:
    """Give the mean of each realisation over the target."""
    pairs = [(total.get(f"sums.{n}", 0.0), total.get(f"counts.{n}", 0.0)) for n in range(count)]
    return [sums / counts if counts else None for sums, counts in pairs]


class TurningBandsTask(SimulationTask[ConditionalTurningBands]):
    """Realisations of blocks, by a distribution that is there."""

    method = "conditional turning bands"
    source_at = "source"
    target_at = "target"

    def count(self, job: Job[ConditionalTurningBands]) -> int:
        """Give the number of realisations."""
        return job.params.realizations

    def outputs(self, job: Job[ConditionalTurningBands]) -> list[Output]:
        """Give the realisations."""
        return [self.ensemble(job, SIMULATIONS, job.params.realizations)]

    def distribution(self, job: Job[ConditionalTurningBands], sampled: Sampled) -> Distribution:
        """Load the distribution."""
        del sampled
        version = int(job.pins["distribution"][1])
        return load_distribution(
            job.context, job.params.distribution, at="distribution", version=version
        )

    def columns(
        self, job: Job[ConditionalTurningBands], made: Simulated
    ) -> dict[str, NDArray[Any]]:
        """Give the blocks."""
        del job
        return {SIMULATIONS: made.blocks}

    def result(
        self,
        job: Job[ConditionalTurningBands],
        done: Said,
        target: Said,
        placed: Sequence[Placed],
    ) -> dict[str, Any]:
        """Give the target and its simulations."""
        del job
        simulations = attribute_result(placed[0])
        return {"message": done["message"], "target": {**target, SIMULATIONS: simulations}}


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
            result["validation_report"] = {"reference": "artifact:report", "name": "report.html"}
            result["links"] = {"dashboard": "artifact:report"}
        return result
