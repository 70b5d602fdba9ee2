"""Ranges are the bytes that were asked for, the whole, or an error that says how many there are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.wire.ranges import OutOfRangeError, digest, matches, parse_range


@pytest.mark.parametrize(
    ("wanted", "size_bytes", "got"),
    [
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=2-5", 10, (2, 6)),
        ("bytes=2-", 10, (2, 10)),
        ("bytes=-3", 10, (7, 10)),
        ("bytes=-30", 10, (0, 10)),
        ("bytes=2-99", 10, (2, 10)),
        ("bytes=5-2", 10, None),
        ("bytes=0-1,3-4", 10, None),
        ("lines=0-1", 10, None),
        ("bytes=-", 10, None),
        ("", 10, None),
    ],
)
def test_a_range_is_understood_or_ignored(
    wanted: str, size_bytes: int, got: tuple[int, int] | None
) -> None:
    assert parse_range(wanted, size_bytes) == got


@pytest.mark.parametrize(
    ("wanted", "size_bytes"), [("bytes=10-", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_outside_says_how_many_bytes_there_are(wanted: str, size_bytes: int) -> None:
    with pytest.raises(OutOfRangeError) as refused:
        parse_range(wanted, size_bytes)

    assert refused.value.headers["content-range"] == f"bytes */{size_bytes}"


@given(st.text(alphabet="bytes=0123456789-, ", max_size=30), st.integers(0, 1000))
def test_no_range_leaves_the_content(wanted: str, size_bytes: int) -> None:
    try:
        part = parse_range(wanted, size_bytes)
    except OutOfRangeError:
        return

    assert part is None or 0 <= part[0] < part[1] <= size_bytes


@pytest.mark.parametrize(
    ("tags", "etag", "same"),
    [
        ('"a"', "a", True),
        ('W/"a", "b"', "b", True),
        ('W/"a"', "a", True),
        ("*", "anything", True),
        ('"a"', "b", False),
        ('"a"', "", False),
        ("", "a", False),
    ],
)
def test_an_etag_is_among_the_tags_or_not(tags: str, etag: str, same: bool) -> None:  # noqa: FBT001 -- a parameter of pytest
    assert matches(tags, etag) is same


def test_a_hash_is_written_as_the_standard_does() -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    assert digest(empty) == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
