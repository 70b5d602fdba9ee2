"""The numbers a variogram is fitted by: ranges and angles; where to look for them, and bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice, permutations, product
from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray, rotation_matrix, sphering

#: Where ranges are looked for, in shares of the longest distance.
SHARES: Final = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
#: How far beyond the shortest and the longest distance a range may go.
SHORTEST: Final = 0.01
LONGEST: Final = 10.0
#: Shapes of ellipsoids to begin from.
BALL: Final = (1.0, 1.0, 1.0)
SHAPE: Final = (1.0, 0.5, 0.25)
MOST_STARTS: Final = 4000
TURNS_DEG: Final = (0.0, 45.0, 90.0, 135.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A structure that is to be fitted.

    Attributes:
        model: a name of `variogram.MODELS`.
        alpha: shape of spheroidal and generalised Cauchy: 3, 5, 7 or 9; else 0.
        contribution: what it is held at, in squared units of the variable; None: it is fitted.
        ranges_m: where its ranges are looked for, or held at; None: they are tried from 5 % to
            100 % of the longest distance.
        hold_ranges: its ranges stay as they are.
        isotropic: its three ranges are one.
        rotation_deg: dip azimuth, dip and pitch, which it has or from where they are fitted.
    """

    model: str
    alpha: int = 0
    contribution: float | None = None
    ranges_m: tuple[float, float, float] | None = None
    hold_ranges: bool = False
    isotropic: bool = True
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Unknowns:
    """What is looked for: logarithms of ranges of each candidate, then angles shared by all.

    Attributes:
        candidates: s structures.
        distances_m: (l,) of the lags.
        planar: all lags lie in a horizontal plane, so that nothing is known across it.
        turning: angles are looked for.
        widths: how many ranges are looked for of each candidate; (s,).
    """

    candidates: tuple[Candidate, ...]
    distances_m: FloatArray
    planar: bool
    turning: bool
    widths: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Count the ranges."""
        widths = tuple(self._width(each) for each in self.candidates)
        object.__setattr__(self, "widths", widths)

    def _width(self, each: Candidate) -> int:
        if each.hold_ranges or (each.model == "linear" and each.isotropic):
            return 0  # of a straight line only the slope is known, and that is its contribution
        if each.isotropic:
            return 1
        return 2 if self.planar and each.rotation_deg[1] == 0.0 else 3

    @property
    def angles(self) -> int:
        """Give how many angles are looked for."""
        return (1 if self.planar else 3) if self.turning else 0

    @property
    def bounds_m(self) -> tuple[float, float]:
        """Give the shortest and the longest range there may be."""
        return SHORTEST * float(self.distances_m.min()), LONGEST * float(self.distances_m.max())

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Give the least and the greatest value of each number."""
        ranges = sum(self.widths)
        low, high = np.log(self.bounds_m)
        return (
            np.r_[np.full(ranges, low), np.full(self.angles, -720.0)],
            np.r_[np.full(ranges, high), np.full(self.angles, 720.0)],
        )

    def ranges(self, numbers: FloatArray) -> list[tuple[float, float, float]]:
        """Give the three ranges of each candidate, metres."""
        out, at = [], 0
        for each, width in zip(self.candidates, self.widths, strict=True):
            found = np.exp(numbers[at : at + width])
            at += width
            if width == 0:
                out.append(each.ranges_m or (float(self.distances_m.max()),) * 3)
            else:  # the last one stands for those that are tied to it
                a, b, c = (*found, *[found[-1]] * (3 - width))
                out.append((float(a), float(b), float(c)))
        return out

    def rotations(self, numbers: FloatArray) -> list[FloatArray]:
        """Give the rotation of each candidate: (3, 3)."""
        if not self.turning:
            return [rotation_matrix(*each.rotation_deg) for each in self.candidates]
        turned = rotation_matrix(*numbers[-self.angles :], *[0.0] * (3 - self.angles))
        return [turned] * len(self.candidates)

    def transforms(self, numbers: FloatArray) -> list[FloatArray]:
        """Give what scales each candidate's ellipsoid to the unit sphere: (3, 3)."""
        pairs = zip(self.ranges(numbers), self.rotations(numbers), strict=True)
        return [sphering(np.array(ranges), rotation) for ranges, rotation in pairs]

    def starts(self) -> list[FloatArray]:
        """Give where to begin, at most `MOST_STARTS` places that are spread over all."""
        every = list(islice(self._every_start(), 64 * MOST_STARTS))
        step = -(-len(every) // MOST_STARTS)
        low, high = self.bounds
        return [np.clip(each, low, high) for each in every[::step]]

    def _every_start(self) -> Iterator[FloatArray]:
        free = [i for i, each in enumerate(self.candidates) if each.ranges_m is None]
        longest = float(self.distances_m.max())
        for shares in permutations(SHARES, len(free)):
            middles = dict(zip(free, shares, strict=True))
            for shape, angles in product(self._shapes(), self._turns()):
                numbers: list[float] = []
                for i, (each, width) in enumerate(zip(self.candidates, self.widths, strict=True)):
                    given = each.ranges_m or tuple(middles[i] * longest * part for part in shape)
                    numbers += np.log(given[:width]).tolist()
                yield np.array([*numbers, *angles])

    def _shapes(self) -> list[tuple[float, ...]]:
        if all(each.isotropic for each in self.candidates):
            return [BALL]
        return [SHAPE] if self.turning else [BALL, *permutations(SHAPE)]

    def _turns(self) -> list[tuple[float, ...]]:
        given = self.candidates[0].rotation_deg
        if self.angles == 1:
            return [
                (given[0] + turn / 2.0,) for turn in (*TURNS_DEG, *(180 + t for t in TURNS_DEG))
            ]
        turns = product(TURNS_DEG, repeat=self.angles)
        return [tuple(a + b for a, b in zip(given, turn, strict=False)) for turn in turns]
