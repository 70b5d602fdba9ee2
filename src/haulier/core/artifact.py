"""A named, typed, hashed file or folder, and how a request names one in a storage."""

import hashlib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec

from haulier.core.problem import Code, Problem

FILENAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,255}")
LONGEST_PATH: Final = 1000


class Artifact(msgspec.Struct, frozen=True):
    """A file or folder that a job gave, whole: a half-written one is never an artifact.

    Attributes:
        name: the output's name within its job, such as "results".
        filename: the name a caller sees on download.
        media_type: its IANA media type.
        size_bytes: its length; of a folder, that of all its files.
        sha256: 64 hexadecimal digits; of a folder, of the list of its files: see `tree_hash`.
        key: where the engine's storage keeps it; of a folder, what the keys of its files begin
            with, before a '/'.
        folder: a folder of files.
    """

    name: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    key: str
    step: str = ""
    created_at: datetime | None = None
    folder: bool = False


class OwnFile(msgspec.Struct, frozen=True):
    """A file of a job, named by the job's own result: a wire may show its address instead.

    Attributes:
        artifact: the output's name.
    """

    artifact: str


class FileRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in one of the organisation's named storages, or a folder where one is wanted.

    Attributes:
        storage: the storage's name.
        filename: the file's name in it, with '/' between the folders of a path.
    """

    storage: str
    filename: str


def check_filename(filename: str, *, at: str = "filename") -> str:
    """Give the name back if it is one plain file name.

    Raises:
        Problem: INVALID; it is empty, a path, too long, or has control characters.
    """
    if FILENAME.fullmatch(filename) is None or filename in {".", ".."}:
        raise Problem(
            Code.INVALID,
            f"{at} must be one file name of 1 to 255 characters without '/', got {filename!r}",
            at=at,
        )
    return filename


def check_path(path: str, *, at: str = "filename") -> str:
    """Give a path in a storage back if it is file names with '/' between.

    Raises:
        Problem: INVALID; it is empty, absolute, climbs, is too long, or a name in it is none.
    """
    if len(path) > LONGEST_PATH:
        detail = f"{at} must have at most {LONGEST_PATH} characters, got {len(path)}"
        raise Problem(Code.INVALID, detail, at=at)
    for name in path.split("/"):
        if FILENAME.fullmatch(name) is None or name in {".", ".."}:
            detail = f"{at} must be file names with '/' between, none '.' or '..', got {path!r}"
            raise Problem(Code.INVALID, detail, at=at)
    return path


def tree_hash(files: Iterable[tuple[str, int, str]]) -> str:
    """Give the hash of a folder: that of the list of its files.

    Args:
        files: path below the folder, length in bytes, and SHA-256 of each, in any order.

    Returns:
        64 hexadecimal digits: SHA-256 of a line "path NUL size NUL hash" for each file, by path.
    """
    lines = (f"{path}\0{size}\0{sha256}\n" for path, size, sha256 in sorted(files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
