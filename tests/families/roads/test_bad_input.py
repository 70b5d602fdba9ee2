"""Bad input ends a job with a message that names what is wrong, where, and the value."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from haulier.core.problem import Code, Problem
from haulier.families.roads import FAMILY
from haulier.testing.context import run_job

# byte order, LINESTRING, two points: shapely itself warns where a coordinate is no number
NOT_A_NUMBER = struct.pack("<BIIdddd", 1, 2, 2, 24.9, 60.1, float("nan"), 60.2)
FINE = "LINESTRING (24.93 60.16, 24.931 60.16)"
Write = Callable[[Path], None]


def parquet(**columns: Any) -> Write:
    def write(path: Path) -> None:
        pq.write_table(pa.table(columns), path)

    return write


def geometries(*texts: str | None) -> Write:
    return parquet(id=list(range(len(texts))), geometry=pa.array(texts, pa.string()))


def raw(content: bytes) -> Write:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write


def truncated(path: Path) -> None:
    geometries(*[FINE] * 100)(path)
    path.write_bytes(path.read_bytes()[:-200])


def damaged_inside(path: Path) -> None:
    geometries(*[f"LINESTRING (24.{i} 60, 24.{i + 1} 60)" for i in range(1000, 5000)])(path)
    content = bytearray(path.read_bytes())
    content[200:2000] = b"\xff" * 1800
    path.write_bytes(content)


def geo(crs: Any, **column: Any) -> Write:
    def write(path: Path) -> None:
        body = {
            "version": "1.1.0",
            "primary_column": "geom",
            "columns": {"geom": {"encoding": "WKB", "geometry_types": [], "crs": crs, **column}},
        }
        lines = [shapely.from_wkt(FINE).wkb]
        table = pa.table({"id": [1], "geom": pa.array(lines, pa.binary())})
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(body)}), path)

    return write


UTM = "LINESTRING (385000.5 6671000.25, 385100 6671000)"
CASES: dict[str, tuple[Write, tuple[str, ...]]] = {
    "empty file": (raw(b""), ("roads.parquet", "empty", "0 bytes")),
    "not a parquet": (raw(b"id,geometry\n1,2\n"), ("not a Parquet file", "b'id,g'")),
    "truncated": (truncated, ("truncated", "PAR1", "bytes")),
    "damaged inside": (damaged_inside, ("damaged",)),
    "no rows": (
        parquet(id=pa.array([], pa.int64()), geometry=pa.array([], pa.string())),
        ("no rows",),
    ),
    "no id column": (
        parquet(key=[1], geometry=[FINE]),
        ("column 'id'", "missing", "'key', 'geometry'"),
    ),
    "no geometry column": (parquet(id=[1], shape=[FINE]), ("column 'geometry'", "missing")),
    "id of floats": (
        parquet(id=[1.5], geometry=[FINE]),
        ("column 'id'", "int32, int64 or string", "double"),
    ),
    "geometry of numbers": (parquet(id=[1], geometry=[5]), ("column 'geometry'", "WKT", "int64")),
    "is_navigable of text": (
        parquet(id=[1], geometry=[FINE], is_navigable=["yes"]),
        ("column 'is_navigable'", "boolean", "string"),
    ),
    "null id": (
        parquet(id=pa.array([1, None], pa.int64()), geometry=[FINE, FINE]),
        ("row 1", "'id'", "null"),
    ),
    "duplicate ids": (
        parquet(id=["a", "b", "c", "b"], geometry=[FINE] * 4),
        ("row 3", "id 'b'", "unique", "row 1"),
    ),
    "null geometry": (geometries(FINE, None), ("row 1 (id '1')", "'geometry'", "null")),
    "polygon": (
        geometries(FINE, FINE, "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
        ("row 2 (id '2')", "LINESTRING", "POLYGON"),
    ),
    "point": (geometries("POINT (0 0)"), ("row 0", "LINESTRING", "a POINT")),
    "several members": (
        geometries("MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))"),
        ("row 0", "a MULTILINESTRING of 2 members"),
    ),
    "empty geometry": (geometries("LINESTRING EMPTY"), ("row 0", "two points", "EMPTY")),
    "no WKT": (geometries(FINE, "LINESTRING (24"), ("row 1", "WKT", "'LINESTRING (24'")),
    "one point": (geometries("LINESTRING (24.9 60.1)"), ("row 0", "LINESTRING (24.9 60.1)")),
    "not a number": (
        parquet(id=[7], geometry=[NOT_A_NUMBER]),
        ("row 0 (id '7')", "finite", "nan"),
    ),
    "out of range": (
        geometries("LINESTRING (24.9 60.1, 190.5 60.2)"),
        ("row 0", "-180 to 180", "190.5"),
    ),
    "swapped": (
        geometries("LINESTRING (40.1 -105.2, 40.2 -105.3)"),
        ("row 0", "latitude within -90 to 90", "-105.2", "swapped"),
    ),
    "metres": (geometries(FINE, UTM), ("row 1", "degrees", "385000.5", "metres", "projected")),
    "projected crs": (geo("EPSG:3067"), ("'geom'", "WGS 84", "projected", "EPSG:3067")),
    "another datum": (geo("EPSG:4267"), ("'geom'", "WGS 84", "EPSG:4267")),
    "crs that is none": (geo("EPSG:99999999"), ("'geom'", "coordinate system")),
    "a curve": (
        geometries(FINE, "CIRCULARSTRING (24 60, 24.1 60.1, 24.2 60)", FINE),
        ("row 1 (id '1')", "LINESTRING as WKT", "'CIRCULARSTRING"),
    ),
    "native encoding": (geo(None, encoding="linestring"), ("'geom'", "WKB", "linestring")),
}


def test_a_damaged_file_of_the_release_is_named(town: Any, town_columns: dict[str, Any]) -> None:
    (broken, *_) = sorted(town.release.rglob("type=segment/*.parquet"))
    broken.write_bytes(broken.read_bytes()[:-300])
    params = town.params(town.put("roads.parquet", town_columns))

    with pytest.raises(Problem, match="cannot be read") as caught:
        run_job(FAMILY, "ROAD_MATCHING", params, town.world())

    assert caught.value.at == "overture_release"
    assert broken.name in caught.value.detail


def test_an_input_that_is_not_there_is_named(town: Any) -> None:
    with pytest.raises(Problem, match=r"gone\.parquet") as caught:
        run_job(FAMILY, "ROAD_MATCHING", town.params("gone.parquet"), town.world())

    assert caught.value.code is Code.NOT_FOUND


@pytest.mark.parametrize("case", CASES)
def test_a_bad_file_is_refused_in_words_that_lead_to_the_fault(case: str, town: Any) -> None:
    write, expected = CASES[case]
    write(town.storage / "roads.parquet")

    with pytest.raises(Problem) as caught:
        run_job(FAMILY, "ROAD_MATCHING", town.params("roads.parquet"), town.world())

    assert caught.value.code is Code.INVALID
    assert caught.value.at.startswith("input")
    for words in expected:
        assert words in caught.value.detail
    assert str(town.folder) not in caught.value.detail


def test_the_first_bad_row_of_the_file_is_reported_not_of_a_part(
    town: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haulier.families.roads.steps.prepare.PART_ROWS", 2)
    texts = [FINE, FINE, FINE, "POINT (0 0)", FINE, None]
    table = pa.table({"id": list(range(6)), "geometry": pa.array(texts, pa.string())})
    pq.write_table(table, town.storage / "roads.parquet", row_group_size=2)

    with pytest.raises(Problem, match=r"row 3 \(id '3'\)"):
        run_job(FAMILY, "ROAD_MATCHING", town.params("roads.parquet"), town.world())


def test_an_unknown_release_is_refused_with_the_names_that_exist(
    town: Any, town_columns: dict[str, Any]
) -> None:
    params = town.params(town.put("roads.parquet", town_columns))

    with pytest.raises(Problem) as caught:
        run_job(FAMILY, "ROAD_MATCHING", {**params, "overture_release": "1999"}, town.world())

    assert "1999" in caught.value.detail
    assert "2026-01-21.0" in caught.value.detail


def test_a_release_that_covers_another_place_is_refused_with_both_places(town: Any) -> None:
    here = town.put("roads.parquet", {"id": [1], "geometry": ["LINESTRING (2.3 48.8, 2.31 48.8)"]})

    with pytest.raises(Problem) as caught:
        run_job(FAMILY, "ROAD_MATCHING", town.params(here), town.world())

    assert caught.value.at == "overture_release"
    assert "does not cover" in caught.value.detail
    assert "2.2973" in caught.value.detail  # where the roads are, with the halo
    assert "24.93" in caught.value.detail  # where the release is


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ("must have a 'url'",)),
        ({"url": "/nowhere/at/all"}, ("cannot be read", "there is nothing")),
        ({"url": "ftp://example.org/x"}, ("cannot be read",)),
    ],
)
def test_a_release_registered_wrongly_is_refused(
    body: dict[str, str], words: tuple[str, ...], town: Any, town_columns: dict[str, Any]
) -> None:
    world = town.world()
    world.entries["overture_release", "2026-01-21.0"] = body

    with pytest.raises(Problem) as caught:
        run_job(
            FAMILY, "ROAD_MATCHING", town.params(town.put("roads.parquet", town_columns)), world
        )

    assert caught.value.at == "overture_release"
    for each in words:
        assert each in caught.value.detail


@pytest.mark.parametrize("missing", ["id", "geometry", "connectors"])
def test_a_release_without_a_needed_column_is_refused_by_name(
    missing: str, town: Any, town_columns: dict[str, Any]
) -> None:
    for path in town.release.rglob("type=segment/*.parquet"):
        pq.write_table(pq.ParquetFile(path).read().drop_columns([missing]), path)

    with pytest.raises(Problem, match=f"lacks the column '{missing}'"):
        run_job(
            FAMILY,
            "ROAD_MATCHING",
            town.params(town.put("roads.parquet", town_columns)),
            town.world(),
        )


def test_bad_rows_are_skipped_and_listed_when_asked(
    town: Any, town_columns: dict[str, Any]
) -> None:
    town_columns["geometry"][3] = "POINT (1 1)"
    town_columns["geometry"][5] = UTM
    town_columns["id"][9] = 8
    params = town.params(town.put("roads.parquet", town_columns), on_bad_row="skip")
    world = town.world()

    result = run_job(FAMILY, "ROAD_MATCHING", params, world)

    roads = pq.read_table(world.outputs["step:write.roads"].path).to_pylist()
    skipped = {row["row"]: row for row in roads if row["status"] == "skipped"}
    assert {row: each["reason"] for row, each in skipped.items()} == {
        3: "wrong_geometry",
        5: "projected",
        9: "duplicate_id",
    }
    assert "POINT" in skipped[3]["detail"]
    assert len(roads) == len(town_columns["id"])
    assert result.result["rows_skipped"] == 3
    assert result.statistics["num_roads_processed"] == len(town_columns["id"]) - 3


def test_a_file_of_bad_rows_only_is_refused_even_when_they_may_be_skipped(town: Any) -> None:
    name = town.put("roads.parquet", {"id": [1, 2], "geometry": ["POINT (1 1)", None]})

    with pytest.raises(Problem, match="no row of the input can be used"):
        run_job(FAMILY, "ROAD_MATCHING", town.params(name, on_bad_row="skip"), town.world())
