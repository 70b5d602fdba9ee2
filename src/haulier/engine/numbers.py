"""Whole numbers that travel between processes: 64 bits, as MessagePack has them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from haulier.core.problem import Code, Fault, Problem

LEAST: Final = -(2**63)
GREATEST: Final = 2**64 - 1


def check_numbers(value: object) -> None:
    """Refuse what holds a whole number that no other process could be told.

    Args:
        value: a Struct, or JSON.

    Raises:
        Problem: INVALID, with every such number, at the first.
    """
    try:
        msgspec.msgpack.encode(value)
    except OverflowError:
        faults = [
            Fault(at, f"{at} must be a whole number of at most 64 bits")
            for at in _larger(msgspec.to_builtins(value), "")
        ]
        raise Problem(Code.INVALID, faults[0].detail, at=faults[0].at, faults=faults) from None


def _larger(value: Any, at: str) -> Iterator[str]:  # noqa: ANN401 -- JSON
    """Give where numbers of more bits are."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _larger(inner, f"{at}.{name}".lstrip("."))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _larger(inner, f"{at}[{index}]")
    elif isinstance(value, int) and not LEAST <= value <= GREATEST:
        yield at
