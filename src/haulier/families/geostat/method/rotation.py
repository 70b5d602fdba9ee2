"""Directions: rotated ellipsoids, and the space in which each is the unit sphere."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

#: A sine of a dip below this is rounding.
LEVEL: Final = 1e-12


def rotation_matrix(dip_azimuth_deg: float, dip_deg: float, pitch_deg: float) -> FloatArray:
    """Give the rotation that turns local axes (major, semi-major, minor) into the world's.

    The three rotations are clockwise and intrinsic, about Z, then X, then Z again; at zero the
    major axis points along +X, the minor one along +Z. This is neither GSLIB's convention
    (azimuth, dip, plunge) nor gstat's (`anis`).

    Args:
        dip_azimuth_deg: 0 to 360, clockwise about Z; 90 turns the major axis from +X to -Y.
        dip_deg: 0 to 180, about the axis that was X.
        pitch_deg: 0 to 360, about the minor axis.

    Returns:
        (3, 3): column j is the local axis j in world coordinates, so `R @ local = world`.

    Source:
        Z-X-Z Euler angles; the order and signs are those of `evo.objects.typed.types.Rotation`.
    """
    azimuth, dip, pitch = np.radians([dip_azimuth_deg, dip_deg, pitch_deg])
    return _about_z(azimuth) @ _about_x(dip) @ _about_z(pitch)


def _about_z(angle: float) -> FloatArray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def _about_x(angle: float) -> FloatArray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, sin], [0.0, -sin, cos]])


def sphering(ranges: FloatArray, rotation: FloatArray) -> FloatArray:
    """Give the matrix that makes an ellipsoid the unit sphere.

    Args:
        ranges: (3,) semi-axes along major, semi-major and minor, in metres, all positive.
        rotation: (3, 3), as `rotation_matrix` gives it.

    Returns:
        (3, 3) M in 1/metres: `norm(M @ (a - b))` is 1 where b lies on the ellipsoid around a.

    Raises:
        ValueError: a range is not positive and finite.
    """
    ranges = np.asarray(ranges, dtype=np.float64)
    if ranges.shape != (3,) or not np.all(np.isfinite(ranges)) or np.any(ranges <= 0):
        raise ValueError(f"ranges must be three positive numbers, got {ranges.tolist()}")
    return np.asarray(rotation.T / ranges[:, None])


def rotation_angles(rotation: FloatArray) -> tuple[float, float, float]:
    """Give dip azimuth, dip and pitch of a rotation, in degrees: `rotation_matrix` undone.

    Where the dip is 0 or 180, azimuth and pitch turn about one axis; then the azimuth is 0.

    Args:
        rotation: (3, 3) orthonormal, of determinant 1.

    Returns:
        Degrees: 0 to 360, 0 to 180, 0 to 360.
    """
    sine = float(np.hypot(rotation[0, 2], rotation[1, 2]))
    dip = float(np.degrees(np.arctan2(sine, rotation[2, 2])))
    if sine < LEVEL:
        pitch = np.arctan2(rotation[0, 1], rotation[0, 0])
        return 0.0, 0.0 if rotation[2, 2] > 0 else 180.0, float(np.degrees(pitch) % 360.0)
    azimuth = np.degrees(np.arctan2(rotation[0, 2], rotation[1, 2]))
    pitch = np.degrees(np.arctan2(rotation[2, 0], -rotation[2, 1]))
    return float(azimuth % 360.0), dip, float(pitch % 360.0)
