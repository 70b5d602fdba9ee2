"""Stores: the local folder and the bucket hold to one suite; the folder to what only disks do."""

import asyncio
import errno
import os
import pickle
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.core.family import Cancelled
from haulier.core.problem import Code, Problem
from haulier.engine.staging import UNFINISHED
from haulier.engine.storage import Storage, check_key
from haulier.testing.storage_suite import StorageSuite
from haulier.testing.storing import keys, put, read, refusal, stream


class TestLocalFolder(StorageSuite):
    def open_storage(self, folder: Path) -> Storage:
        return Storage(folder.as_uri())


class TestBucket(StorageSuite):
    def open_storage(self, folder: Path) -> Storage:
        del folder
        return Storage("memory://")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a store with #1 and 50%"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return Storage(folder.as_uri())


NAMES = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/"), min_size=1)
PLAIN = st.lists(
    NAMES.filter(lambda name: name not in {".", ".."} and len(name.encode()) < 200),
    min_size=1,
    max_size=3,
).map("/".join)
ALIKE = st.from_regex(r"([a#]{0,3}#[0-9]{1,2}|#?a[:|])#{0,3}", fullmatch=True)


@settings(max_examples=100, deadline=None)
@given(key=PLAIN | ALIKE)
def test_whatever_the_key_file_list_and_path_agree(
    tmp_path_factory: pytest.TempPathFactory, key: str
) -> None:
    storage = Storage(tmp_path_factory.mktemp("store").as_uri())

    put(storage, key, b"content")

    assert keys(storage) == [key]
    path = storage.local(key)
    assert path is not None
    assert path.read_bytes() == b"content"
    assert storage.load(key) == b"content"


@settings(max_examples=100, deadline=None)
@given(keys_wanted=st.sets(ALIKE, min_size=2, max_size=5))
def test_names_that_look_like_unfinished_files_never_share_one_path(
    tmp_path_factory: pytest.TempPathFactory, keys_wanted: set[str]
) -> None:
    storage = Storage(tmp_path_factory.mktemp("store").as_uri())

    for key in keys_wanted:
        storage.save(key, key.encode())

    assert set(keys(storage)) == keys_wanted
    assert all(read(storage, key) == key.encode() for key in keys_wanted)


@given(st.text(max_size=20))
def test_a_key_is_either_refused_or_stays_below_the_folder(key: str) -> None:
    root = Path("/store")
    with suppress(Problem):
        check_key(key)
        assert root in Path(os.path.normpath(root / key)).parents


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "storage_url"),
        ("ftp://host/folder", "cannot be opened"),
        ("file://folder/file", "three slashes"),
        ("file:///", "below '/'"),
        ("file:", "absolute"),
        ("s3://", "cannot be opened"),
    ],
)
def test_a_url_that_names_no_store_is_refused_with_the_url(url: str, said: str) -> None:
    problem = refusal(lambda: Storage(url))

    assert (problem.code, problem.at) == (Code.INVALID, "storage_url")
    assert said in problem.detail


def test_a_store_whose_folder_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    problem = refusal(lambda: Storage((tmp_path / "file" / "below").as_uri()))

    assert "cannot make the folder" in problem.detail
    assert os.strerror(errno.ENOTDIR) in problem.detail


def test_a_store_travels_to_another_process(storage: Storage) -> None:
    storage.save("a", b"1")

    assert pickle.loads(pickle.dumps(storage)).load("a") == b"1"  # noqa: S301 -- our own bytes


def test_a_name_that_no_disk_holds_is_refused_by_its_length(storage: Storage) -> None:
    problem = refusal(lambda: storage.save("é" * 200, b""))

    assert problem.code is Code.INVALID
    assert "240 bytes" in problem.detail


def test_a_fetched_local_file_is_the_file_itself(storage: Storage, tmp_path: Path) -> None:
    storage.save("a/b", b"1")

    assert storage.fetch("a/b", tmp_path / "unused") == storage.local("a/b")
    assert not (tmp_path / "unused").exists()


def test_adopting_a_file_with_two_names_leaves_the_other_name_its_own(
    storage: Storage, tmp_path: Path
) -> None:
    storage.save("input", b"input")
    path, given_path = tmp_path / "output", storage.local("input")
    assert given_path is not None
    path.hardlink_to(given_path)

    storage.adopt(path, "output")

    taken = storage.local("output")
    assert taken is not None
    assert not taken.samefile(given_path)
    assert taken.read_bytes() == b"input"


