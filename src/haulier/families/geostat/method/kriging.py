"""Krige: the best linear unbiased estimate at each target, from the samples near it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.covariances import Model
from haulier.families.geostat.method.diagnosis import DIAGNOSTICS, OF_WEIGHTS, Evidence, diagnose
from haulier.families.geostat.method.discretisation import POINT, Discretisation
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray, Samples
from haulier.families.geostat.method.search import (
    Index,
    accepted,
    find_positions,
    index_samples,
    transformed,
)
from haulier.families.geostat.method.systems import (
    COLUMNS,
    JITTERED,
    SINGULAR,
    VALUE,
    Goals,
    Known,
    Solved,
    solve_systems,
)
from haulier.families.geostat.method.tiles import Neighbours
from haulier.families.geostat.method.variogram import Structure, Variogram
from haulier.families.geostat.method.weights import combine

#: Targets are computed in ranges that hold at most so many neighbours, and so many targets.
MOST_NEIGHBOURS_AT_ONCE: Final = 2_000_000
MOST_TARGETS_AT_ONCE: Final = 65_536
#: More neighbours than this: eight systems at once would not fit into memory.
MOST_NEIGHBOURS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Ordinary kriging: the mean is constant within a neighbourhood, and not known."""


@dataclass(frozen=True, slots=True)
class Simple:
    """Simple kriging: the mean is known.

    Attributes:
        mean: in units of the variable.
    """

    mean: float


@dataclass(frozen=True, slots=True)
class Universal:
    """Universal kriging, or with an external drift: the mean follows given functions.

    Attributes:
        drift: (n, p) the functions at the samples; the constant is added to them.
    """

    drift: FloatArray


Method = Ordinary | Simple | Universal


@dataclass(frozen=True, slots=True)
class Targets:
    """Where estimates are wanted.

    Attributes:
        centres: (m, 3) metres, the CRS of the samples.
        sides: (3,), (1, 3) or (m, 3) metres: the blocks' sides along their axes; not needed for
            point support.
        drift: (m, p) the functions of universal kriging; of blocks, their averages over each.
        left_out: (m,) the fold whose samples a target may not use; negative: it may use all.
    """

    centres: FloatArray
    sides: FloatArray | None = None
    drift: FloatArray | None = None
    left_out: IntArray | None = None


