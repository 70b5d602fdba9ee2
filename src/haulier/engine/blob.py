"""What every store knows of a file: its key, its size, and which content it is."""

import re
from datetime import datetime
from typing import Final

import msgspec

from haulier.core.problem import Code, Problem

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Blob(msgspec.Struct, frozen=True):
    """A file of a store. `sha256` is known where this process has just written it."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime
    sha256: str = ""


def check_key(key: str, *, at: str = "key") -> str:
    """Give the key back if it names one file: plain names with '/' between.

    Raises:
        Problem: INVALID; it is empty, absolute, climbs, or has control characters.
    """
    names = all(part not in {"", ".", ".."} for part in key.split("/"))
    if not names or not is_text(key):
        detail = f"{at} must be plain names with '/' between, none of them '.' or '..', got {key!r}"
        raise Problem(Code.INVALID, detail, at=at)
    return key


def is_text(name: str) -> bool:
    """Whether a name is text that every store can keep: no control characters, no half letters."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return not _CONTROL.search(name)
