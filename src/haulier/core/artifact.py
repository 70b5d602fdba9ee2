"""A named, typed, hashed file, and how a request names a file in a storage."""

import re
from datetime import datetime
from typing import Final

import msgspec

from haulier.core.problem import Code, Problem

FILENAME: Final = re.compile(r"[^/\\\x00-\x1f]{1,255}")


class Artifact(msgspec.Struct, frozen=True):
    """A file that a job gave, whole: a half-written one is never an artifact.

    Attributes:
        name: the output's name within its job, such as "results".
        filename: the name a caller sees on download.
        media_type: its IANA media type.
        size_bytes: its length.
        sha256: 64 hexadecimal digits.
        key: where the engine's storage keeps it.
    """

    name: str
    filename: str
    media_type: str
    size_bytes: int
    sha256: str
    key: str
    step: str = ""
    created_at: datetime | None = None


class FileRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file in one of the organisation's named storages."""

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
