"""Validation of simulations: their mean, histogram and variograms against what they should be."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from haulier.core.family import Context
from haulier.families import parquet
from haulier.families.geostat.io.grids import Grid, GridLocations, MaskedLocations
from haulier.families.geostat.io.tables import CHUNK_ROWS, FloatArray, numbers
from haulier.families.geostat.method.distribution import Distribution
from haulier.families.geostat.method.validation import (
    check_histogram,
    check_mean,
    check_variograms,
    grid_variograms,
    realisation_quantiles,
)
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.params.simulation import MeanThresholds
from haulier.families.geostat.steps.targets import Target

MOST_LAGS: Final = 25


@dataclass(frozen=True, slots=True)
class Fields:
    """Tables of realisations at points, one column each.

    Attributes:
        values: in the variable's unit.
        scores: normal scores.
        count: how many of them are compared.
    """

    values: Path
    scores: Path
    count: int


def validation_of(  # noqa: PLR0913 -- what is compared, and with what
    context: Context,
    target: Target,
    *,
    reference: float,
    means: Sequence[float | None],
    thresholds: MeanThresholds | None,
    distribution: Distribution | None,
    variogram: Variogram,
    fields: Fields | None,
) -> dict[str, Any]:
    """Compare simulations with what they should be like, in JSON terms.

    Args:
        context: of the call.
        target: where they are.
        reference: mean of the samples.
        means: of each realisation over the target.
        thresholds: how far the means may be apart.
        distribution: that of the samples.
        variogram: of the normal scores.
        fields: realisations to compare by histogram and variogram; None: there are none.
    """
    mean = check_mean(
        reference,
        np.array([np.nan if each is None else each for each in means]),
        None if thresholds is None else (thresholds.acceptable, thresholds.marginal),
    )
    said: dict[str, Any] = {
        "mean": {
            "reference": mean.reference,
            "mean": mean.mean,
            "difference": mean.difference,
            "relative": _number(mean.relative),
            "realisations": _listed(mean.realisations),
            "verdict": None if mean.verdict is None else str(mean.verdict),
        },
        "compared": 0 if fields is None else fields.count,
    }
    if fields is None:
        return said
    quantiles, gammas = _looked_at(context, target, fields)
    if distribution is not None:
        histogram = check_histogram(distribution, quantiles)
        names = ("fractions", "reference", "mean", "low", "high")
        said["histogram"] = {name: _listed(getattr(histogram, name)) for name in names}
    grid = _even_grid(target)
    if grid is not None and gammas:
        cell = np.array([float(edges[1]) for edges in grid.edges])
        columns = ("lags_m", "pairs", "model", "mean", "low", "high")
        said["variograms"] = [
            {"axis": check.axis, **{name: _listed(getattr(check, name)) for name in columns}}
            for check in check_variograms(variogram, gammas, cell, grid.axes)
        ]
    return said


def _looked_at(
    context: Context, target: Target, fields: Fields
) -> tuple[list[FloatArray], list[FloatArray]]:
    """Go through the realisations one by one: quantiles of each, and variograms of its scores."""
    quantiles, gammas = [], []
    grid = _even_grid(target)
    cells = _cells(context, target) if grid is not None else None
    for number in range(fields.count):
        quantiles.append(realisation_quantiles(column_of(fields.values, number)))
        if grid is not None and cells is not None:
            cube = np.full(grid.length, np.nan)
            cube[cells] = column_of(fields.scores, number)
            nx, ny, nz = grid.shape
            gammas.append(
                grid_variograms(cube.reshape(nz, ny, nx).T, min(MOST_LAGS, max(grid.shape)))
            )
        context.check()
        context.report(1.0, f"compared realisation {number + 1} of {fields.count}")
    return quantiles, gammas


def column_of(path: Path, number: int) -> FloatArray:
    """Read one realisation: (m,), NaN where it is missing."""
    with parquet.opened(path) as file:
        name = file.schema_arrow.names[number]
        column: pa.ChunkedArray = file.read(columns=[name]).column(0)
    return numbers(column)


def _even_grid(target: Target) -> Grid | None:
    """Give the grid of a target whose blocks are all alike."""
    locations = target.locations
    if isinstance(locations, GridLocations | MaskedLocations) and locations.grid.even:
        return locations.grid
    return None


def _cells(context: Context, target: Target) -> np.ndarray[Any, np.dtype[np.int64]]:
    locations = target.locations
    if not isinstance(locations, GridLocations | MaskedLocations):
        return np.zeros(0, dtype=np.int64)
    chunks = [
        locations.cells(context, first, min(first + CHUNK_ROWS, locations.length))
        for first in range(0, locations.length, CHUNK_ROWS)
    ]
    return np.concatenate(chunks)


def _listed(values: FloatArray) -> list[float | None]:
    return [_number(float(value)) for value in np.asarray(values, dtype=np.float64)]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
