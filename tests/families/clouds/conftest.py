"""Clouds for tests: published files where they are, and small ones made by laspy."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from pyproj import CRS

#: Where the data lie if HAULIER_TEST_DATA does not say: in a folder beside the checkout's.
BESIDE = Path(__file__).parents[4] / "shared" / "data"
MakeLas = Callable[..., Path]


@pytest.fixture(scope="session")
def published() -> Callable[[str], Path]:
    """Give what finds a published cloud; the test is skipped where there is none."""
    folder = Path(os.environ.get("HAULIER_TEST_DATA", BESIDE)) / "clouds"

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"no {name} here; HAULIER_TEST_DATA may name the folder of clouds/{name}")
        return path

    return find


@pytest.fixture
def make_las(tmp_path: Path) -> MakeLas:
    """Give what writes a cloud of random points with laspy."""

    def make(
        name: str = "cloud.laz",
        *,
        point_format: int = 7,
        count: int = 1000,
        low: tuple[float, float, float] = (1_503_000.0, 375_000.0, 1000.0),
        high: tuple[float, float, float] = (1_504_000.0, 376_000.0, 1100.0),
        step: float = 0.01,
        crs: Any = None,
        extra: tuple[laspy.ExtraBytesParams, ...] = (),
    ) -> Path:
        rng = np.random.default_rng(count)
        header = laspy.LasHeader(point_format=point_format)
        header.add_extra_dims(list(extra))
        header.scales, header.offsets = np.full(3, step), np.floor(low)
        if crs is not None:
            header.add_crs(CRS.from_user_input(crs), keep_compatibility=False)
        cloud = laspy.LasData(header)
        cloud.points = laspy.ScaleAwarePointRecord.zeros(count, header=header)
        bits = rng.integers(0, 256, (count, cloud.points.array.itemsize), np.uint8)
        cloud.points.array[:] = bits.view(cloud.points.array.dtype).ravel()
        _make_sound(cloud, rng)
        cloud.x, cloud.y, cloud.z = (
            rng.uniform(a, b, count) for a, b in zip(low, high, strict=True)
        )
        path = tmp_path / name
        cloud.write(path)
        return path

    return make


def _make_sound(cloud: laspy.LasData, rng: np.random.Generator) -> None:
    """Give values to what must not be just any bits."""
    number = len(cloud.points)
    returns = rng.integers(1, 5, number)
    cloud.number_of_returns = returns
    cloud.return_number = rng.integers(1, returns + 1)
    if "gps_time" in cloud.point_format.dimension_names:
        cloud.gps_time = np.sort(rng.uniform(0, 1e6, number))
    for dimension in cloud.point_format.extra_dimensions:
        if dimension.kind is laspy.point.dims.DimensionKind.FloatingPoint:
            cloud[dimension.name] = rng.normal(size=number)
