"""Filters: which rows of an object satisfy conditions on its attributes."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import (
    CATEGORY,
    STRING,
    Attribute,
    AttributeList,
    find_attribute,
)
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.values import Column, category_names, read_column
from haulier.families.geostat.params.pieces import AllOf, AnyOf, Condition, Filter

BoolArray = NDArray[np.bool_]
COMPARISONS = {
    "equal": np.equal,
    "not_equal": np.not_equal,
    "greater_than": np.greater,
    "greater_than_or_equal_to": np.greater_equal,
    "less_than": np.less,
    "less_than_or_equal_to": np.less_equal,
}


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter whose attributes were found.

    Attributes:
        where: its expression.
        attributes: by the text of the expression that names each.
    """

    where: Condition | AllOf | AnyOf
    attributes: dict[str, Attribute] = field(default_factory=dict)

    def rows(self, context: Context, first: int, last: int) -> BoolArray:
        """Say of each row from `first` up to `last` whether it satisfies the filter.

        A missing value satisfies no condition, not even that it differs from something.
        """
        columns = {
            text: read_column(context, attribute, first, last)
            for text, attribute in self.attributes.items()
        }
        return _evaluate(self.where, columns, last - first)


def select(
    context: Context, object_: GeoObject, filter_: Filter | None, owner: AttributeList, *, at: str
) -> Selection | None:
    """Find the attributes of a filter, and make sure that its conditions fit them.

    Args:
        context: where objects are.
        object_: whose rows are filtered.
        filter_: None selects every row.
        owner: the list whose rows they are.
        at: the parameter that holds the filter.

    Raises:
        Problem: INVALID at the condition; it names no attribute of these rows, or does not fit.
    """
    if filter_ is None:
        return None
    selection = Selection(filter_.where)
    for condition, where in _conditions(filter_.where, f"{at}.where"):
        attribute = find_attribute(object_, condition.attribute, at=f"{where}.attribute")
        if attribute.owner.path != owner.path:
            detail = f"{where}.attribute must be one of {owner.path}, as the rows that it filters"
            raise Problem(Code.INVALID, f"{detail}, got {attribute.reference}", at=where)
        _check_fit(context, condition, attribute, where)
        selection.attributes[condition.attribute] = attribute
    return selection


def _conditions(expression: Condition | AllOf | AnyOf, at: str) -> Iterator[tuple[Condition, str]]:
    if isinstance(expression, Condition):
        yield expression, at
        return
    for number, each in enumerate(expression.filters):
        yield from _conditions(each, f"{at}.filters[{number}]")


def _check_fit(context: Context, condition: Condition, attribute: Attribute, at: str) -> None:
    """Refuse what could never be true: a comparison of words, or categories that are not there."""
    wordy = attribute.type in {CATEGORY, STRING}
    if condition.values is None:
        if wordy:
            detail = f"{at}.operator must be 'in' or 'not_in' for attribute '{attribute.name}'"
            raise Problem(
                Code.INVALID,
                f"{detail} of type {attribute.type!r}, got {condition.operator!r}",
                at=f"{at}.operator",
            )
        return
    if attribute.type == CATEGORY and condition.values:
        names = category_names(context, attribute)
        if not set(condition.values) & ({*names} | {*names.values()}):
            known = ", ".join(f"{name} ({key})" for key, name in list(names.items())[:30])
            detail = f"{at}.values must name categories of '{attribute.name}'"
            raise Problem(
                Code.INVALID,
                f"{detail}, got {list(condition.values)}; there are: {known or 'none'}",
                at=f"{at}.values",
            )
    if not wordy and any(isinstance(value, str) for value in condition.values):
        detail = f"{at}.values must be numbers for attribute '{attribute.name}'"
        raise Problem(
            Code.INVALID,
            f"{detail} of type {attribute.type!r}, got {list(condition.values)}",
            at=f"{at}.values",
        )


def _evaluate(
    expression: Condition | AllOf | AnyOf, columns: dict[str, Column], rows: int
) -> BoolArray:
    if isinstance(expression, Condition):
        return _holds(expression, columns[expression.attribute])
    parts = [_evaluate(each, columns, rows) for each in expression.filters]
    combine = np.logical_and if isinstance(expression, AllOf) else np.logical_or
    return np.asarray(combine.reduce(parts))


def _holds(condition: Condition, column: Column) -> BoolArray:
    if condition.values is None:
        numbers = np.zeros(0) if column.numbers is None else column.numbers
        threshold = np.nan if condition.threshold is None else condition.threshold
        with np.errstate(invalid="ignore"):
            true = COMPARISONS[condition.operator](numbers, threshold)
        return np.asarray(true & ~np.isnan(numbers))
    inside, known = _member(condition.values, column)
    return inside & known if condition.operator == "in" else ~inside & known


def _member(values: tuple[str | int, ...], column: Column) -> tuple[BoolArray, BoolArray]:
    """Say which rows are among the values, and which have a value at all."""
    numbers = [value for value in values if isinstance(value, int)]
    if column.numbers is not None:
        return np.isin(column.numbers, numbers), ~np.isnan(column.numbers)
    words = pa.array([value for value in values if isinstance(value, str)], pa.string())
    inside = _truths(pc.is_in(column.words, words))
    known = _truths(pc.is_valid(column.words))
    if column.keys is not None:
        inside |= _truths(pc.is_in(column.keys, pa.array(numbers, pa.int64())))
        known |= _truths(pc.is_valid(column.keys))
    return inside, known


def _truths(column: pa.ChunkedArray) -> BoolArray:
    return np.asarray(column.to_numpy(), dtype=bool).copy()
