"""Krige: the best linear unbiased estimate at each target, from the samples near it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.diagnosis import DIAGNOSTICS, OF_WEIGHTS, Evidence, diagnose
from haulier.families.geostat.method.kriging_setup import (
    Kriging,
    Method,
    Ordinary,
    Simple,
    Targets,
    Universal,
    checked,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray
from haulier.families.geostat.method.search import accepted, find_positions, transformed
from haulier.families.geostat.method.sides import Goals
from haulier.families.geostat.method.systems import (
    COLUMNS,
    JITTERED,
    SINGULAR,
    VALUE,
    Solved,
    solve_systems,
)
from haulier.families.geostat.method.tiles import Neighbours
from haulier.families.geostat.method.weights import combine

__all__ = [
    "DIAGNOSTICS",
    "Estimates",
    "Kriging",
    "Method",
    "Ordinary",
    "Simple",
    "Targets",
    "Universal",
    "krige",
    "krige_many",
    "seconds_a_target",
]

#: Targets are computed in ranges that hold at most so many neighbours, and so many targets.
MOST_NEIGHBOURS_AT_ONCE: Final = 2_000_000
MOST_TARGETS_AT_ONCE: Final = 65_536
#: More neighbours than this: eight systems at once would not fit into memory.
MOST_NEIGHBOURS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Estimates:
    """What kriging gives.

    Attributes:
        values: (m,) or (m, k) in units of the variable; NaN where a target is not estimated.
        diagnostics: (m,) each that was asked for, by its name.
        jittered: how many targets had a matrix that was singular to the digits of a double, and
            got `systems.JITTER` of the sill added to its diagonal.
        singular: how many could not be estimated even so.
    """

    values: FloatArray
    diagnostics: dict[str, NDArray[Any]]
    jittered: int
    singular: int


def krige(kriging: Kriging, targets: Targets, diagnostics: Collection[str] = ()) -> Estimates:
    """Estimate the value at each target, or its average over each block.

    The estimate of a target is the same to the bit whatever other targets are asked for.

    Args:
        kriging: samples, variogram, neighbourhood and method.
        targets: m of them.
        diagnostics: names of `DIAGNOSTICS`, see `diagnosis`.

    Raises:
        ValueError: shapes do not agree, a diagnostic is not known or needs what is not there, or
            a target has too many neighbours.
    """
    if kriging.samples.values.ndim != 1:
        raise ValueError("values must be (n,): krige_many takes several columns")
    return _collect(kriging, targets, diagnostics, columns=None)


def krige_many(kriging: Kriging, targets: Targets) -> Estimates:
    """Estimate k variables that were measured at the same samples, with the same weights.

    Args:
        kriging: with values of (n, k).
        targets: m of them.

    Returns:
        Values (m, k), without diagnostics.

    Raises:
        ValueError: as `krige`.
    """
    columns = kriging.samples.values.reshape(len(kriging.samples), -1) - kriging.shift
    return _collect(kriging, targets, (), columns=columns[kriging.index.order])


def seconds_a_target(samples: int, points: int = 1, *, limited: bool = False) -> float:
    """Guess, on the high side, how long one processor kriges a target.

    For whoever looks whether to stop between ranges of targets: a target can take microseconds
    or, of a large block from many samples, tenths of a second.

    Args:
        samples: at most so many are used.
        points: of the block, times the structures of the variogram.
        limited: whether the search has limits by sector or drillhole.

    Returns:
        Seconds.
    """
    used = min(samples, MOST_NEIGHBOURS)
    # Search, table, factor (measured with 8 to 200 samples), and covariances with each point.
    seconds = 5e-8 * used + 1e-9 * used**2 + 5e-11 * used**3 + 5e-9 * used * points
    # A target beside the samples looks at its whole ellipsoid where there are limits.
    return seconds + (5e-5 if limited else 0.0)


def _collect(
    kriging: Kriging, targets: Targets, names: Collection[str], columns: FloatArray | None
) -> Estimates:
    """Go through the targets range by range, so that memory does not grow with their number."""
    targets = checked(kriging, targets)
    _check_names(kriging, names)
    parts = [_estimate(kriging, part, names, columns) for part in _ranges(kriging, targets)] or [
        _estimate(kriging, targets, names, columns)
    ]
    if len(parts) == 1:
        return parts[0]
    return Estimates(
        np.concatenate([part.values for part in parts]),
        {name: np.concatenate([part.diagnostics[name] for part in parts]) for name in names},
        sum(part.jittered for part in parts),
        sum(part.singular for part in parts),
    )


def _ranges(kriging: Kriging, targets: Targets) -> Iterator[Targets]:
    most = min(kriging.neighbourhood.max_samples, len(kriging.samples))
    step = max(1, min(MOST_TARGETS_AT_ONCE, MOST_NEIGHBOURS_AT_ONCE // most))
    for begin in range(0, len(targets.centres), step):
        part = slice(begin, begin + step)
        sides, drift, left_out = targets.sides, targets.drift, targets.left_out
        yield Targets(
            targets.centres[part],
            sides if sides is None or len(sides) == 1 else sides[part],
            None if drift is None else drift[part],
            None if left_out is None else left_out[part],
        )


def _estimate(
    kriging: Kriging, targets: Targets, names: Collection[str], columns: FloatArray | None
) -> Estimates:
    order, found = find_positions(
        kriging.index,
        targets.centres,
        targets.left_out,
        thorough="num_equidistant" in names or _needs_sectors(kriging.neighbourhood),
    )
    valid = accepted(kriging.neighbourhood, found)
    if found.counts.max(initial=0) > MOST_NEIGHBOURS:
        raise ValueError(
            f"max_samples must be at most {MOST_NEIGHBOURS} where so many samples lie within the "
            f"ellipsoid, got {kriging.neighbourhood.max_samples}"
        )
    goals = _goals(kriging, targets, found)
    weighed = columns is not None or not OF_WEIGHTS.isdisjoint(names)
    solved = _solve(kriging, goals, order[valid[order]], weighed=weighed)
    if columns is None:
        values = solved.numbers[:, VALUE] + kriging.shift
    else:
        values = combine(solved.weights, found.positions, found.counts, columns)
        values += kriging.shift
        values[~np.isfinite(solved.numbers[:, VALUE])] = np.nan
    evidence = Evidence(
        kriging.samples,
        kriging.index,
        found,
        valid,
        solved,
        goals.variances,
        targets.centres,
        kriging.shift,
        isinstance(kriging.method, Simple),
    )
    return Estimates(
        values,
        diagnose(evidence, names),
        int((solved.states == JITTERED).sum()),
        int((solved.states == SINGULAR).sum()),
    )


def _solve(kriging: Kriging, goals: Goals, wanted: IntArray, *, weighed: bool) -> Solved:
    solved = Solved(
        np.full((len(goals.counts), COLUMNS), np.nan),
        np.zeros(len(goals.counts), dtype=np.int8),
        np.full(goals.positions.shape if weighed else (0, 0), np.nan),
    )
    solve_systems(kriging.known, goals, wanted, solved)
    return solved


def _goals(kriging: Kriging, targets: Targets, found: Neighbours) -> Goals:
    transforms = [part.transform for part in kriging.structures]
    centres, origin = targets.centres, kriging.index.origin
    scaled = np.stack([transformed(centres, origin, each) for each in transforms], axis=1)
    points, sides = kriging.discretisation, targets.sides
    if points.is_point or sides is None:
        sides = np.ones((1, 3))
    distinct, of = np.unique(sides, axis=0, return_inverse=True)
    variances = points.variance(kriging.variogram, distinct, kriging.axes) + kriging.level
    drift = np.empty((len(centres), 0)) if targets.drift is None else targets.drift
    return Goals(
        np.ascontiguousarray(scaled),
        np.ascontiguousarray(sides),
        np.stack([each @ kriging.axes for each in transforms]),
        points.offsets if not points.is_point else np.zeros((1, 3)),
        points.weights,
        variances[of.ravel()],
        np.ascontiguousarray(drift / kriging.scale),
        found.positions,
        found.counts,
    )


def _needs_sectors(neighbourhood: Neighbourhood) -> bool:
    octants, quadrants = neighbourhood.max_empty_octants, neighbourhood.max_empty_quadrants
    return octants is not None or quadrants is not None


def _check_names(kriging: Kriging, names: Collection[str]) -> None:
    for name in names:
        if name not in DIAGNOSTICS:
            raise ValueError(f"diagnostics must be of {', '.join(DIAGNOSTICS)}, got {name}")
        if name in {"kriging_efficiency", "slope_of_regression"} and not kriging.variogram.bounded:
            raise ValueError(f"{name} needs a variogram with a sill, got a linear structure")
        if name == "num_drillholes" and kriging.samples.holes is None:
            raise ValueError("num_drillholes needs samples with drillholes")
