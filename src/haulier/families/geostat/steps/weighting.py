"""Estimators whose weights need no system: inverse distance, and the nearest samples."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.weighting import idw, knn
from haulier.families.geostat.params import estimation
from haulier.families.geostat.params.outputs import ESTIMATE
from haulier.families.geostat.steps.estimators import Estimate, EstimatorTask
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.outputs import Output
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import Sampled
from haulier.families.geostat.steps.targets import Chunk, Target

W = TypeVar("W", bound=estimation.InverseDistance | estimation.NearestNeighbours)


class WeightedTask(EstimatorTask[W]):
    """An estimator whose weights need no system."""

    def outputs(self, job: Job[W]) -> list[Output]:
        """Give the estimate alone."""
        return [Output(ESTIMATE, "target.attribute", job.params.target.attribute)]

    def estimator(self, job: Job[W], sampled: Sampled, target: Target) -> Estimate:
        """Weigh the samples of each location."""
        del target
        neighbourhood = neighbourhood_of(job.params.neighborhood)
        with refused_at("source.attribute"):
            samples = sampled.samples

        def estimate(chunk: Chunk) -> Mapping[str, NDArray[Any]]:
            return {ESTIMATE: self.weigh(job, samples, neighbourhood, chunk)}

        return estimate

    @abstractmethod
    def weigh(
        self, job: Job[W], samples: Samples, neighbourhood: Neighbourhood, chunk: Chunk
    ) -> NDArray[np.float64]:
        """Give the estimates of locations: (m,), NaN where there are too few samples."""


class InverseDistanceTask(WeightedTask[estimation.InverseDistance]):
    """Inverse distance weighting."""

    method = "inverse distance"

    def weigh(
        self,
        job: Job[estimation.InverseDistance],
        samples: Samples,
        neighbourhood: Neighbourhood,
        chunk: Chunk,
    ) -> NDArray[np.float64]:
        """Weigh by distance to the minus power."""
        return idw(samples, neighbourhood, chunk.centres, job.params.power)


class NearestTask(WeightedTask[estimation.NearestNeighbours]):
    """The mean of the samples that a location sees."""

    method = "the mean of the nearest samples"

    def weigh(
        self,
        job: Job[estimation.NearestNeighbours],
        samples: Samples,
        neighbourhood: Neighbourhood,
        chunk: Chunk,
    ) -> NDArray[np.float64]:
        """Weigh all alike."""
        del job
        return knn(samples, neighbourhood, chunk.centres)
