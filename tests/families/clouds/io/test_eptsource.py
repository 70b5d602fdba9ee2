"""An EPT as one cloud: tile after tile, and every error of a tile by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.frame import Frame
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records
from haulier.families.clouds.io.lazwriter import ShardWriter, assemble

LAYOUT = Layout(7, (ExtraDimension("OriginId", 5),))
ADJUSTED_TIME = 1
FRAME = Frame(
    LAYOUT, (0.01, 0.01, 0.01), (500_000.0, 4_000_000.0, 0.0), global_encoding=ADJUSTED_TIME
)
TILES = {"0-0-0-0": 300, "1-0-1-0": 50, "1-1-0-1": 120}
#: Dimensions of a binary tile: name, type, size, and how it is made of a record.
DIMENSIONS: tuple[tuple[str, str, int, Callable[[Records], Any]], ...] = (
    ("X", "signed", 4, lambda r: r["X"]),
    ("Y", "signed", 4, lambda r: r["Y"]),
    ("Z", "signed", 4, lambda r: r["Z"]),
    ("Intensity", "unsigned", 2, lambda r: r["intensity"]),
    ("ReturnNumber", "unsigned", 1, lambda r: r["bit_fields"] & 15),
    ("NumberOfReturns", "unsigned", 1, lambda r: r["bit_fields"] >> 4),
    ("ScanChannel", "unsigned", 1, lambda r: r["classification_flags"] >> 4 & 3),
    ("ScanDirectionFlag", "unsigned", 1, lambda r: r["classification_flags"] >> 6 & 1),
    ("EdgeOfFlightLine", "unsigned", 1, lambda r: r["classification_flags"] >> 7),
    ("ClassFlags", "unsigned", 1, lambda r: r["classification_flags"] & 15),
    ("Classification", "unsigned", 1, lambda r: r["classification"]),
    ("ScanAngleRank", "float", 4, lambda r: r["scan_angle"] * 0.006),
    ("UserData", "unsigned", 1, lambda r: r["user_data"]),
    ("PointSourceId", "unsigned", 2, lambda r: r["point_source_id"]),
    ("GpsTime", "float", 8, lambda r: r["gps_time"]),
    ("Red", "unsigned", 2, lambda r: r["red"]),
    ("Green", "unsigned", 2, lambda r: r["green"]),
    ("Blue", "unsigned", 2, lambda r: r["blue"]),
    ("OriginId", "unsigned", 4, lambda r: r["OriginId"]),
)


def random_records(count: int, seed: int) -> Records:
    """Give records of any bits, but real times and angles."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 256, (count, LAYOUT.record_size), np.uint8)
    records = bits.view(LAYOUT.dtype).ravel()
    records["gps_time"] = rng.uniform(0, 1e6, count)
    records["scan_angle"] = rng.integers(-15_000, 15_000, count)
    return records


def write_ept(folder: Path, data_type: str) -> Records:
    """Write an EPT and give its records in the order of its tiles' keys."""
    (folder / "ept-data").mkdir(parents=True)
    (folder / "ept-hierarchy").mkdir()
    every = []
    for seed, (name, count) in enumerate(TILES.items()):
        records = random_records(count, seed)
        every.append(records)
        if data_type == "laszip":
            with ShardWriter(folder / "shard", LAYOUT) as writer:
                writer.add(records)
            tile = folder / "ept-data" / f"{name}.laz"
            assemble(tile, FRAME, [(folder / "shard", writer.facts())])
        elif data_type == "binary":
            (folder / "ept-data" / f"{name}.bin").write_bytes(packed(records))
        else:
            tile = pa.Codec("zstd").compress(packed(records), asbytes=True)
            (folder / "ept-data" / f"{name}.zst").write_bytes(tile)
    write_head(folder, dataType=data_type)
    (folder / "ept-hierarchy" / "0-0-0-0.json").write_text(json.dumps(TILES))
    return np.concatenate(every)


def packed(records: Records) -> bytes:
    """Give records as a binary tile holds them."""
    kinds = {"signed": "i", "unsigned": "u", "float": "f"}
    dtype = np.dtype([(name, f"<{kinds[kind]}{size}") for name, kind, size, _ in DIMENSIONS])
    tile = np.zeros(len(records), dtype)
    for name, _, _, made in DIMENSIONS:
        tile[name] = made(records)
    return tile.tobytes()


