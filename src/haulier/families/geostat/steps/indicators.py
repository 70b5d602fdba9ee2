"""Indicator kriging: probabilities to be above cutoffs, and the mean of the distribution."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.io.publications import Placed
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.io.variograms import check_bounded, load_variogram
from haulier.families.geostat.method.distribution import LowerTail, UpperTail
from haulier.families.geostat.method.indicators import LocalDistributions, indicators, ordered
from haulier.families.geostat.method.kriging import (
    Kriging,
    Ordinary,
    Simple,
    Targets,
    krige_many,
)
from haulier.families.geostat.method.samples import merge_duplicates
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.params.estimation import IndicatorKriging
from haulier.families.geostat.steps.estimators import Estimate, EstimatorTask
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.kriging import discretisation_of
from haulier.families.geostat.steps.outputs import Output
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import Sampled
from haulier.families.geostat.steps.targets import Chunk, Target
from haulier.families.geostat.steps.task import Said, attribute_result

E_TYPE: Final = "e_type"


class IndicatorTask(EstimatorTask[IndicatorKriging]):
    """One kriging a variogram: cutoffs that share one share the weights too (median IK)."""

    method = "indicator kriging"

    def outputs(self, job: Job[IndicatorKriging]) -> list[Output]:
        """Give a probability a cutoff, then the expected value."""
        target = job.params.target
        made = [
            Output(f"above.{number}", f"target.probabilities[{number}]", spec)
            for number, spec in enumerate(target.probabilities)
        ]
        return made + ([Output(E_TYPE, "target.e_type", target.e_type)] if target.e_type else [])

    def _variograms(self, job: Job[IndicatorKriging]) -> list[tuple[Variogram, list[int]]]:
        """Give each variogram, and the cutoffs that it is of."""
        groups: dict[str, tuple[str, list[int]]] = {}
        for number, each in enumerate(job.params.cutoffs):
            at = "variogram" if each.variogram is None else f"cutoffs[{number}].variogram"
            pin = "/".join(str(part) for part in job.pins[at][:2])
            groups.setdefault(pin, (at, []))[1].append(number)
        given = []
        for at, numbers in groups.values():
            variogram = load_variogram(job.context, job.reference(at), at=at)
            if job.params.kriging_method == "simple":
                check_bounded(variogram, at=at, what="simple kriging")
            given.append((variogram, numbers))
        return given

    def estimator(self, job: Job[IndicatorKriging], sampled: Sampled, target: Target) -> Estimate:
        """Set up one system a variogram."""
        cutoffs = np.array([each.cutoff for each in job.params.cutoffs])
        ones = indicators(sampled.values, cutoffs)
        simple = job.params.kriging_method == "simple"
        shares = ones.mean(axis=0) if simple else np.zeros(len(cutoffs))
        samples = merge_duplicates(replace(sampled.samples, values=ones - shares))
        krigings = []
        for variogram, numbers in self._variograms(job):
            with refused_at("variogram"):
                kriging = Kriging(
                    replace(samples, values=samples.values[:, numbers]),
                    variogram,
                    neighbourhood_of(job.params.neighborhood),
                    Simple(0.0) if simple else Ordinary(),
                    discretisation_of(job.params.block_discretization, target),
                    target.axes,
                )
            krigings.append((kriging, numbers))
        lower, upper = _tails(sampled.values, cutoffs)

        def estimate(chunk: Chunk) -> Mapping[str, NDArray[Any]]:
            targets = Targets(chunk.centres, chunk.sides)
            raw = np.full((len(chunk.centres), len(cutoffs)), np.nan)
            jittered = singular = 0
            for kriging, numbers in krigings:
                made = krige_many(kriging, targets)
                raw[:, numbers] = made.values + shares[numbers]
                jittered, singular = jittered + made.jittered, max(singular, made.singular)
            local = LocalDistributions(ordered(raw), cutoffs, lower, upper)
            marks = {
                ".jittered": np.array([float(jittered)]),
                ".singular": np.array([float(singular)]),
            }
            return {**_columns(local), **marks}

        return estimate

    def result(
        self, job: Job[IndicatorKriging], done: Said, target: Said, placed: Sequence[Placed]
    ) -> dict[str, Any]:
        """Give message, target, and the attributes by cutoff."""
        count = len(job.params.target.probabilities)
        given: dict[str, Any] = {
            **target,
            "probability_above_cutoff_attributes": [
                {**attribute_result(one), "cutoff": each.cutoff}
                for one, each in zip(placed[:count], job.params.cutoffs, strict=False)
            ],
        }
        if job.params.target.e_type is not None:
            given["e_type_attribute"] = attribute_result(placed[-1])
        return {"message": done["message"], "target": given}


def _tails(values: FloatArray, cutoffs: FloatArray) -> tuple[LowerTail, UpperTail]:
    """Spread values evenly between the outer cutoffs and the least and the greatest sample."""
    least = min(float(values.min()), float(np.nextafter(cutoffs[0], -np.inf)))
    greatest = max(float(values.max()), float(np.nextafter(cutoffs[-1], np.inf)))
    return LowerTail(1.0, least), UpperTail(1.0, greatest)


def _columns(local: LocalDistributions) -> dict[str, NDArray[Any]]:
    columns: dict[str, NDArray[Any]] = {
        f"above.{number}": 1.0 - column for number, column in enumerate(local.probabilities.T)
    }
    return {**columns, E_TYPE: local.mean()}
