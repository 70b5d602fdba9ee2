"""Folders in a store: fetched, published, copied and removed as one thing."""

import secrets
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from haulier.core.artifact import tree_hash
from haulier.core.family import Cancelled
from haulier.core.identity import fingerprint
from haulier.core.problem import Code, Problem
from haulier.engine.staging import Check, go_on
from haulier.engine.storage import Storage

#: Files by which readers find the others of a folder: they appear last.
ROOTS: Final = frozenset({"ept.json", "metadata.json", "tileset.json", "tiles.json", "index.html"})
GONE: Final = "missing"  # the tag of what is not there
TRIES: Final = 20  # to copy a folder where others copy one as well
RANDOM: Final = secrets.SystemRandom()


class Tree(NamedTuple):
    """A folder that was written: its length and its hash."""

    size_bytes: int
    sha256: str


def exists(store: Storage, prefix: str) -> bool:
    """Whether there is a file below a prefix."""
    return next(store.walk(prefix), None) is not None


def etag(store: Storage, prefix: str) -> str:
    """Give what changes when a file below a prefix does; empty where there is none."""
    found = sorted((blob.key, blob.etag, blob.size_bytes) for blob in store.walk(prefix))
    return fingerprint(found) if found else ""


def tag(store: Storage, key: str, *, folder: bool) -> str:
    """Give what changes when the content of a file or of a folder does; it is never empty."""
    if folder:
        return etag(store, key) or GONE
    blob = store.look(key)
    return f"{blob.etag}:{blob.size_bytes}" if blob else GONE


def fetch(store: Storage, prefix: str, folder: Path) -> Path:
    """Give a local folder with the files below a prefix, which the caller must not change.

    Raises:
        Problem: NOT_FOUND; there are none.
    """
    if not exists(store, prefix):
        raise Problem(Code.NOT_FOUND, f"no folder '{prefix}' in the storage", at="key")
    local = store.local(prefix)
    if local is not None:
        return local
    kept = Storage(folder.absolute().as_uri())
    for blob in store.walk(prefix):
        kept.copy(store, blob.key, blob.key)
    return folder.absolute() / prefix


def adopt(store: Storage, folder: Path, prefix: str) -> Tree:
    """Publish the files of a finished local folder below a prefix; they are gone from there.

    Raises:
        Problem: INVALID; it is empty, or something in it is no plain file.
    """
    paths = in_order(folder)
    if not paths:
        raise Problem(Code.INVALID, f"folder {folder.name} is empty")
    listed: list[tuple[str, int, str]] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        blob = store.adopt(path, f"{prefix}/{name}")
        listed.append((name, blob.size_bytes, blob.sha256))
    # What a try before this one left there would else be a part of the folder.
    store.clear(prefix, keep={f"{prefix}/{name}" for name, _, _ in listed})
    return Tree(sum(size for _, size, _ in listed), tree_hash(listed))


def in_order(folder: Path) -> Sequence[Path]:
    """Give the files below a folder by their path, the roots last."""
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(found, key=lambda path: (is_root(path, folder), path.as_posix()))


def is_root(path: Path, folder: Path) -> bool:
    """Whether a file is what readers begin with."""
    return path.parent == folder and path.name in ROOTS


def copy(
    source: Storage, source_prefix: str, store: Storage, prefix: str, *, check: Check = go_on
) -> None:
    """Copy the files below a prefix to below another one, the roots last.

    What was there goes, its root first: nobody reads the new files by the old list of them. Where
    others copy to the same place meanwhile, it is done again: whoever ends last has looked at all
    files after its last write, and so what stays is one folder and no mixture. Where `check` raises
    before it begins, the folder stays as it was; meanwhile, nothing stays.

    Raises:
        Problem: CONFLICT; what is there is no such folder, and somebody would miss it; or others
            do not stop to copy to the same place.
    """
    names = [blob.key.removeprefix(f"{source_prefix}/") for blob in source.walk(source_prefix)]
    _check_replaceable(store, prefix, names)
    check()
    for number in range(1, TRIES + 1):
        began_s = time.monotonic()
        try:
            if _copied(source, source_prefix, store, prefix, names, check):
                return
        except Cancelled:
            store.clear(prefix)
            raise
        # Longer than a copy takes, some time: then the other one is alone for so long.
        time.sleep(RANDOM.uniform(0, number * (time.monotonic() - began_s)))
    raise Problem(Code.CONFLICT, "others write to the same folder all the time")


def _copied(
    source: Storage,
    source_prefix: str,
    store: Storage,
    prefix: str,
    names: Sequence[str],
    check: Check,
) -> bool:
    """Copy once; whether the files that are there now are the ones that were written."""
    for name in ROOTS:
        store.remove(f"{prefix}/{name}")
    store.clear(prefix, keep={f"{prefix}/{name}" for name in names})
    written: dict[str, str] = {}
    try:
        for name in sorted(names, key=lambda name: (name in ROOTS, name)):
            blob = store.copy(source, f"{source_prefix}/{name}", f"{prefix}/{name}", check=check)
            written[blob.key] = blob.etag
    except Problem as problem:
        if problem.code is not Code.CONFLICT:
            raise
        return False  # somebody removed a file that had just been written
    return {blob.key: blob.etag for blob in store.walk(prefix)} == written


def _check_replaceable(store: Storage, prefix: str, names: Sequence[str]) -> None:
    """Refuse to replace a folder unless it is one of the same kind, or a begun copy of one."""
    ours = {name.partition("/")[0] for name in names}
    if any(store.exists(f"{prefix}/{root}") for root in ROOTS & ours):
        return
    for blob in store.walk(prefix):
        name = blob.key.removeprefix(f"{prefix}/")
        if name.partition("/")[0] not in ours:
            detail = (
                f"a folder takes the place of all that is there, and it holds other files, "
                f"such as '{name}': give the output a folder of its own"
            )
            raise Problem(Code.CONFLICT, detail)


def hash_of(store: Storage, prefix: str, *, check: Check = go_on) -> str:
    """Give the hash of the files below a prefix, from their bytes, unless `check` raises."""
    return tree_hash(
        (blob.key.removeprefix(f"{prefix}/"), blob.size_bytes, store.hash(blob.key, check=check))
        for blob in store.walk(prefix)
    )


def discard(store: Storage, key: str) -> None:
    """Remove the file of a key, and every file below it."""
    if store.exists(key):
        store.remove(key)
    store.clear(key)


def names(store: Storage, prefix: str) -> Iterator[str]:
    """Give the paths of the files below a prefix, in no order."""
    return (blob.key.removeprefix(f"{prefix}/") for blob in store.walk(prefix))
