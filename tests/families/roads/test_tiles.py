"""Roads are cut into tiles of bounded size, and what crosses a border is put together again."""

from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.roads import FAMILY, tiles
from haulier.families.roads.tiles import bounds, envelope, finest_keys, meets, partition, tally
from haulier.testing.context import run_job

places = st.tuples(st.floats(-180, 180), st.floats(-85, 85))


@given(st.lists(places, min_size=1, max_size=200), st.integers(1, 20))
def test_every_road_is_in_exactly_one_tile_and_no_tile_is_too_full(
    at: list[tuple[float, float]], most: int
) -> None:
    keys = finest_keys(np.array(at))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiles, "MOST_ROADS", most)
        found = partition(tally([keys]), tally([keys[:0]]))

    assert sum(tile.roads for tile in found) == len(at)
    for key in keys:
        assert sum(tile.first <= key < tile.last for tile in found) == 1
    for tile in found:
        assert tile.roads <= most or len(tile.quadkey) == tiles.LAST_ZOOM
    assert [tile.first for tile in found] == sorted(tile.first for tile in found)


def test_a_line_over_the_antimeridian_is_short_and_its_tile_looks_on_both_sides() -> None:
    line = np.array([[179.99, -17.0], [-179.99, -17.0]])

    box = bounds(line, np.array([0, 2]))
    areas = envelope(box)

    assert box[0, 2] - box[0, 0] == pytest.approx(0.02)
    near = np.array([[-179.995, -17.001, -179.985, -16.999], [179.98, -17.001, 179.995, -16.999]])
    assert meets(near, areas).all()
    assert not meets(np.array([[0.0, -17.0, 1.0, -16.0]]), areas).any()


def split_town(patch: pytest.MonkeyPatch, most: int) -> None:
    """Make tiles so small that the town has many."""
    patch.setattr(tiles, "MOST_ROADS", most)
    patch.setattr(tiles, "LAST_ZOOM", 17)
    patch.setattr("haulier.families.roads.steps.prepare.LAST_ZOOM", 17)


def test_many_tiles_give_the_matches_that_one_gives(
    town: Any, town_columns: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = town.put("roads.parquet", town_columns)
    one, many = town.world("one"), town.world("many")
    run_job(FAMILY, "ROAD_MATCHING", town.params(name), one)

    with monkeypatch.context() as patch:
        split_town(patch, 12)
        result = run_job(FAMILY, "ROAD_MATCHING", town.params(name), many)

    assert result.result["tiles"] > 1
    columns = ["id", "gers", "direction", "sequence"]
    assert matches(many, columns) == matches(one, columns)


def matches(world: Any, columns: list[str]) -> list[tuple[Any, ...]]:
    rows = pq.read_table(world.outputs["step:write.results"].path, columns=columns).to_pylist()
    return sorted(tuple(row.values()) for row in rows)


def long_line(n: int) -> shapely.LineString:
    """Draw a road of 60 km with a bend every 100 m."""
    x = 24.0 + np.arange(n) * 0.0018
    return shapely.LineString(np.column_stack([x, 60.0 + 0.0002 * np.sin(np.arange(n))]))


def test_a_road_longer_than_a_tile_comes_out_as_one_road(town: Any) -> None:
    line = long_line(600)
    cuts = np.linspace(0, 599, 31).astype(int)
    places = shapely.get_coordinates(line)
    rows = []
    for number, (first, last) in enumerate(pairwise(cuts)):
        piece = shapely.LineString(places[first : last + 1])
        west, south, east, north = piece.bounds
        ends = [
            {"connector_id": f"k{number}", "at": 0.0},
            {"connector_id": f"k{number + 1}", "at": 1.0},
        ]
        rows.append(
            {
                "id": f"00000000-0000-0000-0000-{number:012d}",
                "geometry": piece.wkb,
                "bbox": {"xmin": west, "ymin": south, "xmax": east, "ymax": north},
                "subtype": "road",
                "class": "primary",
                "connectors": ends,
            }
        )
    pq.write_table(pa.Table.from_pylist(rows), town.folder / "long.parquet")
    world = town.world()
    world.entries["overture_release", "long"] = {"url": str(town.folder / "long.parquet")}
    name = town.put("roads.parquet", {"id": [1], "geometry": [line.wkt]})

    params = {**town.params(name), "overture_release": "long"}
    result = run_job(FAMILY, "ROAD_MATCHING", params, world)

    assert result.statistics["num_roads_processed"] == 1
    assert result.statistics["roads_fully_matched_ratio"] == 1.0
    found = pq.read_table(world.outputs["step:write.results"].path).to_pylist()
    assert [row["gers"][-2:] for row in found] == [f"{i:02d}" for i in range(30)]
    assert [row["sequence"] for row in found] == list(range(30))
    until = [row["lr_id_end"] for row in found]
    assert until == sorted(until)
    assert until[-1] == pytest.approx(1.0, abs=1e-3)
