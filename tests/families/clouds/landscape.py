"""A small landscape for tests: a hill with a house and trees, and a few stray points."""

from pathlib import Path
from typing import Any

import laspy
import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.transform import Affine

WEST, SOUTH, SIDE = 500_000.0, 5_600_000.0, 60.0
SYSTEM = "EPSG:25832+EPSG:7837"
STRAYS = 6


def ground_at(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the height of the ground."""
    return np.asarray(100 + 5 * np.sin((x - WEST) / 20) + (y - SOUTH) * 0.05)


def write_landscape(
    path: Path, *, count: int = 6000, seed: int = 1, east: float = 0.0, **header: Any
) -> Path:
    """Write it with laspy.

    Args:
        path: of a LAS or LAZ file.
        count: points on the ground, the house and the trees together.
        seed: of what is drawn.
        east: how far it is shifted.
        header: crs, point_format, step: of the file, where they are not the usual ones.
    """
    random = np.random.default_rng(seed)
    x, y = WEST + random.uniform(0, SIDE, count), SOUTH + random.uniform(0, SIDE, count)
    z = ground_at(x, y) + random.normal(0, 0.02, count)
    house = (abs(x - WEST - 20) < 6) & (abs(y - SOUTH - 20) < 5)
    tree = ~house & (random.uniform(size=count) < 0.2)
    z[house] += 6
    z[tree] += random.uniform(1, 8, tree.sum())
    z[:STRAYS] += np.array([60, 80, -40, 70, -50, 90])
    las = laspy.LasData(_header(header))
    las.points = laspy.ScaleAwarePointRecord.zeros(count, header=las.header)
    las.x, las.y, las.z = x + east, y, z
    las.classification = np.where(house, 6, np.where(tree, 5, 2)).astype(np.uint8)
    las.number_of_returns = np.where(tree, 2, 1)
    las.return_number = np.ones(count, np.uint8)
    las.intensity = random.integers(0, 4000, count)
    las.gps_time = np.arange(count) * 0.001 + 3e8
    las.point_source_id = np.where(np.arange(count) < count // 2, 11, 12)
    if "red" in las.point_format.dimension_names:
        las.red, las.green, las.blue = random.integers(0, 65_536, (3, count))
    las.write(path)
    return path


def _header(said: dict[str, Any]) -> laspy.LasHeader:
    header = laspy.LasHeader(version="1.4", point_format=said.get("point_format", 7))
    step = said.get("step", 0.01)
    header.scales, header.offsets = np.full(3, step), np.array([WEST, SOUTH, 0.0])
    header.global_encoding.gps_time_type = laspy.header.GpsTimeType.STANDARD
    system = said.get("crs", SYSTEM)
    if system is not None:
        header.add_crs(CRS.from_user_input(system), keep_compatibility=False)
    return header


def write_picture(path: Path) -> Path:
    """Write an air photograph of it: three bands, a metre a cell."""
    side = int(SIDE)
    bands = np.random.default_rng(3).integers(0, 256, (3, side, side), np.uint8)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=3,
        dtype="uint8",
        crs="EPSG:25832",
        transform=Affine(1.0, 0.0, WEST, 0.0, -1.0, SOUTH + SIDE),
    ) as file:
        file.write(bands)
    return path
