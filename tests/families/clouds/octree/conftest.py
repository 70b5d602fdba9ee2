"""Small clouds, written by laspy, and what builds octrees from them."""

import importlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import CRS

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.io.frame import frame_of
from haulier.families.clouds.io.lazwriter import ShardWriter, assemble
from haulier.families.clouds.steps import passes
from haulier.testing.context import Order, World, as_split, run_step

Records = NDArray[np.void]
Places = Sequence[tuple[int, int, int]] | NDArray[np.int32]


class Building:
    """The builders as a family, by the names of their modules."""

    name = "building"

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        parts: Sequence[Part] = self._doing(step).split(step, context)
        return parts

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        result: PartResult = self._doing(step).run(step, part, context)
        return result

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        result: StepResult = self._doing(step).merge(step, results, context)
        return result

    def _doing(self, step: StepPlan) -> Any:
        return importlib.import_module(f"haulier.families.clouds.steps.{step.kind.lower()}")


class Built:
    """What a build gave."""

    def __init__(self, result: StepResult, world: World) -> None:
        self.values = result.values
        self.world = world
        (self.path,) = [output.path for output in world.outputs.values()]

    def parts(self, stage: str) -> list[Path]:
        return sorted((self.world.folder / "build" / f"parts-{stage}").iterdir())


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Built]:
    """Give a way to build a container from files, and get it."""

    def build(kind: str, *sources: Path, order: Order = as_split, **params: Any) -> Built:
        world = World(tmp_path_factory.mktemp("build"))
        inputs = []
        for number, source in enumerate(sources):
            world.storages[str(number)] = source.parent
            inputs.append({"storage": str(number), "filename": source.name})
        given = {"input_las": inputs if len(inputs) > 1 else inputs[0]}
        plan = StepPlan("build", "building", kind, params, inputs=given, stages=passes.STAGES)
        return Built(run_step(Building(), plan, world, order=order), world)  # type: ignore[arg-type]

    return build


def write_las(path: Path, places: Places, *, point_format: int = 7, seed: int = 0) -> Path:
    """Write points at whole coordinates, every other field drawn at random."""
    random = np.random.default_rng(seed)
    header = laspy.LasHeader(point_format=point_format, version="1.4" if point_format > 5 else None)
    header.scales, header.offsets = np.full(3, 0.01), np.array([1000.0, -500.0, 0.0])
    header.add_extra_dim(laspy.ExtraBytesParams("Reflectance", "int16", "dB"))
    las = laspy.LasData(header)
    las.points = laspy.ScaleAwarePointRecord.zeros(len(places), header=header)
    las.X, las.Y, las.Z = np.array(places, dtype=np.int32).reshape(-1, 3).T
    for name in las.point_format.dimension_names:
        if name not in {"X", "Y", "Z"}:
            las[name] = _drawn(las, name, random)
    las.write(path)
    return path


def _drawn(las: laspy.LasData, name: str, random: np.random.Generator) -> NDArray[Any]:
    dimension = las.point_format.dimension_by_name(name)
    if name == "scan_angle":
        return random.integers(-15_000, 15_000, len(las.X))
    if dimension.kind is laspy.DimensionKind.FloatingPoint:
        return random.uniform(0, 1e6, len(las.X)).round(3)
    if dimension.kind is laspy.DimensionKind.SignedInteger:
        return random.integers(-90, 90, len(las.X))
    return random.integers(0, 2 ** min(dimension.num_bits, 16), len(las.X))


@pytest.fixture
def las(tmp_path: Path) -> Callable[..., Path]:
    """Give a way to write a small file."""

    def write(places: Places, *, name: str = "cloud.las", **more: int) -> Path:
        return write_las(tmp_path / name, places, **more)

    return write


@pytest.fixture(scope="session")
def terrain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give rolling ground in scan lines: 14,000 points, compressed in chunks of 1,000."""
    random = np.random.default_rng(11)
    number = np.arange(14_000)
    x = number % 140 * 53 + random.integers(0, 40, len(number))
    y = number // 140 * 71 + random.integers(0, 60, len(number))
    z = (np.sin(x / 900) * 700 + random.integers(0, 300, len(number))).astype(np.int64)
    folder = tmp_path_factory.mktemp("terrain")
    cloud = open_cloud(write_las(folder / "terrain.las", np.stack([x, y, z], axis=1)))
    shard = ShardWriter(folder / "shard", cloud.layout)
    with shard:
        for records in cloud.read(batch=1_000):
            shard.add(records)
    path = folder / "terrain.laz"
    assemble(path, frame_of(cloud, CRS(25832).to_wkt()), [(folder / "shard", shard.facts())])
    return path


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Give a file of the data that are no part of the repository, or skip the test."""
    root = Path(os.environ.get("HAULIER_TEST_DATA", Path(__file__).parents[5] / "shared/data"))

    def find(name: str) -> Path:
        path = root / "clouds" / name
        if not path.is_file():
            pytest.skip(f"there is no {path}")
        return path

    return find


@pytest.fixture(scope="session")
def beside_npm(request: pytest.FixtureRequest) -> Callable[[str, str, Path], str]:
    """Give a way to run a script beside a package of npm; skip where it cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("there is no node")

    def run(package: str, script: str, path: Path) -> str:
        name = package.partition("@")[0]
        folder = Path(request.config.cache.mkdir(name))
        if not (folder / "node_modules" / name).is_dir():
            install = [npm, "install", "--no-audit", "--no-fund", package]
            if subprocess.run(install, cwd=folder, capture_output=True, check=False).returncode:
                pytest.skip(f"npm cannot install {package}")
        (folder / "script.mjs").write_text(script)
        command = [node, "script.mjs", str(path)]
        return subprocess.run(
            command, cwd=folder, capture_output=True, check=True, text=True
        ).stdout

    return run
