"""Read every point of a cloud once, and count what DATASET_INFO and VALIDATE_LAS speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.dimensions import Taken, dimensions_of
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS
from haulier.families.clouds.method.moments import joined, moments_of
from haulier.families.clouds.method.tallies import Tally, nothing, tally_of

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

SURVEY: Final = "survey.npz"
#: Cells of the map of points, and bins of the heights: finer than what is shown of them.
MAP_CELLS: Final = 512
HEIGHT_BINS: Final = 2048
BYTE, WORD = 256, 65_536


@dataclass
class Survey:
    """What was counted of some points.

    Attributes:
        moments: (batches, dimensions, 5) see `method.moments`; of X, Y and Z as stored.
        where: points by cell of the stored X and Y.
        heights: points by stored Z.
        intensity: points by intensity.
        bits: points by the byte of return number and number of returns.
        flags: points by the byte of flags.
        classes: points by class.
        sources: points by point source.
        twice: points that are in every way where and when another of their batch is.
    """

    moments: FloatArray
    where: Tally = field(default_factory=lambda: nothing(MAP_CELLS, 2))
    heights: Tally = field(default_factory=lambda: nothing(HEIGHT_BINS, 1))
    intensity: IntArray = field(default_factory=lambda: np.zeros(WORD, np.int64))
    bits: IntArray = field(default_factory=lambda: np.zeros(BYTE, np.int64))
    flags: IntArray = field(default_factory=lambda: np.zeros(BYTE, np.int64))
    classes: IntArray = field(default_factory=lambda: np.zeros(BYTE, np.int64))
    sources: IntArray = field(default_factory=lambda: np.zeros(WORD, np.int64))
    twice: IntArray = field(default_factory=lambda: np.zeros(1, np.int64))

    def plus(self, other: Survey) -> Survey:
        """Give what two surveys have together; the other's points come behind."""
        return Survey(
            np.concatenate([self.moments, other.moments]),
            self.where.plus(other.where),
            self.heights.plus(other.heights),
            *(
                getattr(self, each.name) + getattr(other, each.name)
                for each in fields(self)
                if each.name not in {"moments", "where", "heights"}
            ),
        )

    @property
    def whole(self) -> FloatArray:
        """Give the moments of all points, (dimensions, 5)."""
        return joined(self.moments)

    @property
    def point_count(self) -> int:
        """Give how many points were counted."""
        return int(self.classes.sum())

    @property
    def returns(self) -> IntArray:
        """Give points by return number (rows) and number of returns (columns)."""
        return self.bits.reshape(16, 16).T


def survey_of(cloud: Cloud, part: Part, context: Context) -> Survey:
    """Count a range of points."""
    first, last = part.params["first"], part.params["last"]
    dimensions = dimensions_of(cloud.layout)
    whole = empty(cloud)
    done = 0
    for records in cloud.read(first, last, batch=CHUNK_POINTS):
        context.check()
        whole = whole.plus(counted(records, dimensions))
        done += len(records)
        context.report(done / (last - first), "counting points", {"points": done})
    return whole


def empty(cloud: Cloud) -> Survey:
    """Give the survey of none of a cloud's points."""
    return Survey(np.zeros((0, len(dimensions_of(cloud.layout)), 5)))


def counted(records: Records, dimensions: Sequence[Taken]) -> Survey:
    """Count the records of one batch, of at most CHUNK_POINTS."""

    def counts(name: str, length: int) -> IntArray:
        return np.bincount(records[name], minlength=length).astype(np.int64)

    return Survey(
        np.array([[moments_of(each.of(records)) for each in dimensions]]),
        tally_of(MAP_CELLS, records["X"], records["Y"]),
        tally_of(HEIGHT_BINS, records["Z"]),
        counts("intensity", WORD),
        counts("bit_fields", BYTE),
        counts("classification_flags", BYTE),
        counts("classification", BYTE),
        counts("point_source_id", WORD),
        np.array([_twice(records)]),
    )


def _twice(records: Records) -> int:
    """Count the points that have the place, time and return of another one of the batch."""
    mixed = np.zeros(len(records), np.uint64)
    for name in ("X", "Y", "Z", "bit_fields", "gps_time"):
        column = np.ascontiguousarray(records[name])
        bits = column.view(np.uint64) if column.dtype.kind == "f" else column.astype(np.uint64)
        mixed = (mixed ^ bits) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    return len(mixed) - len(np.unique(mixed))


def save(survey: Survey, path: Path) -> None:
    """Keep a survey."""
    columns: dict[str, Any] = {}
    for each in fields(survey):
        value = getattr(survey, each.name)
        if isinstance(value, Tally):
            columns[each.name] = value.counts
            columns[f"{each.name}_cells"] = np.array([value.cells, value.shift, *value.low])
        else:
            columns[each.name] = value
    np.savez(path, **columns)


def load(path: Path) -> Survey:
    """Give a survey that was kept."""
    with np.load(path) as columns:
        given = {each.name: columns[each.name] for each in fields(Survey)}
        for name in ("where", "heights"):
            cells, shift, *low = columns[f"{name}_cells"].tolist()
            given[name] = Tally(cells, shift, tuple(low), given[name])
    return Survey(**given)