def test_a_failed_write_leaves_nothing_on_the_disk(storage: Storage, folder: Path) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"1" * 20_000_000
        raise ConnectionResetError

    async def upload() -> None:
        await storage.put("a/b", broken())

    with pytest.raises(ConnectionResetError):
        asyncio.run(upload())

    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_file_where_a_folder_is_needed_is_said_so(storage: Storage) -> None:
    storage.save("a", b"")

    async def upload() -> None:
        await storage.put("a/b", stream(b"1"))

    for write in (lambda: storage.save("a/b", b"1"), lambda: asyncio.run(upload())):
        problem = refusal(write)
        assert problem.code is Code.UNAVAILABLE
        assert "'a/b'" in problem.detail


def test_unfinished_files_are_neither_listed_nor_read_nor_adopted_by_name(
    storage: Storage, folder: Path
) -> None:
    storage.save("jobs/out", b"1")
    (folder / "jobs" / "out#1").write_bytes(b"half")
    (folder / "jobs" / "#123").write_bytes(b"half")

    assert keys(storage) == ["jobs/out"]
    assert storage.load("jobs/out#1") is None
    assert storage.load("jobs/#123") is None


def test_clearing_takes_unfinished_files_of_yesterday_but_not_of_today(
    storage: Storage, folder: Path
) -> None:
    storage.save("jobs/out", b"1")
    old, young = folder / "jobs" / "out#1", folder / "jobs" / "out#2"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    yesterday = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(old, (yesterday, yesterday))

    storage.clear("jobs")

    assert list((folder / "jobs").iterdir()) == [young]
    assert UNFINISHED.fullmatch(young.name)


def test_tidying_takes_old_unfinished_files_from_anywhere_and_nothing_else(
    storage: Storage, folder: Path
) -> None:
    long_ago = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    for name in ("a/out", "b/c/out"):
        storage.save(name, b"1")
        (folder / f"{name}#7").write_bytes(b"half")
        os.utime(folder / f"{name}#7", (long_ago, long_ago))
        os.utime(folder / name, (long_ago, long_ago))
    (folder / "a" / "#8").write_bytes(b"young")

    storage.tidy()

    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert left == {"a/out", "a/#8", "b/c/out"}


def test_clearing_leaves_no_empty_folder_and_keeps_the_store(
    storage: Storage, folder: Path
) -> None:
    storage.save("jobs/1/steps/a/out", b"1")

    assert storage.clear("jobs/1") == 1

    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_clearing_does_not_follow_a_link_out_of_the_store(
    storage: Storage, folder: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"1")
    storage.save("jobs/1/out", b"1")
    (folder / "jobs" / "1" / "link").symlink_to(outside)

    storage.clear("jobs")

    assert (outside / "precious").read_bytes() == b"1"


def test_files_of_the_operator_with_names_of_no_key_are_left_out(
    storage: Storage, folder: Path
) -> None:
    storage.save("good", b"1")
    (folder / "line\nbreak").write_bytes(b"")
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff"))).write_bytes(b"")

    assert keys(storage) == ["good"]


def test_copies_go_between_stores_of_any_kind(tmp_path: Path) -> None:
    local, bucket = Storage((tmp_path / "one").as_uri()), Storage("memory://")
    local.save("a", b"content")

    bucket.copy(local, "a", "b")
    local.copy(bucket, "b", "c")
    Storage("memory://").copy(bucket, "b", "d")

    assert local.load("c") == b"content"


@pytest.mark.parametrize(("source", "target"), ["FF", "FB", "BF", "BB"])
def test_a_copy_that_is_stopped_on_its_way_changes_nothing(
    tmp_path: Path, source: str, target: str
) -> None:
    def opened(kind: str, name: str) -> Storage:
        return Storage((tmp_path / name).as_uri() if kind == "F" else "memory://")

    here, there = opened(source, "here"), opened(target, "there")
    here.save("a", b"new" * 1_000_000)
    there.save("b", b"old")
    asked = count()

    def check() -> None:
        if next(asked):  # the first time is before anything is done
            raise Cancelled

    with pytest.raises(Cancelled):
        there.copy(here, "a", "b", check=check)

    assert there.load("b") == b"old"
    assert [path.name for path in tmp_path.glob("there/**/*")] == ["b"] * (target == "F")
