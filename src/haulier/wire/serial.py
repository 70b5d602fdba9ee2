"""Serial numbers of jobs, as paths write them."""

from typing import Final

LAST: Final = 2**63 - 1  # no database counts further
DIGITS: Final = len(str(LAST))


def find_number(text: str) -> int | None:
    """Give the serial number that a part of a path is, or None where it cannot be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= DIGITS):
        return None
    number = int(text)
    return number if number <= LAST else None
