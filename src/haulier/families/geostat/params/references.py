"""References to geoscience objects: the URLs by which requests and results name them."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, unquote, urlsplit

from haulier.core.problem import Code, Problem

LONGEST: Final = 2000
LARGEST_VERSION: Final = 2**31 - 1
SHAPE: Final = (
    "an object's URL, https://{host}/geoscience-object/orgs/{uuid}/workspaces/{uuid}/objects/"
    "{uuid} or .../objects/path/{path}, with an optional ?version={number}"
)
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_PATH: Final = re.compile(
    rf"/geoscience-object/orgs/(?P<org>{_UUID})/workspaces/(?P<workspace>{_UUID})"
    rf"/objects/(?:path/(?P<path>[^?]+)|(?P<id>{_UUID}))",
    re.IGNORECASE,
)
_SEGMENT: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An object by its id or by its path, and which version of it.

    Attributes:
        origin: scheme and host as the caller wrote them; they count for nothing here, and stand
            in the references that the caller gets back.
        organisation: a UUID in lower case.
        workspace: a UUID in lower case.
        object_id: a UUID in lower case; empty where the path tells.
        path: without a leading slash; empty where the id tells.
        version: 0 means the newest.
    """

    origin: str
    organisation: str
    workspace: str
    object_id: str = ""
    path: str = ""
    version: int = 0

    @property
    def space(self) -> str:
        """Give what the names of all objects of its workspace begin with."""
        return f"{self.organisation}/{self.workspace}/"

    def url(self, object_id: str, version: int) -> str:
        """Give the reference of one version of an object in the same workspace."""
        return f"{self._objects}/{object_id}?version={version}"

    def __str__(self) -> str:
        """Give it as a URL."""
        tail = self.object_id or f"path/{quote(self.path)}"
        return f"{self._objects}/{tail}" + (f"?version={self.version}" if self.version else "")

    @property
    def _objects(self) -> str:
        return (
            f"{self.origin}/geoscience-object/orgs/{self.organisation}"
            f"/workspaces/{self.workspace}/objects"
        )


def parse_reference(text: str, *, at: str) -> Reference:
    """Read a reference.

    Raises:
        Problem: INVALID at the field; it is no such URL, or its version is no number.
    """
    if len(text) > LONGEST:
        raise _bad(at, f"{at} must be at most {LONGEST} characters, got {len(text)}")
    try:
        parts = urlsplit(text)
        found = _PATH.fullmatch(parts.path)
    except ValueError:  # a bracket that closes nothing, in the host
        found = None
    if found is None or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise _bad(at, f"{at} must be {SHAPE}, got {text!r}")
    return Reference(
        origin=f"{parts.scheme}://{parts.netloc}",
        organisation=found["org"].lower(),
        workspace=found["workspace"].lower(),
        object_id=(found["id"] or "").lower(),
        path=_object_path(found["path"], at) if found["path"] else "",
        version=_version(parts.query, at),
    )


def _object_path(quoted: str, at: str) -> str:
    # the vendor's client says "./points.json" of what it has just made at the top
    path = unquote(quoted).lstrip("/").removeprefix("./")
    for segment in path.split("/"):
        if _SEGMENT.fullmatch(segment) is None or segment in {".", ".."}:
            raise _bad(at, f"{at} must name a path of folders and a file, got {path!r}")
    return path


def _version(query: str, at: str) -> int:
    said = parse_qs(query, keep_blank_values=True).get("version")
    if said is None:
        return 0
    text = said[0]
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:12]) <= LARGEST_VERSION:
        raise _bad(at, f"the version in {at} must be a whole number from 1, got {text!r}")
    return int(text)


def _bad(at: str, detail: str) -> Problem:
    return Problem(Code.INVALID, detail, at=at)
