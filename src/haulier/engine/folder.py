"""A local folder as a store: keys that its disk can hold, and what is below them."""

import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from haulier.core.problem import Code, Problem
from haulier.engine.blob import Blob, check_key, is_text
from haulier.engine.staging import (
    UNFINISHED,
    Check,
    check_plain,
    copied,
    hash_file,
    moved,
    pieces,
    settle,
    whole,
)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_NAME_BYTES: Final = 240  # disks hold 255; an unfinished file's name is a little longer
#: Names that obstore cannot keep at the end of a path: unfinished files', and what ends as a drive
#: of Windows.
_UNKEPT: Final = re.compile(rf"{UNFINISHED.pattern}|.*[A-Za-z][:|]")
_ESCAPED: Final = re.compile(f"(?:{_UNKEPT.pattern})#+")


class Folder:
    """The files below one local folder."""

    def __init__(self, root: Path) -> None:
        if not root.is_absolute() or root == Path(root.anchor):
            detail = f"storage_url must name an absolute folder below '/', got {str(root)!r}"
            raise Problem(Code.INVALID, detail, at="storage_url")
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            detail = f"storage_url: cannot make the folder {root}: {error.strerror}"
            raise Problem(Code.INVALID, detail, at="storage_url") from error
        self.root: Final = root.resolve()

    def place(self, key: str) -> str:
        """Give the name under which the disk keeps a key.

        They differ only for names that obstore takes for something else: "a#1" becomes "a#1#".

        Raises:
            Problem: INVALID; a name in it is longer than a disk can hold.
        """
        check_key(key)
        for name in key.split("/"):
            if len(name.encode()) > LONGEST_NAME_BYTES:
                detail = f"a name must be at most {LONGEST_NAME_BYTES} bytes here, got {name!r}"
                raise Problem(Code.INVALID, detail, at="filename")
        last = key.rpartition("/")[2]
        return f"{key}#" if _UNKEPT.fullmatch(last) or _ESCAPED.fullmatch(last) else key

    def path(self, key: str) -> Path:
        """Give the path of a key's file, whether it is there or not.

        Raises:
            Problem: INVALID; a name in it is longer than a disk can hold.
        """
        return self.root / self.place(key)

    def look(self, key: str) -> Blob | None:
        """Give the file of a key if it is there."""
        return _blob(key, self.path(key))

    def files(self, prefix: str = "", *, deep: bool = True) -> Iterator[Blob]:
        """Give the finished files below a prefix, in no order."""
        for path in self._walk(self._below(prefix), deep=deep):
            key = self._key(path)
            blob = _blob(key, path) if key else None
            if blob is not None:
                yield blob

    def folders(self, prefix: str) -> Iterator[str]:
        """Give the names of the folders right below a prefix, in no order."""
        try:
            with os.scandir(self._below(prefix)) as found:
                for each in found:
                    if is_text(each.name) and each.is_dir(follow_symlinks=False):
                        yield each.name
        except (FileNotFoundError, NotADirectoryError):
            return

    def adopt(self, path: Path, key: str) -> Blob:
        """Take a file over under a key; it is gone from where it was."""
        linked = check_plain(path) > 1  # another name could change what they share
        digest = hash_file(path)
        with whole(self.path(key)) as staged:
            if linked or not moved(path, staged):
                digest = copied(path, staged)
            settle(staged)
            os.utime(staged)
        path.unlink(missing_ok=True)
        return self._found(key, digest)

    def copy(self, path: Path, key: str, check: Check) -> Blob:
        """Copy a file to a key; where `check` raises, the key stays as it was."""
        check_plain(path)
        return self.write(key, pieces(path, check))

    def write(self, key: str, chunks: Iterable[bytes]) -> Blob:
        """Write bytes to a key."""
        digest = hashlib.sha256()
        with whole(self.path(key)) as staged:
            with staged.open("wb") as out:
                for chunk in chunks:
                    digest.update(chunk)
                    out.write(chunk)
            settle(staged)
        return self._found(key, digest.hexdigest())

    def read(self, key: str) -> Iterator[bytes]:
        """Give the bytes of a file, in pieces."""
        return pieces(self.path(key))

    def remove(self, key: str) -> None:
        """Remove the file of a key, and the folders that are empty then."""
        path = self.path(key)
        path.unlink(missing_ok=True)
        self._prune(path.parent)

    def drop(self, keys: Iterable[str], before: datetime) -> int:
        """Remove those of the files that nobody has written since; give how many."""
        removed = 0
        for key in keys:
            blob = self.look(key)
            if blob is not None and blob.modified_at < before:
                self.remove(key)
                removed += 1
        return removed

    def clear(self, prefix: str, wanted: Callable[[Blob], bool], stale_before: datetime) -> int:
        """Remove the files below a prefix that are not wanted, and what was left unfinished."""
        removed = 0
        for path in self._walk(self._below(prefix), finished=False):
            key = self._key(path)
            blob = _blob(key, path) if key else None
            if blob is not None and not wanted(blob):
                path.unlink(missing_ok=True)
                self._prune(path.parent)
                removed += 1
            elif not key:
                self._drop_unfinished(path, stale_before)
        return removed

    def tidy(self, stale_before: datetime) -> None:
        """Remove what was left unfinished anywhere, and look at nothing else."""
        for path in self._walk(self.root, finished=False):
            self._drop_unfinished(path, stale_before)

    def _drop_unfinished(self, path: Path, stale_before: datetime) -> None:
        if UNFINISHED.fullmatch(path.name) and _older(path, stale_before):
            path.unlink(missing_ok=True)
            self._prune(path.parent)

    def _found(self, key: str, sha256: str) -> Blob:
        blob = self.look(key)
        if blob is None:
            raise Problem(Code.CONFLICT, f"file '{key}' was removed while it was written")
        return msgspec.structs.replace(blob, sha256=sha256)

    def _below(self, prefix: str) -> Path:
        return self.root.joinpath(*prefix.split("/")) if prefix else self.root

    def _key(self, path: Path) -> str:
        """Give the key of a path; empty if it is none that we could have written."""
        if _UNKEPT.fullmatch(path.name):
            return ""
        name = path.name[:-1] if _ESCAPED.fullmatch(path.name) else path.name
        key = path.relative_to(self.root).with_name(name).as_posix()
        return key if is_text(key) else ""

    def _walk(self, folder: Path, *, deep: bool = True, finished: bool = True) -> Iterator[Path]:
        for where, folders, names in os.walk(folder):
            if not deep:
                folders.clear()
            for name in names:
                if not finished or not UNFINISHED.fullmatch(name):
                    yield Path(where, name)

    def _prune(self, folder: Path) -> None:
        while self.root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return  # something is in it, or somebody else was faster
            folder = folder.parent


def _blob(key: str, path: Path) -> Blob | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    modified_us = found.st_mtime_ns // 1000
    etag = f"{found.st_ino:x}-{modified_us:x}-{found.st_size:x}"  # as obstore makes it
    return Blob(key, found.st_size, etag, EPOCH + timedelta(microseconds=modified_us))


def _older(path: Path, moment: datetime) -> bool:
    try:
        return path.stat().st_mtime < moment.timestamp()
    except FileNotFoundError:
        return False
