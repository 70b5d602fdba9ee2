"""Downloads on the caller's side: whole or not at all, resumed, never mixed."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.client.errors import IntegrityError, ProtocolError
from haulier.client.protocol import Answer
from haulier.client.transfer import Landing, file_sha256, safe_name, target_of

CONTENT = bytes(range(256)) * 40
SHA256 = hashlib.sha256(CONTENT).hexdigest()
WHOLE = Answer(200, {})


def part_from(start: int) -> Answer:
    return Answer(206, {"content-range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"})


class Land:
    """Makes landings of one file, and closes what a test leaves open."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._target = folder / "out.bin"

    def __call__(self, size_bytes: int = len(CONTENT), sha256: str = SHA256) -> Landing:
        return self._stack.enter_context(closing(Landing(self._target, size_bytes, sha256)))


@pytest.fixture
def land(tmp_path: Path) -> Iterator[Land]:
    with ExitStack() as stack:
        yield Land(stack, tmp_path)


def test_a_file_appears_only_when_it_is_whole(land: Land, tmp_path: Path) -> None:
    one = land()
    one.begin(WHOLE)
    one.write(CONTENT[:100])
    before = one.target.exists()
    one.write(CONTENT[100:])
    path = one.settle()
    one.close()

    assert not before
    assert path.read_bytes() == CONTENT
    assert [found.name for found in tmp_path.iterdir()] == ["out.bin"]


def test_a_second_try_asks_for_the_rest(land: Land) -> None:
    first = land()
    first.begin(WHOLE)
    first.write(CONTENT[:1000])
    first.close()

    second = land()
    asked = second.range_headers()
    second.begin(part_from(1000))
    second.write(CONTENT[1000:])

    assert asked == {"Range": "bytes=1000-"}
    assert second.settle().read_bytes() == CONTENT


def test_a_server_that_sends_all_again_is_taken_from_the_start(land: Land) -> None:
    first = land()
    first.begin(WHOLE)
    first.write(b"x" * 500)
    first.close()

    second = land()
    second.begin(WHOLE)
    second.write(CONTENT)

    assert second.settle().read_bytes() == CONTENT


@pytest.mark.parametrize("field", ["bytes 5-9/10240", "", "bytes */10240"])
def test_a_part_from_another_place_is_refused(land: Land, field: str) -> None:
    one = land()
    one.begin(WHOLE)
    one.write(CONTENT[:1000])

    with pytest.raises(ProtocolError, match="bytes from 1000"):
        one.begin(Answer(206, {"content-range": field}))


@pytest.mark.parametrize("received", [CONTENT[:-1], CONTENT[:-1] + b"!", CONTENT + b"!"])
def test_other_bytes_than_promised_are_removed_and_never_put_in_place(
    land: Land, tmp_path: Path, received: bytes
) -> None:
    one = land()
    one.begin(WHOLE)
    one.write(received)

    with pytest.raises(IntegrityError, match=r"out\.bin: expected"):
        one.settle()
    one.close()

    assert list(tmp_path.iterdir()) == []


def test_two_downloads_at_once_of_one_file_do_not_mix(land: Land, tmp_path: Path) -> None:
    first, second = land(), land()
    for one in (first, second):
        one.begin(WHOLE)
    for start in range(0, len(CONTENT), 512):
        first.write(CONTENT[start : start + 512])
        second.write(CONTENT[start : start + 512])

    paths = {first.settle(), second.settle()}

    assert paths == {tmp_path / "out.bin"}
    assert (tmp_path / "out.bin").read_bytes() == CONTENT


def test_a_download_of_other_content_takes_up_nothing(land: Land) -> None:
    first = land()
    first.begin(WHOLE)
    first.write(CONTENT[:1000])
    first.close()

    other = land(3, hashlib.sha256(b"abc").hexdigest())

    assert other.held_bytes == 0


def test_a_file_of_unknown_content_leaves_nothing_when_it_breaks(
    land: Land, tmp_path: Path
) -> None:
    one = land(-1, "")
    one.begin(WHOLE)
    one.write(b"half")
    one.close()

    assert list(tmp_path.iterdir()) == []


@given(st.text())
def test_no_name_of_a_server_leaves_its_folder(name: str) -> None:
    safe = safe_name(name, "artifact")

    assert safe not in {"", ".", ".."}
    assert "/" not in safe
    assert "\\" not in safe
    assert "\x00" not in safe


def test_a_target_is_a_folder_or_a_file(tmp_path: Path) -> None:
    assert target_of(None, "a.bin") == Path("a.bin")
    assert target_of(tmp_path, "a.bin") == tmp_path / "a.bin"
    assert target_of(tmp_path / "b.bin", "a.bin") == tmp_path / "b.bin"
    assert target_of(f"{tmp_path}/new/", "a.bin") == tmp_path / "new" / "a.bin"


def test_a_file_s_hash_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(CONTENT)

    assert file_sha256(tmp_path / "a") == SHA256
