"""Move records to another coordinate system: by polynomials that are checked, or by PROJ."""

from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Problem
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.io.layout import Layout, Records
from haulier.families.clouds.method.polynomials import quantise
from haulier.families.clouds.method.projection import transform_of
from haulier.families.clouds.method.surrogate import Surrogate, fit
from haulier.families.clouds.notes import trap
from haulier.families.clouds.steps.crossing import Crossing
from haulier.families.clouds.steps.heights import Treatment

FloatArray = NDArray[np.float64]

#: One of so many points is compared with PROJ while all are moved.
CHECKED: Final = 1000


class Tally(msgspec.Struct, frozen=True):
    """How points were moved.

    Attributes:
        checked: points at which polynomials were compared with PROJ.
        worst_m: the largest difference there, of polynomials that were used.
        by_proj: points that PROJ moved.
        outside: points beyond the bounds that the header says.
    """

    checked: int = 0
    worst_m: float = 0.0
    by_proj: int = 0
    outside: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Give both together."""
        return Tally(
            self.checked + other.checked,
            max(self.worst_m, other.worst_m),
            self.by_proj + other.by_proj,
            self.outside + other.outside,
        )


class Mover:
    """Moves arrays of records; what becomes of one depends on no other."""

    def __init__(self, crossing: Crossing, scales: Triple, offsets: Triple) -> None:
        self._crossing = crossing
        self._scales = np.array(scales)
        self._offsets = np.array(offsets)
        self._axes = "XYZ" if crossing.treatment == "transformed" else "XY"
        self._exact = transform_of(crossing.pipeline)
        self._surrogate = surrogate_of(crossing)

    def move(self, records: Records, first: int) -> Tally:
        """Write new coordinates into records.

        Args:
            records: with X, Y and Z of the source.
            first: the number of the first of them, for messages.

        Raises:
            Problem: INVALID with NOT_TRANSFORMABLE or SCALE_OVERFLOW.
        """
        places = [np.ascontiguousarray(records[axis]) for axis in self._axes]
        values, tally = self._by_polynomials(places)
        if values is None:
            values = self._by_proj(places)
        if self._crossing.treatment == "scaled":
            height = records["Z"] * self._scales[2] + self._offsets[2]
            values = (*values, height * self._crossing.factor)
        for axis, given in enumerate(values):
            self._store(records, axis, given, first)
        return tally

    def _by_polynomials(
        self, places: list[NDArray[np.int32]]
    ) -> tuple[tuple[FloatArray, ...] | None, Tally]:
        """Give new coordinates, or None where they cannot be trusted."""
        every = len(places[0])
        if self._surrogate is None:
            return None, Tally(by_proj=every)
        values, outside = self._surrogate(places, self._scales, self._offsets)
        if outside:
            return None, Tally(by_proj=every, outside=outside)
        exact = self._by_proj([place[::CHECKED] for place in places])
        units = self._crossing.units_m
        errors = [
            unit * float(np.max(np.abs(one[::CHECKED] - other)))
            for unit, one, other in zip(units, values, exact, strict=False)
        ]
        if not max(errors) <= self._crossing.tolerance_m:  # NaN is none either
            return None, Tally(by_proj=every)
        return values, Tally(checked=len(exact[0]), worst_m=max(errors))

    def _by_proj(self, places: list[NDArray[np.int32]]) -> tuple[FloatArray, ...]:
        given = [
            place * self._scales[axis] + self._offsets[axis] for axis, place in enumerate(places)
        ]
        return tuple(np.asarray(values) for values in self._exact(*given))

    def _store(self, records: Records, axis: int, values: FloatArray, first: int) -> None:
        scale, offset = self._crossing.scales[axis], self._crossing.offsets[axis]
        refused = quantise(values, scale, offset, records["XYZ"[axis]])
        if refused:
            raise self._refused(values, axis, first)

    def _refused(self, values: FloatArray, axis: int, first: int) -> Problem:
        lost = ~np.isfinite(values)
        name = "XYZ"[axis]
        if np.any(lost):
            number = first + int(np.argmax(lost))
            message = f"point {number:,} and {int(lost.sum()) - 1:,} more have no {name} there"
            hint = "choose a target of the cloud's region, or crop the cloud first"
            return trap("NOT_TRANSFORMABLE", message, hint, at="target_epsg")
        farthest = float(values[np.argmax(np.abs(values - self._crossing.offsets[axis]))])
        message = (
            f"{name} of {farthest:,.3f} is too far from the offset "
            f"{self._crossing.offsets[axis]:,.0f} for a step of {self._crossing.scales[axis]:g}"
        )
        hint = "the header's bounds do not hold its points: write the file anew, or set scale"
        return trap("SCALE_OVERFLOW", message, hint, at="scale")


@lru_cache(maxsize=16)
def surrogate_of(crossing: Crossing) -> Surrogate | None:
    """Fit polynomials for a crossing, once in a process; None where none are good enough."""
    if not crossing.tolerance_m:
        return None
    number = 3 if crossing.treatment == "transformed" else 2
    return fit(
        transform_of(crossing.pipeline),
        crossing.low[:number],
        crossing.high[:number],
        tolerance=crossing.tolerance_m,
        units=crossing.units_m[:number],
        has_kinks=crossing.has_kinks,
    )


def warm() -> None:
    """Load PROJ and the kernels, and compile these if they are not yet."""
    treatments: tuple[Treatment, ...] = ("kept", "transformed")
    for treatment in treatments:
        crossing = Crossing(
            pipeline="proj=pipeline step proj=affine s11=0.5",
            treatment=treatment,
            factor=1.0,
            scales=(1e-3, 1e-3, 1e-3),
            offsets=(0.0, 0.0, 0.0),
            low=(0.0, 0.0, 0.0),
            high=(1.0, 1.0, 1.0),
            units_m=(1.0, 1.0, 1.0),
            tolerance_m=1e-5,
            has_kinks=False,
        )
        mover = Mover(crossing, (1e-3, 1e-3, 1e-3), (0.0, 0.0, 0.0))
        mover.move(np.zeros(1, Layout(7).dtype), 0)
