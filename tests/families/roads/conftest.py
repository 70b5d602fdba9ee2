"""A small town: an Overture-style release of its streets, and a customer's map of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from haulier.testing.context import World

LONGITUDE, LATITUDE = 24.93, 60.16
BLOCK_M = 120.0
STREETS = 6
RELEASE = "2026-01-21.0"


def east_m(metres: float) -> float:
    """Give a longitude from metres east of the town's corner."""
    return float(LONGITUDE + metres / (111_320.0 * np.cos(np.radians(LATITUDE))))


def north_m(metres: float) -> float:
    """Give a latitude from metres north of the town's corner."""
    return LATITUDE + metres / 111_320.0


def street(number: int, *, across: bool) -> shapely.LineString:
    """Draw a street of the grid, with a vertex at each crossing."""
    along = [i * BLOCK_M for i in range(STREETS)]
    places = [(number * BLOCK_M, a) if across else (a, number * BLOCK_M) for a in along]
    return shapely.LineString([(east_m(x), north_m(y)) for x, y in places])


def gers(number: int) -> str:
    """Give a segment's id."""
    return str(UUID(int=0x1000 + number))


def segment_rows() -> list[dict[str, Any]]:
    """Give the streets as rows of an Overture release, and a footway beside the first."""
    rows = []
    for number in range(2 * STREETS):
        across = number >= STREETS
        line = street(number % STREETS, across=across)
        crossings = [
            (number % STREETS, i) if across else (i, number % STREETS) for i in range(STREETS)
        ]
        connectors = [
            {"connector_id": f"c{x}-{y}", "at": i / (STREETS - 1)}
            for i, (x, y) in enumerate(crossings)
        ]
        rows.append(segment_row(gers(number), line, connectors, name=f"Street {number}"))
    beside = shapely.LineString([(east_m(0), north_m(3)), (east_m(600), north_m(3))])
    ends = [{"connector_id": "f0", "at": 0.0}, {"connector_id": "f1", "at": 1.0}]
    rows.append({**segment_row(gers(99), beside, ends, name="Path"), "class": "footway"})
    return rows


def segment_row(
    gers_id: str, line: shapely.LineString, connectors: list[dict[str, Any]], name: str
) -> dict[str, Any]:
    """Give one row of a release."""
    west, south, east, north = line.bounds
    return {
        "id": gers_id,
        "geometry": line.wkb,
        "bbox": {"xmin": west, "xmax": east, "ymin": south, "ymax": north},
        "subtype": "road",
        "class": "residential",
        "names": {"primary": name},
        "connectors": connectors,
        "level_rules": None,
    }


SEGMENT_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("geometry", pa.binary()),
        ("bbox", pa.struct([(side, pa.float32()) for side in ("xmin", "xmax", "ymin", "ymax")])),
        ("subtype", pa.string()),
        ("class", pa.string()),
        ("names", pa.struct([("primary", pa.string())])),
        (
            "connectors",
            pa.list_(pa.struct([("connector_id", pa.string()), ("at", pa.float64())])),
        ),
        (
            "level_rules",
            pa.list_(pa.struct([("value", pa.int32()), ("between", pa.list_(pa.float64()))])),
        ),
    ]
)


@dataclass(frozen=True)
class Town:
    """Where the files of a test lie.

    Attributes:
        folder: of the test.
        release: folder of the release.
        storage: folder of the customer's files.
    """

    folder: Path
    release: Path
    storage: Path

    def world(self, name: str = "world") -> World:
        """Give a new world that knows the release and the storage."""
        return World(
            self.folder / name,
            storages={"storage-001": self.storage},
            entries={("overture_release", RELEASE): {"url": str(self.release)}},
        )

    def params(self, filename: str, **more: Any) -> dict[str, Any]:
        """Give the parameters of a job over a file of the storage."""
        return {
            "input": {"storage": "storage-001", "filename": filename},
            "overture_release": RELEASE,
            **more,
        }

    def put(self, filename: str, columns: Mapping[str, Any], **options: Any) -> str:
        """Write a customer's Parquet file; gives its name."""
        pq.write_table(pa.table(dict(columns)), self.storage / filename, **options)
        return filename


def roads(offset_m: float = 1.0) -> list[shapely.LineString]:
    """Draw the customer's roads: one a block, beside the segment by some metres."""
    lines = []
    for y in range(STREETS):
        for x in range(STREETS - 1):
            ends = [
                (x * BLOCK_M, y * BLOCK_M + offset_m),
                ((x + 1) * BLOCK_M, y * BLOCK_M + offset_m),
            ]
            lines.append(shapely.LineString([(east_m(a), north_m(b)) for a, b in ends]))
    for x in range(STREETS):
        for y in range(STREETS - 1):
            ends = [
                (x * BLOCK_M + offset_m, y * BLOCK_M),
                (x * BLOCK_M + offset_m, (y + 1) * BLOCK_M),
            ]
            lines.append(shapely.LineString([(east_m(a), north_m(b)) for a, b in ends]))
    return lines


def columns_of(lines: Sequence[shapely.Geometry]) -> dict[str, Any]:
    """Give lines in TomTom's columns."""
    return {"id": list(range(len(lines))), "geometry": [line.wkt for line in lines]}


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """A town with its release written and an empty storage."""
    release, storage = tmp_path / "release", tmp_path / "storage"
    segments = release / "theme=transportation" / "type=segment"
    connectors = release / "theme=transportation" / "type=connector"
    for folder in (segments, connectors, storage):
        folder.mkdir(parents=True)
    table = pa.Table.from_pylist(segment_rows(), schema=SEGMENT_SCHEMA)
    pq.write_table(table.slice(0, 5), segments / "part-0.parquet", row_group_size=2)
    pq.write_table(table.slice(5), segments / "part-1.parquet", row_group_size=3)
    pq.write_table(pa.table({"id": ["c0"]}), connectors / "part-0.parquet")
    return Town(tmp_path, release, storage)


@pytest.fixture
def town_roads() -> Callable[[float], list[shapely.LineString]]:
    """How to draw the customer's roads."""
    return roads


@pytest.fixture
def town_columns() -> dict[str, Any]:
    """The customer's roads in TomTom's columns."""
    return columns_of(roads())
