"""Files put together from shards: the same bytes for any sharding, and what laspy reads of them."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import laspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS

from haulier.families.clouds.io.cloud import Cloud, open_cloud
from haulier.families.clouds.io.frame import Frame, frame_of
from haulier.families.clouds.io.layout import ExtraDimension, Layout, Records, convert
from haulier.families.clouds.io.lazwriter import (
    CHUNK_POINTS,
    ShardFacts,
    ShardWriter,
    assemble,
    encode_chunk,
    facts_of,
    merge_facts,
)
from haulier.families.clouds.io.vlr import Vlr

MakeLas = Callable[..., Path]

EXTRA = (laspy.ExtraBytesParams("height", "f4"), laspy.ExtraBytesParams("pair", "2u2"))


def write(folder: Path, frame: Frame, chunks: list[list[Records]]) -> bytes:
    """Write chunks by shards and give the whole file."""
    shards = []
    for number, shard in enumerate(chunks):
        path = folder / f"{number}.shard"
        with ShardWriter(path, frame.layout) as writer:
            for records in shard:
                writer.add(records)
        shards.append((path, writer.facts()))
    assemble(folder / "out.laz", frame, shards)
    return (folder / "out.laz").read_bytes()


@pytest.fixture
def cloud(make_las: MakeLas) -> Cloud:
    """Give a cloud with extra bytes, of 7000 points."""
    return open_cloud(make_las(point_format=8, count=7000, extra=EXTRA, crs="EPSG:2271"))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(cuts=st.lists(st.integers(0, 14), max_size=6))
def test_the_bytes_do_not_depend_on_how_chunks_are_spread_over_shards(
    cloud: Cloud, tmp_path: Path, cuts: list[int]
) -> None:
    chunks = list(cloud.read(batch=500))
    edges = [0, *sorted(cuts), len(chunks)]

    spread = [chunks[a:b] for a, b in pairwise(edges)]

    frame = frame_of(cloud, "WKT")
    assert write(tmp_path, frame, spread) == write(tmp_path, frame, [chunks])


@pytest.mark.parametrize("batch", [700, 7000, CHUNK_POINTS])
@pytest.mark.parametrize("point_format", range(11))
def test_laspy_reads_what_was_written(
    make_las: MakeLas, tmp_path: Path, point_format: int, batch: int
) -> None:
    cloud = open_cloud(make_las(point_format=point_format, count=7000, extra=EXTRA))

    write(tmp_path, frame_of(cloud, CRS(2271).to_wkt("WKT1_GDAL")), [list(cloud.read(batch=batch))])

    read = laspy.read(tmp_path / "out.laz")
    records = np.concatenate(list(cloud.read()))
    assert read.points.array.tobytes() == records.tobytes()
    assert read.header.parse_crs() == CRS(2271)
    assert [each.name for each in read.point_format.extra_dimensions] == ["height", "pair"]
    assert np.array_equal(read.header.mins, read.xyz.min(axis=0))
    assert np.array_equal(read.header.maxs, read.xyz.max(axis=0))
    by_return = np.bincount(records["bit_fields"] & 15, minlength=16)[1:]
    assert np.array_equal(read.header.number_of_points_by_return, by_return)


def test_chunks_of_fifty_thousand_have_the_table_that_every_reader_knows(tmp_path: Path) -> None:
    layout = Layout(6)
    chunks = [np.zeros(count, layout.dtype) for count in (CHUNK_POINTS, CHUNK_POINTS, 3)]

    for shape, expected in ((chunks, CHUNK_POINTS), (chunks[::-1], 2**32 - 1)):
        write(tmp_path, Frame(layout, (1, 1, 1), (0, 0, 0)), [shape])
        with laspy.open(tmp_path / "out.laz") as reader:
            record = reader.header.vlrs.get("LasZipVlr")[0].record_data
            assert int.from_bytes(record[12:16], "little") == expected
            assert len(reader.read()) == 2 * CHUNK_POINTS + 3


def test_records_of_the_source_are_kept_but_for_those_that_are_no_longer_true(
    make_las: MakeLas, tmp_path: Path
) -> None:
    path = make_las("source.las", crs="EPSG:2271")
    source = laspy.read(path)
    for user, number in (("surveyor", 7), ("copc", 1), ("LASF_Spec", 100), ("liblas", 2112)):
        source.vlrs.append(laspy.VLR(user, number, "about it", b"content"))
    source.evlrs = laspy.vlrs.vlrlist.VLRList([laspy.VLR("surveyor", 8, "behind", b"long" * 9)])
    source.write(path)
    cloud = open_cloud(path)

    write(tmp_path, frame_of(cloud, "WKT"), [list(cloud.read())])

    there = laspy.read(tmp_path / "out.laz")
    kept = [(v.user_id, v.record_id, v.record_data_bytes()) for v in there.vlrs]
    assert ("surveyor", 7, b"content") in kept
    assert {user for user, _, _ in kept} == {"surveyor", "LASF_Projection"}
    assert there.evlrs is not None
    assert [(v.user_id, v.record_id, v.record_data) for v in there.evlrs] == [
        ("surveyor", 8, b"long" * 9)
    ]


def test_a_coordinate_system_too_long_for_its_place_goes_behind_the_points(
    cloud: Cloud, tmp_path: Path
) -> None:
    wkt = "W" * 70_000

    write(tmp_path, frame_of(cloud, wkt), [list(cloud.read())])

    header = open_cloud(tmp_path / "out.laz").header
    assert [(e.user_id, e.record_id, e.size_bytes) for e in header.evlrs] == [
        ("LASF_Projection", 2112, 70_001)
    ]
    with pytest.raises(ValueError, match="at most 65535 bytes, got 70001"):
        Vlr("LASF_Projection", 2112, "", bytes(70_001)).packed()


def test_a_file_of_no_chunks_is_a_cloud_of_no_points(tmp_path: Path) -> None:
    write(tmp_path, Frame(Layout(7), (1, 1, 1), (0, 0, 0)), [[], []])

    assert len(laspy.read(tmp_path / "out.laz")) == 0
    assert open_cloud(tmp_path / "out.laz").point_count == 0
    assert list(open_cloud(tmp_path / "out.laz").read()) == []


@settings(max_examples=30, deadline=None)
@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=8), seed=st.integers(0, 99))
def test_facts_of_chunks_add_up_to_the_facts_of_all_records(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    layout = Layout(6)
    raw = rng.integers(0, 256, (sum(sizes), layout.record_size), np.uint8)
    records = raw.view(layout.dtype).ravel()
    pieces = np.split(records, np.cumsum(sizes)[:-1])

    added = merge_facts([ShardFacts(), *[facts_of(piece, 1) for piece in pieces]])

    whole = facts_of(records, len(sizes))
    assert replace_counts(added) == replace_counts(whole)
    assert (added.counts, sum(added.sizes)) == (tuple(sizes), len(sizes))


def replace_counts(facts: ShardFacts) -> ShardFacts:
    """Give facts without what differs by chunk."""
    return ShardFacts((), (), facts.mins, facts.maxs, facts.returns, facts.classes)


def test_an_added_dimension_is_written_and_described(cloud: Cloud, tmp_path: Path) -> None:
    layout = cloud.layout.extended(
        ExtraDimension("OriginId", 5, description="the file it came from"),
        ExtraDimension("scaled", 6, scale=0.5, offset=10.0),
    )
    chunks = [convert(records, layout) for records in cloud.read()]
    for records in chunks:
        records["OriginId"] = np.arange(len(records))

    write(tmp_path, replace(frame_of(cloud, ""), layout=layout), [chunks])

    read = laspy.read(tmp_path / "out.laz")
    assert np.array_equal(read["OriginId"], np.arange(cloud.point_count))
    assert set(np.asarray(read["scaled"])) == {10.0}
    assert read.point_format.dimension_by_name("OriginId").description == "the file it came from"


def test_a_dimension_named_like_a_field_gets_a_name_of_its_own() -> None:
    layout = Layout(6, (ExtraDimension("intensity", 1), ExtraDimension("intensity", 1)))

    assert (layout.dtype.names or ())[-2:] == ("intensity_2", "intensity_3")


def test_a_chunk_takes_no_table_and_no_header(cloud: Cloud) -> None:
    records = next(cloud.read(batch=10))

    assert encode_chunk(records, cloud.layout).startswith(records[:1].tobytes())
