"""Files by key, in a local folder, S3, GCS or Azure: streamed, hashed, and whole or not there.

A key is relative, with '/' between its names. What is written under a key replaces what was
there in one moment, so that a reader sees the old file or the new one and never a half of it.
The async methods are for the server; the others are for workers and their child processes,
and in a local folder use nothing but the operating system.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import obstore
from obstore.store import LocalStore

from haulier.core.clock import SystemClock
from haulier.core.problem import Code, Problem
from haulier.engine.blob import Blob, check_key
from haulier.engine.bucket import READ_BYTES, UPLOADED_BYTES, UPLOADS, Bucket, blob_of, etag_of
from haulier.engine.folder import Folder
from haulier.engine.staging import Check, go_on
from haulier.engine.stores import named, opened, present
from haulier.engine.tally import Tally

__all__ = ["Blob", "Storage", "check_key"]

STALE: Final = timedelta(days=1)  # nobody writes one file for so long


class Storage:
    """One store of files.

    Args:
        url: `file:///folder`, `s3://bucket/prefix`, `gs://…`, `az://…`, or `memory://`, which
            lives as long as the object. Credentials come from the environment.

    Raises:
        Problem: INVALID; the URL names no store that can be opened.
    """

    def __init__(self, url: str) -> None:
        self.url: Final = url
        self._files: Final[Folder | Bucket] = opened(url)
        self._store: Final = (
            self._files.store if isinstance(self._files, Bucket) else LocalStore(self._files.root)
        )

    def __reduce__(self) -> tuple[object, ...]:
        """Let it travel to a child process, which opens the store again."""
        return (Storage, (self.url,))

    async def put(
        self, key: str, chunks: AsyncIterator[bytes], *, expected_sha256: str = ""
    ) -> Blob:
        """Write a stream to a key; whatever goes wrong, the key stays as it was.

        Raises:
            Problem: INVALID; the bytes are not those of `expected_sha256`. UNAVAILABLE; the
                store cannot take them. Whatever the stream raises comes out as it is.
        """
        place, tally = self._files.place(key), Tally(key, chunks, expected_sha256)
        try:
            with named("write", key):
                put = await obstore.put_async(
                    self._store,
                    place,
                    tally.stream(),
                    chunk_size=UPLOADED_BYTES,
                    max_concurrency=UPLOADS,
                )
        except Problem:
            if tally.failure is not None:
                raise tally.failure from None
            raise
        etag, found = etag_of(put["e_tag"]), await self.find(key)
        same = found is not None and found.etag == etag
        modified_at = found.modified_at if found and same else SystemClock().now()
        return Blob(key, tally.size_bytes, etag, modified_at, tally.sha256)

    async def find(self, key: str) -> Blob | None:
        """Give the file of a key if it is there."""
        return await asyncio.to_thread(self.look, key)

    async def get(self, key: str) -> Blob:
        """Give the file of a key.

        Raises:
            Problem: NOT_FOUND; there is none.
        """
        return present(await self.find(key), key)

    async def open(
        self, key: str, start: int = 0, end: int | None = None
    ) -> tuple[Blob, AsyncIterator[bytes]]:
        """Give a file and its bytes from `start` up to `end`, which is not included.

        An `end` beyond the file means up to its end.

        Raises:
            Problem: NOT_FOUND; there is no such file. RANGE; it ends before `start`.
        """
        blob = await self.get(key)
        options: Any = {}
        if start or end is not None:
            end = blob.size_bytes if end is None else min(end, blob.size_bytes)
            if not 0 <= start <= end:
                detail = f"'{key}' has {blob.size_bytes} bytes, asked from {start} to {end}"
                raise Problem(Code.RANGE, detail)
            if start == end:
                return blob, _nothing()
            options["range"] = (start, end)
        with named("read", key):
            found = await obstore.get_async(self._store, self._files.place(key), options=options)
        return blob_of(key, found.meta), _stream(key, found)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Give the bytes of a file, as `open` does."""
        return (await self.open(key, start, end))[1]

    async def list(self, prefix: str = "", *, deep: bool = True) -> Sequence[Blob]:
        """Give the files below a prefix, by key; with `deep=False` not those further below."""
        if prefix:
            check_key(prefix, at="prefix")

        def found() -> Sequence[Blob]:
            with named("list", prefix):
                return sorted(self._files.files(prefix, deep=deep), key=lambda blob: blob.key)

        return await asyncio.to_thread(found)

    async def delete(self, key: str) -> None:
        """Remove the file of a key.

        Raises:
            Problem: NOT_FOUND; there is none.
        """
        await self.get(key)
        await asyncio.to_thread(self.remove, key)

    def walk(self, prefix: str) -> Iterator[Blob]:
        """Give the files below a prefix one by one, in no order."""
        check_key(prefix, at="prefix")
        with named("list", prefix):
            yield from self._files.files(prefix)

    def folders(self, prefix: str) -> Iterator[str]:
        """Give the names right below a prefix that have files below them, in no order."""
        check_key(prefix, at="prefix")
        with named("list", prefix):
            yield from self._files.folders(prefix)

    def drop(self, keys: Sequence[str], *, before: datetime) -> int:
        """Remove old files, and give how many; in a local folder one that is new stays."""
        with named("remove", keys[0] if keys else ""):
            return self._files.drop(keys, before)

    def local(self, key: str) -> Path | None:
        """Give the path of a key's file where the store is a local folder."""
        return self._files.path(key) if isinstance(self._files, Folder) else None

    def look(self, key: str) -> Blob | None:
        """Give the file of a key if it is there."""
        with named("look for", key):
            return self._files.look(key)

    def exists(self, key: str) -> bool:
        """Whether there is a file under the key."""
        return self.look(key) is not None

    def fetch(self, key: str, folder: Path) -> Path:
        """Give a local path with the content of a file, which the caller must not change.

        In a local folder it is the file itself. Elsewhere it is fetched into `folder`, once
        for each content.

        Raises:
            Problem: NOT_FOUND; there is none.
        """
        blob = present(self.look(key), key)
        if isinstance(self._files, Folder):
            return self._files.path(key)
        mark = hashlib.sha256(f"{self.url}\0{key}\0{blob.etag}".encode()).hexdigest()[:24]
        kept, name = Folder(folder.absolute()), mark + _suffixes(key)
        if not kept.path(name).exists():
            with named("read", key):
                kept.write(name, self._files.read(key))
        return kept.path(name)

    def adopt(self, path: Path, key: str) -> Blob:
        """Publish a finished local file under a key; it is gone from where it was.

        Raises:
            Problem: INVALID; it is no plain file. UNAVAILABLE; the store cannot take it.
        """
        with named("write", key):
            return self._files.adopt(path, key)

    def copy(self, source: "Storage", source_key: str, key: str, *, check: Check = go_on) -> Blob:
        """Copy a file of a store, this or another, to a key of this one.

        Args:
            source: the store of the file.
            source_key: the file.
            key: where it goes.
            check: is called before each piece; where it raises, the key stays as it was.

        Raises:
            Problem: NOT_FOUND; there is no such file. UNAVAILABLE; a store refuses.
        """
        check()
        present(source.look(source_key), source_key)
        path = source.local(source_key)
        with named("write", key):
            if path is not None:
                return self._files.copy(path, key, check)
            if source is self and isinstance(self._files, Bucket):
                duplicate = self._files.duplicate(source_key, key)
                if duplicate is not None:
                    return duplicate
        with ThreadPoolExecutor(max_workers=1) as pool:  # a loop of its own, whoever calls
            return pool.submit(asyncio.run, self._pull(source, source_key, key, check)).result()

    async def _pull(self, source: "Storage", source_key: str, key: str, check: Check) -> Blob:
        return await self.put(key, _checked(await source.read(source_key), check))

    def load(self, key: str) -> bytes | None:
        """Give the bytes of a small file if it is there."""
        with named("read", key):
            try:
                return b"".join(self._files.read(key))
            except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
                return None

    def hash(self, key: str, *, check: Check = go_on) -> str:
        """Give the SHA-256 of a file's bytes as they are now, unless `check` raises meanwhile.

        Raises:
            Problem: NOT_FOUND; there is none.
        """
        digest = hashlib.sha256()
        with named("read", key):
            for chunk in self._files.read(key):
                check()
                digest.update(chunk)
        return digest.hexdigest()

    def save(self, key: str, data: bytes) -> None:
        """Write the bytes of a small file."""
        with named("write", key):
            self._files.write(key, (data,))

    def remove(self, key: str) -> None:
        """Remove the file of a key if it is there."""
        with named("remove", key):
            self._files.remove(key)

    def clear(
        self, prefix: str, *, keep: Container[str] = (), before: datetime | None = None
    ) -> int:
        """Remove the files below `prefix` + "/" and give their number.

        Args:
            prefix: whole names, such as "jobs/1"; never empty.
            keep: keys that stay, or whole names such as `prefix` below which everything stays.
            before: only files that were last written before this.

        Raises:
            Problem: INVALID; the prefix is empty or no prefix.
        """
        check_key(prefix, at="prefix")

        def wanted(blob: Blob) -> bool:
            kept = any(name in keep for name in _names(blob.key))
            return kept or (before is not None and blob.modified_at >= before)

        with named("clear", prefix):
            return self._files.clear(prefix, wanted, SystemClock().now() - STALE)

    def tidy(self) -> None:
        """Remove what writers that died left unfinished, from anywhere in a local folder."""
        if isinstance(self._files, Folder):  # a bucket's own life-cycle rule does it there
            with named("tidy", self.url):
                self._files.tidy(SystemClock().now() - STALE)


async def _stream(key: str, found: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 -- obstore's
    with named("read", key):
        async for chunk in found.stream(min_chunk_size=READ_BYTES):
            yield bytes(chunk)


async def _checked(chunks: AsyncIterator[bytes], check: Check) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        check()
        yield chunk


async def _nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for chunk in empty:
        yield chunk


def _names(key: str) -> Iterator[str]:
    """Give a key and the names that it lies below."""
    parts = key.split("/")
    return ("/".join(parts[:count]) for count in range(len(parts), 0, -1))


def _suffixes(key: str) -> str:
    """Give the ends of a name, by which readers know a format."""
    return "".join(Path(key).suffixes[-2:])[-32:]
