"""How finely coordinates are stored: a scale and an offset that 32 bits have room for."""

import math
from typing import Final

#: Whole numbers of 32 bits, less a little for points beyond the bounds that were said.
ROOM: Final = 0.95 * 2**31
#: The usual step of metres and feet.
USUAL: Final = 1e-3
#: The finest step of degrees: 0.1 millimetre.
FINEST_DEGREES: Final = 1e-9
STEPS: Final = (1.0, 2.0, 5.0)


class TooWideError(ValueError):
    """A scale leaves too little room for the coordinates of a cloud."""


def linear_scale(extent: float, source_step: float) -> float:
    """Choose the step of coordinates in metres or feet.

    Args:
        extent: from the offset to the farthest coordinate.
        source_step: of what they were made from, in the same unit.

    Returns:
        A thousandth, a finer power of ten if the source is finer, a coarser one where it must be.
    """
    step = USUAL
    if 0 < source_step < USUAL / 2:
        step = 10.0 ** math.floor(math.log10(source_step) + 1e-9)
    while extent / step > ROOM:
        step *= 10
    return _clean(step)


def angular_scale(extent: float) -> float:
    """Choose the finest step of degrees, 1, 2 or 5 times a power of ten, that has room for them."""
    power = FINEST_DEGREES
    while True:
        for factor in STEPS:
            if extent / (factor * power) <= ROOM:
                return _clean(factor * power)
        power *= 10


def checked_scale(scale: float, extent: float) -> float:
    """Give a scale that was asked for.

    Raises:
        TooWideError: it leaves too little room.
    """
    if extent / scale > ROOM:
        raise TooWideError(
            f"a step of {scale:g} reaches {ROOM * scale:,.10g} from the offset, the cloud spans "
            f"{extent:,.10g}"
        )
    return scale


def offset_of(low: float) -> float:
    """Choose what coordinates are counted from: the whole number below the least."""
    return float(math.floor(low))


def _clean(step: float) -> float:
    """Give the number that is written with few digits."""
    return float(f"{step:.6g}")
