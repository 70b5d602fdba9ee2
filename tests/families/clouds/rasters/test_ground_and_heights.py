"""Ground against the classes of a surveyor, and heights above it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from numpy.typing import NDArray

from haulier.core.problem import Problem
from haulier.families.clouds.steps import gridding, tiling

Published = Callable[[str], Path]
WEST, SOUTH = 292_000.0, 6_832_000.0
IGN = "test_semis_2023_0292_6833_LA93_IGN69.laz"


def kappa(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    """Give Cohen's kappa of two classifications."""
    agreed = float(np.mean(one == other))
    p, q = float(one.mean()), float(other.mean())
    by_chance = p * q + (1 - p) * (1 - q)
    return (agreed - by_chance) / (1 - by_chance)


def a_slope_with_houses(seed: int = 0) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Give places, and which of them are ground."""
    rng = np.random.default_rng(seed)
    flat = rng.uniform(0, 120, (40_000, 2))
    heights = 50 + 0.08 * flat[:, 0] + rng.normal(0, 0.03, len(flat))
    ground = np.ones(len(flat), dtype=bool)
    for left in (20, 60, 90):
        house = np.all(np.abs(flat - (left, 60)) < 7, axis=1)
        heights[house] += 6
        ground[house] = False
    trees = rng.random(len(flat)) < 0.05
    heights[trees & ground] += 9
    places = np.column_stack([WEST + flat[:, 0], SOUTH + flat[:, 1], heights])
    return places, ground & ~trees


@pytest.mark.parametrize(("asked", "floor"), [({}, 0.90), ({"cell_m": 2.0}, 0.90),
    ({"window_shape": "disc"}, 0.88), ({"returns": "all"}, 0.88)])  # fmt: skip
def test_ground_agrees_with_the_classes_of_ign(
    do: Any, published: Published, asked: dict[str, Any], floor: float
) -> None:
    path = published(IGN)

    done = do("CLASSIFY_GROUND", input_las=path, **asked)

    truth = np.asarray(laspy.read(path).classification) == 2
    agreement = kappa(np.asarray(done.cloud.classification) == 2, truth)
    print(f"kappa of {asked or 'the defaults'} against IGN: {agreement:.3f}")  # noqa: T201
    assert agreement > floor


@pytest.mark.parametrize("method", ["smrf", "csf"])
def test_houses_and_trees_are_no_ground(
    do: Any, write_cloud: Any, method: str, capfd: pytest.CaptureFixture[str]
) -> None:
    places, truth = a_slope_with_houses()
    asked = {"method": method, "iterations": 200, "cloth_m": 1.0}

    done = do("CLASSIFY_GROUND", input_las=write_cloud(places), **asked)

    assert kappa(np.asarray(done.cloud.classification) == 2, truth) > 0.95
    assert capfd.readouterr().out == ""  # the cloth's library talks


def test_feet_and_metres_give_the_same_ground(do: Any, write_cloud: Any) -> None:
    places, _ = a_slope_with_houses()
    metres = do("CLASSIFY_GROUND", input_las=write_cloud(places, crs="EPSG:2154"))
    feet = (places - (WEST, SOUTH, 0)) / (1200 / 3937) + (1_503_000, 375_000, 0)

    done = do("CLASSIFY_GROUND", input_las=write_cloud(feet, "feet.laz", crs="EPSG:2271"))

    same = np.asarray(done.cloud.classification) == np.asarray(metres.cloud.classification)
    assert same.mean() > 0.99


@pytest.mark.parametrize(("others", "expected"), [("keep", [2, 5, 7, 1]), ("reset", [2, 1, 7, 1])])
def test_other_classes_are_kept_or_reset(
    do: Any, write_cloud: Any, others: str, expected: list[int]
) -> None:
    places, _ = a_slope_with_houses()
    places[:4, :2] = (WEST + 40, SOUTH + 20)
    places[:4, 2] = 50 + 0.08 * 40 + np.array([0, 9, -30, 8])
    classes = np.ones(len(places), dtype=np.uint8)
    classes[:4] = [6, 5, 7, 2]

    done = do("CLASSIFY_GROUND", input_las=write_cloud(places, classification=classes),
        others=others)  # fmt: skip

    assert np.asarray(done.cloud.classification)[:4].tolist() == expected


@pytest.mark.parametrize("kind", ["CLASSIFY_GROUND", "HEIGHT_ABOVE_GROUND", "COLORIZE_AS_DEM"])
def test_any_cut_of_the_work_gives_the_same_file(
    do: Any, write_cloud: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    places, truth = a_slope_with_houses()
    cloud = write_cloud(places, "cloud.las", classification=np.where(truth, 2, 1).astype("u1"))

    whole = do(kind, input_las=cloud)
    monkeypatch.setattr(gridding, "PART_POINTS", 5_000)
    cut = do(kind, input_las=cloud, order=lambda parts: list(reversed(parts)))

    assert whole.path.read_bytes() == cut.path.read_bytes()


def test_a_reader_of_small_tiles_finds_what_one_tile_has(
    do: Any, write_cloud: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    places, _ = a_slope_with_houses()
    cloud = write_cloud(places)
    whole = do("CLASSIFY_GROUND", input_las=cloud)

    monkeypatch.setattr(tiling.split, "__defaults__", (32,))
    monkeypatch.setattr(tiling.tiles_of, "__defaults__", (32,))
    cut = do("CLASSIFY_GROUND", input_las=cloud)

    assert whole.path.read_bytes() == cut.path.read_bytes()


def test_heights_are_those_over_the_slope(do: Any, write_cloud: Any) -> None:
    places, truth = a_slope_with_houses()
    cloud = write_cloud(places, classification=np.where(truth, 2, 1).astype("u1"))

    above = np.asarray(do("HEIGHT_ABOVE_GROUND", input_las=cloud).cloud["HeightAboveGround"])

    expected = places[:, 2] - (50 + 0.08 * (places[:, 0] - WEST))
    assert np.abs(above - expected).max() < 0.35
    assert np.abs(above - expected).mean() < 0.04


def test_heights_may_stand_instead_of_z(do: Any, write_cloud: Any) -> None:
    places, truth = a_slope_with_houses()
    far = np.array([[WEST + 5000.0, SOUTH + 5000.0, 80.0]])
    classes = np.append(np.where(truth, 2, 1), 1).astype("u1")
    cloud = write_cloud(np.concatenate([places, far]), classification=classes)

    done = do("HEIGHT_ABOVE_GROUND", input_las=cloud, write_to="z")

    assert len(done.cloud) == len(places)
    assert "HEIGHT_UNKNOWN" in done.codes
    assert np.abs(np.asarray(done.cloud.z)[truth]).max() < 0.35


def test_heights_need_ground(do: Any, write_cloud: Any) -> None:
    places, _ = a_slope_with_houses()

    with pytest.raises(Problem, match="run CLASSIFY_GROUND first"):
        do("HEIGHT_ABOVE_GROUND", input_las=write_cloud(places))
