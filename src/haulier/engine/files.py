"""The files of the organisations' named storages: up, down, by blocks, and for the jobs."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
import sqlalchemy as sa

from haulier.core.artifact import Artifact, FileRef
from haulier.core.caller import Caller
from haulier.core.clock import Clock
from haulier.core.problem import Code, Fault, Problem
from haulier.engine import trees
from haulier.engine.catalog import Catalog, Entry
from haulier.engine.hashes import Hashes
from haulier.engine.places import BLOCKS, DEFAULT, TYPE, Places, unquoted
from haulier.engine.staging import Check, go_on
from haulier.engine.storage import Blob, Storage
from haulier.engine.tally import Tally

__all__ = ["DEFAULT", "TYPE", "FileInfo", "Files"]

LONGEST_BLOCK_ID: Final = 64  # bytes, as the block-blob protocol has it
MOST_BLOCKS: Final = 50_000
BLOCKS_KEPT: Final = timedelta(days=7)  # as the block-blob protocol has it


class Place(NamedTuple):
    """Where a file lies, or the files of a folder below a prefix."""

    store: Storage
    key: str
    folder: bool = False


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A file in a named storage; `sha256` is empty where nobody has read it yet."""

    storage: str
    filename: str
    size_bytes: int
    sha256: str
    modified_at: datetime
    etag: str


