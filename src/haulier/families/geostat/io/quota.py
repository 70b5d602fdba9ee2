"""How many locations one job of an organisation may fill: an entry of the catalog says."""

from typing import Final

from haulier.core.family import Context
from haulier.core.problem import Code, Problem

ENTRY: Final = "limits"
NAME: Final = "geostat"
MOST_BLOCKS: Final = 200_000_000


def check_quota(context: Context, locations: int, *, at: str) -> None:
    """Refuse a job that is larger than the organisation's quota.

    Raises:
        Problem: TOO_LARGE at the parameter, with what can be done about it.
    """
    most = most_blocks(context)
    if locations > most:
        raise Problem(
            Code.TOO_LARGE,
            f"{at} has {locations:,} locations, more than the {most:,} that one job may fill: use "
            "a coarser grid, cut the grid into several, or ask the operator for a larger quota "
            f"(`haulier limits set {NAME} max_blocks ...`)",
            at=at,
        )


def most_blocks(context: Context) -> int:
    """Give the largest number of locations of one job."""
    try:
        body = context.catalog(ENTRY, NAME)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        return MOST_BLOCKS
    said = body.get("max_blocks", MOST_BLOCKS)
    if not isinstance(said, int) or isinstance(said, bool) or said < 0:
        detail = f"max_blocks of catalog entry '{NAME}' must be a whole number, got {said!r}"
        raise Problem(Code.INVALID, detail, at=ENTRY)
    return said
