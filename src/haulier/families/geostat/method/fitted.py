"""Turn the numbers of a fit into structures, and say what a user should know of them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray, rotation_angles
from haulier.families.geostat.method.unknowns import Unknowns
from haulier.families.geostat.method.variogram import Structure

#: Within this factor of a bound a range lies on it.
AT_BOUND: Final = 1.001
NOT_CONVERGED: Final = "FIT_NOT_CONVERGED"
STOPPED: Final = "the search stopped at its limit of steps, so another model may fit better"
TRY_AGAIN: Final = (
    "ask for fewer structures, hold ranges or the rotation, or fit again from the ranges and "
    "angles that were found"
)
LOOK_FURTHER: Final = "measure lags that reach further or lie closer, or hold the range"


def structures_of(
    unknowns: Unknowns, numbers: FloatArray, heights: FloatArray
) -> tuple[Structure, ...]:
    """Give the structures.

    Angles that were fitted are told for axes in the order of their length: an ellipsoid may be
    turned so that any of its axes is the major one. Where all candidates are alike, the structure
    with the shortest range comes first.

    Args:
        unknowns: s candidates.
        numbers: what was found for them.
        heights: (s,) contributions, squared units.
    """
    ranges = np.array(unknowns.ranges(numbers))
    rotations = unknowns.rotations(numbers)
    angles = [each.rotation_deg for each in unknowns.candidates]
    if unknowns.turning:
        order = _longest_first(unknowns, ranges, heights)
        turned = rotations[0][:, order]
        turned[:, 2] *= np.sign(np.linalg.det(turned))
        angles = [rotation_angles(turned)] * len(angles)
        ranges = ranges[:, order]
    found = [
        Structure(
            each.model,
            float(height),
            (float(row[0]), float(row[1]), float(row[2])),
            (0.0, 0.0, 0.0) if each.isotropic else angle,
            each.alpha,
        )
        for each, height, row, angle in zip(
            unknowns.candidates, heights, ranges, angles, strict=True
        )
    ]
    if len(set(unknowns.candidates)) == 1:
        found.sort(key=lambda each: each.ranges_m)
    return tuple(found)


def _longest_first(unknowns: Unknowns, ranges: FloatArray, heights: FloatArray) -> list[int]:
    weights = np.where(heights > 0, heights, 1e-9 * max(float(heights.max()), 1.0))
    means = weights @ np.log(ranges)
    axes = 2 if unknowns.planar else 3
    order = np.argsort(-means[:axes], kind="stable").tolist()
    return [*order, *range(axes, 3)]


class Remark(NamedTuple):
    """What a user should know of a fit: a word for it, what was found, and what to do."""

    code: str
    message: str
    what_to_do: str


def remarks(
    unknowns: Unknowns, structures: tuple[Structure, ...], *, converged: bool
) -> tuple[Remark, ...]:
    """Say whether a better fit may be left, which ranges lie at a bound, what has no height."""
    low, high = unknowns.bounds_m
    found = [] if converged else [Remark(NOT_CONVERGED, STOPPED, TRY_AGAIN)]
    for number, each in enumerate(structures, 1):
        edge = [a for a in each.ranges_m if a < low * AT_BOUND or a > high / AT_BOUND]
        if each.contribution == 0:
            detail = f"structure {number} contributes nothing, so its ranges say nothing"
            found.append(Remark("STRUCTURE_WITHOUT_HEIGHT", detail, "leave it out"))
        elif edge:
            detail = f"a range of structure {number} reached the bound of {edge[0]:.6g} m"
            found.append(Remark("RANGE_AT_BOUND", detail, LOOK_FURTHER))
    return tuple(found)
