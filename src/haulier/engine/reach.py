"""How far an organisation reaches: which places the entries of the catalog may name.

A server reads with its own eyes and its own credentials, and so sees more than its callers may:
its database, the files of other organisations, every host of its network. An entry that has a
`url` is therefore checked when it is put and whenever it is looked up.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from haulier.config import Settings
from haulier.core.problem import Code, Problem

SHARED: Final = "*"  # the organisation whose entries everybody sees; the operator makes them
SQLITE: Final = "sqlite:///"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_READ_DIFFERENTLY: Final = frozenset("?#\\")  # options of a store, or a slash for some readers


class Reach:
    """What each organisation may name.

    Args:
        own: paths and URLs of the server's own data, which no entry may name.
        roots: beginnings of the places that every organisation may name.
        operators: the organisations that may name every other place too.

    Raises:
        Problem: INVALID at "storage_roots"; one is no place.
    """

    def __init__(
        self, own: Iterable[str], *, roots: Sequence[str] = (), operators: Collection[str] = ()
    ) -> None:
        self._own = tuple(_place(each, at="data") for each in own)
        self._roots = tuple(_place(each, at="storage_roots") for each in roots)
        self._operators = frozenset({SHARED, *operators})

    def check(self, organisation: str, what: str, body: Mapping[str, Any], *, at: str) -> None:
        """Refuse the body of an entry whose `url` its organisation may not name.

        Args:
            organisation: whose entry it is.
            what: the entry, such as "storage 'exchange'".
            body: of the entry; without a `url` it names no place.
            at: where a fault is.

        Raises:
            Problem: INVALID; it is no place. FORBIDDEN; it is not the organisation's to name.
        """
        url = body.get("url")
        if url is None or url == "":
            return
        if not isinstance(url, str):
            detail = f"the url of {what} must be text, got {url!r}"
            raise Problem(Code.INVALID, detail, at=at)
        place = _place(url, at=at)
        if organisation not in self._operators and not (_plain(url) and self._allowed(place)):
            detail = (
                f"{what} is at {shown(url)}, where this server lets organisations have nothing;"
                " its operator allows places by HAULIER_STORAGE_ROOTS"
            )
            raise Problem(Code.FORBIDDEN, detail, at=at)
        if any(place.startswith(own) or own.startswith(place) for own in self._own):
            detail = f"{what} at {shown(url)} holds this server's own files"
            raise Problem(Code.FORBIDDEN, detail, at=at)

    def _allowed(self, place: str) -> bool:
        return any(place.startswith(root) for root in self._roots)


def reach_of(settings: Settings) -> Reach:
    """Give what the organisations of an installation may name."""
    own = [settings.storage, str(settings.data.absolute())]
    if settings.database.startswith(SQLITE):
        own.append(str(Path(settings.database.removeprefix(SQLITE)).absolute()))
    return Reach(own, roots=settings.roots, operators=settings.operator_organisations)


def shown(url: str) -> str:
    """Give a URL as messages may show it: without a user, a password or options."""
    start, mark, rest = url.partition("://")
    return f"{start}{mark}{rest.partition('?')[0].rpartition('@')[2]}" if mark else url


def _place(url: str, *, at: str) -> str:
    """Give what all spellings of a place have in common; it ends with '/'.

    Raises:
        Problem: INVALID; it is neither an absolute path nor a URL.
    """
    absolute = url.startswith("/") or _SCHEME.match(url) is not None
    if not absolute or _CONTROL.search(unquote(url)) or url != url.strip():
        detail = f"url must be an absolute path, or such as s3://bucket/prefix, got {shown(url)!r}"
        raise Problem(Code.INVALID, detail, at=at)
    try:
        return _on_disk(url) if url.startswith("/") else _of_url(url)
    except (ValueError, OSError, RuntimeError) as error:  # the last one: links in a circle
        detail = f"url {shown(url)!r} cannot be read as a place: {type(error).__name__}"
        raise Problem(Code.INVALID, detail, at=at) from error


def _of_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"}:
        return _on_disk(url2pathname(parts.path))
    names = [name for name in unquote(parts.path).split("/") if name]
    return "/".join((f"{parts.scheme}://{parts.netloc}", *names, ""))


def _on_disk(path: str) -> str:
    """Follow every link, so that none leads out of where it seems to lie."""
    return f"{Path(path).resolve()}".rstrip("/") + "/"


def _plain(url: str) -> bool:
    """Whether every reader understands a place alike: no climbing, no options."""
    mark = _SCHEME.match(url)
    rest = url[mark.end() :] if mark else url[1:]
    names = unquote(rest).rstrip("/").split("/")
    if mark and not names[0]:  # file:///folder
        names = names[1:]
    odd = mark is not None and not _READ_DIFFERENTLY.isdisjoint(url)
    return not odd and {"", ".", ".."}.isdisjoint(names)
