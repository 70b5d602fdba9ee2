"""First stage of all that makes rasters of clouds: points gathered by cell, range by range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Problem
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.cells import (
    HEIGHTS,
    REDUCTIONS,
    STEPS,
    Cells,
    Int32Array,
    blocks_of,
    cell_of,
    cells_dtype,
    gather,
    join,
    join_within,
    runs_of,
)
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.notes import trap
from haulier.families.clouds.steps.choice import Choice, chosen

STAGE: Final = "grid"
#: Points of a part, which a process holds at once.
PART_POINTS: Final = 1_000_000
COLOURS: Final = ("red", "green", "blue", "nir")
READ_SHARE: Final = 0.8
#: A raster with more would be a mistake: often one point lies far from all others.
MOST_CELLS: Final = 10**10
#: Nor may it be a line of ever so many tiles; GeoTIFF and our whole numbers end at 2**31.
MOST_SIDE: Final = 10**7
#: Of one point alone, cells of no area could be made.
LEAST_CELL: Final = 1e-9


class Layer(msgspec.Struct, frozen=True):
    """One table of cells.

    Attributes:
        choice: of the points in it.
        fields: what is kept of a cell.
    """

    choice: Choice = Choice()
    fields: tuple[str, ...] = HEIGHTS


class Gridding(msgspec.Struct, frozen=True):
    """What is gathered.

    Attributes:
        cell: side of a cell, in the unit of X and Y.
        layers: tables of such cells.
        at: the parameter that says how large cells are.
    """

    cell: float
    layers: dict[str, Layer]
    at: str = "resolution"


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """What one part gave of a layer: where its cells are, and its heights in quanta."""

    key: str
    points: int
    window: tuple[int, int, int, int]
    low: int
    high: int


class Gridded(msgspec.Struct, frozen=True):
    """A layer of all parts.

    Attributes:
        cell: side of a cell, in the unit of X and Y.
        points: in it.
        window: top, left, rows and columns of its cells.
        low: the least height, in quanta.
        high: the greatest.
        pieces: the parts that have some of it.
    """

    cell: float
    points: int
    window: tuple[int, int, int, int]
    low: int
    high: int
    pieces: tuple[Piece, ...]

    @property
    def cells(self) -> Window:
        """Give its window."""
        return Window(*self.window)


def split(cloud: Cloud, gridding: Gridding, at: str) -> Sequence[Part]:
    """Give ranges of points.

    Raises:
        Problem: INVALID with CLOUD_EMPTY.
    """
    if not cloud.point_count:
        raise trap("CLOUD_EMPTY", "the cloud has no points", "name one that has some", at=at)
    said = msgspec.to_builtins(gridding)
    return [
        Part(f"{first:012d}", {"first": first, "last": last, "gridding": said}, float(last - first))
        for first, last in cloud.ranges(PART_POINTS)
    ]


def run(cloud: Cloud, part: Part, context: Context) -> PartResult:
    """Gather the points of a range.

    Raises:
        Problem: INVALID; there are more cells than can be counted, or the file is damaged.
    """
    gridding = msgspec.convert(part.params["gridding"], Gridding)
    first, last = part.params["first"], part.params["last"]
    tables: dict[str, list[Cells]] = {name: [] for name in gridding.layers}
    done = 0
    for records in cloud.read(first, last, fields=_fields(gridding, cloud)):
        context.check()
        places = _places(records, cloud, gridding)
        for name, layer in gridding.layers.items():
            tables[name].append(_gathered(records, places, layer))
        done += len(records)
        context.report(READ_SHARE * done / (last - first), "gathering points", {"points": done})
    pieces = {}
    for name, several in tables.items():
        pieces[name] = _write(join(several), part.key, context, name)
    values = {"pieces": msgspec.to_builtins(pieces), "gridding": part.params["gridding"]}
    return PartResult(values, {"points": float(done)})


def merge(results: Mapping[str, PartResult], points: int) -> StepResult:
    """Say what is in the layers of all parts.

    Args:
        results: of the parts.
        points: of the cloud.

    Raises:
        Problem: INVALID with NO_POINTS_CHOSEN: a layer has none.
    """
    first = next(iter(results.values()))
    gridding = msgspec.convert(first.values["gridding"], Gridding)
    found: dict[str, list[Piece]] = {name: [] for name in gridding.layers}
    for result in results.values():
        for name, piece in msgspec.convert(result.values["pieces"], dict[str, Piece]).items():
            if piece.points:
                found[name].append(piece)
    layers = {name: _layer(gridding.cell, pieces) for name, pieces in found.items()}
    for name, layer in layers.items():
        if not layer.points:
            raise _none_chosen(name, gridding.layers[name].choice, points)
        _check_size(layer, gridding.at)
    return StepResult({"layers": msgspec.to_builtins(layers)}, {"points": float(points)})


def _check_size(layer: Gridded, at: str) -> None:
    if layer.cell < LEAST_CELL:
        message = f"cells of {layer.cell:g} are too small for an area, at least {LEAST_CELL:g}"
        raise trap("CELL_TOO_SMALL", message, "ask for larger cells", at=at)
    rows, columns = layer.cells.shape
    if rows * columns > MOST_CELLS or max(rows, columns) > MOST_SIDE:
        message = (
            f"cells of {layer.cell:g} over {columns * layer.cell:.6g} by {rows * layer.cell:.6g} "
            f"are {columns:,} by {rows:,}, at most {MOST_CELLS:,} in all and {MOST_SIDE:,} along a "
            "side may be"
        )
        hint = "crop points that lie far from the others, or ask for larger cells"
        raise trap("TOO_MANY_CELLS", message, hint, at=at)


def _none_chosen(name: str, choice: Choice, points: int) -> Problem:
    message = (
        f"of {points:,} points none count for '{name}': classes {list(choice.classes) or 'any'} "
        f"without {list(choice.without) or 'none'}, returns {choice.returns}, not withheld"
    )
    hint = "choose others, or run CLASSIFY_GROUND first"
    return trap("NO_POINTS_CHOSEN", message, hint, at="classes")


def layers_of(context: Context) -> dict[str, Gridded]:
    """Give what the stage gathered, in a later one."""
    return msgspec.convert(context.values(f"stage:{STAGE}")["layers"], dict[str, Gridded])


def read_cells(context: Context, layer: Gridded, name: str, window: Window) -> Cells:
    """Give the cells of a layer within a window, from all parts."""
    tables = []
    for piece in layer.pieces:
        if not Window(*piece.window).common(window):
            continue
        folder = context.part_file(f"{name}-blocks.npy", piece.key, stage=STAGE).parent
        tables.append(_load(folder, name, window))
    return join_within(tables, window) if tables else np.zeros(0, cells_dtype(list(REDUCTIONS)))


class Places(msgspec.Struct, frozen=True):
    """The cells that records lie in, and how far into them to the south and to the east."""

    rows: Int32Array
    columns: Int32Array
    south: NDArray[np.float64]
    east: NDArray[np.float64]


def _places(records: Records, cloud: Cloud, gridding: Gridding) -> Places:
    scales, offsets, cell = cloud.scales, cloud.offsets, gridding.cell
    try:
        columns, east = cell_of(records["X"], scales[0], offsets[0], cell)
        ups, north = cell_of(records["Y"], scales[1], offsets[1], cell)
    except ValueError as error:
        raise trap("CELL_TOO_SMALL", str(error), "ask for larger cells", at=gridding.at) from None
    return Places(-1 - ups, columns, 1.0 - north, east)


def _fields(gridding: Gridding, cloud: Cloud) -> list[str]:
    """Give the fields that must be decoded."""
    wanted = {"X", "Y", "Z", "classification_flags", "bit_fields"}
    for layer in gridding.layers.values():
        if layer.choice.classes or layer.choice.without or "class_low" in layer.fields:
            wanted.add("classification")
        wanted.update({"intensity", *COLOURS}.intersection(layer.fields))
    return [name for name in cloud.layout.dtype.names or () if name in wanted]


def _gathered(records: Records, places: Places, layer: Layer) -> Cells:
    mask = chosen(records, layer.choice)
    values: dict[str, NDArray[Any]] = {}
    heights = records["Z"][mask]
    for name in layer.fields:
        if name == "count":
            values[name] = np.ones(len(heights), dtype=np.int64)
        elif name in {"low", "high", "total"}:
            values[name] = heights
        elif name in {"south", "east"}:
            into = getattr(places, name)[mask]
            values[name] = np.rint(into * STEPS).astype(np.int64)
        elif name in {"class_low", "class_high"}:
            values[name] = records["classification"][mask]
        else:
            values[name] = records[name][mask]
    return gather(places.rows[mask], places.columns[mask], values)


def _write(cells: Cells, key: str, context: Context, name: str) -> Piece:
    np.save(context.part_file(f"{name}.npy"), cells)
    np.save(context.part_file(f"{name}-blocks.npy"), blocks_of(cells))
    if not len(cells):
        return Piece(key, 0, (0, 0, 0, 0), 0, 0)
    rows, columns = cells["row"], cells["column"]
    top, left = int(rows.min()), int(columns.min())
    window = (top, left, int(rows.max()) - top + 1, int(columns.max()) - left + 1)
    points = int(cells["count"].sum(dtype=np.int64))
    return Piece(key, points, window, int(cells["low"].min()), int(cells["high"].max()))


def _layer(cell: float, pieces: Sequence[Piece]) -> Gridded:
    if not pieces:
        return Gridded(cell, 0, (0, 0, 0, 0), 0, 0, ())
    windows = [Window(*piece.window) for piece in pieces]
    top, left = min(w.top for w in windows), min(w.left for w in windows)
    bottom, right = max(w.bottom for w in windows), max(w.right for w in windows)
    return Gridded(
        cell=cell,
        points=sum(piece.points for piece in pieces),
        window=(top, left, bottom - top, right - left),
        low=min(piece.low for piece in pieces),
        high=max(piece.high for piece in pieces),
        pieces=tuple(pieces),
    )


def _load(folder: Path, name: str, window: Window) -> Cells:
    table = np.load(folder / f"{name}.npy", mmap_mode="r")
    runs = runs_of(np.load(folder / f"{name}-blocks.npy"), len(table), window)
    pieces = [np.array(table[start:end]) for start, end in runs]
    return np.concatenate(pieces) if pieces else np.array(table[:0])
