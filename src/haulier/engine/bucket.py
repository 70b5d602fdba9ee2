"""A bucket as a store: the same verbs as a local folder has, over obstore."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import msgspec
import obstore
from obstore.exceptions import BaseError

from haulier.engine.blob import Blob, check_key
from haulier.engine.staging import Check, check_plain, go_on, pieces

UPLOADED_BYTES: Final = 8 << 20  # a piece of a multipart upload: 10,000 of them are 80 GB
UPLOADS: Final = 4  # pieces in flight for one upload
READ_BYTES: Final = 1 << 20


class Bucket:
    """The files of one bucket, or below one prefix of it."""

    def __init__(self, store: Any) -> None:  # noqa: ANN401 -- obstore has a class for each kind
        self.store: Final = store

    def place(self, key: str) -> str:
        """Give the name under which the bucket keeps a key: the key."""
        return check_key(key)

    def look(self, key: str) -> Blob | None:
        """Give the file of a key if it is there."""
        try:
            return blob_of(key, obstore.head(self.store, self.place(key)))
        except FileNotFoundError:
            return None

    def files(self, prefix: str = "", *, deep: bool = True) -> Iterator[Blob]:
        """Give the files below a prefix, in no order."""
        start = f"{prefix}/" if prefix else ""
        batches: Iterable[Any] = (
            obstore.list(self.store, prefix or None)
            if deep
            else (obstore.list_with_delimiter(self.store, prefix or None)["objects"],)
        )
        for each in chain.from_iterable(batches):
            if each["path"].startswith(start):
                yield blob_of(each["path"], each)

    def folders(self, prefix: str) -> Iterator[str]:
        """Give the names that keys right below a prefix go on with, in no order."""
        found: Any = obstore.list_with_delimiter(self.store, prefix)
        for each in found["common_prefixes"]:
            yield str(each).rstrip("/").rpartition("/")[2]

    def adopt(self, path: Path, key: str) -> Blob:
        """Take a file over under a key; it is gone from where it was."""
        blob = self.copy(path, key, go_on)
        path.unlink(missing_ok=True)
        return blob

    def copy(self, path: Path, key: str, check: Check) -> Blob:
        """Copy a local file to a key; where `check` raises, the key stays as it was."""
        check_plain(path)
        digest = hashlib.sha256()

        def chunks() -> Iterator[bytes]:
            for chunk in pieces(path, check):
                digest.update(chunk)
                yield chunk

        blob = self._put(key, chunks(), path.stat().st_size)
        return msgspec.structs.replace(blob, sha256=digest.hexdigest())

    def write(self, key: str, chunks: Iterable[bytes]) -> Blob:
        """Write bytes to a key, all at once: obstore panics where its iterator calls obstore."""
        whole = b"".join(chunks)
        blob = self._put(key, whole, len(whole))
        return msgspec.structs.replace(blob, sha256=hashlib.sha256(whole).hexdigest())

    def duplicate(self, source_key: str, key: str) -> Blob | None:
        """Have the bucket copy a file itself; None where it is too long for that."""
        try:
            obstore.copy(self.store, self.place(source_key), self.place(key))
        except BaseError:
            return None
        return self.look(key)

    def read(self, key: str) -> Iterator[bytes]:
        """Give the bytes of a file, in pieces."""
        found = obstore.get(self.store, self.place(key))
        for chunk in found.stream(min_chunk_size=READ_BYTES):
            yield bytes(chunk)

    def remove(self, key: str) -> None:
        """Remove the file of a key if it is there."""
        try:
            obstore.delete(self.store, self.place(key))
        except FileNotFoundError:
            return

    def drop(self, keys: Iterable[str], before: datetime) -> int:
        """Remove files, which the caller has just seen to be older than `before`."""
        del before  # to ask again, for each, would take longer than the moment it is about
        gone = [self.place(key) for key in keys]
        if gone:
            obstore.delete(self.store, gone)
        return len(gone)

    def clear(self, prefix: str, wanted: Callable[[Blob], bool], stale_before: datetime) -> int:
        """Remove the files below a prefix that are not wanted."""
        del stale_before  # the rest of a broken upload is the bucket's own life-cycle rule's
        gone = [blob.key for blob in self.files(prefix) if not wanted(blob)]
        if gone:
            obstore.delete(self.store, gone)
        return len(gone)

    def _put(self, key: str, source: Iterator[bytes] | bytes, size_bytes: int) -> Blob:
        put = obstore.put(
            self.store,
            self.place(key),
            source,
            chunk_size=UPLOADED_BYTES,
            max_concurrency=UPLOADS,
        )
        modified_at = obstore.head(self.store, self.place(key))["last_modified"]
        return Blob(key, size_bytes, etag_of(put["e_tag"]), modified_at)


def blob_of(key: str, meta: Any) -> Blob:  # noqa: ANN401 -- obstore's dictionary
    """Give a file as obstore describes it."""
    return Blob(key, meta["size"], etag_of(meta["e_tag"]), meta["last_modified"])


def etag_of(raw: str | None) -> str:
    """Give an entity tag without its quotes."""
    return (raw or "").removeprefix("W/").strip('"')
