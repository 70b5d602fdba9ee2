"""What a job gives: the vendor's columns, the status of each road, and files for others."""

import json
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from haulier.families.roads import FAMILY
from haulier.testing.context import World, run_job

EVERYTHING = {"bridge": True, "view": "geojson", "report": True}


def done(town: Any, columns: dict[str, Any], **params: Any) -> World:
    world: World = town.world()
    name = town.put("roads.parquet", columns)
    run_job(FAMILY, "ROAD_MATCHING", town.params(name, **params), world)
    return world


def table(world: World, name: str) -> pa.Table:
    return pq.read_table(world.outputs[f"step:write.{name}"].path)


def test_the_results_have_the_vendors_columns_and_ours(
    town: Any, town_columns: dict[str, Any]
) -> None:
    results = table(done(town, town_columns), "results")

    assert results.schema.names[:5] == ["id", "gers", "confidence", "lr_id", "lr_gers"]
    assert results.schema.field("id").type == pa.string()
    assert results.schema.field("confidence").type == pa.int32()
    for row in results.to_pylist():
        UUID(row["gers"])
        assert 0 <= row["confidence"] <= 100
        assert 0 <= row["lr_id"][0] < row["lr_id"][1] <= 1
        assert 0 <= row["lr_gers"][0] < row["lr_gers"][1] <= 1
        assert row["lr_gers"] == [row["lr_gers_start"], row["lr_gers_end"]]
        assert row["lr_id"] == [row["lr_id_start"], row["lr_id_end"]]
        assert row["direction"] in {"forward", "backward"}
        assert 0 <= row["mean_offset_m"] < 5
        assert row["overture_release"] == "2026-01-21.0"


def test_each_match_says_which_stretch_of_the_segment_it_is(
    town: Any, town_columns: dict[str, Any]
) -> None:
    results = table(done(town, town_columns, mode="fast"), "results").to_pylist()

    first = next(row for row in results if row["id"] == "0")  # the first block of street 0
    assert first["gers"].endswith("1000")
    assert first["lr_gers"] == pytest.approx([0.0, 0.2], abs=0.01)
    assert first["lr_id"] == pytest.approx([0.0, 1.0], abs=0.02)
    assert first["direction"] == "forward"
    assert first["mean_offset_m"] == pytest.approx(1.0, abs=0.3)


def test_a_road_drawn_the_other_way_round_is_matched_backward(
    town: Any, town_columns: dict[str, Any]
) -> None:
    town_columns["geometry"][0] = shapely.reverse(shapely.from_wkt(town_columns["geometry"][0])).wkt

    results = table(done(town, town_columns), "results").to_pylist()

    assert next(row["direction"] for row in results if row["id"] == "0") == "backward"


def test_every_road_has_a_status_and_every_unmatched_one_a_reason(
    town: Any, town_columns: dict[str, Any]
) -> None:
    town_columns["id"].append("far")
    town_columns["geometry"].append("LINESTRING (24.95 60.17, 24.951 60.17)")
    town_columns["id"] = [str(i) for i in town_columns["id"]]

    roads = table(done(town, town_columns), "roads").to_pylist()

    assert [row["id"] for row in sorted(roads, key=lambda r: r["row"])] == town_columns["id"]
    by_id = {row["id"]: row for row in roads}
    assert by_id["far"]["status"] == "unmatched"
    assert by_id["far"]["reason"] == "no_candidate"
    matched = by_id["0"]
    assert (matched["status"], matched["reason"]) == ("fully_matched", None)
    assert matched["coverage"] == pytest.approx(1.0, abs=0.02)
    assert matched["n_segments"] == 1
    assert matched["best_confidence"] >= 60
    assert matched["length_m"] == pytest.approx(120, rel=0.01)


