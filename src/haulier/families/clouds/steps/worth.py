"""What the stored numbers of a cloud are worth in their units."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.dimensions import Taken, dimensions_of
from haulier.families.clouds.io.layout import ExtraDimension, Records

FloatArray = NDArray[np.float64]

#: Decimal steps of stored numbers are told apart up to so many digits.
MOST_DIGITS: Final = 12


@dataclass(frozen=True)
class Worth:
    """What a stored number of a dimension is worth."""

    scale: float = 1.0
    offset: float = 0.0

    def of(self, number: float) -> float | None:
        """Give the value; None where there is none."""
        return number * self.scale + self.offset if math.isfinite(number) else None


def worth_of(cloud: Cloud) -> list[Worth]:
    """Give what the stored numbers of each dimension are worth."""
    extra = {each.name: each for each in cloud.layout.extra}
    given = []
    for each in dimensions_of(cloud.layout):
        if each.name in "XYZ":
            axis = "XYZ".index(each.name)
            given.append(Worth(cloud.scales[axis], cloud.offsets[axis]))
        else:
            given.append(_worth(extra.get(each.field)))
    return given


def _worth(dimension: ExtraDimension | None) -> Worth:
    if dimension is None:
        return Worth()
    return Worth(dimension.scale or 1.0, dimension.offset or 0.0)


def values_of(records: Records, taken: Taken, worth: Worth) -> FloatArray:
    """Give the values of a dimension in its unit.

    Where the step is a decimal one, they are the numbers nearest to the decimal, so that
    `Z == 10.07` is true of what is stored as 1007 in steps of 0.01.
    """
    values = taken.of(records).astype(np.float64)
    if worth == Worth():
        return values
    digits = -round(np.log10(abs(worth.scale)))
    meant = np.asarray(values * worth.scale + worth.offset)
    if 0 <= digits <= MOST_DIGITS and np.isclose(abs(worth.scale), 10.0**-digits, rtol=1e-12):
        return np.asarray(np.round(meant, digits))
    return meant


def places_of(records: Records, cloud: Cloud) -> FloatArray:
    """Give the coordinates of records, (n, 3), as `values_of` gives them."""
    given = np.empty((len(records), 3))
    for axis, name in enumerate("XYZ"):
        worth = Worth(cloud.scales[axis], cloud.offsets[axis])
        given[:, axis] = values_of(records, Taken(name, "<i4", name), worth)
    return given
