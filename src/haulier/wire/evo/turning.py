"""Rotations of block models: the product of clockwise turns, and its three normal angles."""

import math
from collections.abc import Sequence
from typing import Final

Matrix = list[list[float]]

PLANES: Final = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}
SMALL: Final = 1e-12


def rotation_matrix(rotations: Sequence[tuple[str, float]]) -> Matrix:
    """Give the matrix of rotations in degrees; its columns are the axes of the blocks.

    The product is in this order, as the vendor documents it: the last is applied first.
    """
    matrix = [[float(row == column) for column in range(3)] for row in range(3)]
    for axis, angle_deg in rotations:
        cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
        first, second = PLANES[axis]
        for row in matrix:
            one, other = row[first], row[second]
            row[first], row[second] = one * cosine - other * sine, one * sine + other * cosine
    return matrix


def normal_angles(rotations: Sequence[tuple[str, float]]) -> tuple[float, float, float]:
    """Give the same rotation as clockwise angles in degrees around z, then x, then z."""
    matrix = rotation_matrix(rotations)
    middle = math.acos(max(-1.0, min(1.0, matrix[2][2])))
    if abs(math.sin(middle)) < SMALL:  # about one axis: all of it is in the first angle
        first, last = math.atan2(-matrix[1][0], matrix[0][0]), 0.0
    else:
        first = math.atan2(matrix[0][2], matrix[1][2])
        last = math.atan2(matrix[2][0], -matrix[2][1])
    one, two, three = (math.degrees(angle) % 360.0 for angle in (first, middle, last))
    return one, two, three
