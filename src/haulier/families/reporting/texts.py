"""How numbers are written: four digits that mean something, and a dash for what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

DASH: Final = "\N{EN DASH}"
MINUS: Final = "\N{MINUS SIGN}"
LONGEST: Final = 8  # numbers of a list that are shown; more are counted


def number(value: float | None, digits: int = 4) -> str:
    """Write a number for people: 12,345 or 0.5312, never 1.234e+04.

    Args:
        value: any; None and NaN are missing.
        digits: how many are worth reading; digits before the point are always written.
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    if value != 0 and abs(value) < 10.0**-digits:
        return f"{value:.{digits - 1}g}".replace("-", MINUS)
    size = 0 if value == 0 else math.floor(math.log10(abs(value)))
    text = f"{value:,.{max(digits - 1 - size, 0)}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", MINUS)


def sentence(text: str) -> str:
    """Write a remark as a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def settled(value: float, spread: float, digits: int = 4) -> float:
    """Round what is only noise beside a spread: a mean of 1e-17 with a deviation of 1 is zero."""
    if not (math.isfinite(value) and spread > 0 and math.isfinite(spread)):
        return value
    return round(value, digits - 1 - math.floor(math.log10(spread)))


def cell(value: Any) -> str:  # noqa: ANN401 -- whatever stands in a table or in parameters
    """Write what a table's cell or a parameter holds."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return _listed(value)
    return DASH if value is None or value in ("", {}) else str(value)


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(cell(each) for each in values[:LONGEST])
    more = len(values) - LONGEST
    return f"{shown}, and {more:,} more" if more > 0 else shown or DASH


def flattened(parameters: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give nested parameters as dotted names with their values, in the order given."""
    for name, value in parameters.items():
        yield from _flat(f"{prefix}{name}", value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 -- see cell
    if isinstance(value, Mapping) and value:
        yield from flattened(value, f"{name}.")
    elif _of_mappings(value):
        for position, each in enumerate(value):
            yield from flattened(each, f"{name}[{position}].")
    else:
        yield name, value


def _of_mappings(value: Any) -> bool:  # noqa: ANN401 -- see cell
    listed = isinstance(value, Sequence) and not isinstance(value, str | bytes)
    return listed and bool(value) and all(isinstance(each, Mapping) for each in value)
