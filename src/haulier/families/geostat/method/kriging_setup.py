"""What kriging is asked for: samples, variogram, neighbourhood, method, and targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from haulier.families.geostat.method.covariances import Model
from haulier.families.geostat.method.discretisation import POINT, Discretisation
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import IntArray, Samples
from haulier.families.geostat.method.search import Index, index_samples, transformed
from haulier.families.geostat.method.sides import Known
from haulier.families.geostat.method.variogram import Structure, Variogram


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
            0 if isinstance(self.method, Simple) else 1,
        )


def checked(kriging: Kriging, targets: Targets) -> Targets:
    """Bring the arrays of targets to their types and shapes.

    Raises:
        ValueError: they do not agree with each other or with what is kriged.
    """
    centres = np.ascontiguousarray(targets.centres, dtype=np.float64)
    if centres.shape != (len(centres), 3) or not np.isfinite(centres).all():
        raise ValueError(f"centres must be (m, 3) and finite, got {centres.shape}")
    return Targets(
        centres,
        _checked_sides(kriging, targets.sides, len(centres)),
        _checked_drift(kriging, targets.drift, len(centres)),
        _checked_folds(kriging, targets.left_out, len(centres)),
    )


def _checked_sides(kriging: Kriging, sides: FloatArray | None, count: int) -> FloatArray | None:
    if kriging.discretisation.is_point:
        return None
    if sides is None:
        raise ValueError("sides must be given with a discretisation of blocks")
    sides = np.atleast_2d(np.asarray(sides, dtype=np.float64))
    if sides.shape not in {(1, 3), (count, 3)} or not (sides > 0).all():
        raise ValueError(f"sides must be (1, 3) or ({count}, 3) and positive, got {sides.shape}")
    return np.asarray(sides)


def _checked_drift(kriging: Kriging, drift: FloatArray | None, count: int) -> FloatArray | None:
    functions = kriging.drift.shape[1]
    if functions == 0:
        return None
    drift = np.asarray(np.nan if drift is None else drift, dtype=np.float64)
    drift = drift[:, None] if drift.ndim == 1 else drift
    if drift.shape != (count, functions) or not np.isfinite(drift).all():
        raise ValueError(f"drift must be ({count}, {functions}) and finite, got {drift.shape}")
    return drift


def _checked_folds(kriging: Kriging, left_out: IntArray | None, count: int) -> IntArray | None:
    if left_out is None:
        return None
    left_out = np.ascontiguousarray(left_out, dtype=np.int64)
    if left_out.shape != (count,) or kriging.folds is None:
        raise ValueError(f"left_out must be ({count},), with folds of the samples")
    return left_out
