"""Conditional simulation on a target, by turning bands."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.io.attributes import (
    ENSEMBLE,
    AttributeList,
    find_attribute,
)
from haulier.families.geostat.io.distributions import load_distribution
from haulier.families.geostat.io.geometry import main_list
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.io.variograms import check_bounded, load_variogram
from haulier.families.geostat.method.conditional import (
    Cells,
    Conditioning,
    Simulated,
    condition,
    simulate_blocks,
    standardised,
)
from haulier.families.geostat.method.distribution import (
    Distribution,
)
from haulier.families.geostat.method.kriging import Ordinary, Simple
from haulier.families.geostat.method.normal_score import forward
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.params.pieces import CreateAttribute, Filter
from haulier.families.geostat.params.simulation import (
    ConditionalSimulation,
    ConditionalTurningBands,
)
from haulier.families.geostat.steps.estimators import Estimate, EstimatorTask
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.kriging import discretisation_of
from haulier.families.geostat.steps.outputs import Columns, Output
from haulier.families.geostat.steps.pace import rows_at_once
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import Sampled, Wanted
from haulier.families.geostat.steps.targets import Chunk, Target
from haulier.families.geostat.steps.task import Said, add, attribute_result

T = TypeVar("T", bound=ConditionalTurningBands | ConditionalSimulation)
SIMULATIONS: Final = "simulations"


class SimulationTask(EstimatorTask[T]):
    """What both simulations share: scores of the samples, conditioning, blocks."""

    verb = did = "simulated"
    filter_at = "filter"
    step_rows = 8_192

    @abstractmethod
    def count(self, job: Job[T]) -> int:
        """Give the number of realisations."""

    def rows_at_once(self, job: Job[T]) -> int:
        """Take fewer blocks at once where each is much work."""
        search, block = neighbourhood_of(job.params.neighborhood), job.params.block_discretization
        lines = job.params.number_of_lines * self.count(job)
        return rows_at_once(self.step_rows, search, block, lines)

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
        at = "variogram_model"
        variogram = load_variogram(job.context, job.reference(at), at=at)
        check_bounded(variogram, at=at, what="simulation")
        return standardised(variogram)

    def check_samples(self, job: Job[T], sampled: Sampled, target: Target) -> None:
        """Condition one realisation: the others would be refused for the same reasons."""
        discretisation_of(job.params.block_discretization, target)
        self._conditioning(job, sampled, self.distribution(job, sampled), 1)

    def estimator(self, job: Job[T], sampled: Sampled, target: Target) -> Estimate:
        """Draw the realisations, and condition them."""
        distribution = self.distribution(job, sampled)
        discretisation = discretisation_of(job.params.block_discretization, target)
        conditioning = self._conditioning(job, sampled, distribution, self.count(job))

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

    def _conditioning(
        self, job: Job[T], sampled: Sampled, distribution: Distribution, count: int
    ) -> Conditioning:
        """Draw so many realisations at the samples."""
        variogram = self.variogram(job)
        scores = forward(sampled.values, distribution)
        with refused_at("variogram_model"):
            return condition(
                Samples(sampled.places, scores, sampled.holes),
                variogram,
                neighbourhood_of(job.params.neighborhood),
                method=Simple(0.0) if job.params.kriging_method == "simple" else Ordinary(),
                lines=job.params.number_of_lines,
                seed=job.params.random_seed,
                realisations=range(count),
            )

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
        return load_distribution(job.context, job.reference("distribution"), at="distribution")

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
