"""Numbers that are random but reproducible: spread evenly over lines, or hashed from places."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import ndtri

from haulier.families.geostat.method.rotation import FloatArray

WORD: Final = 2**64 - 1
#: Radii, ranges and the choice between models: bases that the directions (2 and 3) do not use.
RADIUS_BASE: Final = 5
CHOICE_BASE: Final = 7


def generator(seed: int, *stream: int) -> np.random.Generator:
    """Give a source of random numbers that depends on the seed and up to three more numbers.

    Only `random` and `integers` of it are used: their sequence is that of the counter-based
    Philox, which is the same in every release and on every machine.
    """
    words = [*stream, 0, 0, 0][:3]
    packed = words[0] & 0xFFFFFFFF | (words[1] & 0xFFFF) << 32 | (words[2] & 0xFFFF) << 48
    return np.random.Generator(np.random.Philox(key=(seed & WORD) | packed << 64))


def radical_inverse(count: int, base: int) -> FloatArray:
    """Give the first (count,) numbers of van der Corput's sequence: 0 to 1, evenly spread."""
    index = np.arange(1, count + 1)
    total, scale = np.zeros(count), 1.0
    while index.any():
        scale /= base
        total += scale * (index % base)
        index = index // base
    return total


def even_numbers(count: int, base: int, source: np.random.Generator) -> FloatArray:
    """Give (count,) numbers over 0 and under 1, each uniform, together evenly spread.

    Source:
        Cranley & Patterson (1976), SIAM J. Numer. Anal. 13: a sequence, shifted at random.
    """
    shifted = (radical_inverse(count, base) + source.random()) % 1.0
    return np.asarray(np.clip(shifted, 2.0**-53, 1.0 - 2.0**-53))


def directions(count: int, source: np.random.Generator) -> FloatArray:
    """Give (count, 3) unit vectors, spread evenly over half the sphere, turned at random.

    Source:
        Freulon & de Fouquet (1991), Cahiers de Geostatistique 1: van der Corput's sequence in
        bases 2 and 3.
    """
    turn = 2.0 * np.pi * radical_inverse(count, 2)
    height = radical_inverse(count, 3)
    width = np.sqrt(1.0 - height * height)
    vectors = np.column_stack((width * np.cos(turn), width * np.sin(turn), height))
    return np.asarray(vectors @ random_rotation(source).T)


def random_rotation(source: np.random.Generator) -> FloatArray:
    """Give a (3, 3) rotation, uniform over all: that of a quaternion of four Gaussians."""
    w, x, y, z = (q := ndtri(np.clip(source.random(4), 2.0**-53, None))) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
