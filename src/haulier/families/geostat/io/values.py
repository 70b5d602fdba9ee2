"""Values of attributes, whole or by rows: numbers, categories, texts, realisations."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import (
    BOOL,
    CATEGORY,
    ENSEMBLE,
    INTEGER,
    SCALAR,
    STRING,
    Attribute,
)
from haulier.families.geostat.io.tables import (
    FloatArray,
    is_number,
    matrix,
    open_table,
    read_rows,
)
from haulier.families.geostat.params.pieces import LARGEST

NUMBERS = (SCALAR, INTEGER)


@dataclass(frozen=True, slots=True)
class Column:
    """Rows of one attribute that a filter looks at.

    Attributes:
        numbers: (n,) doubles, NaN where missing; of scalars, integers and booleans.
        words: (n,) texts, null where missing; of texts and categories.
        keys: (n,) whole numbers, null where missing; of categories.
    """

    numbers: FloatArray | None = None
    words: pa.ChunkedArray | None = None
    keys: pa.ChunkedArray | None = None


def check_numbers(attribute: Attribute) -> None:
    """Make sure that an attribute holds one number a row.

    Raises:
        Problem: INVALID at the parameter, with what it holds instead.
    """
    _check_type(attribute, NUMBERS, "numbers")


def check_ensemble(attribute: Attribute) -> None:
    """Make sure that an attribute holds one or more realisations a row.

    Raises:
        Problem: INVALID at the parameter, with what it holds instead.
    """
    _check_type(attribute, (ENSEMBLE, SCALAR), "realisations")


def _check_type(attribute: Attribute, allowed: tuple[str, ...], what: str) -> None:
    if attribute.type not in allowed:
        detail = (
            f"{attribute.at} must hold {what} ({' or '.join(allowed)}); attribute "
            f"'{attribute.name}' is of type {attribute.type!r}"
        )
        raise Problem(Code.INVALID, detail, at=attribute.at)
    length = (attribute.document.get("values") or {}).get("length")
    if length != attribute.owner.length:
        detail = f"attribute '{attribute.name}' must have {attribute.owner.length} values"
        raise Problem(Code.INVALID, f"{detail}, its object says {length}", at=attribute.at)


def width_of(attribute: Attribute) -> int:
    """Give how many values each row of an attribute has."""
    return int(attribute.document.get("values", {}).get("width") or 1)


def read_numbers(
    context: Context, attribute: Attribute, first: int = 0, last: int | None = None
) -> FloatArray:
    """Read rows of an attribute of numbers: (n,), NaN where they are missing.

    Raises:
        Problem: it is no such attribute, or its values cannot be read.
    """
    check_numbers(attribute)
    return read_realisations(context, attribute, first, last)[:, 0]


def read_realisations(
    context: Context, attribute: Attribute, first: int = 0, last: int | None = None
) -> FloatArray:
    """Read rows of an attribute of realisations: (n, r), NaN where they are missing."""
    check_ensemble_or_number(attribute)
    table = _rows(context, attribute, first, last)
    if not all(map(is_number, table.schema.types)):
        detail = f"the values of attribute '{attribute.name}' must be numbers"
        raise Problem(Code.INVALID, f"{detail}, got {table.schema.types}", at=attribute.at)
    values = matrix(table)
    for missing in missing_values(attribute.document):
        values[values == missing] = np.nan
    values[~np.isfinite(values)] = np.nan
    return values


def check_ensemble_or_number(attribute: Attribute) -> None:
    """Make sure that an attribute holds numbers, whatever their count a row."""
    _check_type(attribute, (ENSEMBLE, *NUMBERS), "numbers")


def check_size(values: FloatArray, *, at: str, most: float = LARGEST) -> None:
    """Make sure that values can be computed with and drawn, those that are missing aside.

    Raises:
        Problem: INVALID at the parameter, with the first value that is too large.
    """
    large = values[np.abs(values) > most]
    if len(large):
        detail = f"{at} must have values from {-most:g} to {most:g}, got {large[0]:g}"
        raise Problem(Code.INVALID, f"{detail}: filter it out, or say that it is none", at=at)


def missing_values(document: Mapping[str, object]) -> tuple[float, ...]:
    """Give the numbers that stand for a missing value."""
    description = document.get("nan_description")
    values = description.get("values") if isinstance(description, Mapping) else None
    return tuple(value for value in values or () if isinstance(value, int | float))


def _rows(context: Context, attribute: Attribute, first: int, last: int | None) -> pa.Table:
    info = attribute.document.get("values")
    what = f"attribute '{attribute.name}'"
    with open_table(context, info, at=attribute.at, what=what) as file:
        return read_rows(file, first, attribute.owner.length if last is None else last)


def read_column(
    context: Context, attribute: Attribute, first: int = 0, last: int | None = None
) -> Column:
    """Read rows of an attribute of any type that a filter can look at.

    Raises:
        Problem: INVALID; it is of another type, or its values cannot be read.
    """
    if attribute.type in NUMBERS:
        return Column(numbers=read_numbers(context, attribute, first, last))
    if attribute.type == CATEGORY:
        return _categories(context, attribute, first, last)
    if attribute.type not in {BOOL, STRING}:
        detail = f"{attribute.at} must hold numbers, categories, texts or truths; attribute "
        detail += f"'{attribute.name}' is of type {attribute.type!r}"
        raise Problem(Code.INVALID, detail, at=attribute.at)
    column = _rows(context, attribute, first, last).column(0)
    if attribute.type == STRING:
        return Column(words=column.cast(pa.string()))
    truths = column.cast(pa.bool_()).cast(pa.uint8()).cast(pa.float64())
    return Column(numbers=truths.to_numpy())


def _categories(context: Context, attribute: Attribute, first: int, last: int | None) -> Column:
    keys = _rows(context, attribute, first, last).column(0).cast(pa.int64())
    missing = pa.array([int(value) for value in missing_values(attribute.document)], pa.int64())
    keys = pc.if_else(pc.is_in(keys, missing), pa.scalar(None, pa.int64()), keys)
    names = category_names(context, attribute)
    places = pc.index_in(keys, pa.array(list(names), pa.int64()))
    words = pa.array(list(names.values()), pa.string()).take(pa.chunked_array(places))
    return Column(words=words, keys=keys)


def category_names(context: Context, attribute: Attribute) -> dict[int, str]:
    """Give the names of the categories of an attribute, by their keys."""
    what = f"the categories of attribute '{attribute.name}'"
    with open_table(context, attribute.document.get("table"), at=attribute.at, what=what) as file:
        return _lookup(file, attribute, what)


def _lookup(file: pq.ParquetFile, attribute: Attribute, what: str) -> dict[int, str]:
    table = file.read()
    types = table.schema.types
    if len(types) != 2 or not pa.types.is_integer(types[0]):  # noqa: PLR2004 -- key and value
        detail = f"{what} must be a table of keys and names, got {types}"
        raise Problem(Code.INVALID, detail, at=attribute.at)
    return dict(zip(table[0].to_pylist(), map(str, table[1].to_pylist()), strict=True))


BoolArray = NDArray[np.bool_]
