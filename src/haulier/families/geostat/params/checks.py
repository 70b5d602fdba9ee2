"""Checks of whole parameters: every reference, expression, number and rule, all faults at once."""

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, get_args

import msgspec
from msgspec import Meta

from haulier.core.problem import Code, Fault, Problem
from haulier.families.geostat.params.expressions import check_expression
from haulier.families.geostat.params.outputs import attribute_faults
from haulier.families.geostat.params.pieces import (
    EXPRESSION,
    PATH_REFERENCE,
    REFERENCE,
    AllOf,
    AnyOf,
    Parameters,
)
from haulier.families.geostat.params.references import parse_reference
from haulier.families.geostat.params.rules import RULES, below

DEEPEST_FILTER: Final = 16


def check_params(params: Parameters) -> None:
    """Make sure that parameters can be right, without looking at any data.

    Raises:
        Problem: INVALID with every fault that was found, at the path of the first.
    """
    faults = [*_struct(params, "", 0), *attribute_faults(params)]
    if faults:
        first = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Problem(Code.INVALID, first.detail + more, at=first.at, faults=faults)


def _struct(given: msgspec.Struct, at: str, filters: int) -> Iterator[Fault]:
    """Look through a piece and all that is in it."""
    if isinstance(given, AllOf | AnyOf):
        filters += 1
        if filters > DEEPEST_FILTER:
            yield Fault(at, f"{at} must be nested at most {DEEPEST_FILTER} deep")
            return
    for name, what in _fields(type(given)):
        yield from _value(getattr(given, name), below(at, name), what, filters)
    rule = RULES.get(type(given))
    if rule is not None:
        yield from rule(given, at)


def _value(value: Any, at: str, what: str, filters: int) -> Iterator[Fault]:  # noqa: ANN401 -- any field
    if isinstance(value, msgspec.Struct):
        yield from _struct(value, at, filters)
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _value(each, f"{at}[{index}]", what, filters)
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(at, f"{at} must be a finite number, got {value}")
    elif isinstance(value, str):
        yield from _text(value, at, what)


def _text(value: str, at: str, what: str) -> Iterator[Fault]:
    try:
        if what == EXPRESSION:
            check_expression(value, at=at)
        elif what in {REFERENCE, PATH_REFERENCE}:
            reference = parse_reference(value, at=at)
            if what == PATH_REFERENCE and (not reference.path or reference.version):
                detail = f"{at} must name the path of the new object, .../objects/path/{{path}}"
                yield Fault(at, f"{detail}, without a version, got {value!r}")
    except Problem as problem:
        yield Fault(at, problem.detail)


def references(params: msgspec.Struct) -> dict[str, str]:
    """Give every reference to an object that is there, by the path of its field."""
    return dict(_references(params, ""))


def _references(value: Any, at: str, what: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 -- any field
    if isinstance(value, msgspec.Struct):
        for name, inner in _fields(type(value)):
            yield from _references(getattr(value, name), below(at, name), inner)
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _references(each, f"{at}[{index}]", what)
    elif isinstance(value, str) and what == REFERENCE:
        yield at, value


@cache
def _fields(type_: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Give the fields of a piece, each with what its text is."""
    return tuple((field.name, _what(field.type)) for field in msgspec.structs.fields(type_))


def _what(annotation: Any) -> str:  # noqa: ANN401 -- a type
    """Find the mark that says what a text is, within unions and tuples too."""
    for each in get_args(annotation):
        if isinstance(each, Meta):
            if each.extra and "is" in each.extra:
                return str(each.extra["is"])
        elif found := _what(each):
            return found
    return ""
