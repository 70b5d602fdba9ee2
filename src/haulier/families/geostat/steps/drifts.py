"""Kriging whose mean follows a drift: a polynomial of place, and attributes of both sides."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import Attribute, find_attribute
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.io.values import check_numbers, read_numbers
from haulier.families.geostat.method.discretisation import Discretisation
from haulier.families.geostat.method.kriging import Kriging, Method, Ordinary, Targets, Universal
from haulier.families.geostat.method.polynomials import (
    Polynomial,
    check_independent,
    polynomial,
)
from haulier.families.geostat.method.samples import Samples, merge_duplicates
from haulier.families.geostat.params.estimation import UniversalKriging
from haulier.families.geostat.steps.estimators import Estimate
from haulier.families.geostat.steps.job import Job, neighbourhood_of
from haulier.families.geostat.steps.kriging import SystemTask, discretisation_of, estimates
from haulier.families.geostat.steps.refusing import refused_at
from haulier.families.geostat.steps.samples import Further, Sampled, Wanted
from haulier.families.geostat.steps.targets import Chunk, Target

Drift = Callable[[Chunk], FloatArray]


class UniversalTask(SystemTask[UniversalKriging]):
    """Universal kriging, and kriging with an external drift."""

    method = "universal kriging"

    def wanted(self, job: Job[UniversalKriging]) -> Wanted:
        """Read the external drifts of the samples too."""
        wanted = super().wanted(job)
        extra = {
            f"drift.{number}": Further(
                wanted.object_, each.source, f"drift.external[{number}].source"
            )
            for number, each in enumerate(job.params.drift.external)
        }
        return Wanted(
            wanted.object_,
            wanted.attribute,
            wanted.at,
            wanted.filter,
            wanted.filter_at,
            extra,
        )

    def estimator(self, job: Job[UniversalKriging], sampled: Sampled, target: Target) -> Estimate:
        """Set up the systems, with the drift at the samples."""
        variogram = self.variogram(job)
        self.check(job, sampled, variogram)
        said = job.params.drift
        merged, external = _merged(sampled, len(said.external))
        with refused_at("drift"):
            trend = polynomial(merged.places, said.order, said.dimensions)
            functions = np.column_stack([trend.columns(merged.places), external])
            check_independent(functions, (*trend.names, *(each.source for each in said.external)))
        discretisation = discretisation_of(job.params.block_discretization, target)
        method: Method = Universal(functions) if functions.shape[1] else Ordinary()
        with refused_at("variogram"):
            kriging = Kriging(
                merged,
                variogram,
                neighbourhood_of(job.params.neighborhood),
                method,
                discretisation,
                target.axes,
            )
        drift = _drift_of(job, target, trend, discretisation)
        names = [each.name for each in self.outputs(job)[1:]]

        def estimate(chunk: Chunk) -> Mapping[str, NDArray[Any]]:
            columns = drift(chunk)
            known = np.asarray(np.isfinite(columns).all(axis=1))
            sides = chunk.sides
            if sides is not None and len(sides) > 1:
                sides = sides[known]
            made = estimates(kriging, Targets(chunk.centres[known], sides, columns[known]), names)
            return {
                name: each if name.startswith(".") else _among(each, known)
                for name, each in made.items()
            }

        return estimate


def _merged(sampled: Sampled, count: int) -> tuple[Samples, FloatArray]:
    """Make one sample of those that share a place, their external drifts alike."""
    extra = [sampled.extra[f"drift.{number}"] for number in range(count)]
    values = np.column_stack([sampled.values, *extra])
    merged = merge_duplicates(Samples(sampled.places, values, sampled.holes))
    one = Samples(merged.places, merged.values[:, 0], merged.holes, merged.counts)
    return one, merged.values[:, 1:]


def _drift_of(
    job: Job[UniversalKriging], target: Target, trend: Polynomial, discretisation: Discretisation
) -> Drift:
    """Give what gives the drift of locations: (m, p), NaN where an attribute is missing."""
    attributes = [
        _parallel(target, each.target, f"drift.external[{number}].target")
        for number, each in enumerate(job.params.drift.external)
    ]

    def drift(chunk: Chunk) -> FloatArray:
        last = chunk.first + chunk.rows
        external = [
            read_numbers(job.context, each, chunk.first, last)[chunk.asked] for each in attributes
        ]
        if discretisation.is_point or chunk.sides is None:
            columns = trend.columns(chunk.centres)
        else:
            columns = trend.block_columns(chunk.centres, chunk.sides, target.axes, discretisation)
        return np.column_stack([columns, *external])

    return drift


def _parallel(target: Target, text: str, at: str) -> Attribute:
    """Find an attribute of the target's own rows."""
    found = find_attribute(target.object_, text, at=at)
    if found.owner.path != target.owner.path:
        detail = f"{at} must be one of {target.owner.path}, got {found.reference}"
        raise Problem(Code.INVALID, detail, at=at)
    check_numbers(found)
    return found


def _among(values: NDArray[Any], known: NDArray[np.bool_]) -> NDArray[Any]:
    """Put values among those locations that have no drift."""
    if known.all():
        return values
    kind = np.bool_ if values.dtype == np.bool_ else np.float64
    fill = False if kind is np.bool_ else np.nan
    out: NDArray[Any] = np.full(len(known), fill, dtype=kind)
    out[known] = values
    return out
