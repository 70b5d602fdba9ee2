"""The store behind a URL, and what it raises as problems that name the file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from obstore.exceptions import BaseError
from obstore.store import from_url

from haulier.core.problem import Code, Problem
from haulier.engine.blob import Blob
from haulier.engine.bucket import Bucket
from haulier.engine.folder import Folder


def opened(url: str) -> Folder | Bucket:
    """Open the store that a URL names.

    Raises:
        Problem: INVALID; it names none that can be opened.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        if parts.netloc not in {"", "localhost"}:
            detail = f"storage_url must be file:///folder with three slashes, got {url!r}"
            raise Problem(Code.INVALID, detail, at="storage_url")
        return Folder(Path(url2pathname(parts.path)))
    try:
        return Bucket(from_url(url))
    except (BaseError, ValueError, TypeError) as error:
        detail = f"storage_url {url!r} cannot be opened: {_sentence(error)}"
        raise Problem(Code.INVALID, detail, at="storage_url") from error


@contextmanager
def named(doing: str, key: str) -> Iterator[None]:
    """Turn what a store raises into a problem that names the file."""
    try:
        yield
    except FileNotFoundError:
        raise _missing(key) from None
    except (BaseError, OSError) as error:
        detail = f"the storage could not {doing} '{key}': {_sentence(error)}"
        raise Problem(Code.UNAVAILABLE, detail) from error


def present(blob: Blob | None, key: str) -> Blob:
    """Give a file that was found.

    Raises:
        Problem: NOT_FOUND; it was not.
    """
    if blob is None:
        raise _missing(key)
    return blob


def _missing(key: str) -> Problem:
    return Problem(Code.NOT_FOUND, f"no file '{key}' in the storage", at="key")


def _sentence(error: BaseException) -> str:
    """Give what a store said; of the system's own words without its paths, which are nobody's."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
