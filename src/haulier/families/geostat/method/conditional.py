"""Conditional simulation: fields that pass through the data, at points and over blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.discretisation import POINT, Discretisation
from haulier.families.geostat.method.distribution import Distribution
from haulier.families.geostat.method.kriging import (
    Estimates,
    Kriging,
    Ordinary,
    Simple,
    Targets,
    krige_many,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.normal_score import backward
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.samples import Samples, merge_duplicates
from haulier.families.geostat.method.turning_bands import Bands, draw_bands, place_codes
from haulier.families.geostat.method.variogram import Variogram

#: Simulated values that are held at once: 16 megabytes of them, and a few arrays of that size.
AT_ONCE: Final = 2**21


def standardised(variogram: Variogram) -> Variogram:
    """Give the variogram with a sill of one, that of normal scores.

    Raises:
        ValueError: it has no sill, or a sill of zero.
    """
    sill = variogram.sill
    if not 0.0 < sill < np.inf:
        raise ValueError(f"the variogram must have a positive sill, got {sill}")
    parts = (replace(each, contribution=each.contribution / sill) for each in variogram.structures)
    return Variogram(variogram.nugget / sill, tuple(parts))


@dataclass(frozen=True, slots=True, eq=False)
class Conditioning:
    """Realisations and what ties them to the data; made once, for all targets.

    Attributes:
        bands: r unconditional realisations.
        kriging: of the residuals at the samples, data less realisation, (n, r).
        scores: (n,) at the samples.
    """

    bands: tuple[Bands, ...]
    kriging: Kriging
    scores: FloatArray


def condition(
    samples: Samples,
    variogram: Variogram,
    neighbourhood: Neighbourhood,
    *,
    method: Simple | Ordinary,
    lines: int,
    seed: int,
    realisations: Sequence[int],
) -> Conditioning:
    """Draw realisations, and find what each lacks at the samples.

    Args:
        samples: normal scores, (n,); those that share a place count as their mean.
        variogram: of the scores; bounded.
        neighbourhood: of the kriging of residuals.
        method: simple kriging, of mean zero, or ordinary.
        lines: of the turning bands, 1 to 1000.
        seed: any whole number.
        realisations: their numbers; each depends on nothing but its own and the seed.

    Raises:
        ValueError: as `turning_bands.draw_bands` and `kriging.Kriging` raise it.

    Source:
        Journel & Huijbregts (1978), Mining Geostatistics, section VII.A.2; Chiles & Delfiner
        (2012), Geostatistics, section 7.3.
    """
    merged = merge_duplicates(samples)
    bands = tuple(
        draw_bands(variogram, lines=lines, seed=seed, realisation=each) for each in realisations
    )
    lacking = merged.values[:, None] - unconditional(bands, merged.places)
    residuals = replace(merged, values=lacking)
    kriging = Kriging(residuals, variogram, neighbourhood, method)
    return Conditioning(bands, kriging, merged.values)


def unconditional(bands: Sequence[Bands], places: FloatArray) -> FloatArray:
    """Give r realisations at (m, 3) metres: (m, r)."""
    out = np.empty((len(places), len(bands)))
    for column, each in enumerate(bands):
        out[:, column] = each.values(places)
    return out


def simulate_points(conditioning: Conditioning, places: FloatArray) -> FloatArray:
    """Give the conditional realisations of the scores at points: (m, 3) metres to (m, r).

    The simulated value, and the kriging there of what the simulation lacks at the samples:
    z(x) + sum w_i (z_i - z(x_i)), with the same weights for every realisation. At the place of a
    sample it is the sample's score, to the bit; where the neighbourhood allows no estimate, NaN.
    """
    return _simulate(conditioning, places).values


def _simulate(conditioning: Conditioning, places: FloatArray) -> Estimates:
    """Simulate as `simulate_points` says, and count what kriging could not solve as it is."""
    places = np.ascontiguousarray(places, dtype=np.float64) + 0.0
    lacking = krige_many(conditioning.kriging, Targets(places))
    out = unconditional(conditioning.bands, places)
    out += lacking.values
    at, sample = _meetings(places, conditioning.kriging.samples.places)
    out[at] = conditioning.scores[sample][:, None]
    return replace(lacking, values=out)


def _meetings(places: FloatArray, known: FloatArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Give the rows of places that are also in known, which has no row twice, and which those are.

    Both are without negative zeros.
    """
    codes, known_codes = _codes(places), _codes(known + 0.0)
    order = np.argsort(known_codes, kind="stable")
    found = np.searchsorted(known_codes[order], codes)
    row = order[np.minimum(found, len(order) - 1)]
    same = np.all(places == known[row], axis=1)
    return np.flatnonzero(same), row[same]


