"""Statistics over realisations: which columns were asked for, and their values."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.method.ensembles import (
    mean_above,
    probability_above,
    quantiles,
    summarise,
)
from haulier.families.geostat.params.pieces import CreateAttribute
from haulier.families.geostat.params.simulation import ConditionalSimulation, LocationWise
from haulier.families.geostat.steps.outputs import Columns, Output

SUMMARY: Final = ("mean", "variance", "min", "max")
QUANTILE: Final = "quantile"
PROBABILITY: Final = "probability_above"
MEAN: Final = "mean_above"


class Asked(NamedTuple):
    """Which statistics were asked for."""

    summary: bool
    quantiles: Sequence[float]
    probability: Sequence[float]
    mean: Sequence[float]


def asked_of(params: LocationWise | ConditionalSimulation) -> Asked:
    """Say what parameters ask for; a simulation always gives the summary."""
    if isinstance(params, ConditionalSimulation):
        return Asked(
            True,  # noqa: FBT003 -- by the order of the fields
            params.location_wise_quantiles or (),
            params.probability_above_cutoff or (),
            params.mean_above_cutoff or (),
        )
    probability, mean = params.probability_above_cutoff, params.mean_above_cutoff
    return Asked(
        bool(params.summary),
        params.quantiles or (),
        probability.cutoffs if probability else (),
        mean.cutoffs if mean else (),
    )


def statistics_outputs(
    params: LocationWise | ConditionalSimulation, name: str, *, at: str
) -> list[Output]:
    """Give an output for each statistic, named after the attribute; a rerun replaces them."""
    return [
        Output(column, at, CreateAttribute(f"{name}_{column}"), replace=True)
        for column in _columns(asked_of(params))
    ]


def _columns(asked: Asked) -> Iterator[str]:
    if asked.summary:
        yield from SUMMARY
    yield from (f"{QUANTILE}_{value:.12g}" for value in asked.quantiles)
    yield from (f"{PROBABILITY}_{value:.12g}" for value in asked.probability)
    yield from (f"{MEAN}_{value:.12g}" for value in asked.mean)


def statistics_of(params: LocationWise | ConditionalSimulation, ensemble: FloatArray) -> Columns:
    """Compute the columns of (m, r) realisations."""
    asked = asked_of(params)
    parts: list[FloatArray] = []
    if asked.summary:
        said = summarise(ensemble)
        parts += [said.mean, said.variance, said.minimum, said.maximum]
    for compute, listed in (
        (quantiles, asked.quantiles),
        (probability_above, asked.probability),
        (mean_above, asked.mean),
    ):
        if listed:
            parts += list(np.asarray(compute(ensemble, listed)).T)
    return dict(zip(_columns(asked), parts, strict=True))