class Files:
    """The named storages, and the artifacts of jobs.

    Args:
        engine: the database, which remembers hashes.
        storage: the server's own store.
        catalog: where storages are named.
        clock: the time.
    """

    def __init__(
        self,
        engine: sa.Engine,
        storage: Storage,
        catalog: Catalog,
        clock: Clock,
    ) -> None:
        self._own = storage
        self._clock = clock
        self._catalog = catalog
        self._places = Places(storage, catalog)
        self._hashes = Hashes(engine)

    def storages(self, caller: Caller) -> Sequence[Entry]:
        """Give the storages that the caller sees, by name."""
        return self._places.entries(caller.organisation)

    def storage(self, caller: Caller, name: str) -> Entry:
        """Give a storage.

        Raises:
            Problem: NOT_FOUND at "storage".
        """
        return self._places.entry(caller.organisation, name)

    def ensure(self, organisation: str, name: str) -> Entry:
        """Give a storage, and make it in the server's own store where there is none."""
        return self._catalog.ensure(organisation, TYPE, name, {"url": ""})

    async def upload(
        self,
        caller: Caller,
        storage: str,
        filename: str,
        chunks: AsyncIterator[bytes],
        *,
        expected_sha256: str = "",
    ) -> FileInfo:
        """Write a file, or another in its place; nobody sees it before it is whole.

        Raises:
            Problem: NOT_FOUND at "storage"; INVALID at "filename" or "sha256".
        """
        org = caller.organisation
        store, key = await asyncio.to_thread(self._places.file, org, storage, filename)
        blob = await store.put(key, chunks, expected_sha256=expected_sha256)
        await asyncio.to_thread(self._hashes.remember, org, storage, filename, blob)
        return _info(storage, filename, blob)

    async def stat(self, caller: Caller, storage: str, filename: str) -> FileInfo:
        """Give what is known of a file; its hash is computed if nobody has yet.

        Raises:
            Problem: NOT_FOUND at "storage" or "filename".
        """
        org = caller.organisation
        store, key = await asyncio.to_thread(self._places.file, org, storage, filename)
        blob = await store.find(key)
        if blob is None:
            raise _missing(storage, filename)
        sha256 = await asyncio.to_thread(self._hashes.recall, org, storage, filename, blob)
        if not sha256:
            blob, sha256 = await _read_through(store, key)
            known = msgspec.structs.replace(blob, sha256=sha256)
            await asyncio.to_thread(self._hashes.remember, org, storage, filename, known)
        return _info(storage, filename, blob, sha256)

    async def list(self, caller: Caller, storage: str) -> Sequence[FileInfo]:
        """Give the files of a storage, by name; hashes where they are known."""
        org = caller.organisation
        store, prefix = await asyncio.to_thread(self._places.folder, org, storage)
        blobs = await store.list(prefix, deep=bool(prefix))
        named = {
            unquoted(blob.key.removeprefix(f"{prefix}/")) if prefix else blob.key: blob
            for blob in blobs
        }
        known = await asyncio.to_thread(self._hashes.all, org, storage)
        return [
            _info(storage, name, named[name], known.get((name, named[name].etag), ""))
            for name in sorted(named)
        ]

    async def delete(self, caller: Caller, storage: str, filename: str) -> None:
        """Remove a file.

        Raises:
            Problem: NOT_FOUND at "storage" or "filename".
        """
        org = caller.organisation
        store, key = await asyncio.to_thread(self._places.file, org, storage, filename)
        if await store.find(key) is None:
            raise _missing(storage, filename)
        await asyncio.to_thread(store.remove, key)
        await asyncio.to_thread(self._hashes.forget, org, storage, filename)

    async def open(
        self, caller: Caller, storage: str, filename: str, start: int = 0, end: int | None = None
    ) -> tuple[FileInfo, AsyncIterator[bytes]]:
        """Give a file and its bytes from `start` up to `end`, which is not included.

        Raises:
            Problem: NOT_FOUND at "storage" or "filename"; RANGE.
        """
        org = caller.organisation
        store, key = await asyncio.to_thread(self._places.file, org, storage, filename)
        try:
            blob, chunks = await store.open(key, start, end)
        except Problem as problem:
            if problem.code is Code.NOT_FOUND:
                raise _missing(storage, filename) from None
            raise
        sha256 = await asyncio.to_thread(self._hashes.recall, org, storage, filename, blob)
        return _info(storage, filename, blob, sha256), chunks

    async def open_artifact(
        self, artifact: Artifact, start: int = 0, end: int | None = None
    ) -> AsyncIterator[bytes]:
        """Give the bytes of an artifact from `start` up to `end`, which is not included."""
        return await self._own.read(artifact.key, start, end)

    async def stage_block(
        self,
        caller: Caller,
        storage: str,
        filename: str,
        block_id: str,
        chunks: AsyncIterator[bytes],
    ) -> None:
        """Keep one block of a file that `commit_blocks` will make.

        Raises:
            Problem: NOT_FOUND at "storage"; INVALID at "blockid".
        """
        org = caller.organisation
        name = _block_name(block_id, at="blockid")
        store, prefix = await asyncio.to_thread(self._places.blocks, org, storage, filename)
        await store.put(f"{prefix}/{name}", chunks)

    async def commit_blocks(
        self,
        caller: Caller,
        storage: str,
        filename: str,
        block_ids: Sequence[str],
        *,
        expected_sha256: str = "",
    ) -> FileInfo:
        """Make a file of blocks, in the order given; blocks that are not named are dropped.

        Raises:
            Problem: INVALID at "blocklist", with every block that nobody staged; at "sha256".
        """
        org = caller.organisation
        names = [_block_name(block_id, at="blocklist") for block_id in block_ids]
        if len(names) > MOST_BLOCKS:
            detail = f"blocklist must have at most {MOST_BLOCKS} blocks, got {len(names)}"
            raise Problem(Code.INVALID, detail, at="blocklist")
        store, prefix = await asyncio.to_thread(self._places.blocks, org, storage, filename)
        staged = {blob.key.rpartition("/")[2] for blob in await store.list(prefix)}
        _check_blocks(block_ids, names, staged)
        keys = [f"{prefix}/{name}" for name in names]
        joined = _joined(store, keys)
        info = await self.upload(caller, storage, filename, joined, expected_sha256=expected_sha256)
        await asyncio.to_thread(store.clear, prefix)
        return info

    def tidy(self) -> int:
        """Drop blocks that nobody committed for a week, and what died half-written.

        Returns:
            The number of blocks.
        """
        self._own.tidy()
        return self._own.clear(BLOCKS, before=self._clock.now() - BLOCKS_KEPT)

    def place(self, organisation: str, ref: FileRef) -> Place:
        """Give where a file or a folder is that a job names.

        Raises:
            Problem: NOT_FOUND at "storage" or "filename"; FORBIDDEN at "storage".
        """
        store, key = self._places.file(organisation, ref.storage, ref.filename)
        if store.exists(key):
            return Place(store, key)
        if trees.exists(store, key):
            return Place(store, key, folder=True)
        raise _missing(ref.storage, ref.filename)

    def tag(self, organisation: str, ref: FileRef) -> str:
        """Give what changes when the content of a file or a folder does, or its being there."""
        try:
            place = self.place(organisation, ref)
            return trees.tag(place.store, place.key, folder=place.folder)
        except Problem:
            return trees.GONE  # whoever reads it says so

    def taken(self, organisation: str, ref: FileRef) -> bool:
        """Whether there is a file or a folder of that name."""
        store, key = self._places.file(organisation, ref.storage, ref.filename)
        return store.exists(key) or trees.exists(store, key)

    def deliver(
        self, organisation: str, artifact: Artifact, ref: FileRef, *, check: Check = go_on
    ) -> None:
        """Copy an artifact to a file or a folder of a named storage, unless `check` raises.

        Raises:
            Problem: NOT_FOUND at "storage"; CONFLICT; something else is there. UNAVAILABLE; the
                store cannot take it.
        """
        store, key = self._places.file(organisation, ref.storage, ref.filename)
        self._places.check_free(organisation, ref, folder=artifact.folder)
        if artifact.folder:
            trees.copy(self._own, artifact.key, store, key, check=check)
            return
        blob = store.copy(self._own, artifact.key, key, check=check)
        blob = msgspec.structs.replace(blob, sha256=artifact.sha256)
        self._hashes.remember(organisation, ref.storage, ref.filename, blob)

    def hash_of(self, organisation: str, ref: FileRef, *, check: Check = go_on) -> str:
        """Give the hash of a file or a folder, which is read unless that was done before.

        Where `check` raises meanwhile, that ends it.

        Raises:
            Problem: NOT_FOUND at "storage" or "filename".
        """
        place = self.place(organisation, ref)
        if place.folder:
            return trees.hash_of(place.store, place.key, check=check)
        blob = place.store.look(place.key)
        if blob is None:
            raise _missing(ref.storage, ref.filename)
        known = self._hashes.recall(organisation, ref.storage, ref.filename, blob)
        if not known:
            known = place.store.hash(place.key, check=check)
            if place.store.look(place.key) == blob:  # else it is the hash of some other content
                blob = msgspec.structs.replace(blob, sha256=known)
                self._hashes.remember(organisation, ref.storage, ref.filename, blob)
        return known


