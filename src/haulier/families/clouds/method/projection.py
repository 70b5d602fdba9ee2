"""One operation of PROJ, pinned: it takes coordinates from one system to another."""

import hashlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pyproj
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from pyproj.database import get_database_metadata
from pyproj.datadir import get_data_dir, get_user_data_dir  # type: ignore[attr-defined]
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]
from pyproj.transformer import AreaOfInterest, TransformerGroup

FloatArray = NDArray[np.float64]
Area = tuple[float, float, float, float]

#: Steps of a pipeline that read a grid: where its cells meet, the operation has kinks.
GRID_STEPS: Final = (
    "gridshift", "hgridshift", "vgridshift", "xyzgridshift", "deformation", "tinshift", "defmodel",
)  # fmt: skip
GRID_SUFFIXES: Final = frozenset({".tif", ".gsb", ".gtx", ".json", ".gvb", ".ct2", ".lla"})
BALLPARK: Final = "ballpark"
MOST_GRIDS: Final = 12


class NoOperationError(ValueError):
    """PROJ has no operation between two systems that could be used here."""

    def __init__(self, message: str, missing_grids: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.missing_grids = missing_grids


@dataclass(frozen=True)
class Operation:
    """A pinned operation: the same everywhere, whatever point it is used on.

    Attributes:
        pipeline: its PROJ string; X and Y are east and north on both sides, angles in degrees.
        name: the steps in words.
        accuracy_m: as its registry says; None: unknown.
        is_ballpark: it leaves out a shift of datum that there should be.
        area: west, south, east, north in degrees, where it is meant to be used.
        missing_grids: files that better operations would need.
        best_accuracy_m: of the best of these; None: unknown, or there is no better one.
        proj_version: of the library.
        database_version: of its registry.
    """

    pipeline: str
    name: str
    accuracy_m: float | None
    is_ballpark: bool
    area: Area | None
    missing_grids: tuple[str, ...]
    best_accuracy_m: float | None
    proj_version: str
    database_version: str

    @property
    def uses_grids(self) -> bool:
        """Say whether it reads a grid, and so has kinks."""
        return any(f"proj={step}" in self.pipeline for step in GRID_STEPS)


def find_operation(source: CRS, target: CRS, area: Area | None) -> Operation:
    """Choose the best operation whose grids are here.

    Args:
        source: the system to come from.
        target: the system to go to.
        area: west, south, east, north in degrees, where the points are; None: anywhere.

    Raises:
        NoOperationError: there is none.
    """
    set_network_enabled(active=False)  # a grid that comes and goes with the network pins nothing
    interest = None
    if area:  # PROJ names an end beyond 180 degrees as the place that it is
        west, south, east, north = area
        interest = AreaOfInterest(west, south, east - 360 * (east > 180), north)  # noqa: PLR2004
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of missing grids, which we say ourselves
        group = TransformerGroup(source, target, always_xy=True, area_of_interest=interest)
    missing, best = _missing(group)
    if not group.transformers:
        message = f"PROJ has no operation from '{source.name}' to '{target.name}' that is usable"
        raise NoOperationError(message, missing)
    chosen = group.transformers[0]
    accuracy = chosen.accuracy if chosen.accuracy is not None and chosen.accuracy >= 0 else None
    bounds = chosen.area_of_use.bounds if chosen.area_of_use else None
    return Operation(
        pipeline=chosen.definition,
        name=chosen.description,
        accuracy_m=accuracy,
        is_ballpark=BALLPARK in chosen.description.lower() or accuracy is None,
        area=bounds,
        missing_grids=missing,
        best_accuracy_m=best,
        proj_version=pyproj.proj_version_str,
        database_version=database_version(),
    )


def _missing(group: TransformerGroup) -> tuple[tuple[str, ...], float | None]:
    """Give the grids that better operations need, and the accuracy of the best of those."""
    if group.best_available and group.transformers:
        return (), None
    names: list[str] = []
    for operation in group.unavailable_operations:
        for grid in operation.grids:
            if not grid.available and grid.short_name not in names:
                names.append(grid.short_name)
    known = [op.accuracy for op in group.unavailable_operations[:1] if op.accuracy >= 0]
    return tuple(names[:MOST_GRIDS]), known[0] if known else None


def transform_of(pipeline: str) -> Callable[..., tuple[FloatArray, ...]]:
    """Give the function of a pipeline: arrays of X and Y, or X, Y and Z, in and out.

    What cannot be transformed comes out as infinity.
    """
    given: Callable[..., tuple[FloatArray, ...]] = pinned(pipeline).transform
    return given


@lru_cache(maxsize=32)
def pinned(pipeline: str) -> Transformer:
    """Give the transformer of a pipeline; the process keeps it, and the grids that it has read."""
    _stay_offline()
    return Transformer.from_pipeline(pipeline)


def _stay_offline() -> None:
    """Keep PROJ from fetching grids: one that comes and goes with the network pins nothing."""
    set_network_enabled(active=False)


def position(crs: CRS, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give longitude and latitude, in degrees on the system's own datum, of places in it.

    Args:
        crs: a horizontal system.
        x: (n,) east, in its unit.
        y: (n,) north.

    Returns:
        Two arrays (n,); infinite where there is no such place.
    """
    degrees = CRS.from_user_input(crs.geodetic_crs).to_2d()
    group = TransformerGroup(crs, degrees, always_xy=True)
    lon, lat = group.transformers[0].transform(x, y)
    return np.asarray(lon), np.asarray(lat)


def database_version() -> str:
    """Give the versions of the registries in PROJ's database."""
    epsg, esri = get_database_metadata("EPSG.VERSION"), get_database_metadata("ESRI.VERSION")
    return f"PROJ {get_database_metadata('PROJ.VERSION')}, EPSG {epsg}, ESRI {esri}"


@lru_cache(maxsize=1)
def numeric_fingerprint() -> str:
    """Name everything outside our code that decides coordinates and compressed bytes.

    These are the versions of PROJ, of its database and of the LAZ codec, and the grids that are
    here, by name and size.
    """
    folders = [get_data_dir(), get_user_data_dir()]
    grids = sorted(
        f"{path.name}:{path.stat().st_size}"
        for folder in {part for each in folders for part in each.split(":")}
        for path in (Path(folder).glob("*") if Path(folder).is_dir() else ())
        if path.suffix in GRID_SUFFIXES
    )
    said = [pyproj.proj_version_str, database_version(), version("lazrs"), *grids]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