def write_head(folder: Path, **changes: Any) -> None:
    """Write `ept.json`, with some of its values changed."""
    schema = [{"name": n, "type": k, "size": s} for n, k, s, _ in DIMENSIONS]
    for axis, each in enumerate(schema[:3]):
        each |= {"scale": 0.01, "offset": FRAME.offsets[axis]}
    head = {
        "bounds": [0, 0, 0, 1, 1, 1],
        "boundsConforming": [500_000, 4_000_000, 0, 500_100, 4_000_100, 50],
        "dataType": "laszip",
        "hierarchyType": "json",
        "points": sum(TILES.values()),
        "schema": schema,
        "span": 128,
        "srs": {"authority": "EPSG", "horizontal": "32613"},
        "version": "1.1.0",
    }
    (folder / "ept.json").write_text(json.dumps(head | changes))


@pytest.mark.parametrize("data_type", ["laszip", "binary", "zstandard"])
def test_the_records_of_all_tiles_come_in_the_order_of_their_keys(
    tmp_path: Path, data_type: str
) -> None:
    expected = write_ept(tmp_path / "ept", data_type)

    cloud = open_cloud(tmp_path / "ept")

    read = np.concatenate(list(cloud.read(batch=77)))
    assert cloud.container == "ept"
    assert cloud.point_count == len(expected)
    assert {len(records) for records in cloud.read(batch=77)} == {77, len(expected) % 77}
    for name in LAYOUT.dtype.names or ():
        assert np.array_equal(read[name], expected[name]), name
    assert (cloud.scales, cloud.offsets) == (FRAME.scales, FRAME.offsets)


@pytest.mark.parametrize("data_type", ["laszip", "binary", "zstandard"])
@pytest.mark.parametrize(
    ("first", "last"), [(0, 1), (299, 301), (120, 460), (300, 350), (470, 470)]
)
def test_any_range_of_points_crosses_tiles(
    tmp_path: Path, data_type: str, first: int, last: int
) -> None:
    expected = write_ept(tmp_path / "ept", data_type)

    cloud = open_cloud(tmp_path / "ept")

    read = [records["X"] for records in cloud.read(first, last, fields=("X",), batch=100)]
    assert np.array_equal(np.concatenate([[], *read]), expected["X"][first:last])


def test_the_system_of_the_head_is_the_system_of_the_cloud(tmp_path: Path) -> None:
    write_ept(tmp_path / "ept", "binary")

    said = crs_of(open_cloud(tmp_path / "ept"))

    assert said.crs is not None
    assert said.crs.to_epsg() == 32613


def test_gps_times_are_of_the_kind_that_tiles_say(tmp_path: Path) -> None:
    write_ept(tmp_path / "ept", "laszip")

    assert open_cloud(tmp_path / "ept").header.global_encoding & ADJUSTED_TIME


def test_ranges_begin_where_tiles_begin(tmp_path: Path) -> None:
    write_ept(tmp_path / "ept", "laszip")

    assert open_cloud(tmp_path / "ept").ranges(100) == [(0, 300), (300, 470)]


def break_count(folder: Path) -> None:
    """Let two tiles say another number of points, with the same sum."""
    counts = TILES | {"1-0-1-0": 51, "1-1-0-1": 119}
    (folder / "ept-hierarchy" / "0-0-0-0.json").write_text(json.dumps(counts))


def shift(folder: Path) -> None:
    """Give one tile another offset than the others."""
    with ShardWriter(folder / "shard", LAYOUT) as writer:
        writer.add(random_records(120, 2))
    tile = folder / "ept-data" / "1-1-0-1.laz"
    frame = Frame(LAYOUT, FRAME.scales, (0.0, 0.0, 0.0))
    assemble(tile, frame, [(folder / "shard", writer.facts())])


def empty(folder: Path) -> None:
    """Take all tiles out of the hierarchy."""
    write_head(folder, points=0)
    (folder / "ept-hierarchy" / "0-0-0-0.json").write_text("{}")


def cut(folder: Path) -> None:
    """Cut a tile short."""
    tile = next((folder / "ept-data").glob("1-1-0-1.*"))
    tile.write_bytes(tile.read_bytes()[:-30])


def doubles(folder: Path) -> None:
    """Let X be a number of eight bytes."""
    schema = json.loads((folder / "ept.json").read_text())["schema"]
    schema[0] |= {"type": "float", "size": 8}
    write_head(folder, dataType="binary", schema=schema)


