"""Whole steps over small clouds of known shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from pyproj import CRS

from haulier.core.recipe import StepPlan
from haulier.families.clouds.family import FAMILY
from haulier.testing.context import Order, World, as_split, run_step

FloatArray = NDArray[np.float64]
#: A metric system, and places in it.
METRIC = "EPSG:2154+EPSG:5720"
WEST, SOUTH = 292_000.0, 6_832_000.0


@dataclass(frozen=True)
class Done:
    """What a step gave."""

    values: Mapping[str, Any]
    path: Path

    @property
    def codes(self) -> set[str]:
        """Give the codes of its warnings."""
        return {str(each["code"]) for each in self.values["warnings"]}

    @property
    def cloud(self) -> laspy.LasData:
        """Read the cloud that it gave."""
        return laspy.read(self.path)

    @property
    def raster(self) -> FloatArray:
        """Read the raster that it gave, NaN where void."""
        with rasterio.open(self.path) as file:
            return np.asarray(file.read(1, masked=True).astype(float).filled(np.nan))


Do = Callable[..., Done]


@pytest.fixture
def do(tmp_path: Path) -> Do:
    """Give what does a step: inputs are paths; `order` is that in which parts are run."""
    count = 0

    def run(kind: str, order: Order = as_split, **given: Any) -> Done:
        nonlocal count
        count += 1
        inputs = {name: path for name, path in given.items() if isinstance(path, Path)}
        params = {name: value for name, value in given.items() if name not in inputs}
        world = World(tmp_path / f"world-{count}", {name: p.parent for name, p in inputs.items()})
        step = StepPlan(
            "step",
            FAMILY.name,
            kind,
            params,
            inputs={n: {"storage": n, "filename": p.name} for n, p in inputs.items()},
            stages=FAMILY.step_kinds[kind].stages,
        )
        result = run_step(FAMILY, step, world, order=order)
        (output,) = world.outputs.values()
        return Done(result.values, output.path)

    return run


@pytest.fixture
def write_cloud(tmp_path: Path) -> Callable[..., Path]:
    """Give what writes a cloud of given places."""

    def write(
        places: FloatArray,
        name: str = "cloud.laz",
        *,
        crs: str | None = METRIC,
        point_format: int = 6,
        step: float = 0.001,
        **fields: Any,
    ) -> Path:
        header = laspy.LasHeader(version="1.4", point_format=point_format)
        header.scales, header.offsets = np.full(3, step), np.floor(places.min(axis=0))
        if crs:
            header.add_crs(CRS.from_user_input(crs), keep_compatibility=False)
        cloud = laspy.LasData(header)
        cloud.x, cloud.y, cloud.z = places.T
        one = np.ones(len(places), dtype=np.uint8)
        cloud.return_number, cloud.number_of_returns = one, one
        for field, values in fields.items():
            setattr(cloud, field, values)
        cloud.write(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def write_raster(tmp_path: Path) -> Callable[..., Path]:
    """Give what writes a GeoTIFF of given values, bands first if there are several."""

    def write(
        values: NDArray[Any],
        name: str = "dem.tif",
        *,
        crs: str | None = METRIC,
        west: float = WEST,
        north: float = SOUTH + 1000.0,
        cell: float = 1.0,
        **profile: Any,
    ) -> Path:
        bands = values if values.ndim == 3 else values[np.newaxis]
        shift = rasterio.Affine(cell, 0, west, 0, -cell, north)
        with rasterio.open(
            tmp_path / name,
            "w",
            driver="GTiff",
            count=len(bands),
            height=bands.shape[1],
            width=bands.shape[2],
            dtype=bands.dtype,
            crs=crs and rasterio.CRS.from_wkt(CRS.from_user_input(crs).to_wkt("WKT1_GDAL")),
            transform=shift,
            **profile,
        ) as file:
            file.write(bands)
        return tmp_path / name

    return write
