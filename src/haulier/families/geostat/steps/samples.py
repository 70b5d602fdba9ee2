"""Samples: read from a source, without those that are missing or filtered out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import Attribute, AttributeList, find_attribute
from haulier.families.geostat.io.filters import select
from haulier.families.geostat.io.geometry import holes_of, locations_of, steps_of
from haulier.families.geostat.io.objects import GeoObject
from haulier.families.geostat.io.tables import CHUNK_ROWS, FloatArray
from haulier.families.geostat.io.values import check_numbers, check_size, read_numbers
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.params.pieces import Filter

IntArray = NDArray[np.int64]
SAMPLES: Final = "samples"
MOST_SAMPLES: Final = 20_000_000


class Counts(msgspec.Struct, frozen=True):
    """What became of the rows of a source.

    Attributes:
        rows: of the source.
        used: those that are samples.
        missing: those without a value.
        misplaced: those without a place.
        filtered: those that the filter left out.
        low: the least coordinates of those used.
        high: the greatest.
    """

    rows: int
    used: int
    missing: int = 0
    misplaced: int = 0
    filtered: int = 0
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampled:
    """Samples, and which rows of the source they are.

    Attributes:
        places: (n, 3) metres.
        values: (n,) in units of the variable.
        rows: (n,) of the source.
        holes: (n,) codes of drillholes; None where there are none.
        extra: further columns (n,) by name, such as weights or drifts.
    """

    places: FloatArray
    values: FloatArray
    rows: IntArray
    holes: IntArray | None
    extra: Mapping[str, FloatArray]

    @property
    def samples(self) -> Samples:
        """Give them as methods take them."""
        return Samples(self.places, self.values, self.holes)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples are wanted.

    Attributes:
        object_: the source.
        attribute: text of the expression that names the attribute of their values.
        at: the parameter that holds it.
        filter: which rows count.
        filter_at: the parameter that holds the filter.
        extra: further attributes by name.
    """

    object_: GeoObject
    attribute: str
    at: str
    filter: Filter | None = None
    filter_at: str = ""
    extra: Mapping[str, "Further"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Further:
    """A further attribute of samples.

    Attributes:
        object_: the source, of the same or another version.
        attribute: text of the expression that names it.
        at: the parameter that holds it.
    """

    object_: GeoObject
    attribute: str
    at: str


def read_samples(context: Context, wanted: Wanted) -> tuple[Sampled, Counts]:
    """Read the samples that are wanted.

    Raises:
        Problem: INVALID; the attribute is not there or holds no numbers, or no row is left.
    """
    attribute = find_attribute(wanted.object_, wanted.attribute, at=wanted.at)
    check_numbers(attribute)
    places = read_places(context, wanted.object_, attribute.owner)  # refuses what is too large
    values = read_numbers(context, attribute)
    extra = {
        name: read_numbers(context, _parallel(each, attribute))
        for name, each in wanted.extra.items()
    }
    kept = _filtered(context, wanted, attribute.owner)
    valued = np.logical_and.reduce([~np.isnan(each) for each in (values, *extra.values())])
    placed = np.isfinite(places).all(axis=1)
    used = kept & valued & placed
    _check_left(wanted, attribute, kept, valued, used)
    rows = np.flatnonzero(used)
    check_size(values[rows], at=wanted.at)
    for name, each in extra.items():
        check_size(each[rows], at=wanted.extra[name].at)
    counts = Counts(
        len(values),
        len(rows),
        int((kept & ~valued).sum()),
        int((kept & valued & ~placed).sum()),
        int((~kept).sum()),
        tuple(places[rows].min(axis=0).tolist()),
        tuple(places[rows].max(axis=0).tolist()),
    )
    holes = holes_of(context, wanted.object_, attribute.owner)
    sampled = Sampled(
        np.ascontiguousarray(places[rows]),
        values[rows],
        rows,
        None if holes is None else holes[rows],
        {name: each[rows] for name, each in extra.items()},
    )
    return sampled, counts


def _parallel(wanted: Further, attribute: Attribute) -> Attribute:
    """Find an attribute of the same rows as another."""
    found = find_attribute(wanted.object_, wanted.attribute, at=wanted.at)
    same = found.owner.path == attribute.owner.path
    if not same or found.owner.length != attribute.owner.length:
        detail = f"{wanted.at} must be one of {attribute.owner.path}, as '{attribute.name}' is"
        detail += f", of {attribute.owner.length:,} rows"
        got = f"{found.reference} of {found.owner.length:,}"
        raise Problem(Code.INVALID, f"{detail}, got {got}", at=wanted.at)
    return found


def read_places(context: Context, object_: GeoObject, owner: AttributeList) -> FloatArray:
    """Read the places of all rows of an object that is a source: (n, 3) metres.

    Raises:
        Problem: TOO_LARGE; there are more than are held at once.
    """
    if owner.length > MOST_SAMPLES:
        detail = f"{object_.at} has {owner.length:,} locations; at most {MOST_SAMPLES:,} can be "
        raise Problem(Code.TOO_LARGE, f"{detail}samples: filter or thin them", at=object_.at)
    locations = locations_of(context, object_, owner, steps_of(context, object_))
    chunks = [
        locations.places(context, first, min(first + CHUNK_ROWS, owner.length))
        for first in range(0, owner.length, CHUNK_ROWS)
    ]
    return np.concatenate(chunks) if chunks else np.zeros((0, 3))


def _filtered(context: Context, wanted: Wanted, owner: AttributeList) -> NDArray[np.bool_]:
    selection = select(context, wanted.object_, wanted.filter, owner, at=wanted.filter_at)
    if selection is None:
        return np.ones(owner.length, dtype=bool)
    return selection.rows(context, 0, owner.length)


def _check_left(
    wanted: Wanted,
    attribute: Attribute,
    kept: NDArray[np.bool_],
    valued: NDArray[np.bool_],
    used: NDArray[np.bool_],
) -> None:
    """Say why there are no samples, where there are none."""
    if used.any():
        return
    name = f"attribute '{attribute.name}' of '{wanted.object_.title}'"
    if not len(kept):
        raise Problem(Code.INVALID, f"{wanted.at} must have values; {name} has none", at=wanted.at)
    if not kept.any():
        detail = f"{wanted.filter_at} must select samples; it selects none of {len(kept):,} rows"
        raise Problem(Code.INVALID, f"{detail} of '{wanted.object_.title}'", at=wanted.filter_at)
    if not (kept & valued).any():
        detail = f"{wanted.at} must have values; all {int(kept.sum()):,} of {name} are missing"
        raise Problem(Code.INVALID, detail, at=wanted.at)
    detail = f"{wanted.object_.at} must have places; no coordinates of its samples are finite"
    raise Problem(Code.INVALID, detail, at=wanted.object_.at)


def write_samples(path: Path, sampled: Sampled) -> None:
    """Keep samples for the next step."""
    columns: dict[str, Any] = dict(zip("xyz", sampled.places.T, strict=True))
    columns |= {"value": sampled.values, "row": sampled.rows}
    if sampled.holes is not None:
        columns["hole"] = sampled.holes
    columns |= {f"extra.{name}": values for name, values in sampled.extra.items()}
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def load_samples(path: Path) -> Sampled:
    """Load samples that were kept."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all()
        columns = {name: np.array(table[name].to_numpy()) for name in table.column_names}
    extra = {
        name.removeprefix("extra."): values
        for name, values in columns.items()
        if name.startswith("extra.")
    }
    places = np.stack([columns[name] for name in "xyz"], axis=1)
    return Sampled(places, columns["value"], columns["row"], columns.get("hole"), extra)


def left_out(counts: Counts) -> list[str]:
    """Say in sentences which rows of a source were not used."""
    said = []
    if counts.missing:
        said.append(f"Left out for want of a value: {counted(counts.missing, 'sample')}.")
    if counts.misplaced:
        said.append(f"Left out for want of coordinates: {counted(counts.misplaced, 'sample')}.")
    if counts.filtered:
        said.append(f"Filtered out: {counted(counts.filtered, 'sample')}.")
    return said


def counted(count: int, noun: str) -> str:
    """Give a number with its noun."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def spelled(low: Sequence[float], high: Sequence[float]) -> str:
    """Give the bounds of places as a person reads them."""
    sides = zip("xyz", low, high, strict=False)
    return ", ".join(f"{name} {a:.6g} to {b:.6g}" for name, a, b in sides)
