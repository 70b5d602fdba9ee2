"""Files that other programs made oddly: refused by name, or read whatever they are called."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from haulier.core.problem import Code, Problem
from haulier.families.roads import FAMILY
from haulier.families.roads.io.releases import open_release
from haulier.testing.context import run_job

FINE = "LINESTRING (24.93 60.16, 24.931 60.16)"
NO_ROADS = '{"type": "FeatureCollection", "features": []}'


def refusal(town: Any, filename: str, **params: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        run_job(FAMILY, "ROAD_MATCHING", town.params(filename, **params), town.world())
    assert caught.value.code is Code.INVALID
    assert caught.value.at.startswith("input")
    return caught.value


def unchecked(*values: bytes, large: bool = False, words: bool = False) -> pa.Array:
    """Give bytes as a column of text, as programs do that never look."""
    plain = pa.array(values, pa.large_binary() if large else pa.binary())
    type_ = pa.large_string() if large else pa.string()
    text = pa.Array.from_buffers(type_, len(values), plain.buffers())
    if not words:
        return text
    return pa.DictionaryArray.from_arrays(pa.array(range(len(values)), pa.int32()), text)


GEO: dict[str, tuple[bytes, str]] = {
    "no object": (b"null", "`object`"),
    "columns are a list": (b'{"columns": []}', "$.columns"),
    "columns are null": (b'{"columns": null}', "$.columns"),
    "a column is text": (b'{"columns": {"geometry": "x"}}', "$.columns"),
    "an encoding is null": (b'{"columns": {"geometry": {"encoding": null}}}', ".encoding"),
    "a name is a number": (b'{"primary_column": 5}', "$.primary_column"),
    "a coordinate system is a list": (b'{"columns": {"geometry": {"crs": [1]}}}', ".crs"),
    "a coordinate system is none": (b'{"columns": {"geometry": {"crs": {"a": 1}}}}', "cannot be"),
    "no JSON": (b"\xff", "not valid GeoParquet"),
}


@pytest.mark.parametrize("case", GEO)
def test_metadata_that_is_no_geoparquet_is_refused_by_its_member(case: str, town: Any) -> None:
    raw, member = GEO[case]
    table = pa.table({"id": [1], "geometry": [FINE]}).replace_schema_metadata({b"geo": raw})
    pq.write_table(table, town.storage / "roads.parquet")

    assert member in refusal(town, "roads.parquet").detail


TEXTS: dict[str, tuple[dict[str, Any], str]] = {
    "id": ({"id": unchecked(b"a", b"\xe9b")}, "'id'"),
    "id in large text": ({"id": unchecked(b"a", b"\xe9b", large=True)}, "'id'"),
    "id in a dictionary": ({"id": unchecked(b"a", b"\xe9b", words=True)}, "'id'"),
    "geometry": ({"geometry": unchecked(FINE.encode(), FINE.encode() + b"\xff")}, "'geometry'"),
    "name": ({"street": unchecked(b"a", b"Caf\xe9")}, "'street'"),
    "class": ({"kind": unchecked(b"primary", b"\xe9")}, "'kind'"),
}
COLUMNS = {"name": "street", "class": "kind"}


@pytest.mark.parametrize("case", TEXTS)
def test_text_of_another_encoding_is_a_bad_row_that_names_its_column(case: str, town: Any) -> None:
    changed, column = TEXTS[case]
    good = {
        "id": ["a", "b"],
        "geometry": [FINE] * 2,
        "street": ["x", None],
        "kind": ["primary"] * 2,
    }
    name = town.put("roads.parquet", {**good, **changed})

    detail = refusal(town, name, columns=COLUMNS).detail

    assert "row 1" in detail
    assert f"column {column}" in detail
    assert "UTF-8" in detail


def test_rows_of_another_encoding_are_skipped_when_asked(
    town: Any, town_columns: dict[str, Any]
) -> None:
    n = len(town_columns["id"])
    names = unchecked(*(b"Caf\xe9" if i in {2, 5} else b"Street" for i in range(n)))
    geometry = [text.encode() for text in town_columns["geometry"]]
    geometry[5] += b"\xff"
    columns = {**town_columns, "geometry": unchecked(*geometry), "street": names}
    world = town.world()

    run_job(
        FAMILY,
        "ROAD_MATCHING",
        town.params(
            town.put("roads.parquet", columns), on_bad_row="skip", columns={"name": "street"}
        ),
        world,
    )

    rows = pq.read_table(world.outputs["step:write.roads"].path).to_pylist()
    skipped = {row["row"]: row["reason"] for row in rows if row["status"] == "skipped"}
    assert skipped == {2: "not_text", 5: "not_text"}
    assert len(rows) == n


def test_a_level_that_no_number_of_ours_holds_is_a_bad_row(town: Any) -> None:
    levels = pa.array([0, 2**63, None], pa.uint64())
    columns = {"id": [1, 2, 3], "geometry": [FINE] * 3, "z": levels}
    name = town.put("roads.parquet", columns)

    detail = refusal(town, name, columns={"level": "z"}).detail

    assert "row 1 (id '2'), counted from 0, column 'z'" in detail
    assert str(2**63) in detail


@pytest.mark.parametrize("twice", ["id", "geometry"])
def test_two_columns_of_one_name_are_refused_by_that_name(twice: str, town: Any) -> None:
    columns = [pa.array([1]), pa.array([FINE])]
    columns.append(columns[0] if twice == "id" else columns[1])
    table = pa.Table.from_arrays(columns, ["id", "geometry", twice])
    pq.write_table(table, town.storage / "roads.parquet")

    problem = refusal(town, "roads.parquet")

    assert f"2 columns '{twice}'" in problem.detail
    assert problem.at == f"input.{twice}"


def test_two_columns_of_one_name_that_nobody_needs_do_no_harm(
    town: Any, town_columns: dict[str, Any]
) -> None:
    spare = pa.array([0] * len(town_columns["id"]))
    columns = [*map(pa.array, town_columns.values()), spare, spare]
    table = pa.Table.from_arrays(columns, [*town_columns, "spare", "spare"])
    pq.write_table(table, town.storage / "roads.parquet")

    run_job(FAMILY, "ROAD_MATCHING", town.params("roads.parquet"), town.world())


def test_a_geojson_without_features_has_no_rows(town: Any) -> None:
    (town.storage / "roads.geojson").write_text(NO_ROADS)

    assert "has no rows" in refusal(town, "roads.geojson").detail


NAMES = ["a!b.geojson", "a b&c=d;e.geojson", "roads.zip", "a?b#c.gpkg", "roads.tar", "roads"]


@pytest.mark.parametrize("filename", NAMES)
def test_a_file_is_read_by_what_it_holds_whatever_its_name(
    filename: str, town: Any, town_roads: Callable[[float], list[shapely.LineString]]
) -> None:
    suffix = ".gpkg" if filename.endswith(".gpkg") else ".geojson"
    lines, made = town_roads(1.0), town.folder / f"made{suffix}"
    pyogrio.raw.write(
        made,
        shapely.to_wkb(lines),
        [pa.array(range(len(lines)), pa.int64()).to_numpy()],
        ["id"],
        driver="GPKG" if suffix == ".gpkg" else "GeoJSON",
        geometry_type="LineString",
        crs="EPSG:4326",
    )
    made.rename(town.storage / filename)
    world = town.world()

    run_job(FAMILY, "ROAD_MATCHING", town.params(filename), world)

    assert pq.read_metadata(world.outputs["step:write.roads"].path).num_rows == len(lines)


def test_a_property_that_is_called_like_the_geometry_does_no_harm(
    town: Any, town_roads: Callable[[float], list[shapely.LineString]]
) -> None:
    features = [
        f'{{"type": "Feature", "properties": {{"id": {i}, "geometry": "x", "wkb_geometry": 1}}, '
        f'"geometry": {shapely.to_geojson(line)}}}'
        for i, line in enumerate(town_roads(1.0))
    ]
    content = f'{{"type": "FeatureCollection", "features": [{", ".join(features)}]}}'
    (town.storage / "roads.geojson").write_text(content)

    run_job(FAMILY, "ROAD_MATCHING", town.params("roads.geojson"), town.world())


@pytest.mark.parametrize(
    "url",
    [
        "ftp://AKIA:SECRET@bucket/release",
        "s3://AKIA:SEC/RET@bucket/release",
        "s3://AKIA:SEC%2FRET@bucket/release?no-such-option=1",
    ],
)
def test_a_release_that_cannot_be_read_is_named_without_its_secrets(url: str) -> None:
    with pytest.raises(Problem) as caught:
        open_release("2026-01-21.0", {"url": url})

    assert "release '2026-01-21.0' cannot be read" in caught.value.detail
    for secret in ("AKIA", "SECRET", "RET", "bucket/release"):
        assert secret not in caught.value.detail


def test_a_release_without_files_is_named_without_its_place(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        open_release("2026-01-21.0", {"url": str(tmp_path)})

    assert "release '2026-01-21.0' has no .parquet file" in caught.value.detail
    assert str(tmp_path) not in caught.value.detail


def test_a_damaged_file_of_a_release_is_named_within_it(
    town: Any, town_columns: dict[str, Any]
) -> None:
    (broken, *_) = sorted(town.release.rglob("type=segment/*.parquet"))
    broken.write_bytes(broken.read_bytes()[:-300])
    params = town.params(town.put("roads.parquet", town_columns))

    with pytest.raises(Problem) as caught:
        run_job(FAMILY, "ROAD_MATCHING", params, town.world())

    assert str(broken.relative_to(town.release)) in caught.value.detail
    assert str(town.folder) not in caught.value.detail
