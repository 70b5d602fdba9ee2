"""Records as they are read, against laspy's reading of the same files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulier.families.clouds.io.cloud import Cloud, coordinates, open_cloud

MakeLas = Callable[..., Path]
Published = Callable[[str], Path]

EXTRA = (
    laspy.ExtraBytesParams("height", "f8", "above ground"),
    laspy.ExtraBytesParams("pair", "2u2"),
    laspy.ExtraBytesParams("scaled", "i4", scales=np.array([0.5]), offsets=np.array([10.0])),
)
PUBLISHED = (
    "1.2-with-color.las", "autzen_trim.laz", "bcts_1.laz", "ellipsoid.copc.laz", "ellipsoid.laz",
    "epsg_4326.las", "extrabytes.las", "file_with_both_wkt_and_geotiff_vlrs.las", "fullwave.laz",
    "lone-star.copc.laz", "lone-star.laz", "mvk-thin.las", "sample_lareunion_epsg2975.laz",
    "simple.laz", "simple1_4.las", "test_semis_2023_0292_6833_LA93_IGN69.laz", "warsaw_small.las",
)  # fmt: skip
#: What records of ours do not have under laspy's name: degrees, and waveform packets.
ELSEWHERE = {
    "scan_angle_rank", "wavepacket_index", "wavepacket_offset", "wavepacket_size",
    "return_point_wave_location", "x_t", "y_t", "z_t",
}  # fmt: skip


def all_of(cloud: Cloud, **options: Any) -> np.ndarray[Any, Any]:
    """Read a cloud to its end."""
    return np.concatenate(list(cloud.read(**options)))


def check_equal(path: Path) -> None:
    """Hold every field of every record against laspy."""
    cloud, theirs = open_cloud(path), laspy.read(path)
    ours = laspy.PackedPointRecord(
        all_of(cloud).view(
            laspy.PointFormat(cloud.layout.point_format).dtype()
            if not cloud.layout.extra
            else cloud.layout.dtype
        ),
        laspy.PointFormat(cloud.layout.point_format),
    )
    assert len(ours) == len(theirs.points) == cloud.point_count
    for name in set(theirs.point_format.dimension_names) - ELSEWHERE:
        if theirs.point_format.dimension_by_name(name).is_standard:
            assert np.array_equal(np.asarray(ours[name]), np.asarray(theirs[name])), name
        else:
            stored = theirs.points.array[name]
            assert np.array_equal(ours.array[name], stored, equal_nan=stored.dtype.kind == "f")
    if "scan_angle_rank" in theirs.point_format.dimension_names:
        degrees = ours.array["scan_angle"] * 0.006
        assert np.max(np.abs(degrees - np.asarray(theirs.scan_angle_rank))) <= 0.003 + 1e-12


@pytest.mark.parametrize("suffix", ["las", "laz"])
@pytest.mark.parametrize("point_format", range(11))
def test_records_of_every_format_keep_every_field(
    make_las: MakeLas, point_format: int, suffix: str
) -> None:
    check_equal(make_las(f"cloud.{suffix}", point_format=point_format))


@pytest.mark.parametrize("suffix", ["las", "laz"])
@pytest.mark.parametrize("point_format", [1, 3, 6, 8])
def test_extra_bytes_keep_names_types_and_values(
    make_las: MakeLas, point_format: int, suffix: str
) -> None:
    path = make_las(f"cloud.{suffix}", point_format=point_format, extra=EXTRA)

    check_equal(path)
    layout = open_cloud(path).layout
    assert [each.name for each in layout.extra] == ["height", "pair", "scaled"]
    assert (layout.extra[2].scale, layout.extra[2].offset) == (0.5, 10.0)


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_clouds_read_as_laspy_reads_them(published: Published, name: str) -> None:
    check_equal(published(name))


def test_class_twelve_of_old_formats_becomes_the_overlap_flag_too(make_las: MakeLas) -> None:
    records = all_of(open_cloud(make_las(point_format=1)))

    overlap = records["classification"] == 12
    assert np.any(overlap)
    assert np.array_equal(records["classification_flags"] & 8 > 0, overlap)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_range_in_any_batches_gives_the_same_records(
    chunked: Path, data: st.DataObject
) -> None:
    cloud = open_cloud(chunked)
    first = data.draw(st.integers(0, cloud.point_count))
    last = data.draw(st.integers(first, cloud.point_count + 5))
    batch = data.draw(st.integers(1, 70_000))

    arrays = list(cloud.read(first, last, batch=batch))

    assert all(len(array) == batch for array in arrays[:-1])
    read = np.concatenate([np.empty(0, cloud.layout.dtype), *arrays])
    assert np.array_equal(read, all_of(cloud)[first:last])


@pytest.fixture(scope="module")
def chunked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a cloud of three chunks, the last one short."""
    header = laspy.LasHeader(point_format=6)
    header.scales = np.full(3, 0.01)
    cloud = laspy.LasData(header)
    rng = np.random.default_rng(1)
    cloud.x, cloud.y, cloud.z = rng.normal(0, 100, (3, 110_003))
    path = tmp_path_factory.mktemp("chunked") / "cloud.laz"
    cloud.write(path)
    return path


