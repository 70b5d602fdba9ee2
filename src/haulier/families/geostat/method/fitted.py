"""Turn the numbers of a fit into structures, and say what a user should know of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray, rotation_angles
from haulier.families.geostat.method.unknowns import Unknowns
from haulier.families.geostat.method.variogram import Structure

#: Within this factor of a bound a range lies on it.
AT_BOUND: Final = 1.001


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


def named(unknowns: Unknowns, structures: tuple[Structure, ...]) -> tuple[str, ...]:
    """Say which ranges lie at a bound, and which structures have no height."""
    low, high = unknowns.bounds_m
    notes = []
    for number, each in enumerate(structures, 1):
        edge = [a for a in each.ranges_m if a < low * AT_BOUND or a > high / AT_BOUND]
        if each.contribution == 0:
            notes.append(f"structure {number} contributes nothing, so its ranges say nothing")
        elif edge:
            notes.append(f"a range of structure {number} reached the bound of {edge[0]:.6g} m")
    return tuple(notes)
