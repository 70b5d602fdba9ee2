"""Read GeoTIFF by windows, and write Cloud Optimized GeoTIFF from tiles."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS as GdalCrs  # noqa: N811 -- pyproj has a CRS of its own
from rasterio.errors import CRSError, NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.transform import Affine
from rasterio.windows import Window as GdalWindow

from haulier.core.problem import Code, Problem
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.notes import broken, trap

NODATA: Final = -9999.0
MEDIA_TYPE: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
BLOCK: Final = 512
#: Of GDAL in one process: what it holds of blocks, and threads, which we share out ourselves.
ENVIRONMENT: Final = {
    "GDAL_CACHEMAX": 64,
    "GDAL_NUM_THREADS": 1,
    "GTIFF_REPORT_COMPD_CS": "YES",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
}
#: A raster is cut into tiles, which are listed: one with more cells is one whose header lies.
MOST_CELLS: Final = 10**11
LEVEL: Final = 6
FLOAT_PREDICTOR, INTEGER_PREDICTOR = 3, 2


@dataclass(frozen=True)
class RasterFrame:
    """Where the cells of a raster are, and what it says of itself.

    Attributes:
        west: X of its left edge.
        north: Y of its upper edge.
        width: of a cell, in the unit of X and Y.
        height: of a cell, a positive number.
        rows: how many.
        columns: how many.
        wkt: of its coordinate system; empty if it has none.
        unit: of its values; empty if it says none.
    """

    west: float
    north: float
    width: float
    height: float
    rows: int
    columns: int
    wkt: str = ""
    unit: str = ""

    @property
    def window(self) -> Window:
        """Give all cells, the first in row 0 and column 0."""
        return Window(0, 0, self.rows, self.columns)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Give least X and Y, greatest X and Y."""
        east = self.west + self.columns * self.width
        return self.west, self.north - self.rows * self.height, east, self.north


def frame_of_cells(window: Window, cell: float, wkt: str, unit: str = "") -> RasterFrame:
    """Give the frame of cells of the lattice whose cell (0, 0) has its corner at X = Y = 0."""
    west, north = window.left * cell, -window.top * cell
    return RasterFrame(west, north, cell, cell, window.rows, window.columns, wkt, unit)


@dataclass(frozen=True)
class Band:
    """What the values of a raster to be written are.

    Attributes:
        dtype: such as "float32".
        nodata: the value of void cells.
        description: what is measured, for a person.
        resampling: how overviews are made: "average", or "nearest" for what has no mean.
    """

    dtype: str = "float32"
    nodata: float = NODATA
    description: str = ""
    resampling: str = "average"


class RasterWriter:
    """Takes tiles in any order."""

    def __init__(self, file: Any, band: Band) -> None:  # noqa: ANN401 -- rasterio has no types
        self._file = file
        self._band = band

    def write(self, window: Window, values: NDArray[Any]) -> None:
        """Write the cells of a window; NaN is void."""
        given = values
        if values.dtype.kind == "f":
            given = np.nan_to_num(values, nan=self._band.nodata, copy=True)
        self._file.write(given.astype(self._band.dtype), 1, window=_gdal(window))


@contextmanager
def raster_writer(
    path: Path, frame: RasterFrame, band: Band, scratch: Path
) -> Iterator[RasterWriter]:
    """Give what takes tiles, and writes one Cloud Optimized GeoTIFF when all are there.

    The bytes depend on the values alone, not on the order or the size of tiles.

    Args:
        path: of the file.
        frame: where its cells are; what is not written stays void.
        band: what its values are.
        scratch: a folder for a file of the same cells, not compressed.

    Raises:
        Problem: INVALID; the coordinate system is one that GeoTIFF cannot say.
    """
    plain = scratch / f"{path.stem}.plain.tif"
    try:
        with rasterio.Env(**ENVIRONMENT):
            with rasterio.open(plain, "w", **_profile(frame, band)) as file:
                file.set_band_description(1, band.description)
                if frame.unit:
                    file.set_band_unit(1, frame.unit)
                yield RasterWriter(file, band)
            _optimise(plain, path, band)
    finally:
        plain.unlink(missing_ok=True)


def _profile(frame: RasterFrame, band: Band) -> dict[str, Any]:
    return {
        "driver": "GTiff",
        "width": frame.columns,
        "height": frame.rows,
        "count": 1,
        "dtype": band.dtype,
        "nodata": band.nodata,
        "crs": _gdal_crs(frame.wkt),
        "transform": Affine(frame.width, 0.0, frame.west, 0.0, -frame.height, frame.north),
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "bigtiff": "IF_SAFER",
        "sparse_ok": True,
    }


