"""Files that are not what they claim to be end in a clear error, at once and in little memory."""

import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import laspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io import laszip as packing
from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.io.crs import crs_of
from haulier.families.clouds.io.frame import Frame
from haulier.families.clouds.io.layout import Layout
from haulier.families.clouds.io.lazwriter import ShardWriter, assemble

MakeLas = Callable[..., Path]
Content = bytes | bytearray
Damage = Callable[[bytearray], Content]

# Where a header of LAS 1.4 has what.
VERSION, HEADER_SIZE, POINTS_AT, VLRS, FORMAT, RECORD = 25, 94, 96, 100, 104, 105
SCALE_X, OFFSET_Z, EVLRS_AT, COUNT = 131, 171, 235, 247
FIRST_VLR_LENGTH = 375 + 20


def put(kind: str, at: int, value: float) -> Damage:
    """Write a number somewhere."""

    def damage(content: bytearray) -> Content:
        struct.pack_into("<" + kind, content, at, value)
        return content

    return damage


def points_at(content: bytearray) -> int:
    """Give where the points begin."""
    return int(struct.unpack_from("<I", content, POINTS_AT)[0])


def put_behind(kind: str, at: int, value: float) -> Damage:
    """Write a number so many bytes behind where the points begin."""
    return lambda content: put(kind, points_at(content) + at, value)(content)


def laszip(kind: str, at: int, value: float) -> Damage:
    """Write a number into the LASzip record."""
    return lambda content: put(kind, content.index(b"laszip encoded") + 52 + at, value)(content)


def table(kind: str, at: int, value: float) -> Damage:
    """Write a number into the table of chunks."""

    def damage(content: bytearray) -> Content:
        (start,) = struct.unpack_from("<q", content, points_at(content))
        return put(kind, start + at, value)(content)

    return damage


def cut(share: float) -> Damage:
    """Keep a share of the bytes."""
    return lambda content: content[: int(len(content) * share)]


def noise(content: bytearray) -> bytearray:
    """Overwrite compressed points."""
    start = points_at(content) + 60
    content[start : start + 600] = np.random.default_rng(0).bytes(600)
    return content


def evlrs(start: int, number: int) -> Damage:
    """Say that there are records behind the points."""

    def damage(content: bytearray) -> Content:
        struct.pack_into("<QI", content, EVLRS_AT, start, number)
        return content

    return damage


