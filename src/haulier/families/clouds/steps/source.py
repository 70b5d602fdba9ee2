"""The cloud that a step reads, with what its units are on the ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pyproj import CRS

from haulier.core.family import Context
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, coordinates, open_cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.notes import Note
from haulier.families.clouds.steps.metric import HeightUnit, Metric, metric_of

INPUT: Final = "input_las"


@dataclass(frozen=True)
class Source:
    """A cloud, opened.

    Attributes:
        cloud: it.
        crs: its coordinate system; None: it says none that is understood.
        wkt: that, as the file has it.
        metric: what its units are in metres.
        notes: warnings found so far.
    """

    cloud: Cloud
    crs: CRS | None
    wkt: str
    metric: Metric
    notes: tuple[Note, ...]


def open_source(step: StepPlan, context: Context, height_unit: HeightUnit = "auto") -> Source:
    """Open the cloud of a step, to be measured in metres.

    Raises:
        Problem: INVALID; it cannot be read, or its X and Y are degrees.
    """
    at = f"inputs.{INPUT}"
    cloud = open_cloud(context.read(step.inputs[INPUT]), at)
    said = crs_of(cloud)
    low, high = _bounds(cloud)
    metric = metric_of(said.crs, low, high, at, height_unit)
    notes = (*cloud.notes, *said.notes, *metric.notes)
    return Source(cloud, said.crs, said.wkt, metric, notes)


def _bounds(cloud: Cloud) -> tuple[Triple, Triple]:
    """Give the bounds of the header, or where they cannot be true of its first points."""
    if cloud.bounds_are_credible or not cloud.point_count:
        return cloud.bounds
    first = next(cloud.read(fields=("X", "Y", "Z")))
    places = coordinates(first, cloud.scales, cloud.offsets)
    low, high = places.min(axis=0).tolist(), places.max(axis=0).tolist()
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])
