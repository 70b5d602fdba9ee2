"""Where the files of a named storage lie: which store, and under which key."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote, unquote

from haulier.core.artifact import FileRef, check_path
from haulier.core.problem import Code, Problem
from haulier.engine import trees
from haulier.engine.catalog import Catalog, Entry
from haulier.engine.reach import shown
from haulier.engine.storage import Storage

TYPE: Final = "storage"
DEFAULT: Final = "storage-001"
FILES: Final = "storages"
BLOCKS: Final = "blocks"
PIECE: Final = 200  # of a quoted name: a disk takes 255 bytes
OPEN_AT_ONCE: Final = 64


class Places:
    """The named storages of every organisation.

    Args:
        own: the server's own store, where storages without a URL lie.
        catalog: where storages are named, and which places they may name.
    """

    def __init__(self, own: Storage, catalog: Catalog) -> None:
        self._own = own
        self._catalog = catalog
        self._opened: OrderedDict[str, Storage] = OrderedDict()
        self._lock = threading.Lock()

    def entries(self, organisation: str) -> Sequence[Entry]:
        """Give the storages that the organisation sees, by name; the first use makes one."""
        self._catalog.ensure(organisation, TYPE, DEFAULT, {"url": ""})
        return self._catalog.list(organisation, TYPE)

    def entry(self, organisation: str, name: str) -> Entry:
        """Give a storage by its name.

        Raises:
            Problem: NOT_FOUND at "storage", with the names that there are.
        """
        if name == DEFAULT:
            return self._catalog.ensure(organisation, TYPE, DEFAULT, {"url": ""})
        entry = self._catalog.find(organisation, TYPE, name)
        if entry is None:
            names = ", ".join(each.name for each in self.entries(organisation))
            detail = f"no storage '{name}'; there are: {names}"
            raise Problem(Code.NOT_FOUND, detail, at="storage")
        return entry

    def folder(self, organisation: str, name: str) -> tuple[Storage, str]:
        """Give the store of a storage, and the prefix of its files; empty for the whole store.

        Raises:
            Problem: NOT_FOUND; FORBIDDEN; the operator does not allow the URL.
        """
        entry = self.entry(organisation, name)
        url = entry.body.get("url", "")
        if not url:
            return self._own, "/".join((FILES, quoted(organisation), quoted(name)))
        return self._open(entry, str(url)), ""

    def file(self, organisation: str, name: str, filename: str) -> tuple[Storage, str]:
        """Give the store and the key of a file, whether it is there or not."""
        check_path(filename)
        store, prefix = self.folder(organisation, name)
        return store, f"{prefix}/{_path(filename)}" if prefix else filename

    def check_free(self, organisation: str, ref: FileRef, *, folder: bool) -> None:
        """Refuse a file where a folder is, and a folder, or what is below it, where a file is.

        Raises:
            Problem: CONFLICT at "filename"; NOT_FOUND at "storage".
        """
        names = ref.filename.split("/")
        for count in range(1, len(names) + folder):
            store, key = self.file(organisation, ref.storage, "/".join(names[:count]))
            if store.exists(key):
                name = "/".join(names[:count])
                detail = f"'{name}' in storage '{ref.storage}' is a file, and no folder"
                raise Problem(Code.CONFLICT, detail, at="filename")
        store, key = self.file(organisation, ref.storage, ref.filename)
        if not folder and trees.exists(store, key):
            detail = f"'{ref.filename}' in storage '{ref.storage}' is a folder, and no file"
            raise Problem(Code.CONFLICT, detail, at="filename")

    def blocks(self, organisation: str, name: str, filename: str) -> tuple[Storage, str]:
        """Give the store and the prefix of the blocks of a file that is not committed yet."""
        self.entry(organisation, name)
        check_path(filename)
        parts = (organisation, name, filename)
        return self._own, "/".join((BLOCKS, *map(quoted, parts)))

    def _open(self, entry: Entry, url: str) -> Storage:
        self._catalog.check(entry)
        with self._lock:
            store = self._opened.get(url)
        if store is None:
            try:
                store = Storage(url)
            except Problem as problem:
                reason = problem.detail.replace(url, shown(url))
                detail = f"storage '{entry.name}' cannot be opened: {reason}"
                raise Problem(Code.INVALID, detail, at="storage") from problem
        with self._lock:
            self._opened[url] = store
            self._opened.move_to_end(url)
            if len(self._opened) > OPEN_AT_ONCE:
                self._opened.popitem(last=False)
        return store


def _path(filename: str) -> str:
    return "/".join(map(quoted, filename.split("/")))


def quoted(name: str) -> str:
    """Give a name as one or more plain names of a path, none longer than a disk takes.

    Long names become folders: each piece but the last ends with '+', which `quote` leaves in
    no name, so that no two names give one path, or one the folder of another.

    Raises:
        Problem: INVALID; it has no UTF-8 form.
    """
    try:
        whole = quote(name, safe=" ()'!$&,;=@")
    except UnicodeEncodeError:
        detail = f"a name must be Unicode text, got {name!r}"
        raise Problem(Code.INVALID, detail, at="filename") from None
    pieces = [whole[start : start + PIECE] for start in range(0, len(whole), PIECE)]
    if pieces[-1] in {".", ".."}:  # the others end with '+'
        pieces[-1] = pieces[-1].replace(".", "%2E")
    return "+/".join(pieces)


def unquoted(path: str) -> str:
    """Give the name that `quoted` made a path of."""
    return unquote(path.replace("+/", ""))
