"""What is built does not depend on how the work was divided: not on memory, parts, or order."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haulier.core.family import Part
from haulier.core.problem import Problem

Build = Callable[..., Any]
Las = Callable[..., Path]

SMALL: dict[str, Any] = {"span": 32, "leaf_max": 300}
#: Megabytes that make a part as many points as this: records of 38 bytes, and what is beside them.
MB_OF_A_POINT = (38 + 80) / 1e6


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def backwards(parts: Sequence[Part]) -> Sequence[Part]:
    return parts[::-1]


@pytest.fixture(scope="module")
def whole(build: Build, terrain: Path) -> dict[str, bytes]:
    built = build("BUILD_EPT", terrain, **SMALL)
    assert len(built.parts("bin")) == len(built.parts("node")) == 1
    return files(built.path)


@pytest.mark.parametrize(("points", "parts"), [(7_000, 2), (2_000, 7), (1_000, 14), (400, 14)])
def test_a_folder_is_the_same_for_any_number_of_parts(
    build: Build, terrain: Path, whole: dict[str, bytes], points: int, parts: int
) -> None:
    built = build("BUILD_EPT", terrain, memory_mb=(points + 0.5) * MB_OF_A_POINT, **SMALL)

    assert len(built.parts("bin")) == parts
    assert len(built.parts("node")) >= parts
    assert files(built.path) == whole


def test_a_folder_is_the_same_for_any_order_of_its_parts(
    build: Build, terrain: Path, whole: dict[str, bytes]
) -> None:
    memory_mb = 1_000.5 * MB_OF_A_POINT

    built = build("BUILD_EPT", terrain, memory_mb=memory_mb, order=backwards, **SMALL)

    assert files(built.path) == whole


@pytest.mark.parametrize("kind", ["BUILD_COPC", "BUILD_POTREE"])
def test_other_containers_are_the_same_for_any_number_of_parts(
    build: Build, terrain: Path, kind: str
) -> None:
    built = [
        build(kind, terrain, memory_mb=memory_mb, **SMALL)
        for memory_mb in (10.0, 1_000.5 * MB_OF_A_POINT)
    ]

    first, second = (
        files(each.path) if each.path.is_dir() else each.path.read_bytes() for each in built
    )
    assert first == second


def test_a_crowd_in_one_place_is_built_in_little_memory(build: Build, las: Las) -> None:
    random = np.random.default_rng(3)
    crowd = random.integers(0, 1_000, (6_000, 3)) + 5_000_000
    around = random.integers(0, 10_000_000, (1_000, 3))
    source = las(random.permutation(np.concatenate([crowd, around])))

    built = [
        build("BUILD_EPT", source, memory_mb=points * MB_OF_A_POINT, span=32, leaf_max=100)
        for points in (100_000, 500.5)
    ]

    assert files(built[0].path) == files(built[1].path)
    assert built[0].values["depth"] > 10


def test_points_that_no_depth_tells_apart_are_too_many_for_little_memory(
    build: Build, las: Las
) -> None:
    source = las([(7, 7, 7)] * 2_000 + [(9_000_000, 9_000_000, 0)])

    with pytest.raises(Problem, match=r"CLOUD_TOO_DENSE: a cell of .* has 2000 points"):
        build("BUILD_EPT", source, memory_mb=500.5 * MB_OF_A_POINT, span=32, leaf_max=100)


def test_memory_for_less_than_a_leaf_is_refused(build: Build, las: Las) -> None:
    with pytest.raises(Problem, match=r"memory_mb must be at least 11\.8, for a leaf"):
        build("BUILD_EPT", las([(0, 0, 0)]), memory_mb=1)
