"""A release is found, read where the roads are and nowhere else, and joined by connectors."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import shapely

from haulier.core.problem import Code, Problem
from haulier.families.roads import FAMILY
from haulier.families.roads.io.reference import Wanted, read_segments
from haulier.families.roads.io.releases import open_release, survey
from haulier.families.roads.params import RoadMatching
from haulier.testing.context import run_job, run_step

TOWN = np.array([[24.9, 60.1, 25.0, 60.2]])


def found(release: Path, areas: Any) -> set[str]:
    opened = open_release("r", {"url": str(release)})
    *_, seen = survey(opened, areas)
    groups = [(group.file, group.group) for group in seen.groups]
    return set(read_segments(opened, groups, areas, Wanted()).gers.to_pylist())


def whole(town: Any) -> pa.Table:
    files = sorted(town.release.rglob("type=segment/*.parquet"))
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files])


def test_only_segments_for_vehicles_are_read(town: Any) -> None:
    gers = found(town.release, TOWN)

    table = whole(town)
    footways = set(table.filter(pc.equal(table["class"], "footway"))["id"].to_pylist())
    assert footways
    assert gers == set(table["id"].to_pylist()) - footways


def test_a_release_may_be_one_file(town: Any) -> None:
    path = town.folder / "segments.parquet"
    pq.write_table(whole(town), path)

    assert found(path, TOWN) == found(town.release, TOWN)


def test_a_release_without_bounds_of_its_segments_is_read_by_their_geometry(town: Any) -> None:
    path = town.folder / "segments.parquet"
    pq.write_table(whole(town).drop_columns(["bbox"]), path)

    assert found(path, TOWN) == found(town.release, TOWN)


def test_row_groups_elsewhere_are_never_read(town: Any) -> None:
    path = town.folder / "segments.parquet"
    near = whole(town)
    away = shapely.from_wkb(near["geometry"].to_numpy())
    away = shapely.transform(away, lambda places: np.add(places, (20.0, 0.0)))
    boxes = shapely.bounds(away)
    sides = [pa.array(side) for side in boxes.astype(np.float32).T[[0, 2, 1, 3]]]
    structs = pa.StructArray.from_arrays(sides, ["xmin", "xmax", "ymin", "ymax"])
    far = near.set_column(1, "geometry", pa.array(shapely.to_wkb(away)))
    far = far.set_column(2, "bbox", structs)
    pq.write_table(pa.concat_tables([near, far]), path, row_group_size=near.num_rows)
    group = pq.ParquetFile(path).metadata.row_group(1)
    starts = [group.column(i).dictionary_page_offset for i in range(group.num_columns)]
    starts += [group.column(i).data_page_offset for i in range(group.num_columns)]
    content = bytearray(path.read_bytes())
    for start in filter(None, starts):
        content[start : start + 8] = b"\xff" * 8  # whoever reads these pages fails
    path.write_bytes(content)

    assert found(path, TOWN) == found(town.release, TOWN)


def test_connectors_stand_where_the_release_says_and_not_where_lines_cross(town: Any) -> None:
    row = next(row for row in whole(town).to_pylist() if row["class"] != "footway")
    opened = open_release("r", {"url": str(town.release)})
    *_, seen = survey(opened, TOWN)
    groups = [(group.file, group.group) for group in seen.groups]

    segments = read_segments(opened, groups, TOWN, Wanted())

    at = segments.gers.to_pylist().index(row["id"])
    first, last = segments.reference.connector_offsets[at : at + 2]
    said = [connector["at"] for connector in row["connectors"]]
    assert segments.reference.connector_at[first:last].tolist() == said


def test_a_partitioned_release_is_read_without_its_other_types(
    town: Any, town_columns: dict[str, Any]
) -> None:
    (town.release / "theme=transportation" / "type=connector" / "broken.parquet").write_bytes(b"?")
    name = town.put("roads.parquet", town_columns)

    result = run_job(FAMILY, "ROAD_MATCHING", town.params(name), town.world())

    assert result.statistics["roads_fully_matched_ratio"] == 1.0


def test_files_that_change_under_a_job_end_it_in_words(
    town: Any, town_columns: dict[str, Any]
) -> None:
    params = town.params(town.put("roads.parquet", town_columns))
    recipe = FAMILY.plan("ROAD_MATCHING", msgspec.convert(params, RoadMatching))
    world = town.world()
    run_step(FAMILY, recipe.steps[0], world)
    segments = town.release / "theme=transportation" / "type=segment"
    pq.write_table(pa.table({"id": ["x"]}), segments / "part-2.parquet")

    with pytest.raises(Problem, match="changed since the job began") as caught:
        run_step(FAMILY, recipe.steps[1], world)

    assert caught.value.code is Code.CONFLICT
