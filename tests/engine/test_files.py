"""Files of named storages, on both databases: up, down, by blocks, and for the jobs."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.artifact import Artifact, FileRef
from haulier.core.caller import Caller, Scope
from haulier.core.clock import FrozenClock, SystemClock
from haulier.core.family import Cancelled
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import SHARED, Catalog
from haulier.engine.files import BLOCKS_KEPT, DEFAULT, MOST_BLOCKS, Files
from haulier.engine.places import PIECE, quoted, unquoted
from haulier.engine.reach import Reach
from haulier.engine.storage import Storage

T = TypeVar("T")
ME = Caller("acme", "me", frozenset({Scope.WRITE}))
OTHER = Caller("other", "you", frozenset({Scope.WRITE}))
HELLO = hashlib.sha256(b"hello").hexdigest()


@pytest.fixture
def own(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "own").as_uri())


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def catalog(database: sa.Engine, own: Storage, elsewhere: Path) -> Catalog:
    reach = Reach([own.url], roots=[elsewhere.as_uri()])
    return Catalog(database, SystemClock(), reach)


@pytest.fixture
def files(database: sa.Engine, own: Storage, catalog: Catalog) -> Files:
    return Files(database, own, catalog, SystemClock())


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def run(call: Callable[[], Awaitable[T]]) -> T:
    async def awaited() -> T:
        return await call()

    return asyncio.run(awaited())


def upload(files: Files, filename: str, content: bytes = b"hello", storage: str = DEFAULT) -> Any:
    return run(lambda: files.upload(ME, storage, filename, stream(content)))


def content(files: Files, filename: str, storage: str = DEFAULT, caller: Caller = ME) -> bytes:
    async def gathered() -> bytes:
        _, chunks = await files.open(caller, storage, filename)
        return b"".join([chunk async for chunk in chunks])

    return asyncio.run(gathered())


def refusal(call: Callable[[], Awaitable[object]]) -> Problem:
    with pytest.raises(Problem) as caught:
        run(call)
    return caught.value


def names(files: Files, storage: str = DEFAULT, caller: Caller = ME) -> list[str]:
    return [info.filename for info in run(lambda: files.list(caller, storage))]


def test_an_uploaded_file_is_there_with_its_hash(files: Files) -> None:
    info = upload(files, "roads.parquet")

    assert (info.storage, info.filename, info.size_bytes) == (DEFAULT, "roads.parquet", 5)
    assert info.sha256 == HELLO
    assert run(lambda: files.stat(ME, DEFAULT, "roads.parquet")) == info
    assert list(run(lambda: files.list(ME, DEFAULT))) == [info]
    assert content(files, "roads.parquet") == b"hello"


def test_another_organisation_has_its_own_files_in_a_storage_of_that_name(files: Files) -> None:
    upload(files, "roads.parquet")

    assert names(files, caller=OTHER) == []
    problem = refusal(lambda: files.stat(OTHER, DEFAULT, "roads.parquet"))
    assert (problem.code, problem.at) == (Code.NOT_FOUND, "filename")


def test_the_first_use_makes_the_storage_that_everybody_has(files: Files) -> None:
    assert files.storage(ME, DEFAULT).body == {"url": ""}
    assert [entry.name for entry in files.storages(OTHER)] == [DEFAULT]
    assert files.storages(ME)[0].version == 1


def test_a_storage_that_is_not_there_is_refused_with_those_that_are(files: Files) -> None:
    problem = refusal(lambda: files.upload(ME, "nowhere", "a", stream(b"")))

    assert (problem.code, problem.at) == (Code.NOT_FOUND, "storage")
    assert problem.detail == "no storage 'nowhere'; there are: storage-001"


@pytest.mark.parametrize(
    "filename",
    [
        "",
        ".",
        "..",
        "a//b",
        "a/",
        "a/../b",
        "a\\b",
        "/etc/passwd",
        "a\nb",
        "x" * 256,
        "a/" * 501 + "a",
    ],
)
def test_what_is_no_file_name_is_refused_before_anything_is_read(
    files: Files, filename: str
) -> None:
    async def unread() -> AsyncIterator[bytes]:
        read.append(filename)
        yield b""

    read: list[str] = []
    for call in (
        lambda: files.upload(ME, DEFAULT, filename, unread()),
        lambda: files.stat(ME, DEFAULT, filename),
        lambda: files.open(ME, DEFAULT, filename),
        lambda: files.delete(ME, DEFAULT, filename),
        lambda: files.stage_block(ME, DEFAULT, filename, "1", unread()),
    ):
        problem = refusal(call)
        assert (problem.code, problem.at) == (Code.INVALID, "filename")
    assert read == []


@pytest.mark.parametrize(
    "filename",
    [
        "a b.txt",
        "100%.txt",
        "%2e%2e",
        "a#1",
        "a+b",
        "日本" * 100,
        "🚚" * 255,
        "x" * 255,
        "..a",
        "~",
    ],
)
def test_any_file_name_is_kept_as_it_is(files: Files, filename: str) -> None:
    upload(files, filename, filename.encode())

    assert names(files) == [filename]
    assert content(files, filename) == filename.encode()
    run(lambda: files.delete(ME, DEFAULT, filename))
    assert names(files) == []


@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1), min_size=2))
def test_no_two_names_share_a_path_or_nest_in_one_another(some: set[str]) -> None:
    longer = {name * (PIECE // len(name) + 1) for name in some}
    paths = {name: quoted(name) for name in some | longer}

    assert len(set(paths.values())) == len(paths)
    for name, path in paths.items():
        assert unquoted(path) == name
        assert all(len(piece) <= PIECE + 1 for piece in path.split("/"))
        assert not any(other.startswith(f"{path}/") for other in paths.values())
        assert not {"", ".", ".."} & set(path.split("/"))


def test_an_upload_of_other_bytes_than_announced_leaves_the_old_file(files: Files) -> None:
    upload(files, "a", b"old")

    problem = refusal(lambda: files.upload(ME, DEFAULT, "a", stream(b"new"), expected_sha256=HELLO))

    assert (problem.code, problem.at) == (Code.INVALID, "sha256")
    assert content(files, "a") == b"old"
    assert run(lambda: files.stat(ME, DEFAULT, "a")).sha256 == hashlib.sha256(b"old").hexdigest()


def test_a_range_of_a_file_is_given(files: Files) -> None:
    upload(files, "a", b"0123456789")

    async def part() -> bytes:
        info, chunks = await files.open(ME, DEFAULT, "a", 2, 5)
        assert info.size_bytes == 10
        return b"".join([chunk async for chunk in chunks])

    assert asyncio.run(part()) == b"234"


@pytest.mark.parametrize("filename", ["folder", "folder/a.bin"])
def test_a_hash_that_is_not_wanted_any_more_is_not_made(files: Files, filename: str) -> None:
    upload(files, "folder/a.bin")
    place = files.place(ME.organisation, FileRef(DEFAULT, "folder/a.bin"))
    place.store.save(place.key, b"what nobody hashed")

    def check() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        files.hash_of(ME.organisation, FileRef(DEFAULT, filename), check=check)


def test_a_deleted_file_is_gone_and_deleting_it_again_is_refused(files: Files) -> None:
    upload(files, "a")

    run(lambda: files.delete(ME, DEFAULT, "a"))

    for call in (
        lambda: files.delete(ME, DEFAULT, "a"),
        lambda: files.stat(ME, DEFAULT, "a"),
        lambda: files.open(ME, DEFAULT, "a"),
    ):
        problem = refusal(call)
        assert (problem.code, problem.at) == (Code.NOT_FOUND, "filename")


def test_blocks_become_a_file_in_the_order_of_the_list(files: Files, own: Storage) -> None:
    for block_id, chunk in (("YQ==", b"1"), ("Yg==", b"2"), ("Yw==", b"3")):
        asyncio.run(files.stage_block(ME, DEFAULT, "f", block_id, stream(chunk)))
    assert names(files) == []

    info = run(lambda: files.commit_blocks(ME, DEFAULT, "f", ["Yw==", "YQ==", "Yw=="]))

    assert content(files, "f") == b"313"
    assert info.sha256 == hashlib.sha256(b"313").hexdigest()
    assert list(run(lambda: own.list("blocks"))) == []


def test_blocks_of_one_file_are_not_those_of_another(files: Files) -> None:
    run(lambda: files.stage_block(ME, DEFAULT, "f", "1", stream(b"mine")))
    run(lambda: files.stage_block(OTHER, DEFAULT, "f", "1", stream(b"theirs")))
    run(lambda: files.stage_block(ME, DEFAULT, "g", "1", stream(b"g")))

    run(lambda: files.commit_blocks(ME, DEFAULT, "f", ["1"]))
    run(lambda: files.commit_blocks(ME, DEFAULT, "g", ["1"]))

    assert (content(files, "f"), content(files, "g")) == (b"mine", b"g")


def test_a_list_with_blocks_that_nobody_staged_makes_nothing_and_names_them(files: Files) -> None:
    run(lambda: files.stage_block(ME, DEFAULT, "f", "1", stream(b"1")))

    problem = refusal(lambda: files.commit_blocks(ME, DEFAULT, "f", ["2", "1", "3"]))

    assert (problem.code, problem.at) == (Code.INVALID, "blocklist")
    assert [fault.detail[:9] for fault in problem.faults] == ["block '2'", "block '3'"]
    assert names(files) == []
    run(lambda: files.commit_blocks(ME, DEFAULT, "f", ["1"]))  # what was staged is still there


def test_an_empty_list_of_blocks_makes_an_empty_file(files: Files) -> None:
    assert run(lambda: files.commit_blocks(ME, DEFAULT, "f", [])).size_bytes == 0


def test_blocks_that_nobody_commits_are_dropped_after_a_week(
    database: sa.Engine, own: Storage, catalog: Catalog
) -> None:
    clock = FrozenClock(datetime.now(UTC))
    files = Files(database, own, catalog, clock)
    run(lambda: files.stage_block(ME, DEFAULT, "f", "1", stream(b"1")))
    run(lambda: files.upload(ME, DEFAULT, "g", stream(b"kept")))

    clock.move(BLOCKS_KEPT.total_seconds() - 60)
    assert files.tidy() == 0
    clock.move(120)
    assert files.tidy() == 1

    assert names(files) == ["g"]


@pytest.mark.parametrize("block_id", ["", "x" * 65])
def test_a_block_id_of_another_length_is_refused(files: Files, block_id: str) -> None:
    problem = refusal(lambda: files.stage_block(ME, DEFAULT, "f", block_id, stream(b"")))

    assert (problem.code, problem.at) == (Code.INVALID, "blockid")


def test_too_many_blocks_are_refused(files: Files) -> None:
    many: Sequence[str] = ["1"] * (MOST_BLOCKS + 1)

    problem = refusal(lambda: files.commit_blocks(ME, DEFAULT, "f", many))

    assert (problem.code, problem.at) == (Code.INVALID, "blocklist")


def test_a_storage_elsewhere_holds_files_under_their_own_names(
    files: Files, catalog: Catalog, elsewhere: Path
) -> None:
    catalog.put("acme", "storage", "mine", {"url": elsewhere.as_uri()})

    upload(files, "a b.txt", storage="mine")

    assert (elsewhere / "a b.txt").read_bytes() == b"hello"
    assert names(files, "mine") == ["a b.txt"]
    assert names(files) == []


def test_a_file_that_appeared_otherwise_is_hashed_when_it_is_asked_for(
    files: Files, catalog: Catalog, elsewhere: Path, database: sa.Engine
) -> None:
    catalog.put("acme", "storage", "mine", {"url": elsewhere.as_uri()})
    (elsewhere / "found.txt").write_bytes(b"hello")
    (elsewhere / "folder").mkdir()
    (elsewhere / "folder" / "below.txt").write_bytes(b"")

    assert [(i.filename, i.sha256) for i in run(lambda: files.list(ME, "mine"))] == [
        ("found.txt", "")
    ]
    assert run(lambda: files.stat(ME, "mine", "found.txt")).sha256 == HELLO
    assert [i.sha256 for i in run(lambda: files.list(ME, "mine"))] == [HELLO]
    with database.connect() as connection:
        kept = connection.execute(sa.text("SELECT sha256 FROM files")).scalars().all()
    assert kept == [HELLO]


def test_the_hash_of_a_file_that_changed_is_computed_again(
    files: Files, catalog: Catalog, elsewhere: Path
) -> None:
    catalog.put("acme", "storage", "mine", {"url": elsewhere.as_uri()})
    upload(files, "a", b"first", storage="mine")

    (elsewhere / "a").write_bytes(b"hello")
    os.utime(elsewhere / "a", (1, 1))

    info = run(lambda: files.stat(ME, "mine", "a"))
    assert info.sha256 == HELLO
    assert info.modified_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def plant(database: sa.Engine, organisation: str, url: str) -> None:
    """Put a storage as a server did that allowed more, or none at all."""
    everywhere = Reach([], operators=[organisation])
    Catalog(database, SystemClock(), everywhere).put(organisation, "storage", "mine", {"url": url})


def test_an_organisation_cannot_point_a_storage_to_the_servers_own_files(
    files: Files, catalog: Catalog, own: Storage, elsewhere: Path, database: sa.Engine
) -> None:
    for url in (own.url, "file:///etc", f"{elsewhere.as_uri()}/../own", "s3://own-bucket"):
        with pytest.raises(Problem, match="HAULIER_STORAGE_ROOTS"):
            catalog.put("acme", "storage", "mine", {"url": url})
        plant(database, "acme", url)

        for call in (
            lambda: files.list(ME, "mine"),
            lambda: files.open(ME, "mine", "passwd"),
            lambda: files.upload(ME, "mine", "passwd", stream(b"")),
        ):
            problem = refusal(call)
            assert (problem.code, problem.at) == (Code.FORBIDDEN, "storage"), url
            assert "HAULIER_STORAGE_ROOTS" in problem.detail


def test_no_storage_reaches_the_servers_own_files_whoever_made_it(
    database: sa.Engine, own: Storage, tmp_path: Path
) -> None:
    catalog = Catalog(database, SystemClock(), Reach([own.url], roots=[tmp_path.as_uri()]))
    files = Files(database, own, catalog, SystemClock())
    (tmp_path / "link").symlink_to(tmp_path / "own")

    for organisation in ("acme", SHARED):
        for place in (tmp_path, tmp_path / "own" / "storages" / "other", tmp_path / "link"):
            plant(database, organisation, place.as_uri())
            problem = refusal(lambda: files.list(ME, "mine"))
            assert (problem.code, problem.at) == (Code.FORBIDDEN, "storage"), place


def test_a_storage_that_the_operator_shares_may_lie_anywhere(
    database: sa.Engine, own: Storage, tmp_path: Path
) -> None:
    catalog = Catalog(database, SystemClock(), Reach([own.url]))
    files = Files(database, own, catalog, SystemClock())
    catalog.put(SHARED, "storage", "common", {"url": (tmp_path / "common").as_uri()})

    upload(files, "a", storage="common")

    assert content(files, "a", "common", OTHER) == b"hello"


def test_a_storage_that_cannot_be_opened_is_refused_by_its_name_without_its_secrets(
    database: sa.Engine, own: Storage
) -> None:
    catalog = Catalog(database, SystemClock(), Reach([own.url], roots=["ftp://me:secret@host"]))
    files = Files(database, own, catalog, SystemClock())
    catalog.put("acme", "storage", "mine", {"url": "ftp://me:secret@host/folder"})

    problem = refusal(lambda: files.list(ME, "mine"))

    assert (problem.code, problem.at) == (Code.INVALID, "storage")
    assert "storage 'mine' cannot be opened" in problem.detail
    assert "secret" not in problem.detail


def test_a_job_gets_the_place_of_a_file_or_what_is_missing(files: Files) -> None:
    upload(files, "a b")

    store, key, _ = files.place("acme", FileRef(DEFAULT, "a b"))

    assert store.load(key) == b"hello"
    for ref, at in ((FileRef("no", "a"), "storage"), (FileRef(DEFAULT, "no"), "filename")):
        with pytest.raises(Problem) as caught:
            files.place("acme", ref)
        assert (caught.value.code, caught.value.at) == (Code.NOT_FOUND, at)


@pytest.fixture
def artifact(own: Storage, tmp_path: Path) -> Artifact:
    path = tmp_path / "out"
    path.write_bytes(b"hello")
    blob = own.adopt(path, "jobs/1/out")
    return Artifact("out", "out.txt", "text/plain", 5, blob.sha256, blob.key)


def test_an_artifact_is_delivered_to_a_storage_and_stays_where_it_was(
    files: Files, catalog: Catalog, elsewhere: Path, artifact: Artifact, own: Storage
) -> None:
    catalog.put("acme", "storage", "mine", {"url": elsewhere.as_uri()})

    for storage in (DEFAULT, "mine"):
        files.deliver("acme", artifact, FileRef(storage, "result.txt"))

        info = asyncio.run(files.stat(ME, storage, "result.txt"))
        assert content(files, "result.txt", storage) == b"hello"
        assert info.sha256 == HELLO
    assert own.load(artifact.key) == b"hello"


def test_a_delivered_file_that_is_overwritten_leaves_the_artifact_alone(
    files: Files, artifact: Artifact
) -> None:
    files.deliver("acme", artifact, FileRef(DEFAULT, "result.txt"))

    upload(files, "result.txt", b"changed")

    async def read() -> bytes:
        return b"".join([chunk async for chunk in await files.open_artifact(artifact)])

    assert asyncio.run(read()) == b"hello"


def test_a_range_of_an_artifact_is_given(files: Files, artifact: Artifact) -> None:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in await files.open_artifact(artifact, 1, 3)])

    assert asyncio.run(read()) == b"el"