def _codes(places: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    x, y, z = (np.ascontiguousarray(places[:, axis]) for axis in range(3))
    return place_codes(x, y, z, np.uint64(0))


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Blocks of a grid, or points: blocks of no size.

    Attributes:
        centres: (m, 3) metres.
        sizes: (m, 3) or (1, 3) metres, along the axes of the grid.
        axes: (3, 3), its columns the axes of the grid.
        discretisation: the points that stand for a block.
    """

    centres: FloatArray
    sizes: FloatArray
    axes: FloatArray
    discretisation: Discretisation = POINT

    def slice(self, start: int, stop: int) -> Cells:
        """Give the blocks from `start` to `stop`."""
        sizes = self.sizes if len(self.sizes) == 1 else self.sizes[start:stop]
        return replace(self, centres=self.centres[start:stop], sizes=sizes)

    def points(self) -> FloatArray:
        """Give the (m * d, 3) points of all blocks, those of a block together."""
        local = self.discretisation.offsets[None, :, :] * self.sizes[:, None, :]
        shifts = np.zeros((*local.shape[:2], 3))
        for axis in range(3):  # not a product of matrices, whose rounding depends on its size
            shifts += local[:, :, axis, None] * self.axes[:, axis]
        return np.asarray((self.centres[:, None, :] + shifts).reshape(-1, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Conditional realisations; NaN where the neighbourhood allows no estimate.

    Attributes:
        blocks: (m, r) means over blocks, in the unit of the variable.
        block_scores: (m, r) means over blocks of the scores.
        points: (m, r) at the middles of blocks, in the unit of the variable.
        point_scores: (m, r) scores there.
        jittered: at how many points kriging needed a little nugget, as `kriging.Estimates` says.
        singular: at how many it had no solution.
    """

    blocks: FloatArray
    block_scores: FloatArray
    points: FloatArray
    point_scores: FloatArray
    jittered: int
    singular: int


def simulate_blocks(
    conditioning: Conditioning, cells: Cells, distribution: Distribution
) -> Simulated:
    """Simulate blocks and their middles.

    The scores are simulated at the points of each block, brought back to the variable each, and
    averaged: the variable is additive, its scores are not. Results depend on nothing but the block
    itself, so that a grid can be cut into parts anywhere.

    Source:
        Journel & Huijbregts (1978), Mining Geostatistics, section VII.A.3: blocks as means of
        simulated points.
    """
    count, points = len(cells.centres), len(cells.discretisation.weights)
    tiles = [
        _simulate_tile(conditioning, cells.slice(start, stop), distribution)
        for start, stop in _tiles(count, points * len(conditioning.bands))
    ]
    if not tiles:
        none = np.empty((0, len(conditioning.bands)))
        return Simulated(none, none, none, none, 0, 0)
    if len(tiles) == 1:
        return tiles[0]
    return Simulated(
        np.concatenate([tile.blocks for tile in tiles]),
        np.concatenate([tile.block_scores for tile in tiles]),
        np.concatenate([tile.points for tile in tiles]),
        np.concatenate([tile.point_scores for tile in tiles]),
        sum(tile.jittered for tile in tiles),
        sum(tile.singular for tile in tiles),
    )


def _simulate_tile(
    conditioning: Conditioning, cells: Cells, distribution: Distribution
) -> Simulated:
    middle = _simulate(conditioning, cells.centres)
    points = backward(middle.values, distribution)
    if cells.discretisation.is_point:
        return Simulated(
            points, middle.values, points, middle.values, middle.jittered, middle.singular
        )
    inner, weights = _simulate(conditioning, cells.points()), cells.discretisation.weights
    return Simulated(
        _averages(backward(inner.values, distribution), weights),
        _averages(inner.values, weights),
        points,
        middle.values,
        middle.jittered + inner.jittered,
        middle.singular + inner.singular,
    )


def _tiles(count: int, width: int) -> Iterator[tuple[int, int]]:
    step = max(1, AT_ONCE // width)
    return ((start, min(start + step, count)) for start in range(0, count, step))


def _averages(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Give (m, r) weighted means of (m * d, r) values, added in the order of the points."""
    stacked = values.reshape(-1, len(weights), values.shape[1])
    total = np.zeros((len(stacked), values.shape[1]))
    for point, weight in enumerate(weights.tolist()):
        total += weight * stacked[:, point]
    return total
