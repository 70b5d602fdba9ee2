"""Keep lines of equal height between parts, and write them as GeoJSON, one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.contours import Lines, take

FloatArray = NDArray[np.float64]
GEOJSON: Final = "application/geo+json"
ARRAYS: Final = ("levels", "starts", "edges", "places")


@dataclass(frozen=True)
class Line:
    """A line as a person gets it.

    Attributes:
        height: of the line.
        places: (n, 2) X and Y, or longitude and latitude.
    """

    height: float
    places: FloatArray


def save_lines(folder: Path, lines: Lines) -> None:
    """Keep lines in files of a folder."""
    for name in ARRAYS:
        np.save(folder / f"{name}.npy", getattr(lines, name))


def open_lines(folder: Path) -> Lines:
    """Open kept lines; only what is looked at is read."""
    return Lines(*(np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS))


def one_line(lines: Lines, number: int) -> Lines:
    """Give one of the lines."""
    return take(lines, np.array([number], dtype=np.int64))


def write_geojson(path: Path, lines: Iterable[Line], *, decimals: int, crs_name: str = "") -> int:
    """Write lines as a collection of features, and give how many there were.

    Args:
        path: of the file.
        lines: in the order of the file.
        decimals: of coordinates.
        crs_name: of the coordinate system; empty: WGS 84, which GeoJSON has without a word.
    """
    head: dict[str, Any] = {"type": "FeatureCollection", "name": "contours"}
    if crs_name:
        head["crs"] = {"type": "name", "properties": {"name": crs_name}}
    number = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head)[:-1] + ', "features": [')
        for line in lines:
            file.write(",\n" if number else "\n")
            file.write(json.dumps(_feature(line, decimals), separators=(",", ":")))
            number += 1
        file.write("\n]}\n")
    return number


def _feature(line: Line, decimals: int) -> dict[str, Any]:
    coordinates = np.round(line.places, decimals).tolist()
    return {
        "type": "Feature",
        "properties": {"elevation": line.height},
        "geometry": {"type": "LineString", "coordinates": coordinates},
    }
