"""Bad files of the formats that GDAL reads are refused as clearly as Parquet."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from haulier.core.problem import Code, Problem
from haulier.families.roads import FAMILY
from haulier.testing.context import run_job

FINE = "LINESTRING (24.93 60.16, 24.931 60.16)"


def features(driver: str, **options: Any) -> bytes:
    """Give a layer of 300 lines in a format of GDAL's."""
    lines = [shapely.from_wkt(FINE)] * 300
    buffer = io.BytesIO()
    ids = [np.arange(300, dtype=np.int64)]
    said = {"crs": "EPSG:4326", "names": ["id"], **options}
    names = said.pop("names")
    pyogrio.raw.write(
        buffer, shapely.to_wkb(lines), ids, names, driver=driver, geometry_type="LineString", **said
    )
    return buffer.getvalue()


def part_of(content: bytes, fraction: float) -> bytes:
    return content[: int(len(content) * fraction)]


FEATURES: dict[str, tuple[str, Callable[[], bytes], tuple[str, ...]]] = {
    "FlatGeobuf without its rows": (
        "roads.fgb",
        lambda: part_of(features("FlatGeobuf"), 0.3),
        ("truncated", "promises 300 rows, 0"),
    ),
    "FlatGeobuf cut within its rows": (
        "roads.fgb",
        lambda: part_of(features("FlatGeobuf"), 0.8),
        ("damaged or truncated",),
    ),
    "GeoJSON cut": (
        "roads.geojson",
        lambda: part_of(features("GeoJSON"), 0.8),
        ("damaged or truncated", "Unterminated"),
    ),
    "GeoPackage cut": (
        "roads.gpkg",
        lambda: part_of(features("GPKG"), 0.5),
        ("damaged or truncated",),
    ),
    "JSON of another kind": ("roads.json", lambda: b'{"a": 1}', ("damaged", "not recognized")),
    "GeoJSON in metres": (
        "roads.geojson",
        lambda: features("GeoJSON", crs="EPSG:3067"),
        ("'geometry'", "WGS 84", "projected", "EPSG:3067"),
    ),
    "FlatGeobuf without ids": (
        "roads.fgb",
        lambda: features("FlatGeobuf", names=["key"]),
        ("column 'id'", "missing", "'key', 'geometry'"),
    ),
    "a text": ("roads.txt", lambda: b"hello, roads", ("no Parquet, FlatGeobuf", "b'hello, r'")),
}


@pytest.mark.parametrize("case", FEATURES)
def test_a_bad_file_of_another_format_is_refused_as_clearly(case: str, town: Any) -> None:
    filename, content, expected = FEATURES[case]
    (town.storage / filename).write_bytes(content())

    with pytest.raises(Problem) as caught:
        run_job(FAMILY, "ROAD_MATCHING", town.params(filename, on_bad_row="skip"), town.world())

    assert caught.value.code is Code.INVALID
    assert caught.value.at.startswith("input")
    for words in expected:
        assert words in caught.value.detail
    assert str(town.folder) not in caught.value.detail
