"""The problem that every engine of `kriging.py` solves, and its solution by LAPACK."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float64]
SAMPLES = 10_000
NEIGHBOURS = 24
NUGGET, SILL, RANGE = 0.1, 0.9, 0.3
#: The search ellipsoid, a sphere by now, reaches this far: every block finds its 24 within it.
REACH = 0.5


def make_samples() -> tuple[FloatArray, FloatArray]:
    """Give places in the unit cube and smooth values; anisotropy is out of them already."""
    rng = np.random.default_rng(20261)
    places = rng.random((SAMPLES, 3))
    waves = np.sin(places @ [7.0, 3.0, 5.0]) + np.cos(places @ [2.0, 9.0, 4.0])
    return places, 10 + waves + 0.3 * rng.standard_normal(SAMPLES)


def make_blocks(count: int) -> FloatArray:
    """Give about so many middles of a grid over the cube, x fastest."""
    along = max(1, round(count ** (1 / 3)))
    middles = (np.arange(along) + 0.5) / along
    z, y, x = np.meshgrid(middles, middles, middles, indexing="ij")
    return np.column_stack([x.ravel(), y.ravel(), z.ravel()])


def slab(blocks: FloatArray, count: int) -> FloatArray:
    """Give so many blocks from the middle of the grid, in its order."""
    begin = max(0, (len(blocks) - count) // 2)
    return blocks[begin : begin + count]


def write(folder: Path, blocks: FloatArray) -> None:
    """Write what engines read."""
    places, values = make_samples()
    np.save(folder / "places.npy", places)
    np.save(folder / "values.npy", values)
    np.save(folder / "blocks.npy", blocks)


def covariance(distances: FloatArray) -> FloatArray:
    h = np.minimum(distances / RANGE, 1.0)
    return SILL * (1.0 - h * (1.5 - 0.5 * h * h)) + NUGGET * (distances == 0.0)


def by_lapack(targets: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Solve the bordered systems of ordinary kriging; neighbours by scipy's k-d tree."""
    places, values = make_samples()
    estimates, variances = np.empty(len(targets)), np.empty(len(targets))
    for begin in range(0, len(targets), 2000):
        part = slice(begin, begin + 2000)
        distances, near = cKDTree(places).query(targets[part], NEIGHBOURS)
        among = np.linalg.norm(places[near][:, :, None] - places[near][:, None], axis=-1)
        left = np.ones((len(near), NEIGHBOURS + 1, NEIGHBOURS + 1))
        left[:, :NEIGHBOURS, :NEIGHBOURS] = covariance(among)
        left[:, NEIGHBOURS, NEIGHBOURS] = 0.0
        right = np.ones((len(near), NEIGHBOURS + 1, 1))
        right[:, :NEIGHBOURS, 0] = covariance(distances)
        weights = np.linalg.solve(left, right)
        estimates[part] = (weights[:, :NEIGHBOURS, 0] * values[near]).sum(axis=1)
        variances[part] = NUGGET + SILL - (weights * right).sum(axis=(1, 2))
    return estimates, variances