def test_the_bridge_file_has_overtures_columns_and_only_matches_that_count(
    town: Any, town_columns: dict[str, Any]
) -> None:
    world = done(town, town_columns, outputs=EVERYTHING)

    bridge, results = table(world, "bridge"), table(world, "results")

    assert bridge.schema.names == [
        "id", "record_id", "update_time", "dataset", "theme", "type", "between", "dataset_between",
    ]  # fmt: skip
    counted = results.filter(pc.greater_equal(results["confidence"], 60))
    assert bridge["id"].to_pylist() == counted["gers"].to_pylist()
    assert bridge["record_id"].to_pylist() == counted["id"].to_pylist()
    assert set(bridge["theme"].to_pylist()) == {"transportation"}
    assert set(bridge["type"].to_pylist()) == {"segment"}


@pytest.mark.parametrize(("view", "suffix"), [("geojson", "geojson"), ("flatgeobuf", "fgb")])
def test_a_view_holds_every_road_with_its_status_for_a_gis(
    view: str, suffix: str, town: Any, town_columns: dict[str, Any]
) -> None:
    world = done(town, town_columns, outputs={"view": view, "report": False})
    output = world.outputs["step:write.view"]
    assert output.filename == f"roads.view.{suffix}"

    meta, _, geometry, columns = pyogrio.raw.read(output.path)

    assert meta["crs"] in {"EPSG:4326", "OGC:CRS84"}
    assert len(geometry) == len(town_columns["id"])
    statuses = columns[list(meta["fields"]).index("status")]
    assert set(statuses) == {"fully_matched"}


def test_the_geojson_view_is_what_web_maps_expect(town: Any, town_columns: dict[str, Any]) -> None:
    world = done(town, town_columns, outputs={"view": "geojson"})

    body = json.loads(world.outputs["step:write.view"].path.read_text("utf-8"))

    assert body["type"] == "FeatureCollection"
    assert "crs" not in body  # RFC 7946
    feature = body["features"][0]
    assert feature["geometry"]["type"] == "LineString"
    assert feature["properties"]["status"] == "fully_matched"


def test_files_are_named_after_the_input_and_only_those_asked_for_are_made(
    town: Any, town_columns: dict[str, Any]
) -> None:
    world = done(town, town_columns, outputs={"report": False})

    names = {o.filename for n, o in world.outputs.items() if n.startswith("step:write.")}
    assert names == {"roads.results.parquet", "roads.roads.parquet"}


def test_the_tables_say_which_release_and_model_made_them(
    town: Any, town_columns: dict[str, Any]
) -> None:
    world = done(town, town_columns, mode="fast", confidence_threshold=75)

    about = pq.read_schema(world.outputs["step:write.results"].path).metadata

    assert about[b"haulier.overture_release"] == b"2026-01-21.0"
    assert about[b"haulier.mode"] == b"fast"
    assert about[b"haulier.confidence_threshold"] == b"75"
    assert about[b"haulier.confidence_model"]


def test_a_higher_threshold_changes_the_status_and_not_the_matches(
    town: Any, town_columns: dict[str, Any]
) -> None:
    low = table(done(town, town_columns, confidence_threshold=0), "results")
    world = done(town, town_columns, confidence_threshold=100)

    assert table(world, "results")["gers"].to_pylist() == low["gers"].to_pylist()
    reasons = set(table(world, "roads")["reason"].to_pylist())
    assert reasons <= {"below_threshold", "competition", None}


def test_the_result_counts_what_the_tables_hold(town: Any, town_columns: dict[str, Any]) -> None:
    world = town.world()
    name = town.put("roads.parquet", town_columns)

    result = run_job(FAMILY, "ROAD_MATCHING", town.params(name), world).result

    results = table(world, "results")
    counted = pc.sum(pc.greater_equal(results["confidence"], 60)).as_py()
    assert result["num_matches"] == counted
    assert result["num_matches"] + result["num_matches_below_threshold"] == results.num_rows
    assert sum(result["matches_by_confidence"]) == results.num_rows
    assert result["rows_skipped"] == 0
