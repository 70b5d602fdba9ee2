"""Which points of a cloud count when rasters are made of it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.layout import Records

WITHHELD: Final = 4
#: Low and high noise.
NOISE: Final = (7, 18)

Returns = Literal["all", "first", "last"]


class Choice(msgspec.Struct, frozen=True):
    """Which points of a cloud count; withheld ones never do.

    Attributes:
        classes: only of these; none: of any.
        without: none of these.
        returns: all, or only the first or the last of each pulse.
    """

    classes: tuple[int, ...] = ()
    without: tuple[int, ...] = ()
    returns: Returns = "all"


def chosen(records: Records, choice: Choice) -> NDArray[np.bool_]:
    """Say which records count."""
    chosen_ones = records["classification_flags"] & WITHHELD == 0
    if choice.classes:
        chosen_ones &= np.isin(records["classification"], choice.classes)
    if choice.without:
        chosen_ones &= ~np.isin(records["classification"], choice.without)
    number, of = records["bit_fields"] & 15, records["bit_fields"] >> 4
    if choice.returns == "first":
        chosen_ones &= number <= 1
    elif choice.returns == "last":
        chosen_ones &= number >= of
    return np.asarray(chosen_ones)