@dataclass(frozen=True)
class Kriging:
    """What is the same for every target; make it once, and use it for every range of targets.

    Attributes:
        samples: one a place (see `samples.merge_duplicates`).
        variogram: in squared units of the values.
        neighbourhood: which samples a target uses.
        method: `Ordinary()`, `Simple(mean)` or `Universal(drift)`.
        discretisation: the points of a block, see there; a point is point support.
        axes: (3, 3) column j is the blocks' axis j in the world.
        folds: (n,) codes, not negative, by which cross-validation leaves samples out.

    Raises:
        ValueError: simple kriging with a variogram without sill, no drift for each sample, no
            drillholes where these are limited, or axes that are not a rotation.

    Source:
        Isaaks & Srivastava (1989), An Introduction to Applied Geostatistics, ch. 12 and 13;
        Chiles & Delfiner (2012), Geostatistics, ch. 3.
    """

    samples: Samples
    variogram: Variogram
    neighbourhood: Neighbourhood
    method: Method = field(default_factory=Ordinary)
    discretisation: Discretisation = POINT
    axes: FloatArray = field(default_factory=lambda: np.eye(3))
    folds: IntArray | None = None

    def __post_init__(self) -> None:
        """Check what does not fit together."""
        if isinstance(self.method, Simple) and not self.variogram.bounded:
            raise ValueError(
                "simple kriging needs a variogram with a sill, got a linear structure: "
                "take ordinary kriging"
            )
        if self.variogram.nugget < 0 or not self.zero > 0:
            raise ValueError(f"the variogram must rise above zero, got sill {self.zero}")
        axes = np.ascontiguousarray(self.axes, dtype=np.float64)
        if axes.shape != (3, 3) or not np.allclose(axes.T @ axes, np.eye(3), atol=1e-9):
            raise ValueError(f"axes must be a rotation, got {axes.tolist()}")
        object.__setattr__(self, "axes", axes)
        if self.folds is not None and np.shape(self.folds) != (len(self.samples),):
            raise ValueError(f"folds must be ({len(self.samples)},), got {np.shape(self.folds)}")
        drift = self.drift
        if drift.shape[0] != len(self.samples) or not np.isfinite(drift).all():
            raise ValueError(
                f"drift must be ({len(self.samples)}, p) and finite, got {drift.shape}"
            )

    @cached_property
    def index(self) -> Index:
        """Give the samples, ready to be searched."""
        return index_samples(
            self.samples.places,
            self.neighbourhood,
            holes=self.samples.holes,
            folds=self.folds,
        )

    @property
    def drift(self) -> FloatArray:
        """Give the (n, p) drift functions at the samples but the constant."""
        if not isinstance(self.method, Universal):
            return np.empty((len(self.samples), 0))
        drift = np.asarray(self.method.drift, dtype=np.float64)
        return drift[:, None] if drift.ndim == 1 else drift

    @cached_property
    def scale(self) -> FloatArray:
        """Give the (p,) spreads by which drift functions are divided: digits are kept."""
        spread = np.ptp(self.drift, axis=0) if self.drift.shape[1] else np.empty(0)
        return np.where(spread > 0, spread, 1.0)

    @property
    def shift(self) -> float:
        """Give what is taken from every value: the known mean, or the samples' own."""
        if isinstance(self.method, Simple):
            return float(self.method.mean)
        return float(self.samples.values.mean())

    @property
    def zero(self) -> float:
        """Give the covariance at no distance, or what stands for it without a sill."""
        return self.level + float(self.variogram.covariance(np.zeros((1, 3)))[0])

    @property
    def level(self) -> float:
        """Give what is added to covariances of a variogram without sill.

        Twice what the linear structures rise by over the farthest pair of samples: that makes
        every matrix positive definite, and weights that sum to one do not feel it.
        """
        places = self.samples.places
        diagonal = np.ptp(places, axis=0)
        rise = 0.0
        for part in self.structures:
            if part.model == "linear":
                longest = np.abs(part.transform) @ diagonal
                rise += part.contribution * float(np.linalg.norm(longest))
        return 2.0 * rise

    @property
    def structures(self) -> tuple[Structure, ...]:
        """Give the structures; one of no height where there is a nugget alone."""
        return self.variogram.structures or (Structure("spherical", 0.0, (1.0, 1.0, 1.0)),)

    @cached_property
    def known(self) -> Known:
        """Give the samples as kernels take them, values but those of one column left out."""
        packed = Variogram(self.variogram.nugget, self.structures).packed()
        model = Model(
            self.zero,
            packed.nugget,
            self.level,
            packed.codes,
            packed.alphas,
            packed.contributions,
        )
        order, places = self.index.order, self.samples.places[self.index.order]
        scaled = [transformed(places, self.index.origin, each).T for each in packed.transforms]
        one = self.samples.values.reshape(len(self.samples), -1)[order, 0]
        return Known(
            model,
            np.ascontiguousarray(scaled),
            one - self.shift,
            np.ascontiguousarray(self.drift[order] / self.scale),
            not isinstance(self.method, Simple),
        )


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
    diagnostics: dict[str, NDArray[np.generic]]
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


def _collect(
    kriging: Kriging, targets: Targets, names: Collection[str], columns: FloatArray | None
) -> Estimates:
    """Go through the targets range by range, so that memory does not grow with their number."""
    targets = _checked(kriging, targets)
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
    step = max(64, min(MOST_TARGETS_AT_ONCE, MOST_NEIGHBOURS_AT_ONCE // most))
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


def _checked(kriging: Kriging, targets: Targets) -> Targets:
    """Bring the arrays of targets to their types and shapes."""
    centres = np.ascontiguousarray(targets.centres, dtype=np.float64)
    if centres.ndim != 2 or centres.shape[1] != 3 or not np.isfinite(centres).all():
        raise ValueError(f"centres must be (m, 3) and finite, got {centres.shape}")
    sides = targets.sides
    if not kriging.discretisation.is_point:
        if sides is None:
            raise ValueError("sides must be given with a discretisation of blocks")
        sides = np.atleast_2d(np.asarray(sides, dtype=np.float64))
        if sides.shape not in {(1, 3), centres.shape} or not (sides > 0).all():
            raise ValueError(f"sides must be (1, 3) or {centres.shape} and positive")
    functions, drift = kriging.drift.shape[1], targets.drift
    if functions:
        drift = np.asarray(np.nan if drift is None else drift, dtype=np.float64)
        drift = drift[:, None] if drift.ndim == 1 else drift
        if drift.shape != (len(centres), functions) or not np.isfinite(drift).all():
            raise ValueError(
                f"drift must be ({len(centres)}, {functions}) and finite, got {drift.shape}"
            )
    left_out = targets.left_out
    if left_out is not None:
        left_out = np.ascontiguousarray(left_out, dtype=np.int64)
        if left_out.shape != (len(centres),) or kriging.folds is None:
            raise ValueError(f"left_out must be ({len(centres)},), with folds of the samples")
    return Targets(centres, sides, drift if functions else None, left_out)
