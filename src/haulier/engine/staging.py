"""Files of a local disk that appear under their name whole, or not at all."""

import hashlib
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from haulier.core.problem import Code, Problem

COPIED_BYTES: Final = 1 << 20
TRIES: Final = 20  # a folder may be swept away between making it and writing to it
#: obstore names unfinished files so, lists none of them, and takes no key that ends so.
UNFINISHED: Final = re.compile(r"[^#]*#[0-9]+")

#: Raises where work is to stop: see `threads.in_thread`.
Check = Callable[[], None]


def go_on() -> None:
    """Let work go on."""


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a path to write to, and put what is there in the target's place at the end."""
    staged = _reserve(target.parent)
    try:
        yield staged
        staged.replace(target)
    finally:
        staged.unlink(missing_ok=True)


def _reserve(folder: Path) -> Path:
    """Make an empty unfinished file in a folder, which also keeps the folder from being swept."""
    staged = folder / f"#{secrets.randbits(62)}"
    for left in reversed(range(TRIES)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            staged.touch(exist_ok=False)
        except FileNotFoundError:
            if not left:
                raise
        else:
            break
    return staged


def moved(path: Path, staged: Path) -> bool:
    """Move a file, and give whether it could be."""
    try:
        path.replace(staged)
    except OSError:
        return False  # another disk
    return True


def copied(path: Path, staged: Path) -> str:
    """Copy the bytes of a file, and give their SHA-256."""
    digest = hashlib.sha256()
    with staged.open("wb") as out:
        for chunk in pieces(path):
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()


def pieces(path: Path, check: Check = go_on) -> Iterator[bytes]:
    """Give the bytes of a file, in pieces; before each, `check` may raise and so stop it."""
    with path.open("rb") as source:
        while chunk := source.read(COPIED_BYTES):
            check()
            yield chunk


def settle(path: Path) -> None:
    """Have the bytes on the disk before the name is: a lost mains plug leaves no empty file."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def check_plain(path: Path) -> int:
    """Give the number of names of a plain file.

    Raises:
        Problem: INVALID; it is a link, a folder, or not there.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise Problem(Code.INVALID, f"file {path.name} was not written") from None
    if not stat.S_ISREG(found.st_mode):
        raise Problem(Code.INVALID, f"{path.name} must be a plain file, it is something else")
    return found.st_nlink


def hash_file(path: Path) -> str:
    """Give the SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
