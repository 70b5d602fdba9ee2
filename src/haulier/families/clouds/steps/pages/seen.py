"""Everything that is known of a cloud once all of it was read, for the page about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.crs import (
    FileCrs,
    has_height,
    horizontal,
    horizontal_unit_m,
    is_angular,
    vertical_unit_m,
)
from haulier.families.clouds.method.overview import Overview
from haulier.families.clouds.method.sides import Sides, sides_of
from haulier.families.clouds.notes import Note
from haulier.families.clouds.params.report import CloudReport
from haulier.families.clouds.steps import describing
from haulier.families.clouds.steps.crsfindings import cloud_may_lie
from haulier.families.clouds.steps.dataset_info import findings_of
from haulier.families.clouds.steps.finding import Finding, found, ordered
from haulier.families.clouds.steps.metric import HEIGHT_UNITS_M
from haulier.families.clouds.steps.surveying import Survey

FloatArray = NDArray[np.float64]

SHORT: Final[Mapping[str, str]] = {
    "metre": "m", "US survey foot": "US ft", "foot": "ft", "degree": "\N{DEGREE SIGN}",
    "us survey foot": "US ft",
}  # fmt: skip
MOST_DIGITS: Final = 9


@dataclass(frozen=True)
class Before:
    """The step that made the cloud.

    Attributes:
        step: its id.
        values: what it said of it.
    """

    step: str
    values: Mapping[str, Any]

    @property
    def notes(self) -> list[Note]:
        """Give its warnings."""
        return [
            msgspec.convert(each, Note, strict=False) for each in self.values.get("warnings", ())
        ]


@dataclass(frozen=True)
class Seen:
    """A cloud, all of it read.

    Attributes:
        cloud: as it was opened.
        said: what it says of its coordinate system.
        survey: what was counted.
        overview: what it is from above.
        params: what the page is to be.
        before: the step of the job that made the cloud; None: it came from outside.
    """

    cloud: Cloud
    said: FileCrs
    survey: Survey
    overview: Overview
    params: CloudReport
    before: Before | None = None

    @cached_property
    def statistics(self) -> list[dict[str, Any]]:
        """Give the statistics of each dimension."""
        return describing.statistics_of(self.cloud, self.survey)

    @cached_property
    def bounds(self) -> list[float]:
        """Give least X, Y, Z and greatest X, Y, Z; empty without points."""
        return describing.bounds_of(self.statistics)

    @cached_property
    def findings(self) -> list[Finding]:
        """Give all that is wrong or odd, with what the step before warned of; the worst first."""
        earlier = [found(note) for note in self.before.notes] if self.before else []
        return ordered([*findings_of(self.cloud, self.survey, self.said), *earlier])

    @cached_property
    def flat(self) -> CRS | None:
        """Give the system of X and Y, where it has places on a map."""
        crs = self.said.crs
        if crs is None or crs.is_geocentric or not cloud_may_lie(crs):
            return None
        return horizontal(crs)

    @cached_property
    def believed(self) -> CRS | None:
        """Give the system of X and Y, where the points are places of it."""
        if self.flat is None or not self.bounds:
            return self.flat
        south, north = self.bounds[1], self.bounds[4]
        return self.flat if self.sides(np.array([south, north])) is not None else None

    @property
    def is_angular(self) -> bool:
        """Say whether X and Y are degrees."""
        return self.believed is not None and is_angular(self.believed)

    def sides(self, y: FloatArray) -> Sides | None:
        """Give metres on the ground at rows; None where it is not known how long a unit is.

        Args:
            y: (n,) of the rows.
        """
        if not self.bounds or self.said.crs is None:
            return Sides(np.ones(len(y)), np.ones(len(y)))  # taken as metres; a warning says so
        if self.flat is None:
            return None
        middle = (self.bounds[0] + self.bounds[3]) / 2
        return sides_of(self.flat, middle, y, horizontal_unit_m(self.flat))

    @cached_property
    def unit(self) -> str:
        """Give the unit of X and Y, short; empty where it is not known."""
        return _short(self.believed.axis_info[0].unit_name) if self.believed is not None else ""

    @cached_property
    def height_m(self) -> float:
        """Give the metres of a unit of Z."""
        asked, crs = self.params.height_unit, self.said.crs
        if asked != "auto":
            return HEIGHT_UNITS_M[asked]
        return vertical_unit_m(crs) if crs is not None and self.believed is not None else 1.0

    @cached_property
    def height_unit(self) -> str:
        """Give the unit of Z, short; empty where it is not known."""
        asked, crs = self.params.height_unit, self.said.crs
        if asked != "auto":
            return _short(asked.replace("_", " "))
        if crs is None or self.believed is None:
            return ""
        if has_height(crs):
            return _short(crs.axis_info[2].unit_name)
        return "m" if is_angular(crs) else self.unit

    def coordinate(self, value: float, axis: int) -> str:
        """Write a coordinate with as many decimals as are stored."""
        digits = math.ceil(-math.log10(self.cloud.scales[axis]) - 1e-9)
        text = f"{value:,.{min(max(digits, 0), MOST_DIGITS)}f}"
        return text.replace("-", "\N{MINUS SIGN}")


def _short(unit: str) -> str:
    return SHORT.get(unit, unit)