def flat(folder: Path) -> None:
    """Leave Z out."""
    schema = json.loads((folder / "ept.json").read_text())["schema"]
    write_head(folder, dataType="binary", schema=schema[:2])


def scaleless(folder: Path) -> None:
    """Let the scale of Y be zero."""
    schema = json.loads((folder / "ept.json").read_text())["schema"]
    schema[1]["scale"] = 0
    write_head(folder, dataType="binary", schema=schema)


def another_encoding(folder: Path) -> None:
    """Say that binary tiles are compressed."""
    for tile in (folder / "ept-data").iterdir():
        tile.rename(tile.with_suffix(".zst"))
    write_head(folder, dataType="zstandard")


def bomb(folder: Path) -> None:
    """Let a tile have a million million points by its hierarchy."""
    counts = TILES | {"1-1-0-1": 10**12}
    (folder / "ept-hierarchy" / "0-0-0-0.json").write_text(json.dumps(counts))
    head = json.loads((folder / "ept.json").read_text())
    (folder / "ept.json").write_text(json.dumps(head | {"points": sum(counts.values())}))


def nameless(folder: Path) -> None:
    """Let a dimension have no name."""
    schema = json.loads((folder / "ept.json").read_text())["schema"]
    schema[3]["name"] = ""
    write_head(folder, dataType="binary", schema=schema)


def immense(folder: Path) -> None:
    """Let X have no number, for its scale is too large."""
    schema = json.loads((folder / "ept.json").read_text())["schema"]
    schema[0]["scale"] = 1e300
    write_head(folder, dataType="binary", schema=schema)


@pytest.mark.parametrize(
    ("data_type", "damage", "said"),
    [
        ("laszip", break_count, "has 50 points, its hierarchy says 51"),
        ("binary", break_count, "CLOUD_DAMAGED: tile 1-0-1-0.bin should have"),
        ("laszip", shift, "tile 1-1-0-1.laz has another scale or offset"),
        ("laszip", empty, "CLOUD_EMPTY"),
        ("laszip", cut, "CLOUD_TRUNCATED"),
        ("binary", cut, "CLOUD_DAMAGED"),
        ("binary", doubles, "must be signed numbers of 4 bytes"),
        ("binary", flat, r"the schema has no \['Z'\]"),
        ("binary", scaleless, "the scale of Y is 0"),
        ("binary", immense, "the scale of X is 1e"),
        ("binary", nameless, "EPT_FILE: ept.json"),
        ("binary", another_encoding, "CLOUD_DAMAGED: tile 0-0-0-0.zst cannot be read"),
        ("zstandard", cut, "CLOUD_DAMAGED: tile 1-1-0-1.zst cannot be read"),
        ("zstandard", break_count, "CLOUD_DAMAGED: tile 1-0-1-0.zst cannot be read"),
        ("laszip", bomb, "EPT_COUNTS: tile 1-1-0-1 should have 1,000,000,000,000 points in"),
        ("zstandard", bomb, "EPT_COUNTS: tile 1-1-0-1 should have"),
        ("laszip", lambda folder: (folder / "ept.json").unlink(), "ept.json"),
    ],
)
def test_a_broken_ept_is_refused_by_name(
    tmp_path: Path, data_type: str, damage: Callable[[Path], None], said: str
) -> None:
    write_ept(tmp_path / "ept", data_type)
    damage(tmp_path / "ept")

    with pytest.raises(Problem, match=said) as caught:
        list(open_cloud(tmp_path / "ept", "input_las").read())

    assert caught.value.code in {Code.INVALID, Code.UNSUPPORTED}
    assert caught.value.at == "input_las"


def test_a_dimension_that_is_named_as_a_field_of_ours_stays_apart(tmp_path: Path) -> None:
    expected = write_ept(tmp_path / "ept", "binary")
    schema = json.loads((tmp_path / "ept" / "ept.json").read_text())["schema"]
    schema[-1]["name"] = "intensity"
    write_head(tmp_path / "ept", dataType="binary", schema=schema)

    (read,) = open_cloud(tmp_path / "ept").read()

    assert np.array_equal(read["intensity"], expected["intensity"])
    assert np.array_equal(read["intensity_2"], expected["OriginId"])