def test_ranges_begin_where_chunks_begin_and_leave_no_point_out(chunked: Path) -> None:
    assert open_cloud(chunked).ranges(60_000) == [(0, 100_000), (100_000, 110_003)]
    assert open_cloud(chunked).ranges(1) == [(0, 50_000), (50_000, 100_000), (100_000, 110_003)]


@pytest.mark.parametrize("suffix", ["las", "laz"])
@pytest.mark.parametrize("point_format", [3, 8])
@pytest.mark.parametrize(
    "fields", [("X",), ("Z", "classification"), ("red", "gps_time"), ("pair",)]
)
def test_a_choice_of_fields_has_their_values_and_no_others(
    make_las: MakeLas, point_format: int, suffix: str, fields: tuple[str, ...]
) -> None:
    cloud = open_cloud(make_las(f"cloud.{suffix}", point_format=point_format, extra=EXTRA))
    some, every = all_of(cloud, fields=fields), all_of(cloud)

    assert some.dtype.names == fields
    for name in fields:
        assert np.array_equal(some[name], every[name])


def test_records_may_be_written_into_without_a_trace_in_the_next_reading(chunked: Path) -> None:
    cloud = open_cloud(chunked)
    before = all_of(cloud)

    for records in cloud.read():
        records["X"] = 0

    assert np.array_equal(all_of(cloud), before)


def test_coordinates_are_those_of_laspy(make_las: MakeLas) -> None:
    path = make_las()
    cloud = open_cloud(path)

    places = coordinates(all_of(cloud), cloud.scales, cloud.offsets)

    assert np.array_equal(places, laspy.read(path).xyz)


@pytest.mark.parametrize("damage", ["zero", "nan", "swapped", "far"])
def test_bounds_that_no_point_could_have_are_not_believed(make_las: MakeLas, damage: str) -> None:
    path = make_las("cloud.las")
    content = bytearray(path.read_bytes())
    values = {"zero": [0.0] * 6, "nan": [np.nan] * 6, "far": [1e30, -1e30] * 3}
    swapped = np.frombuffer(bytes(content[179:227])).reshape(3, 2)[:, ::-1].ravel()
    content[179:227] = np.array(values.get(damage, swapped), "<f8").tobytes()
    assert open_cloud(path).bounds_are_credible

    path.write_bytes(bytes(content))

    assert not open_cloud(path).bounds_are_credible


def test_bytes_that_more_are_described_than_there_are_stay_without_a_name(
    make_las: MakeLas,
) -> None:
    path = make_las("cloud.las", point_format=6, extra=EXTRA)
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[105:107], "little")
    count = 1000 * length // (length - 4)
    content[105:107] = (length - 4).to_bytes(2, "little")
    content[247:255] = (count - 10).to_bytes(8, "little")
    path.write_bytes(bytes(content))

    cloud = open_cloud(path)

    assert [note.code for note in cloud.notes] == ["EXTRA_BYTES_MISMATCH"]
    assert cloud.layout.record_size == length - 4
