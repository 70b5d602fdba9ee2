"""Kriging on a target: ordinary, simple and universal, with diagnostics."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import BOOL, INTEGER, SCALAR
from haulier.families.geostat.io.objects import GRIDS
from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.io.variograms import check_bounded, load_variogram
from haulier.families.geostat.method.discretisation import POINT, Discretisation, regular
from haulier.families.geostat.method.kriging import (
    Kriging,
    Method,
    Ordinary,
    Simple,
    Targets,
    krige,
)
from haulier.families.geostat.method.samples import merge_duplicates
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.params import estimation
from haulier.families.geostat.params.outputs import DIAGNOSTIC_KINDS, ESTIMATE, diagnostics_of
from haulier.families.geostat.params.pieces import BlockDiscretization
from haulier.families.geostat.params.search import SimpleKriging
from haulier.families.geostat.steps.estimators import Estimate, EstimatorTask
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.outputs import Output
from haulier.families.geostat.steps.pace import rows_at_once
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import Sampled, counted
from haulier.families.geostat.steps.targets import Chunk, Target
from haulier.families.geostat.steps.task import attribute_result

K = TypeVar("K", bound=estimation.Kriging | estimation.UniversalKriging)
TYPES = {"bool": BOOL, "integer": INTEGER}
WITH_SILL = ("slope_of_regression", "kriging_efficiency")


class SystemTask(EstimatorTask[K]):
    """What the forms of kriging share: outputs, variogram, support, and sentences."""

    verb = "kriged"

    def rows_at_once(self, job: Job[K]) -> int:
        """Take fewer blocks at once where each is much work."""
        search = neighbourhood_of(job.params.neighborhood)
        return rows_at_once(self.step_rows, search, job.params.block_discretization)

    def outputs(self, job: Job[K]) -> list[Output]:
        """Give the estimate, then the diagnostics that were asked for."""
        target = job.params.target
        made = [Output(ESTIMATE, "target.attribute", target.attribute)]
        return made + [
            Output(
                name,
                f"target.diagnostics.{name}",
                spec,
                TYPES.get(DIAGNOSTIC_KINDS.get(name, ""), SCALAR),
            )
            for name, spec in diagnostics_of(target).items()
        ]

    def variogram(self, job: Job[K]) -> Variogram:
        """Load the variogram, of the version that the job works with."""
        return load_variogram(job.context, job.reference("variogram"), at="variogram")

    def check(self, job: Job[K], sampled: Sampled, variogram: Variogram) -> None:
        """Refuse diagnostics that samples or variogram do not allow.

        Raises:
            Problem: INVALID at the diagnostic.
        """
        asked = diagnostics_of(job.params.target)
        for name in WITH_SILL:
            if name in asked:
                check_bounded(variogram, at="variogram", what=f"target.diagnostics.{name}")
        if "num_drillholes" in asked and sampled.holes is None:
            raise Problem(
                Code.INVALID,
                "target.diagnostics.num_drillholes must be left out: the source has no drillholes",
                at="target.diagnostics.num_drillholes",
            )

    def treated(self, job: Job[K], total: Mapping[str, float]) -> list[str]:
        """Say what was averaged and what was made regular."""
        said = []
        if job.said["duplicates"]:
            shared = counted(job.said["duplicates"], "sample")
            said.append(
                f"{shared} shared the place of another one: each place was used once, with the "
                "mean of its samples."
            )
        if total.get("jittered"):
            said.append(
                f"{int(total['jittered']):,} systems were singular to the last digit and were made "
                "regular by a little more variance on their diagonal; a nugget would avoid that."
            )
        return said

    def result(
        self,
        job: Job[K],
        done: Mapping[str, Any],
        target: Mapping[str, Any],
        placed: Sequence[Placed],
    ) -> dict[str, Any]:
        """Give message, target, attribute, and the diagnostics by name."""
        given = super().result(job, done, target, placed)
        names = [each.name for each in self.outputs(job)[1:]]
        if names:
            given["target"]["diagnostics"] = {
                name: attribute_result(one) for name, one in zip(names, placed[1:], strict=True)
            }
        return given


def discretisation_of(
    said: BlockDiscretization | None, target: Target, *, at: str = "block_discretization"
) -> Discretisation:
    """Give the points of blocks.

    Raises:
        Problem: INVALID; the target has no blocks.
    """
    if said is None or (said.nx, said.ny, said.nz) == (1, 1, 1):
        return POINT
    if target.object_.type not in GRIDS:
        detail = f"{at} must be left out: '{target.object_.title}' is a {target.object_.type}"
        raise Problem(Code.INVALID, f"{detail}, which has no blocks", at=at)
    return regular(said.nx, said.ny, said.nz)


def estimates(kriging: Kriging, targets: Targets, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Krige a range of locations: the estimate, the diagnostics, and marks of trouble."""
    made = krige(kriging, targets, names)
    return {
        ESTIMATE: made.values,
        **made.diagnostics,
        ".jittered": np.array([float(made.jittered)]),
        ".singular": np.array([float(made.singular)]),
    }


class KrigingTask(SystemTask[estimation.Kriging]):
    """Ordinary and simple kriging."""

    def named(self, job: Job[estimation.Kriging]) -> str:
        """Say which kriging."""
        simple = isinstance(job.params.kriging_method, SimpleKriging)
        return "simple kriging" if simple else "ordinary kriging"

    def estimator(self, job: Job[estimation.Kriging], sampled: Sampled, target: Target) -> Estimate:
        """Set up the systems."""
        variogram = self.variogram(job)
        said = job.params.kriging_method
        method: Method = Ordinary()
        if isinstance(said, SimpleKriging):
            check_bounded(variogram, at="variogram", what="simple kriging")
            method = Simple(said.mean)
        self.check(job, sampled, variogram)
        discretisation = discretisation_of(job.params.block_discretization, target)
        with refused_at("variogram"):
            kriging = Kriging(
                merge_duplicates(sampled.samples),
                variogram,
                neighbourhood_of(job.params.neighborhood),
                method,
                discretisation,
                target.axes,
            )
        names = [each.name for each in self.outputs(job)[1:]]

        def estimate(chunk: Chunk) -> Mapping[str, NDArray[Any]]:
            return estimates(kriging, Targets(chunk.centres, chunk.sides), names)

        return estimate