#: Damage to a LAS file of 1000 points of format 7, and what the error says.
PLAIN: dict[str, tuple[Damage, str]] = {
    "empty": (lambda _: b"", "CLOUD_EMPTY_FILE: the file is empty"),
    "html": (lambda _: b"<html>not found</html>", "looks like a page of HTML"),
    "zip": (lambda _: b"PK\x03\x04" + bytes(400), "looks like a ZIP archive"),
    "text": (lambda _: b"x,y,z\n1,2,3\n", "expected b'LASF'"),
    "four bytes": (lambda _: b"LASF", "within its header"),
    "half a header": (lambda c: c[:200], "ends after 200 bytes"),
    "a header alone": (lambda c: c[:375], "CLOUD_TRUNCATED"),
    "half the points": (cut(0.5), "has room for"),
    "version": (put("B", VERSION, 9), "version is 1.9"),
    "header size": (put("H", HEADER_SIZE, 100), "the header has 100 bytes"),
    "points within the header": (put("I", POINTS_AT, 10), "within the header"),
    "points beyond the end": (put("I", POINTS_AT, 2**31), "but the file ends at byte"),
    "format": (put("B", FORMAT, 11), "point format is 11"),
    "short records": (put("H", RECORD, 30), "format 7 needs 36"),
    "long records": (put("H", RECORD, 60_000), "has room for"),
    "no scale": (put("d", SCALE_X, 0.0), "scale of X is 0.0"),
    "scale that is no number": (put("d", SCALE_X, float("nan")), "scale of X is nan"),
    "endless offset": (put("d", OFFSET_Z, float("inf")), "offset of Z is inf"),
    "a scale without numbers": (
        put("d", SCALE_X, 1e300),
        r"scale of X is 1e\+300, expected",
    ),
    "a million million points": (put("Q", COUNT, 10**12), "1,000,000,000,000 points"),
    "as many as there are numbers": (put("Q", COUNT, 2**64 - 1), "has room for"),
    "four billion VLRs": (put("I", VLRS, 2**32 - 1), "4,294,967,295 VLRs"),
    "a VLR into the points": (put("H", FIRST_VLR_LENGTH, 65_535), "would reach into the points"),
    "EVLRs beyond the end": (evlrs(2**60, 1), "EVLR 1 of 1 would begin at byte"),
    "too many EVLRs": (evlrs(375, 2**31), "2,147,483,648 EVLRs"),
    "an EVLR that is none": (evlrs(375, 3), "CLOUD_TRUNCATED: EVLR"),
}
#: Damage to a LAZ file of the same, and what the error says.
PACKED: dict[str, tuple[Damage, str]] = {
    "half of it": (cut(0.5), "table of its compressed chunks should be at byte"),
    "no table": (cut(0.97), "table of its compressed chunks"),
    "table before the points": (put_behind("q", 0, 5), "should be at byte 5"),
    "table beyond the end": (put_behind("q", 0, 2**60), "CLOUD_TRUNCATED"),
    "a million million points": (put("Q", COUNT, 10**12), "1,000,000,000,000 points"),
    "four billion chunks": (table("I", 4, 2**32 - 1), "4,294,967,295 chunks"),
    "another table": (table("I", 0, 7), "table of chunks has version 7"),
    "no LASzip record": (
        lambda c: c.replace(b"laszip encoded", b"laszip deleted"),
        "no VLR says how",
    ),
    "no chunks": (laszip("H", 0, 1), "compressed without chunks"),
    "another coder": (laszip("H", 2, 1), "does not fit point format 7"),
    "chunks of no points": (laszip("I", 12, 0), "does not fit point format 7"),
    "no items": (laszip("H", 32, 0), "does not fit point format 7"),
    "sixty thousand items": (laszip("H", 32, 60_000), "does not fit point format 7"),
    "an item of another size": (laszip("H", 36, 7), "does not fit point format 7"),
    "another format": (put("B", FORMAT, 6 | 0x80), "does not fit point format 6"),
    "longer records": (put("H", RECORD, 40), "with 4 extra bytes"),
    "huge layers": (put_behind("I", 8 + 36 + 4, 2**32 - 1), "their bytes are damaged"),
    "another number of points in a chunk": (put_behind("I", 8 + 36, 7), "bytes are damaged"),
}


def open_and_read(path: Path) -> int:
    """Do with a cloud what every step does."""
    cloud = open_cloud(path, "input_las")
    crs_of(cloud)
    return sum(len(records) for records in cloud.read())


def outcome(path: Path) -> str:
    """Give how many points a file has, or the code of what is wrong with it."""
    try:
        return f"{open_and_read(path)} points"
    except Problem as problem:
        return problem.detail.partition(":")[0]


def damaged(path: Path, damage: Damage) -> Path:
    """Damage a file."""
    path.write_bytes(bytes(damage(bytearray(path.read_bytes()))))
    return path


@pytest.mark.parametrize("name", PLAIN)
def test_a_broken_las_file_is_refused_by_name(make_las: MakeLas, name: str) -> None:
    damage, said = PLAIN[name]
    path = damaged(make_las("cloud.las", crs="EPSG:2271"), damage)

    with pytest.raises(Problem, match=said) as caught:
        open_and_read(path)

    assert (caught.value.code, caught.value.at) == (Code.INVALID, "input_las")


@pytest.mark.parametrize("name", PACKED)
def test_a_broken_laz_file_is_refused_by_name(make_las: MakeLas, name: str) -> None:
    damage, said = PACKED[name]
    path = damaged(make_las("cloud.laz"), damage)

    with pytest.raises(Problem, match=said) as caught:
        open_and_read(path)

    assert caught.value.code in {Code.INVALID, Code.UNSUPPORTED}
    assert caught.value.at == "input_las"


