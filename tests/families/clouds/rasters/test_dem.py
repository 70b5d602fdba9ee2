"""Elevation models: on surfaces that are known by a formula, and in any cut of the work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray

from haulier.core.problem import Problem
from haulier.families.clouds.steps import gridding
from haulier.families.clouds.steps import tiling as tiles

Published = Callable[[str], Path]
FloatArray = NDArray[np.float64]
WEST, SOUTH = 292_000.0, 6_832_000.0
#: Half the axes of the published ellipsoid, and its middle.
AXES, MIDDLE = (150.0, 100.0, 50.0), (-8_242_596.0, 4_966_606.0)
UPPER, LOWER = [2, 3, 4, 5], [15, 16, 17, 18]


def scattered(number: int, side: float, seed: int = 0) -> FloatArray:
    return np.random.default_rng(seed).uniform(0, side, (number, 2))


def on(places: FloatArray, heights: FloatArray) -> FloatArray:
    return np.stack([places[:, 0] + WEST, places[:, 1] + SOUTH, heights], axis=1)


def waves(x: FloatArray, y: FloatArray) -> FloatArray:
    return np.asarray(60 + 5 * np.sin(x / 30) + 4 * np.cos(y / 25))


def centres(path: Path) -> tuple[FloatArray, FloatArray]:
    with rasterio.open(path) as file:
        down, right = np.mgrid[: file.height, : file.width] + 0.5
        shift = file.transform
    return shift.c + right * shift.a, shift.f + down * shift.e


@pytest.mark.parametrize(
    ("method", "tolerance"), [("plane", 0.03), ("idw", 0.12), ("mean", 0.15), ("max", 0.9)]
)
def test_a_dtm_lies_on_the_surface_of_its_points(
    do: Any, write_cloud: Any, method: str, tolerance: float
) -> None:
    places = scattered(20_000, 200.0)
    cloud = write_cloud(on(places, waves(*places.T)), classification=np.full(20_000, 2, "u1"))

    dem = do("GENERATE_DEM", input_las=cloud, resolution=2.0, method=method)

    x, y = centres(dem.path)
    off = np.abs(dem.raster - waves(x - WEST, y - SOUTH))[2:-2, 2:-2]
    assert np.nanpercentile(off, 95) < tolerance


@pytest.mark.parametrize(("classes", "sign"), [(UPPER, 1.0), (LOWER, -1.0)])
def test_the_published_ellipsoid_is_met(
    do: Any, published: Published, classes: list[int], sign: float
) -> None:
    cloud = published("ellipsoid.laz")

    dem = do("GENERATE_DEM", input_las=cloud, resolution=2.0, classes=classes)

    x, y = centres(dem.path)
    inside = ((x - MIDDLE[0]) / AXES[0]) ** 2 + ((y - MIDDLE[1]) / AXES[1]) ** 2
    surface = sign * AXES[2] * np.sqrt(np.maximum(1 - inside, 0))
    off = (dem.raster - surface)[inside < 0.8]
    assert not np.isnan(off).any()
    assert np.sqrt(np.mean(off**2)) < 0.12
    assert np.abs(off).max() < 1.0


def test_copc_and_laz_give_one_raster(do: Any, published: Published) -> None:
    one = do("GENERATE_DEM", input_las=published("ellipsoid.laz"), classes=UPPER)
    other = do("GENERATE_DEM", input_las=published("ellipsoid.copc.laz"), classes=UPPER)

    assert np.array_equal(one.raster, other.raster, equal_nan=True)


def test_a_chm_is_what_stands_on_the_ground(do: Any, write_cloud: Any) -> None:
    ground = scattered(30_000, 100.0)
    trees = scattered(20_000, 30.0, seed=1) + 35.0
    heights = np.concatenate([waves(*ground.T), waves(*trees.T) + 12.0])
    classes = np.repeat([2, 5], [30_000, 20_000]).astype(np.uint8)
    cloud = write_cloud(on(np.concatenate([ground, trees]), heights), classification=classes)

    chm = do("GENERATE_DEM", input_las=cloud, surface="chm", resolution=1.0).raster

    assert chm[::-1][40:60, 40:60] == pytest.approx(12.0, abs=1.0)
    assert chm[::-1][80:95, 80:95] == pytest.approx(0.2, abs=0.5)
    assert np.nanmin(chm) >= 0.0


def test_noise_and_withheld_points_are_no_surface(do: Any, write_cloud: Any) -> None:
    places = scattered(4_000, 40.0)
    heights = waves(*places.T)
    heights[:2] += 500.0
    classes = np.full(4_000, 2, np.uint8)
    classes[0] = 18
    withheld = np.zeros(4_000, np.uint8)
    withheld[1] = 1
    cloud = write_cloud(on(places, heights), classification=classes, withheld=withheld)

    dsm = do("GENERATE_DEM", input_las=cloud, surface="dsm", resolution=2.0)

    assert np.nanmax(dsm.raster) < 100.0


def test_unclassified_clouds_get_the_terrain_of_their_lowest_points(
    do: Any, write_cloud: Any
) -> None:
    ground, house = scattered(40_000, 120.0), scattered(6_000, 15.0, seed=1) + 50.0
    heights = np.concatenate([waves(*ground.T), waves(*house.T) + 8.0])
    covered = np.all((ground > 50.0) & (ground < 65.0), axis=1)
    keep = np.concatenate([~covered, np.ones(6_000, bool)])
    cloud = write_cloud(on(np.concatenate([ground, house]), heights)[keep])

    dem = do("GENERATE_DEM", input_las=cloud, resolution=1.0)

    x, y = centres(dem.path)
    off = np.abs(dem.raster - waves(x - WEST, y - SOUTH))
    assert "GROUND_NOT_CLASSIFIED" in dem.codes
    assert off[::-1][52:63, 52:63].max() < 1.0
    assert np.nanmean(off) < 0.3


@pytest.mark.parametrize("ground", ["class", "smrf"])
@pytest.mark.parametrize("surface", ["dtm", "dsm", "chm"])
def test_any_cut_of_the_work_gives_the_same_bytes(
    do: Any, write_cloud: Any, monkeypatch: pytest.MonkeyPatch, surface: str, ground: str
) -> None:
    places = scattered(60_000, 250.0)
    heights = waves(*places.T) + np.random.default_rng(5).choice([0.0, 0.0, 9.0], 60_000)
    classes = np.random.default_rng(6).choice([2, 5], 60_000).astype(np.uint8)
    cloud = write_cloud(on(places, heights), name="cloud.las", classification=classes)
    ask = {"input_las": cloud, "surface": surface, "ground": ground, "fill_cells": 20}

    whole = do("GENERATE_DEM", **ask)
    monkeypatch.setattr(gridding, "PART_POINTS", 10_000)
    monkeypatch.setattr(tiles.split, "__defaults__", (64,))
    cut = do("GENERATE_DEM", order=lambda parts: list(reversed(parts)), **ask)

    assert whole.path.read_bytes() == cut.path.read_bytes()


def test_voids_are_filled_inside_the_hull_alone(do: Any, write_cloud: Any) -> None:
    places = scattered(20_000, 100.0)
    away = np.hypot(*(places - 50.0).T)
    places = places[(away < 45.0) & (away > 20.0)]
    cloud = write_cloud(on(places, waves(*places.T)), classification=np.full(len(places), 2, "u1"))

    filled = do("GENERATE_DEM", input_las=cloud)
    bare = do("GENERATE_DEM", input_las=cloud, fill_cells=0)

    assert not np.isnan(filled.raster[45, 45])
    assert np.isnan(bare.raster[45, 45])
    assert np.isnan(filled.raster[0, 0])
    assert filled.values["void_cells"] == int(np.isnan(filled.raster).sum())


def test_a_choice_without_points_is_refused(do: Any, write_cloud: Any) -> None:
    cloud = write_cloud(on(scattered(100, 20.0), np.zeros(100)))

    with pytest.raises(Problem, match="NO_POINTS_CHOSEN: of 100 points none count for 'ground'"):
        do("GENERATE_DEM", input_las=cloud, ground="class")
