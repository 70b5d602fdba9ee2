"""Turning bands: Gaussian fields in space, as sums of processes along lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.spectrum import CUBICS, PROCESSES, WAVES, line_scales
from haulier.families.geostat.method.spread import directions, generator
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.kernels import kernel

MOST_LINES: Final = 1000
#: Places that are worked on at once, so that their sums stay in the fastest cache.
TILE: Final = 1024
#: Cells along a line are numbered up to this and then again from zero; sines need no numbers.
PERIOD: Final = 2.0**31
ROOT_12: Final = math.sqrt(12.0)
ROOT_840: Final = math.sqrt(840.0)
ROOT_2: Final = math.sqrt(2.0)
NUGGET_STREAM: Final = 0xFFFF


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """One realisation, as its lines: small, and enough to give the field's value anywhere.

    Attributes:
        processes: (b,) what runs along each line, of `spectrum`.
        vectors: (b, 3) cells or waves a metre.
        offsets: (b,) cells or waves.
        keys: (b,) of the hash that gives each cell its sign.
        amplitudes: (b,) in the unit of the variable.
        nugget: standard deviation of what no line carries, in the unit of the variable.
        nugget_key: of the hash that makes it.
    """

    processes: np.ndarray[tuple[int], np.dtype[np.int64]]
    vectors: FloatArray
    offsets: FloatArray
    keys: np.ndarray[tuple[int], np.dtype[np.uint32]]
    amplitudes: FloatArray
    nugget: float
    nugget_key: int

    def values(self, places: FloatArray) -> FloatArray:
        """Give the field at (n, 3) metres: (n,) in the unit of the variable.

        A value depends on its own coordinates alone, to the bit: not on what else is asked for.
        """
        x, y, z = (np.ascontiguousarray(places[:, i], dtype=np.float64) for i in range(3))
        out = np.zeros(len(x))
        add_lines(
            x, y, z, self.processes, self.vectors, self.offsets, self.keys, self.amplitudes, out
        )
        if self.nugget > 0.0:
            add_nugget(x + 0.0, y + 0.0, z + 0.0, self.nugget, np.uint64(self.nugget_key), out)
        return out


def draw_bands(variogram: Variogram, *, lines: int, seed: int, realisation: int) -> Bands:
    """Draw the lines of one realisation of a Gaussian field of mean zero.

    Each structure has its own lines, in the space in which its ellipsoid is the unit sphere.

    Args:
        variogram: bounded; the variance of the field is its sill.
        lines: 1 to 1000 for each structure.
        seed: any whole number.
        realisation: 0, 1, ...; its field depends on nothing but it, the seed and the variogram.

    Raises:
        ValueError: there are too few lines or too many, or the variogram has no sill.

    Source:
        Matheron (1973), Adv. Appl. Prob. 5; Lantuejoul (2002), Geostatistical Simulation, ch. 15;
        Emery & Lantuejoul (2006), Computers & Geosciences 32.
    """
    if not 1 <= lines <= MOST_LINES:
        raise ValueError(f"the number of lines must lie in 1 to {MOST_LINES}, got {lines}")
    if not variogram.bounded:
        raise ValueError("a model without a sill cannot be simulated by turning bands")
    packed = variogram.packed()
    count = len(packed.codes)
    vectors = np.empty((count, lines, 3))
    offsets = np.empty((count, lines))
    keys = np.empty((count, lines), dtype=np.uint32)
    for i in range(count):
        source = generator(seed, realisation, i)
        scales = line_scales(int(packed.codes[i]), float(packed.alphas[i]), lines, source)
        vectors[i] = (directions(lines, source) * scales[:, None]) @ packed.transforms[i]
        offsets[i] = source.random(lines)
        keys[i] = source.integers(0, 2**32, lines, dtype=np.uint32)
    return Bands(
        np.repeat([PROCESSES[int(code)] for code in packed.codes], lines).astype(np.int64),
        vectors.reshape(-1, 3),
        offsets.reshape(-1),
        keys.reshape(-1),
        np.repeat(np.sqrt(packed.contributions / lines), lines),
        math.sqrt(packed.nugget),
        int(generator(seed, realisation, NUGGET_STREAM).integers(0, 2**64, dtype=np.uint64)),
    )


def simulate(
    places: FloatArray,
    variogram: Variogram,
    *,
    lines: int,
    seed: int,
    realisations: Sequence[int],
) -> FloatArray:
    """Simulate a Gaussian field of mean zero: (n, 3) metres to (n, r), one column a realisation.

    See `draw_bands` for the rest.
    """
    out = np.empty((len(places), len(realisations)))
    for column, realisation in enumerate(realisations):
        bands = draw_bands(variogram, lines=lines, seed=seed, realisation=realisation)
        out[:, column] = bands.values(places)
    return out


@kernel
def add_lines(  # noqa: PLR0917 - a kernel takes its arrays one by one
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    processes: np.ndarray[tuple[int], np.dtype[np.int64]],
    vectors: FloatArray,
    offsets: FloatArray,
    keys: np.ndarray[tuple[int], np.dtype[np.uint32]],
    amplitudes: FloatArray,
    out: FloatArray,
) -> None:
    """Add the processes along every line to `out`, which has (n,) values; see `Bands`.

    RAMPS: cells of equal length, begun at random; in each a ramp from -1/2 to 1/2, up or down.
    CUBICS: the same with u (u - 1/2) (u - 1). WAVES: a cosine, begun at random.
    """
    for start in range(0, len(x), TILE):
        stop = min(start + TILE, len(x))
        # of views, whose indexes start at zero, so that loops over them run in vectors
        xs, ys, zs, sums = x[start:stop], y[start:stop], z[start:stop], out[start:stop]
        for line in range(len(offsets)):
            vector, offset = vectors[line], offsets[line]
            process, size = processes[line], amplitudes[line]
            if process == WAVES:
                _add_waves(xs, ys, zs, vector, offset, size * ROOT_2, sums)
            else:
                cubic = process == CUBICS
                size *= ROOT_840 if cubic else ROOT_12
                _add_cells(xs, ys, zs, vector, offset, keys[line], size, cubic, sums)


@kernel
def _add_cells(  # noqa: PLR0917 - a kernel takes its arrays one by one
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    vector: FloatArray,
    offset: float,
    key: np.uint32,
    size: float,
    cubic: bool,  # noqa: FBT001 - as above
    sums: FloatArray,
) -> None:
    """Add one line of `RAMPS` or `CUBICS` to (n,) sums."""
    gx, gy, gz = vector[0], vector[1], vector[2]
    for i in range(len(x)):
        t = gx * x[i] + gy * y[i] + gz * z[i] + offset
        cell = np.floor(t)
        u = t - cell
        shape = u * (u - 0.5) * (u - 1.0) if cubic else u - 0.5
        sums[i] += size * _sign(cell, key) * shape


@kernel
def _add_waves(
    x: FloatArray,
    y: FloatArray,
    z: FloatArray,
    vector: FloatArray,
    offset: float,
    size: float,
    sums: FloatArray,
) -> None:
    """Add one line of `WAVES` to (n,) sums."""
    gx, gy, gz = vector[0], vector[1], vector[2]
    for i in range(len(x)):
        sums[i] += size * _cosine(gx * x[i] + gy * y[i] + gz * z[i] + offset)


@kernel
def _sign(cell: float, key: np.uint32) -> float:
    """Give 1 or -1, by hashing the number of a cell: the finish of MurmurHash3."""
    number = cell - PERIOD * np.floor(cell / PERIOD)
    h = np.uint32(np.int32(number)) ^ key
    h = np.uint32((h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    h = np.uint32((h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return float(1.0 - 2.0 * float((h >> np.uint32(15)) & np.uint32(1)))


@kernel
def _cosine(turns: float) -> float:
    """Give the cosine of so many turns.

    Its own series, for two reasons: it runs in vectors, and gives the same bits in a vector's
    lane and in the remainder of a loop, which a library's cosine need not.
    """
    r = abs(turns - np.floor(turns + 0.5))
    a = (0.25 - r) * (2.0 * math.pi)
    b = a * a
    s = -1.0 / 1.21645100408832e17
    s = s * b + 1.0 / 3.55687428096e14
    s = s * b - 1.0 / 1.307674368e12
    s = s * b + 1.0 / 6227020800.0
    s = s * b - 1.0 / 39916800.0
    s = s * b + 1.0 / 362880.0
    s = s * b - 1.0 / 5040.0
    s = s * b + 1.0 / 120.0
    s = s * b - 1.0 / 6.0
    return float(a + a * b * s)


@kernel
def add_nugget(
    x: FloatArray, y: FloatArray, z: FloatArray, deviation: float, key: np.uint64, out: FloatArray
) -> None:
    """Add to (n,) values an independent Gaussian each, hashed from the bits of its coordinates."""
    codes = place_codes(x, y, z, key)
    for i in range(len(out)):
        # Box and Muller: a radius and an angle
        u = (np.float64(codes[i] >> np.uint64(11)) + 0.5) * 2.0**-53
        v = np.float64(_mixed(codes[i]) >> np.uint64(11)) * 2.0**-53
        out[i] += deviation * math.sqrt(-2.0 * math.log(u)) * _cosine(v)


@kernel
def place_codes(
    x: FloatArray, y: FloatArray, z: FloatArray, key: np.uint64
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    """Hash the bits of (n,) coordinates; they must be contiguous, and without negative zeros."""
    a, b, c = x.view(np.uint64), y.view(np.uint64), z.view(np.uint64)
    out = np.empty(len(x), dtype=np.uint64)
    for i in range(len(x)):
        out[i] = _mixed(_mixed(_mixed(key ^ a[i]) ^ b[i]) ^ c[i])
    return out


@kernel
def _mixed(word: np.uint64) -> np.uint64:
    """Scramble 64 bits: the step of SplitMix64."""
    w = word + np.uint64(0x9E3779B97F4A7C15)
    w = (w ^ (w >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    w = (w ^ (w >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return w ^ (w >> np.uint64(31))