@pytest.mark.parametrize("name", ["a million million points", "huge layers", "four billion chunks"])
def test_sizes_that_are_absurd_take_no_memory(make_las: MakeLas, name: str) -> None:
    path = damaged(make_las("cloud.laz"), PACKED[name][0])
    tracemalloc.start()

    with pytest.raises(Problem):
        open_and_read(path)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_records_that_are_too_long_to_be_held_are_refused(make_las: MakeLas) -> None:
    extra = (laspy.ExtraBytesParams("much", "60u1"),)
    path = make_las("cloud.las", extra=extra)
    put("H", RECORD, 5_000)(content := bytearray(path.read_bytes()))
    put("Q", COUNT, 3)(content)
    path.write_bytes(content)

    with pytest.raises(Problem, match="CLOUD_UNSUPPORTED: records have 5,000 bytes, at most 4,096"):
        open_and_read(path)


def test_a_chunk_of_more_points_than_its_bytes_can_hold_is_refused(make_las: MakeLas) -> None:
    path = make_las("cloud.laz", point_format=0)  # whose chunks say no number of points themselves
    content = bytearray(path.read_bytes())
    put("I", 107, 2**31)(content)  # as LAS 1.2 says its points
    laszip("I", 12, 2**31)(content)
    path.write_bytes(content)

    with pytest.raises(Problem, match="a chunk should have 2,147,483,648 points in"):
        open_and_read(path)


def test_a_chunk_of_long_records_is_decoded_in_pieces(
    make_las: MakeLas, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_las("cloud.laz", count=3000, extra=(laspy.ExtraBytesParams("much", "60u1"),))
    whole = np.concatenate(list(open_cloud(path).read()))
    monkeypatch.setattr(packing, "MOST_DECODED_BYTES", 100_000)
    monkeypatch.setattr(packing, "PIECE_POINTS", 700)

    pieces = list(open_cloud(path).source.pieces(0, 3000, None))

    assert [len(piece) for piece in pieces] == [700, 700, 700, 700, 200]
    assert np.array_equal(np.concatenate(pieces), whole)


def test_noise_for_points_ends_in_an_error_or_in_as_many_points(make_las: MakeLas) -> None:
    path = damaged(make_las("cloud.laz", point_format=1, count=20_000), noise)

    assert outcome(path) in {"20000 points", "CLOUD_DAMAGED"}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_byte_of_a_laz_file_can_be_changed_to_end_in_anything_but_a_problem(
    small: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(small)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(4, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("fuzzed") / "cloud.laz"
    path.write_bytes(bytes(content[: data.draw(st.sampled_from([len(content)] * 3 + [at]))]))

    assert outcome(path).isascii()


@pytest.fixture(scope="module", params=[0, 7])
def small(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Give a LAZ file of thirty points, so that most of its bytes are header and records."""
    header = laspy.LasHeader(point_format=request.param)
    header.add_extra_dim(laspy.ExtraBytesParams("extra", "u2"))
    cloud = laspy.LasData(header)
    cloud.x, cloud.y, cloud.z = np.random.default_rng(1).normal(0, 100, (3, 30))
    path = tmp_path_factory.mktemp("small") / "cloud.laz"
    cloud.write(path)
    return path.read_bytes()


def test_a_cloud_of_one_giant_chunk_is_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packing, "MOST_CHUNK_POINTS", 60_000)  # a real one takes long to write
    layout = Layout(6)
    records = np.zeros(130_000, layout.dtype)
    records["X"] = np.arange(len(records))
    with ShardWriter(tmp_path / "shard", layout) as writer:
        writer.add(records)
    path = tmp_path / "giant.laz"
    assemble(path, Frame(layout, (1, 1, 1), (0, 0, 0)), [(tmp_path / "shard", writer.facts())])

    read = [records["X"].copy() for records in open_cloud(path).read()]

    assert max(map(len, read)) == 50_000
    assert np.array_equal(np.concatenate(read), np.arange(130_000))