def _info(storage: str, filename: str, blob: Blob, sha256: str = "") -> FileInfo:
    return FileInfo(
        storage=storage,
        filename=filename,
        size_bytes=blob.size_bytes,
        sha256=sha256 or blob.sha256,
        modified_at=blob.modified_at,
        etag=blob.etag,
    )


def _missing(storage: str, filename: str) -> Problem:
    detail = f"no file '{filename}' in storage '{storage}'"
    return Problem(Code.NOT_FOUND, detail, at="filename")


async def _read_through(store: Storage, key: str) -> tuple[Blob, str]:
    """Give a file and the hash of what it held when it was opened."""
    blob, chunks = await store.open(key)
    tally = Tally(key, chunks)
    async for _ in tally.stream():
        pass
    return blob, tally.sha256


async def _joined(store: Storage, keys: Sequence[str]) -> AsyncIterator[bytes]:
    for key in keys:
        async for chunk in await store.read(key):
            yield chunk


def _block_name(block_id: str, *, at: str) -> str:
    raw = block_id.encode(errors="replace")
    if not 0 < len(raw) <= LONGEST_BLOCK_ID:
        detail = f"a block id must have 1 to {LONGEST_BLOCK_ID} bytes, got {len(raw)}"
        raise Problem(Code.INVALID, detail, at=at)
    return raw.hex()


def _check_blocks(block_ids: Sequence[str], names: Sequence[str], staged: set[str]) -> None:
    missing = [
        block_id for block_id, name in zip(block_ids, names, strict=True) if name not in staged
    ]
    if missing:
        faults = [Fault("blocklist", f"block '{each}' was never uploaded") for each in missing]
        raise Problem(Code.INVALID, faults[0].detail, at="blocklist", faults=faults)
