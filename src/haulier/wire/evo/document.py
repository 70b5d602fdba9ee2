"""Documents of geoscience objects: what all of them must say, and which files they name."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from haulier.core.problem import Code, Fault, Problem

SCHEMA: Final = re.compile(r"/objects/([a-z0-9][a-z0-9-]*)/(\d+)\.(\d+)\.(\d+)/\1\.schema\.json")
NAME: Final = re.compile(r"[0-9a-f]{64}")
DATA: Final = "data"  # the member that names a file, wherever in a document it stands
DEEPEST: Final = 64
LONGEST_PATH: Final = 800  # with two UUIDs before it, the catalog takes it
SHOWN: Final = 100

Document = Mapping[str, Any]


def check_document(document: Document, object_id: str | None) -> dict[str, Any]:
    """Give a document without its uuid, if it can be one of this object, or of a new one.

    Args:
        document: as it was sent.
        object_id: the object's id; None: it is new and must not say one.

    Raises:
        Problem: INVALID, with every member that is wrong.
    """
    faults = [*_said(document), *_uuid(document, object_id)]
    if faults:
        first = faults[0]
        raise Problem(Code.INVALID, first.detail, at=first.at, faults=faults)
    return {name: value for name, value in document.items() if name != "uuid"}


def _said(document: Document) -> Iterator[Fault]:
    schema, name = document.get("schema"), document.get("name")
    if not isinstance(schema, str) or SCHEMA.fullmatch(schema) is None:
        wanted = "/objects/{type}/{x.y.z}/{type}.schema.json"
        yield Fault("schema", f"schema must be like {wanted}, got {_shown(schema)}")
    if not isinstance(name, str) or not name.strip():
        yield Fault("name", f"name must be the object's name, got {_shown(name)}")


def _uuid(document: Document, object_id: str | None) -> Iterator[Fault]:
    said = document.get("uuid")
    if object_id is None:
        if said is not None:
            detail = f"uuid must be null for a new object, got {_shown(said)}"
            yield Fault("uuid", detail)
    elif uuid_or_none(said) != object_id:
        yield Fault("uuid", f"uuid must be the object's own, {object_id}, got {_shown(said)}")


def uuid_or_none(said: object) -> str | None:
    """Give a UUID as its usual text, or None where it is none."""
    try:
        return str(UUID(said)) if isinstance(said, str) else None
    except ValueError:
        return None


def check_path(path: str) -> str:
    """Give the path of an object without slashes at its ends, and without "." in it.

    Raises:
        Problem: INVALID; it is empty, too long, climbs, or has a part that is no name.
    """
    parts = [part for part in path.strip("/").split("/") if part != "."]
    whole = "/".join(parts)
    bad = any(part in {"", ".."} or not part.isprintable() for part in parts)
    if not parts or bad or len(whole) > LONGEST_PATH:
        detail = (
            f"objects_path must be names with '/' between, at most {LONGEST_PATH} characters "
            f"and none of them '..', got {_shown(path)}"
        )
        raise Problem(Code.INVALID, detail, at="path.objects_path")
    return whole


def named_files(document: Document) -> dict[str, str]:
    """Give the files that a document names, and where it first does.

    Raises:
        Problem: INVALID; the document is nested too deeply to be looked through.
    """
    found: dict[str, str] = {}
    waiting: list[tuple[str, str, object, int]] = [("", "", document, 0)]
    while waiting:
        at, name, value, depth = waiting.pop()
        if depth > DEEPEST:
            detail = f"an object must be nested at most {DEEPEST} levels deep"
            raise Problem(Code.INVALID, detail, at=at[:SHOWN])
        waiting.extend((*member, depth + 1) for member in _members(at, value))
        if name == DATA and isinstance(value, str) and NAME.fullmatch(value):
            found[value] = at
    return dict(sorted(found.items()))


def _members(at: str, value: object) -> Iterator[tuple[str, str, object]]:
    """Give the members of a value: where each stands, its name, and what it is."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (f"{at}.{name}" if at else str(name)), str(name), inner
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, dict | list):
                yield f"{at}[{index}]", "", inner


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
