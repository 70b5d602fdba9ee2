"""Every format that a customer may have gives the same matches."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from haulier.families.roads import FAMILY
from haulier.testing.context import World, run_job

Lines = list[shapely.LineString]


def results(world: World) -> list[dict[str, Any]]:
    return list(pq.read_table(world.outputs["step:write.results"].path).to_pylist())


def status(world: World) -> dict[str, dict[str, Any]]:
    rows = pq.read_table(world.outputs["step:write.roads"].path).to_pylist()
    return {row["id"]: row for row in rows}


def with_wkb(lines: Lines, path: Path) -> None:
    wkb = pa.array(shapely.to_wkb(lines), pa.binary())
    pq.write_table(pa.table({"id": list(range(len(lines))), "geometry": wkb}), path)


def as_geoparquet(lines: Lines, path: Path) -> None:
    columns = {"shape": {"encoding": "WKB", "geometry_types": ["LineString"]}}
    geo = {"version": "1.1.0", "primary_column": "shape", "columns": columns}
    table = pa.table({"id": list(range(len(lines))), "shape": shapely.to_wkb(lines)})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)


def with_large_text(lines: Lines, path: Path) -> None:
    ids = pa.array([str(i) for i in range(len(lines))], pa.large_string())
    wkt = pa.array([line.wkt for line in lines], pa.large_string())
    pq.write_table(pa.table({"id": ids, "geometry": wkt}), path)


def with_dictionaries(lines: Lines, path: Path) -> None:
    ids = pa.array([str(i) for i in range(len(lines))]).dictionary_encode()
    wkt = pa.array([line.wkt for line in lines]).dictionary_encode()
    pq.write_table(pa.table({"id": ids, "geometry": wkt}), path)


def with_members(lines: Lines, path: Path) -> None:
    wkt = [shapely.MultiLineString([line]).wkt for line in lines]
    ids = pa.array(range(len(lines)), pa.int32())
    pq.write_table(pa.table({"id": ids, "geometry": wkt}), path)


def with_heights(lines: Lines, path: Path) -> None:
    wkt = [shapely.force_3d(line, 12.5).wkt for line in lines]
    pq.write_table(pa.table({"id": list(range(len(lines))), "geometry": wkt}), path)


def by_driver(driver: str) -> Callable[[Lines, Path], None]:
    def write(lines: Lines, path: Path) -> None:
        pyogrio.raw.write(
            path,
            shapely.to_wkb(lines),
            [np.arange(len(lines), dtype=np.int64)],
            ["id"],
            driver=driver,
            geometry_type="LineString",
            crs="EPSG:4326",
        )

    return write


FORMATS: dict[str, Callable[[Lines, Path], None]] = {
    "wkb.parquet": with_wkb,
    "geo.parquet": as_geoparquet,
    "large.parquet": with_large_text,
    "dictionaries.parquet": with_dictionaries,
    "members.parquet": with_members,
    "heights.parquet": with_heights,
    "roads.fgb": by_driver("FlatGeobuf"),
    "roads.geojson": by_driver("GeoJSON"),
    "roads.gpkg": by_driver("GPKG"),
}


@pytest.mark.parametrize("filename", FORMATS)
def test_a_format_gives_the_matches_that_wkt_in_parquet_gives(
    filename: str,
    town: Any,
    town_columns: dict[str, Any],
    town_roads: Callable[[float], Lines],
) -> None:
    plain, other = town.world("plain"), town.world("other")
    run_job(FAMILY, "ROAD_MATCHING", town.params(town.put("a.parquet", town_columns)), plain)
    FORMATS[filename](town_roads(1.0), town.storage / filename)

    run_job(FAMILY, "ROAD_MATCHING", town.params(filename), other)

    assert [(r["id"], r["gers"], r["confidence"]) for r in sorted(results(other), key=by_id)] == [
        (r["id"], r["gers"], r["confidence"]) for r in sorted(results(plain), key=by_id)
    ]
    assert status(other).keys() == {str(i) for i in range(len(town_columns["id"]))}


def by_id(row: dict[str, Any]) -> tuple[int, int]:
    return int(row["id"]), row["sequence"]


def test_roads_that_are_false_or_null_in_is_navigable_are_not_matched(
    town: Any, town_columns: dict[str, Any]
) -> None:
    n = len(town_columns["id"])
    navigable = pa.array([False, None] + [True] * (n - 2))
    world = town.world()

    name = town.put("roads.parquet", {**town_columns, "is_navigable": navigable})
    run_job(FAMILY, "ROAD_MATCHING", town.params(name), world)

    reasons = {road: row["reason"] for road, row in status(world).items()}
    assert [reasons["0"], reasons["1"], reasons["2"]] == ["not_navigable", "not_navigable", None]
    assert not {"0", "1"} & {row["id"] for row in results(world)}


def test_columns_may_have_other_names_and_further_columns_do_no_harm(
    town: Any, town_columns: dict[str, Any]
) -> None:
    n = len(town_columns["id"])
    columns = {
        "extra": pa.array([{"a": i} for i in range(n)]),
        "road": town_columns["id"],
        "wkt": town_columns["geometry"],
        "street": [f"Street {i}" for i in range(n)],
        "fclass": ["residential"] * n,
        "oneway": [False] * n,
        "z": [0] * n,
    }
    names = {
        "id": "road",
        "geometry": "wkt",
        "name": "street",
        "class": "fclass",
        "one_way": "oneway",
        "level": "z",
    }
    world = town.world()

    run_job(
        FAMILY,
        "ROAD_MATCHING",
        town.params(town.put("roads.parquet", columns), columns=names),
        world,
    )

    assert {row["status"] for row in status(world).values()} == {"fully_matched"}


def test_many_row_groups_in_many_parts_give_what_one_gives(
    town: Any, town_columns: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, many = town.world("one"), town.world("many")
    run_job(FAMILY, "ROAD_MATCHING", town.params(town.put("a.parquet", town_columns)), one)
    monkeypatch.setattr("haulier.families.roads.steps.prepare.PART_ROWS", 9)

    name = town.put("b.parquet", town_columns, row_group_size=4)
    run_job(FAMILY, "ROAD_MATCHING", town.params(name), many)

    assert results(many) == results(one)
    assert status(many) == status(one)
