"""Match the roads of one tile: learn how the maps lie to each other, then decide road by road."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from haulier.families.roads.method import settings as tune
from haulier.families.roads.method.attributes import compare, no_attributes, penalties
from haulier.families.roads.method.compete import compete
from haulier.families.roads.method.confidence import with_confidence
from haulier.families.roads.method.features import Scene, tabulate
from haulier.families.roads.method.grid import Grid, build_grid
from haulier.families.roads.method.lines import Lines, lengths
from haulier.families.roads.method.matches import Matches, no_matches
from haulier.families.roads.method.near import Near, build_near
from haulier.families.roads.method.passes import (
    SHORTEST_ROAD_M,
    Place,
    Roads,
    pairs_of,
    residuals_of,
    runs_of,
)
from haulier.families.roads.method.projection import centred_on
from haulier.families.roads.method.sheet import Residuals, Sheet, flat_sheet, stretch
from haulier.families.roads.method.topology import Int32Array, Topology, build_topology

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from haulier.families.roads.method.attribute_terms import Attributes
    from haulier.families.roads.method.lines import FloatArray
    from haulier.families.roads.method.network import Customer, Reference
    from haulier.families.roads.method.samples import Tuning
    from haulier.families.roads.method.settings import Settings

    Report = Callable[[float, str], None]

BLOCK_M: Final = 250_000.0  # road length between two reports: about a tenth of a second
ROAD_COST_M: Final = 50.0  # a road costs as much as this many metres more of a longer one
LEARN: Final = 0.5  # share of the work that `_learn` is
WIDER: Final = 1.3  # a grid that sees this much farther than a pass must is still used for it


def silent(fraction: float, message: str) -> None:
    """Report to nobody."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile made ready: both sides in metres, the reference cut and joined.

    Attributes:
        roads: the customer's, metres.
        roads_xy: the same as lines.
        rows: (k,) the roads that can be matched.
        segments_xy: s segments, metres.
        topology: of the reference.
        near: short ways between its nodes.
        attributes: of both sides.
    """

    roads: Roads
    roads_xy: Lines
    rows: Int32Array
    segments_xy: Lines
    topology: Topology
    near: Near
    attributes: Attributes

    def place(self, grid: Grid, sheet: Sheet) -> Place:
        """Gather what a pass looks things up in."""
        return Place(
            self.topology.pieces, self.topology.edges, grid, self.near, sheet, self.attributes
        )


@dataclass(frozen=True, slots=True)
class Learned:
    """How the two maps of a tile lie to each other.

    Attributes:
        sheet: displacement of the customer's map.
        sigma_m: offset that is left.
        grid: the last one built, which the next pass may use again.
    """

    sheet: Sheet
    sigma_m: float
    grid: Grid | None = None


def match_tile(
    customer: Customer, reference: Reference, settings: Settings, report: Report = silent
) -> Matches:
    """Match the roads of one tile to its segments.

    Args:
        customer: m roads, degrees.
        reference: s segments, degrees; those of the roads' bounds and a halo round them.
        settings: choices of the caller.
        report: called with a fraction 0-1 and what is done, about ten times a second; it may
            raise to end the match.

    Returns:
        Every match found, whatever its confidence; rows by road, then along it.

    Source:
        Newson & Krumm (2009), Hidden Markov map matching through noise and sparseness; with an
        unmatched state, a rubber sheet between passes, and competition between roads.
    """
    report(0.0, "prepare")
    if len(customer.lines) == 0 or len(reference.lines) == 0:
        return no_matches()
    tile = _prepare(customer, reference, settings)
    if len(tile.rows) == 0 or len(tile.topology.pieces.x) == 0:
        return no_matches()
    learned = _learn(tile, settings, report)
    owner, runs = _decide(tile, learned, settings, report)
    report(0.95, "confidence")
    scene = Scene(
        customer.lines,
        tile.roads_xy,
        tile.roads.length,
        tile.segments_xy,
        tile.topology,
        learned.sheet,
        learned.sigma_m,
    )
    found = tabulate(owner, runs, scene)
    found = replace(found, penalty=penalties(tile.attributes, found.road, found.segment))
    found = with_confidence(compete(found, found.road, found.segment))
    report(1.0, "done")
    return found


def _prepare(customer: Customer, reference: Reference, settings: Settings) -> Tile:
    """Project both sides, cut the reference, and compare what is known of both."""
    projection = centred_on(customer.lines.coordinates)
    segments = Lines(projection.forward(reference.lines.coordinates), reference.lines.offsets)
    xy = Lines(projection.forward(customer.lines.coordinates), customer.lines.offsets)
    topology = build_topology(reference, segments)
    near = build_near(topology.edges, topology.node_count)
    length = lengths(xy)
    # Also false for a length that is nan, whose coordinates no kernel could place.
    usable = customer.navigable.astype(np.bool_) & (length >= SHORTEST_ROAD_M)
    rows = np.flatnonzero(usable & np.isfinite(length)).astype(np.int32)
    roads = Roads(xy.coordinates, xy.offsets, length)
    tile = Tile(roads, xy, rows, segments, topology, near, no_attributes())
    pairs = np.zeros((0, 2), np.int64)
    if customer.names is not None and reference.names is not None:
        tuning = tune.first_tuning(settings.max_offset_m)
        grid = _grid(topology, tuning, None)
        pairs = pairs_of(roads, rows, tile.place(grid, flat_sheet()), tuning)
    return replace(tile, attributes=compare(customer, reference, pairs))


def _learn(tile: Tile, settings: Settings, report: Report) -> Learned:
    """Estimate the displacement and the offset that is left between the two maps."""
    learned = Learned(flat_sheet(), tune.FAST_SIGMA_M)
    if settings.mode == "fast" or len(tile.rows) < tune.LEAST_ROADS:
        return learned
    tuning = tune.first_tuning(settings.max_offset_m)
    for number, smooth_cells in enumerate(tune.SMOOTH_CELLS):
        grid = _grid(tile.topology, tuning, learned.grid)
        place = tile.place(grid, learned.sheet)
        parts = []
        for fraction, rows in _blocks(tile.roads.length, tile.rows):
            report(LEARN * (number + fraction) / len(tune.SMOOTH_CELLS), f"pass {number + 1}")
            parts.append(residuals_of(tile.roads, rows, place, tuning))
        residuals = Residuals(*(np.concatenate(column) for column in zip(*parts, strict=True)))
        if len(residuals.offset) == 0:
            break
        mad_m = float(np.median(np.abs(residuals.offset)))
        learned = Learned(learned.sheet, tune.sigma_from(mad_m), grid)
        if mad_m < tune.GOOD_MAD_M:
            break  # a sheet would only learn to bend roads onto their neighbours
        sheet = stretch(learned.sheet, residuals, smooth_cells, tune.SHEET_CELL_M)
        learned = replace(learned, sheet=sheet)
        tuning = tune.coarse(tune.final_tuning(learned.sigma_m, settings.max_offset_m))
    return learned


def _decide(
    tile: Tile, learned: Learned, settings: Settings, report: Report
) -> tuple[Int32Array, FloatArray]:
    """Run the last pass; returns the runs and their roads."""
    tuning = tune.final_tuning(learned.sigma_m, settings.max_offset_m)
    place = tile.place(_grid(tile.topology, tuning, learned.grid), learned.sheet)
    owners, runs = [], []
    for fraction, rows in _blocks(tile.roads.length, tile.rows):
        report(LEARN + (0.95 - LEARN) * fraction, "final pass")
        owner, found = runs_of(tile.roads, rows, place, tuning)
        owners.append(owner)
        runs.append(found)
    return np.concatenate(owners), np.concatenate(runs)


def _grid(topology: Topology, tuning: Tuning, before: Grid | None) -> Grid:
    """Take the grid of the pass before if it suits this one, else build one."""
    if before and tuning.range_m <= before.range_m <= WIDER * tuning.range_m:
        return before
    return build_grid(topology.pieces, tuning.range_m, tune.cell_m(tuning))


def _blocks(length_m: FloatArray, rows: Int32Array) -> Iterator[tuple[float, Int32Array]]:
    """Cut the rows into blocks of about BLOCK_M, each with the fraction done before it."""
    number = (np.cumsum(length_m[rows] + ROAD_COST_M) / BLOCK_M).astype(np.int64)
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(rows)]
    for begin, end in pairwise(cuts):
        yield begin / len(rows), rows[begin:end]