def _optimise(plain: Path, path: Path, band: Band) -> None:
    is_float = band.dtype.startswith("float")
    rasterio.shutil.copy(
        plain,
        path,
        driver="COG",
        COMPRESS="DEFLATE",
        LEVEL=LEVEL,
        PREDICTOR=FLOAT_PREDICTOR if is_float else INTEGER_PREDICTOR,
        BLOCKSIZE=BLOCK,
        OVERVIEW_RESAMPLING=band.resampling.upper(),
        BIGTIFF="IF_SAFER",
    )


def _gdal_crs(wkt: str) -> GdalCrs | None:
    try:
        return GdalCrs.from_wkt(wkt) if wkt else None
    except CRSError as error:
        detail = f"GeoTIFF cannot say the coordinate system: {error}"
        raise trap("CRS_NOT_IN_GEOTIFF", detail[:300], "reproject first", at="input") from None


@dataclass(frozen=True)
class Raster:
    """A GeoTIFF that is open for reading.

    Attributes:
        frame: where its cells are.
        bands: how many.
        dtype: of its values as they are stored.
        colours: how its bands are to be seen: "red", "gray", "palette" and so on.
        palette: red, green and blue, 0 to 255, of each value of its first band, if it has them.
    """

    file: Any
    frame: RasterFrame
    bands: int
    dtype: np.dtype[Any]
    colours: tuple[str, ...]
    palette: NDArray[np.uint8] | None = None

    def read(self, window: Window, band: int = 1) -> NDArray[np.float32]:
        """Give the values of a window, NaN where void; it may reach beyond the raster."""
        values = np.full(window.shape, np.nan, dtype=np.float32)
        part = window.common(self.frame.window)
        if part is None:
            return values
        masked = self.file.read(band, window=_gdal(part), masked=True)
        scale, offset = self.file.scales[band - 1], self.file.offsets[band - 1]
        given = masked.astype(np.float64) * scale + offset
        values[part.inside(window)] = given.filled(np.nan)
        return values

    def read_raw(self, window: Window, band: int) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Give values as they are stored, and where they are valid; within the raster only."""
        masked = self.file.read(band, window=_gdal(window), masked=True)
        return masked.data, ~np.ma.getmaskarray(masked)


def _gdal(window: Window) -> GdalWindow:
    return GdalWindow(window.left, window.top, window.columns, window.rows)


@contextmanager
def open_raster(path: Path, at: str) -> Iterator[Raster]:
    """Open a GeoTIFF with a north-up grid of cells.

    Raises:
        Problem: INVALID; it cannot be read, or its cells are turned; NOT_FOUND.
    """
    if not path.is_file():
        raise Problem(Code.NOT_FOUND, f"there is no file '{path.name}'", at=at)
    with rasterio.Env(**ENVIRONMENT):
        try:
            # No other format: some of them name further files, anywhere.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # which we refuse
                file = rasterio.open(os.fspath(path), driver="GTiff")
        except RasterioError as error:
            detail = f"'{path.name}' is no GeoTIFF that can be read: {str(error)[:200]}"
            raise broken("RASTER_UNREADABLE", detail, at=at) from None
        with file:
            try:
                yield _described(file, at)
            except RasterioIOError as error:
                detail = f"a part of '{path.name}' cannot be read: {str(error)[:200]}"
                raise broken("RASTER_DAMAGED", detail, at=at) from None


def _described(file: Any, at: str) -> Raster:  # noqa: ANN401 -- rasterio has no types
    shift = file.transform
    if shift.b or shift.d or not (shift.a > 0 > shift.e and all(map(math.isfinite, shift))):
        message = f"its cells are turned, or it has no place on the map: {tuple(shift)[:6]}"
        hint = "warp it to a grid with north up first"
        raise trap("RASTER_NOT_NORTH_UP", message, hint, at=at)
    if file.height * file.width > MOST_CELLS:
        message = f"it says {file.width:,} by {file.height:,} cells, at most {MOST_CELLS:,} may be"
        raise trap("TOO_MANY_CELLS", message, "cut it into several", at=at)
    frame = RasterFrame(
        west=shift.c,
        north=shift.f,
        width=shift.a,
        height=-shift.e,
        rows=file.height,
        columns=file.width,
        wkt=file.crs.to_wkt() if file.crs else "",
        unit=file.units[0] or "",
    )
    colours = tuple(each.name for each in file.colorinterp)
    palette = _palette(file) if colours[0] == "palette" else None
    return Raster(file, frame, file.count, np.dtype(file.dtypes[0]), colours, palette)


def _palette(file: Any) -> NDArray[np.uint8]:  # noqa: ANN401 -- rasterio has no types
    table = file.colormap(1)
    colours = np.zeros((max(table) + 1, 3), dtype=np.uint8)
    for value, colour in table.items():
        colours[value] = colour[:3]
    return colours
