"""Where the points of a cloud are: its outline, on the ground and on a map, and its density."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from haulier.core.problem import Problem
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import FileCrs, horizontal
from haulier.families.clouds.method.outline import outline_of
from haulier.families.clouds.method.projection import position
from haulier.families.clouds.steps.crsfindings import cloud_may_lie
from haulier.families.clouds.steps.describing import narrowed
from haulier.families.clouds.steps.metric import Metric, metric_of
from haulier.families.clouds.steps.surveying import Survey

FloatArray = NDArray[np.float64]

#: Digits of longitude and latitude: a centimetre.
DIGITS: Final = 7
#: So many points the cells with points hold on average, so that gaps between points are no holes.
OUTLINE_POINTS: Final = 4
DENSITY_POINTS: Final = 16


def outline_document(cloud: Cloud, said: FileCrs, survey: Survey, cells: int) -> dict[str, Any]:
    """Give the outline of the cells that hold points."""
    if not survey.where.total:
        return {}
    tally = narrowed(survey.where, cells).filled(OUTLINE_POINTS)
    width = 1 << tally.shift
    size = (width * cloud.scales[0], width * cloud.scales[1])
    corner = (
        tally.low[0] * size[0] + cloud.offsets[0],
        tally.low[1] * size[1] + cloud.offsets[1],
    )
    shape = outline_of(tally.counts > 0, corner, size)
    given: dict[str, Any] = {
        "cell": list(size),
        "area": float(shape.area),
        "native": shapely.geometry.mapping(shape),
    }
    if (flat := _flat(said.crs)) is not None:
        given["EPSG:4326"] = on_earth(shape, flat)
    return given


def on_earth(shape: BaseGeometry, flat: CRS) -> dict[str, Any] | None:
    """Give a shape in longitude and latitude of its own datum; None if it is no place."""

    def moved(places: FloatArray) -> FloatArray:
        return np.stack(position(flat, places[:, 0], places[:, 1]), axis=1)

    degrees = shapely.transform(shape, moved)
    if not np.isfinite(shapely.get_coordinates(degrees)).all():
        return None
    rounded = shapely.transform(degrees, lambda places: np.round(places, DIGITS))
    document: dict[str, Any] = shapely.geometry.mapping(rounded)
    return document


def density_document(cloud: Cloud, said: FileCrs, survey: Survey) -> dict[str, Any]:
    """Give points by area of the cells that hold any; by square metre where that has a meaning."""
    if not survey.where.total:
        return {}
    tally = survey.where.filled(DENSITY_POINTS)
    held = tally.counts[tally.counts > 0]
    width = 1 << tally.shift
    area = width * cloud.scales[0] * width * cloud.scales[1]
    shares = np.percentile(held, (5, 50, 95)) / area
    given: dict[str, Any] = {
        "cell": [width * cloud.scales[0], width * cloud.scales[1]],
        "cells_with_points": int(held.size),
        "per_square_unit": float(held.sum() / (held.size * area)),
        "per_square_unit_percentiles": dict(zip(("5", "50", "95"), shares.tolist(), strict=True)),
    }
    metric = _metric(cloud, said)
    if metric is not None:
        per_m2 = given["per_square_unit"] / metric.ground_m**2
        given["per_square_metre"] = per_m2
        given["spacing_m"] = per_m2**-0.5
        given["map_scale"] = metric.map_scale
    return given


def _metric(cloud: Cloud, said: FileCrs) -> Metric | None:
    """Give the metres of a unit; None for degrees and for systems of no place."""
    if _flat(said.crs) is None:
        return None
    try:
        return metric_of(said.crs, *cloud.bounds, "input_las")
    except Problem:
        return None


def _flat(crs: CRS | None) -> CRS | None:
    return horizontal(crs) if crs is not None and cloud_may_lie(crs) else None
