"""What the conformance suites have in common: how they fail, and what they compare."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from haulier.core.artifact import check_filename, tree_hash
from haulier.core.family import Part
from haulier.engine.staging import hash_file

NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*")


class NotConformingError(AssertionError):
    """The family does not hold to what the socket asks."""


def hold(truth: object, otherwise: str) -> None:
    """Fail with a sentence unless something is true."""
    if not truth:
        raise NotConformingError(otherwise)


def hash_of(path: Path) -> str:
    """Give the hash of a file, or of a folder."""
    if path.is_file():
        return hash_file(path)
    files = [each for each in path.rglob("*") if each.is_file()]
    return tree_hash(
        (str(each.relative_to(path)), each.stat().st_size, hash_file(each)) for each in files
    )


def check_parts(parts: Sequence[Part], where: str) -> None:
    """Fail unless parts have legal keys, each once, and a weight."""
    keys = [part.key for part in parts]
    hold(keys, f"{where}: there must be at least one part")
    hold(len(set(keys)) == len(keys), f"{where}: a key is used twice: {keys}")
    for part in parts:
        check_filename(part.key, at=f"{where} key")
        hold(part.weight > 0, f"{where}: part {part.key} must have a weight, got {part.weight}")
        msgspec.json.encode(part)


def backward_and_again(parts: Sequence[Part]) -> Sequence[Part]:
    """Run the last part first, and then every part once more."""
    return [*reversed(parts), *parts]


def difference(one: Mapping[str, str], two: Mapping[str, str]) -> str:
    """Say which outputs differ."""
    differ = sorted(name for name in {*one, *two} if one.get(name) != two.get(name))
    return f"these outputs differ: {', '.join(differ)}"


def keys_of(body: Mapping[str, Any]) -> Iterator[str]:
    """Give every key of a schema, at any depth of anyOf and allOf."""
    for key, value in body.items():
        yield key
        if key in {"anyOf", "allOf"}:
            for each in value:
                yield from keys_of(each)
