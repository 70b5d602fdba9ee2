"""Whole steps over small clouds, and a grid of shifts that PROJ can find."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import laspy
import msgspec
import numpy as np
import pytest
from pyproj.datadir import get_data_dir, set_data_dir

from haulier.core.family import Part, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.method import projection
from haulier.families.clouds.steps import reproject as reprojecting
from haulier.families.clouds.steps.moving import surrogate_of
from haulier.testing.context import LocalContext, World

Reproject = Callable[..., "Reprojected"]


class Reprojected(msgspec.Struct):
    """What a run gave."""

    values: Mapping[str, Any]
    path: Path
    parts: int

    @property
    def cloud(self) -> laspy.LasData:
        """Read the file that was written."""
        return laspy.read(self.path)

    @property
    def codes(self) -> set[str]:
        """Give the codes of the warnings."""
        return {str(each["code"]) for each in self.values["warnings"]}


@pytest.fixture
def reproject(tmp_path: Path) -> Reproject:
    """Give what runs REPROJECT_LAS over a cloud: split, each part, merge."""

    def run(
        path: Path, source: int | str, target: int | str, *, points: int = 0, **params: Any
    ) -> Reprojected:
        world = World(tmp_path / f"world-{points}", {"here": path.parent})
        step = StepPlan(
            "step",
            "clouds",
            "REPROJECT_LAS",
            {"source_epsg": source, "target_epsg": target, **params},
            inputs={"input_las": {"storage": "here", "filename": path.name}},
        )
        parts = reprojecting.split(step, LocalContext(world, step, "split"))
        if points:
            parts = recut(parts, points)
        results = {
            part.key: reprojecting.run(step, part, LocalContext(world, step, "run", part))
            for part in reversed(parts)
        }
        context = LocalContext(world, step, "merge")
        given: StepResult = reprojecting.merge(
            step, {part.key: results[part.key] for part in parts}, context
        )
        return Reprojected(given.values, context.written["output_las"].path, len(parts))

    return run


def recut(parts: Sequence[Part], points: int) -> list[Part]:
    """Cut the same work into parts of other sizes."""
    last = parts[-1].params["last"]
    return [
        Part(f"{first:09d}", {**parts[0].params, "first": first, "last": min(first + points, last)})
        for first in range(0, last, points)
    ]


@pytest.fixture
def shifts(tmp_path: Path) -> Iterator[Callable[[float], None]]:
    """Give what puts a grid of shifts, with random steps between its nodes, where PROJ looks.

    It stands in for the German BETA2007, whose name it has, in a corner of its area.
    """
    before = get_data_dir()
    folder = tmp_path / "grids"
    folder.mkdir()

    def put(cell_s: float) -> None:
        write_ntv2(folder / "BETA2007.gsb", cell_s)
        look_in(f"{before}:{folder}")

    yield put
    look_in(before)


def look_in(folders: str) -> None:
    """Let PROJ look for grids there, and forget what was made of those it found elsewhere."""
    set_data_dir(folders)
    projection.pinned.cache_clear()
    surrogate_of.cache_clear()


def write_ntv2(path: Path, cell_s: float) -> None:
    """Write a grid in the format NTv2 around 9 degrees east, 50 north.

    Args:
        path: the file.
        cell_s: the size of a cell, in seconds of arc.
    """
    count = 41
    south, east = 50 * 3600 - cell_s, -9 * 3600 - cell_s * (count - 2)  # west is positive
    north, west = south + cell_s * (count - 1), east + cell_s * (count - 1)

    def text(name: str, value: str) -> bytes:
        return f"{name:<8}{value:<8}".encode()

    def whole(name: str, value: int) -> bytes:
        return name.ljust(8).encode() + struct.pack("<i4x", value)

    def real(name: str, value: float) -> bytes:
        return name.ljust(8).encode() + struct.pack("<d", value)

    head = [
        whole("NUM_OREC", 11), whole("NUM_SREC", 11), whole("NUM_FILE", 1),
        text("GS_TYPE", "SECONDS"), text("VERSION", "NTv2.0"), text("SYSTEM_F", "DHDN90"),
        text("SYSTEM_T", "ETRS89"), real("MAJOR_F", 6377397.155), real("MINOR_F", 6356078.963),
        real("MAJOR_T", 6378137.0), real("MINOR_T", 6356752.314),
        text("SUB_NAME", "TEST"), text("PARENT", "NONE"), text("CREATED", ""), text("UPDATED", ""),
        real("S_LAT", south), real("N_LAT", north), real("E_LONG", east), real("W_LONG", west),
        real("LAT_INC", cell_s), real("LONG_INC", cell_s), whole("GS_COUNT", count * count),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    nodes = np.zeros((count * count, 4), "<f4")
    nodes[:, 0] = -3.6 + rng.normal(0, 0.01, len(nodes))
    nodes[:, 1] = 4.2 + rng.normal(0, 0.01, len(nodes))
    path.write_bytes(b"".join(head) + nodes.tobytes() + text("END", ""))
