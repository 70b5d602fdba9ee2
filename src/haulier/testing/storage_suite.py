"""The conformance suite of stores: subclass it with a way to open one, and run it with pytest.

class TestMyStore(StorageSuite):
    def open_storage(self, folder: Path) -> Storage:
        return Storage("s3://bucket/prefix")
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from haulier.core.problem import Code
from haulier.engine.storage import Storage
from haulier.testing.family_suite import hold
from haulier.testing.storing import (
    LONG,
    BrokenStreamError,
    failing,
    keys,
    put,
    read,
    refusal,
    stream,
)

KEYS: Final = (
    "plain",
    "a/b/c.d",
    "with space/and more ",
    "100%/50%25",
    "hash#tag/a#1",
    "a#1#",
    "what a key:",
    "d/C|#",
    "ünïcödé/日本/🚚",
    "quote'\"/<>|?*:;&=+$,@!()[]{}^`~",
    "..a/a..b/.c",
)
BAD_KEYS: Final = ("", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\x00b", "a\nb", "a\x7f")


class StorageSuite:
    """What every store must hold to; each method is a test."""

    def open_storage(self, folder: Path) -> Storage:
        """Open an empty store; `folder` is there for it alone."""
        raise NotImplementedError

    @pytest.fixture
    def storage(self, tmp_path: Path) -> Storage:
        """Give an empty store."""
        return self.open_storage(tmp_path / "store")

    def test_what_is_written_is_read_back(self, storage: Storage) -> None:
        """In pieces, whole, with the hash and the size of all of it."""
        blob = put(
            storage, "a/long", *(LONG[at : at + 999_983] for at in range(0, len(LONG), 999_983))
        )

        hold(read(storage, "a/long") == LONG, "the bytes must be those that were written")
        hold(blob.sha256 == hashlib.sha256(LONG).hexdigest(), "the hash must be that of the bytes")
        hold(blob.size_bytes == len(LONG), f"the size must be {len(LONG)}, got {blob.size_bytes}")

    def test_a_file_is_described_alike_by_every_method(self, storage: Storage) -> None:
        """An entity tag that depends on who asks would be a change that never was."""
        written = put(storage, "a/b", b"12345")
        ways = (
            asyncio.run(storage.get("a/b")),
            storage.look("a/b"),
            asyncio.run(storage.list("a"))[0],
            asyncio.run(storage.open("a/b"))[0],
            asyncio.run(storage.open("a/b", 1, 2))[0],
        )

        for found in ways:
            hold(found is not None, "every method must find it")
            if found is not None:
                hold(found.etag == written.etag, f"etag {found.etag} is not {written.etag}")
                hold(found.size_bytes == written.size_bytes, f"{found} is not {written}")
                hold(found.modified_at.tzinfo is not None, "times must be aware")

    def test_an_empty_file_is_a_file(self, storage: Storage) -> None:
        """It can be written, found, read, and read from its first byte."""
        blob = put(storage, "empty")

        hold(blob.size_bytes == 0, f"the size must be 0, got {blob.size_bytes}")
        hold(read(storage, "empty") == b"", "it must be read as nothing")
        hold(read(storage, "empty", 0, 10) == b"", "its first ten bytes must be nothing")
        hold(storage.load("empty") == b"", "it must be loaded as nothing")

    def test_a_range_gives_just_its_bytes(self, storage: Storage) -> None:
        """The end is not included, and one beyond the file is the file's end."""
        put(storage, "digits", b"0123456789")

        for start, end in ((0, 1), (2, 5), (9, 10), (3, None), (3, 99), (5, 5), (10, None), (0, 0)):
            expected = b"0123456789"[start:end]
            got = read(storage, "digits", start, end)
            hold(got == expected, f"bytes {start} to {end} must be {expected!r}, got {got!r}")

    def test_a_range_outside_the_file_is_refused(self, storage: Storage) -> None:
        """So that a caller learns that the file has become shorter."""
        put(storage, "digits", b"0123456789")

        for start, end in ((11, None), (11, 20), (5, 4), (-1, None)):
            problem = refusal(read, storage, "digits", start, end)
            hold(problem.code is Code.RANGE, f"{start} to {end} must be RANGE, got {problem.code}")

    def test_a_file_is_replaced_whole(self, storage: Storage) -> None:
        """A shorter file leaves nothing of the longer one, and the entity tag changes."""
        first = put(storage, "a", LONG)
        second = put(storage, "a", b"short")

        hold(read(storage, "a") == b"short", "the second content must be there alone")
        hold(first.etag != second.etag, "another content must have another entity tag")

    def test_a_reader_keeps_the_file_that_it_opened(self, storage: Storage) -> None:
        """What is written meanwhile does not get into what is being read."""
        put(storage, "a", b"1" * len(LONG))

        async def read_while_written() -> bytes:
            chunks = await storage.read("a")
            first = await anext(chunks)
            await storage.put("a", stream(b"2" * len(LONG)))
            return first + b"".join([chunk async for chunk in chunks])

        got = asyncio.run(read_while_written())
        hold(set(got) == set(b"1") and len(got) == len(LONG), "the old content must be read whole")

    def test_a_stream_that_fails_leaves_nothing(self, storage: Storage) -> None:
        """Neither early nor late; its own error comes out."""
        for chunks in ((), (b"x",), (LONG, LONG)):
            with pytest.raises(BrokenStreamError):
                asyncio.run(_put_failing(storage, "a/new", *chunks))
            hold(not storage.exists("a/new"), f"{len(chunks)} chunks must not be a file")
            hold(keys(storage) == [], f"nothing must be listed, got {keys(storage)}")

    def test_a_stream_that_fails_leaves_the_old_file(self, storage: Storage) -> None:
        """As it was."""
        put(storage, "a", b"old")

        with pytest.raises(BrokenStreamError):
            asyncio.run(_put_failing(storage, "a", LONG, LONG))

        hold(read(storage, "a") == b"old", "the old content must stay")

    def test_an_upload_that_is_given_up_leaves_nothing(self, storage: Storage) -> None:
        """A cancelled task is the server's way to say that the caller went away."""

        async def give_up() -> None:
            begun = asyncio.Event()

            async def endless() -> AsyncIterator[bytes]:
                yield LONG
                begun.set()
                await asyncio.Event().wait()

            upload = asyncio.ensure_future(storage.put("a", endless()))
            await begun.wait()
            upload.cancel()
            with pytest.raises(asyncio.CancelledError):
                await upload

        asyncio.run(give_up())

        hold(not storage.exists("a"), "it must not be a file")

    def test_bytes_of_another_hash_are_refused(self, storage: Storage) -> None:
        """And those of the right one are taken, however its digits are written."""
        wanted = hashlib.sha256(b"right").hexdigest()

        problem = refusal(lambda: put(storage, "a", b"wrong", expected_sha256=wanted))

        hold(problem.code is Code.INVALID, f"it must be INVALID, got {problem.code}")
        hold(problem.at == "sha256", f"it must be at sha256, got {problem.at!r}")
        hold(not storage.exists("a"), "what was refused must not be there")
        put(storage, "a", b"right", expected_sha256=wanted.upper())
        hold(read(storage, "a") == b"right", "the right bytes must be taken")

    def test_any_plain_key_can_be_kept(self, storage: Storage) -> None:
        """Whatever its letters: each is its own file, under its own name."""
        for key in KEYS:
            put(storage, key, key.encode())

        hold(set(keys(storage)) == set(KEYS), f"listed: {keys(storage)}")
        for key in KEYS:
            hold(read(storage, key) == key.encode(), f"{key!r} must hold its own content")
            hold(storage.load(key) == key.encode(), f"{key!r} must be loaded as well")
            hold(storage.look(key) is not None, f"{key!r} must be found")

    def test_a_key_that_is_no_plain_path_is_refused(self, storage: Storage) -> None:
        """By every method, before anything is touched."""
        for key in BAD_KEYS:
            for problem in (
                refusal(put, storage, key, b""),
                refusal(read, storage, key),
                refusal(storage.load, key),
                refusal(storage.save, key, b""),
                refusal(storage.remove, key),
                refusal(storage.exists, key),
                refusal(storage.clear, key),
            ):
                hold(problem.code is Code.INVALID, f"{key!r} must be INVALID, got {problem.code}")

    def test_what_is_not_there_is_said_so(self, storage: Storage, tmp_path: Path) -> None:
        """NOT_FOUND where a file is needed, nothing where it is asked for."""
        put(storage, "folder/file", b"")

        for key in ("missing", "folder", "folder/file/below"):
            hold(asyncio.run(storage.find(key)) is None, f"{key} must not be found")
            hold(storage.look(key) is None, f"{key} must not be seen")
            hold(storage.load(key) is None, f"{key} must load as None")
            for problem in (
                refusal(_await, storage.get, key),
                refusal(_await, storage.delete, key),
                refusal(read, storage, key),
                refusal(storage.fetch, key, tmp_path / "fetched"),
                refusal(storage.copy, storage, key, "copy"),
            ):
                hold(problem.code is Code.NOT_FOUND, f"{key}: NOT_FOUND, got {problem.code}")
        storage.remove("missing")

    def test_a_list_has_what_lies_below_a_prefix(self, storage: Storage) -> None:
        """Whole names count, the order is that of the keys, and `deep` says how far."""
        for key in ("a/2", "a/1", "a/b/3", "ab/4", "a.5", "c"):
            put(storage, key, b"")

        hold(keys(storage, "a") == ["a/1", "a/2", "a/b/3"], f"below a: {keys(storage, 'a')}")
        hold(keys(storage, "nothing") == [], "below nothing there is nothing")
        near = [blob.key for blob in asyncio.run(storage.list("a", deep=False))]
        hold(near == ["a/1", "a/2"], f"just below a: {near}")
        top = [blob.key for blob in asyncio.run(storage.list("", deep=False))]
        hold(top == ["a.5", "c"], f"at the top: {top}")

    def test_a_deleted_file_is_gone(self, storage: Storage) -> None:
        """It alone."""
        put(storage, "a/b", b"1")
        put(storage, "a/c", b"2")

        asyncio.run(storage.delete("a/b"))
        storage.remove("a/b")

        hold(keys(storage) == ["a/c"], f"left: {keys(storage)}")

    def test_clearing_takes_only_what_lies_below_the_prefix(self, storage: Storage) -> None:
        """Not its namesakes, not what is kept, and never everything."""
        for key in ("jobs/1/a", "jobs/1/b/c", "jobs/1/kept", "jobs/10/a", "jobs/1.x", "other"):
            put(storage, key, b"")

        removed, expected = storage.clear("jobs/1", keep={"jobs/1/kept"}), 2

        left = ["jobs/1.x", "jobs/1/kept", "jobs/10/a", "other"]
        hold(removed == expected, f"two must be removed, got {removed}")
        hold(keys(storage) == left, f"left must be {left}, got {keys(storage)}")
        for prefix in ("", "/", ".", "..", "jobs/..", "jobs/", "/jobs"):
            problem = refusal(storage.clear, prefix)
            hold(problem.code is Code.INVALID, f"clear({prefix!r}) must be refused")
        hold(keys(storage) == left, "a refused clearing must remove nothing")
        hold(storage.clear("nothing/there") == 0, "clearing nothing must remove nothing")

    def test_clearing_by_age_keeps_what_is_young(self, storage: Storage) -> None:
        """A file that was written at the moment or after it stays."""
        written = put(storage, "parts/1", b"").modified_at

        hold(storage.clear("parts", before=written) == 0, "what was written then must stay")
        later = max(written, datetime.now(UTC)) + timedelta(seconds=1)
        hold(storage.clear("parts", before=later) == 1, "what was written before must go")

    def test_a_finished_file_is_adopted(self, storage: Storage, tmp_path: Path) -> None:
        """Whole, hashed, and gone from where it was."""
        path = tmp_path / "finished.bin"
        path.write_bytes(LONG)
        storage.save("jobs/1/out.bin", b"old")

        blob = storage.adopt(path, "jobs/1/out.bin")

        hold(not path.exists(), "it must be gone from where it was")
        hold(read(storage, "jobs/1/out.bin") == LONG, "the content must be the file's")
        hold(blob.sha256 == hashlib.sha256(LONG).hexdigest(), "the hash must be the content's")
        hold(blob.etag == asyncio.run(storage.get("jobs/1/out.bin")).etag, "the etag must stay")

    def test_a_link_or_a_folder_is_not_adopted(self, storage: Storage, tmp_path: Path) -> None:
        """What a child process wrote must not lead to a file of somebody else."""
        (tmp_path / "secret").write_bytes(b"secret")
        (tmp_path / "link").symlink_to(tmp_path / "secret")
        (tmp_path / "folder").mkdir()

        for name in ("link", "folder", "missing"):
            problem = refusal(storage.adopt, tmp_path / name, "a")
            hold(problem.code is Code.INVALID, f"a {name} must be INVALID, got {problem.code}")
        hold(keys(storage) == [], "nothing must be published")

    def test_a_fetched_file_has_the_content(self, storage: Storage, tmp_path: Path) -> None:
        """Under the suffixes of its key, again when asked again, and anew when it changed."""
        put(storage, "in/roads.geo.parquet", b"first")

        first = storage.fetch("in/roads.geo.parquet", tmp_path / "fetched")
        again = storage.fetch("in/roads.geo.parquet", tmp_path / "fetched")
        hold(first == again, f"{first} must be {again}")
        hold(first.name.endswith(".geo.parquet"), f"the suffixes must stay, got {first.name}")
        hold(first.read_bytes() == b"first", "the content must be the file's")
        put(storage, "in/roads.geo.parquet", b"second")

        second = storage.fetch("in/roads.geo.parquet", tmp_path / "fetched")

        hold(second.read_bytes() == b"second", "the content must be the new one")

    def test_small_files_are_saved_and_loaded(self, storage: Storage) -> None:
        """And replaced."""
        storage.save("mark/1", b"one")
        storage.save("mark/1", b"two")

        hold(storage.load("mark/1") == b"two", "the last content must be loaded")
        hold(storage.exists("mark/1"), "it must be there")

    def test_a_copy_is_a_file_of_its_own(self, storage: Storage) -> None:
        """It stays when the first one changes or goes."""
        put(storage, "a", LONG)

        blob = storage.copy(storage, "a", "b/c")
        put(storage, "a", b"changed")
        asyncio.run(storage.delete("a"))

        hold(read(storage, "b/c") == LONG, "the copy must keep its content")
        known = {"", hashlib.sha256(LONG).hexdigest()}  # a bucket that copies tells no hash
        hold(blob.sha256 in known, "the hash, where it is told, must be the content's")


async def _put_failing(storage: Storage, key: str, *chunks: bytes) -> None:
    await storage.put(key, failing(*chunks))


def _await(call: Callable[..., Coroutine[None, None, object]], *given: object) -> object:
    return asyncio.run(call(*given))
