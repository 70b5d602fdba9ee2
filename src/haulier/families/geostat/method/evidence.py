"""What a variogram is fitted to: lags, what is known beforehand, and heights solved for within."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import nnls

from haulier.families.geostat.method.experimental import ExperimentalVariogram, IntArray
from haulier.families.geostat.method.lags import Form
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.unknowns import Candidate, Unknowns
from haulier.families.geostat.method.variogram import MODELS, covariances

#: A sill that is given weighs so much more than all lags; what is left of a miss is scaled away.
STIFFNESS: Final = 1e5


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is fitted to.

    Attributes:
        unknowns: what is looked for.
        separations: (l, 3) metres.
        values: (l,) semivariances, in squared units of the variable.
        nugget: what it is held at; None: it is fitted.
        sill: what heights must add up to; None: nothing.
    """

    unknowns: Unknowns
    separations: FloatArray
    values: FloatArray
    nugget: float | None
    sill: float | None

    def columns(self, numbers: FloatArray) -> FloatArray:
        """Give the semivariances of each part at a height of 1, the nugget's first: (l, 1 + s)."""
        out = np.ones((len(self.values), 1 + len(self.unknowns.candidates)))
        transforms = self.unknowns.transforms(numbers)
        for i, each in enumerate(self.unknowns.candidates):
            one = np.array([MODELS[each.model]]), np.array([float(each.alpha)]), np.ones(1)
            scaled = np.ascontiguousarray(transforms[i])[None]
            found = covariances(self.separations, 0.0, *one, scaled)
            out[:, i + 1] = (0.0 if each.model == "linear" else 1.0) - found
        return out

    @property
    def held(self) -> list[float | None]:
        """Give the heights that are known: nugget, contributions."""
        return [self.nugget, *(each.contribution for each in self.unknowns.candidates)]

    def heights(self, columns: FloatArray, weights: FloatArray) -> FloatArray:
        """Solve for nugget and contributions: (1 + s,), none negative."""
        held = np.array([0.0 if each is None else each for each in self.held])
        free = np.array([each is None for each in self.held])
        if not free.any():
            return held
        root = np.sqrt(weights)
        left = columns[:, free] * root[:, None]
        right = (self.values - columns @ held) * root
        if self.sill is not None:
            stiff = STIFFNESS * float(np.linalg.norm(left))
            left = np.vstack([left, np.full(free.sum(), stiff)])
            right = np.append(right, stiff * (self.sill - held.sum()))
        held[free] = nnls(left, right)[0]
        if self.sill is not None and held[free].sum() > 0:
            held[free] *= (self.sill - held[~free].sum()) / held[free].sum()
        return held


def check_count(lags: Evidence) -> None:
    """Make sure that there are lags enough, and that what is held fits the sill.

    Raises:
        ValueError: it is not so.
    """
    held = lags.held
    unknown = sum(lags.unknowns.widths) + lags.unknowns.angles + held.count(None)
    unknown -= lags.sill is not None
    if len(lags.values) < unknown:
        raise ValueError(
            f"{unknown} unknown numbers must have as many lags, got {len(lags.values)}"
        )
    if lags.sill is None:
        return
    if any(each.model == "linear" for each in lags.unknowns.candidates):
        raise ValueError("a linear structure has no sill, so none can be held")
    known = sum(each for each in held if each is not None)
    if known > lags.sill or (None not in held and known != lags.sill):
        raise ValueError(f"what is held must fit the sill of {lags.sill}, got {known}")


def separations_of(
    measured: ExperimentalVariogram, candidates: Sequence[Candidate], rows: IntArray
) -> FloatArray:
    """Give the (l, 3) separations that lags stand for, in metres.

    Raises:
        ValueError: a structure has a direction, and lags have none.
    """
    forms = {measured.directions[i].form for i in measured.direction[rows]}
    if forms - {Form.DIRECTIONAL} and not all(each.isotropic for each in candidates):
        raise ValueError(
            "anisotropic structures must be fitted to directional lags, got "
            + " and ".join(sorted(forms))
        )
    units = np.array([each.unit for each in measured.directions])
    return np.asarray(units[measured.direction[rows]] * measured.centroid_m[rows, None])
