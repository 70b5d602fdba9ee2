"""Which samples an estimate may use: an ellipsoid around the target, and limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray

OCTANTS = 8
QUADRANTS = 4


class Limits(NamedTuple):
    """The limits of a neighbourhood as kernels take them; no limit is a number too large to meet.

    Attributes:
        max_samples: at most so many are used.
        limited: whether any limit but that one can reject a sample.
        per_octant, per_quadrant, per_hole: at most so many of each.
        holes: at most so many drillholes.
    """

    max_samples: int
    limited: bool
    per_octant: int
    per_quadrant: int
    per_hole: int
    holes: int


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """An ellipsoid around a target, and how many samples of it an estimate takes.

    The nearest in ellipsoid space are taken, one after the other, each unless it breaks a limit;
    of samples equally far, the one with the lower number. Octants and quadrants are those of the
    ellipsoid's own axes; quadrants are by major and semi-major axis alone. A target that has
    fewer samples than `min_samples`, or more octants or quadrants without a taken sample than
    allowed, is not estimated.

    Attributes:
        transform: (3, 3), as `rotation.sphering` gives it: the ellipsoid becomes the unit sphere.
        max_samples: at least 1.
        min_samples: at least 1.
        max_empty_octants: 0 to 8.
        max_samples_per_octant: at least 1.
        max_empty_quadrants: 0 to 4.
        max_samples_per_quadrant: at least 1.
        max_samples_per_drillhole: at least 1.
        max_drillholes_per_estimate: at least 1.

    Raises:
        ValueError: a limit is out of its range, or the transform cannot be inverted.

    Source:
        Deutsch & Journel (1998), GSLIB, section II.4 (octant search). Names as of Leapfrog Edge.
    """

    transform: FloatArray
    max_samples: int
    min_samples: int = 1
    max_empty_octants: int | None = None
    max_samples_per_octant: int | None = None
    max_empty_quadrants: int | None = None
    max_samples_per_quadrant: int | None = None
    max_samples_per_drillhole: int | None = None
    max_drillholes_per_estimate: int | None = None

    def __post_init__(self) -> None:
        """Check every number."""
        transform = np.ascontiguousarray(self.transform, dtype=np.float64)
        if transform.shape != (3, 3) or not np.isfinite(transform).all():
            raise ValueError(f"transform must be (3, 3) and finite, got {transform.tolist()}")
        if np.linalg.matrix_rank(transform) < transform.shape[0]:
            raise ValueError(f"transform must have an inverse, got {transform.tolist()}")
        object.__setattr__(self, "transform", transform)
        for name, lowest, highest in (
            ("max_samples", 1, None),
            ("min_samples", 1, None),
            ("max_empty_octants", 0, OCTANTS),
            ("max_samples_per_octant", 1, None),
            ("max_empty_quadrants", 0, QUADRANTS),
            ("max_samples_per_quadrant", 1, None),
            ("max_samples_per_drillhole", 1, None),
            ("max_drillholes_per_estimate", 1, None),
        ):
            _check(name, getattr(self, name), lowest, highest)

    @property
    def needs_holes(self) -> bool:
        """Whether it limits samples by drillhole."""
        per_hole, holes = self.max_samples_per_drillhole, self.max_drillholes_per_estimate
        return per_hole is not None or holes is not None

    def limits(self) -> Limits:
        """Give the limits as kernels take them."""
        never = np.iinfo(np.int64).max
        each = [
            self.max_samples_per_octant,
            self.max_samples_per_quadrant,
            self.max_samples_per_drillhole,
            self.max_drillholes_per_estimate,
        ]
        limited = any(limit is not None for limit in each)
        return Limits(
            self.max_samples, limited, *(never if limit is None else int(limit) for limit in each)
        )


def _check(name: str, number: int | None, lowest: int, highest: int | None) -> None:
    if number is None and name not in {"max_samples", "min_samples"}:
        return
    if number is None or number < lowest or (highest is not None and number > highest):
        most = "" if highest is None else f" and at most {highest}"
        raise ValueError(f"{name} must be at least {lowest}{most}, got {number}")
