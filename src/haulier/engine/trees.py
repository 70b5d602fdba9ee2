"""Folders in a store: fetched, published, copied and removed as one thing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from haulier.core.artifact import tree_hash
from haulier.core.identity import fingerprint
from haulier.core.problem import Code, Problem
from haulier.engine.storage import Storage

#: Files by which readers find the others of a folder: they appear last.
ROOTS: Final = frozenset({"ept.json", "metadata.json", "tileset.json", "index.html"})


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
    return Tree(sum(size for _, size, _ in listed), tree_hash(listed))


def in_order(folder: Path) -> Sequence[Path]:
    """Give the files below a folder by their path, the roots last."""
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(found, key=lambda path: (is_root(path, folder), path.as_posix()))


def is_root(path: Path, folder: Path) -> bool:
    """Whether a file is what readers begin with."""
    return path.parent == folder and path.name in ROOTS


def copy(source: Storage, source_prefix: str, store: Storage, prefix: str) -> None:
    """Copy the files below a prefix to below another one, the roots last.

    What was there goes, its root first: nobody reads the new files by the old list of them.
    """
    for name in ROOTS:
        store.remove(f"{prefix}/{name}")
    names = [blob.key.removeprefix(f"{source_prefix}/") for blob in source.walk(source_prefix)]
    for name in sorted(names, key=lambda name: (name in ROOTS, name)):
        store.copy(source, f"{source_prefix}/{name}", f"{prefix}/{name}")
    if left := {f"{prefix}/{name}" for name in names}:
        store.clear(prefix, keep=left)


def hash_of(store: Storage, prefix: str) -> str:
    """Give the hash of the files below a prefix, from their bytes as they are now."""
    return tree_hash(
        (blob.key.removeprefix(f"{prefix}/"), blob.size_bytes, store.hash(blob.key))
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
