"""What msgspec says of bad parameters, as a sentence that names the field and the value."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.problem import Code, Problem

LONGEST_SHOWN: Final = 80
_WHERE: Final = re.compile(
    r"(?P<said>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL
)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_EXPECTED: Final = re.compile(r"Expected (?P<wanted>.*?)(?:, got `(?P<got>[^`]*)`)?", re.DOTALL)
_NO_CHOICE: Final = "Invalid enum value"
_PIECE: Final = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|(?P<other>.)", re.DOTALL)


class _Unseen(Exception):  # noqa: N818 -- a way out, not an error
    """The value at a path cannot be told."""


def refusal(error: msgspec.ValidationError, params: Any, known: type[msgspec.Struct]) -> Problem:  # noqa: ANN401 -- JSON
    """Give the problem of parameters that msgspec refused.

    Args:
        error: what msgspec raised.
        params: what it was given.
        known: the type that the parameters should have had.
    """
    found = _WHERE.fullmatch(str(error))
    said, path = (str(error), "") if found is None else (found["said"], found["path"] or "")
    at = path.removeprefix(".")
    if missing := _MISSING.fullmatch(said):
        name = _join(at, missing["name"])
        return Problem(Code.INVALID, f"{name} is required and missing", at=name)
    if unknown := _UNKNOWN.fullmatch(said):
        name = _join(at, unknown["name"])
        hint = "" if at else _hint(unknown["name"], known)
        return Problem(Code.INVALID, f"{name} is no parameter that is known{hint}", at=name)
    if found is not None and found["key"]:
        return Problem(Code.INVALID, f"a key of {at} is wrong: {_plain(said)}", at=at)
    if said.startswith(_NO_CHOICE) and (choices := _choices(known, path)):
        said = f"Expected one of {', '.join(choices)}"
    return Problem(Code.INVALID, f"{at or 'the whole'} {_rest(said, params, path)}", at=at)


def _choices(known: type[msgspec.Struct], path: str) -> list[str]:
    """Give the words that may stand at a path; none where they cannot be told."""
    schema = msgspec.json.schema(known)
    definitions = schema.get("$defs", {})

    def resolved(one: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = definitions.get(one.get("$ref", "").rpartition("/")[2], one)
        return found

    here = resolved(schema)
    for piece in _PIECE.finditer(path):
        inner = (
            here.get("properties", {}).get(piece["name"]) if piece["name"] else here.get("items")
        )
        here = resolved(inner if isinstance(inner, Mapping) else {})
    options = [resolved(one) for one in here.get("anyOf", (here,))]
    return [str(word) for option in options for word in option.get("enum", ())]


def _rest(said: str, params: Any, path: str) -> str:  # noqa: ANN401 -- JSON
    """Say what was expected and what was there."""
    expected = _EXPECTED.fullmatch(said)
    try:
        shown = _show(_value(params, path))
    except _Unseen:
        shown = ""
    if expected is None:
        return f"is wrong: {_plain(said)}" + (f", got {shown}" if shown else "")
    wanted = _plain(expected["wanted"])
    got = _plain(expected["got"] or "")
    if shown and got:
        return f"must be {wanted}, got {shown} ({got})"
    return f"must be {wanted}, got {shown or got or 'something else'}"


def _value(params: Any, path: str) -> Any:  # noqa: ANN401 -- JSON
    value = params
    for piece in _PIECE.finditer(path):
        try:
            value = value[piece["name"] or int(piece["index"] or "x")]
        except (KeyError, IndexError, TypeError, ValueError):
            raise _Unseen from None
    return value


def _show(value: Any) -> str:  # noqa: ANN401 -- JSON
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _hint(name: str, known: type[msgspec.Struct]) -> str:
    names = [field.encode_name for field in msgspec.structs.fields(known)]
    return _nearest(name, names) or f"; there are: {', '.join(names) or 'none'}"


def _nearest(name: str, names: Sequence[str]) -> str:
    near: Iterable[str] = difflib.get_close_matches(name, names, n=1)
    return next((f"; did you mean {one}?" for one in near), "")


def _join(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _plain(said: str) -> str:
    return said.replace("`", "")


def decode(known: type[msgspec.Struct], params: Mapping[str, Any]) -> msgspec.Struct:
    """Give parameters in their own type.

    Raises:
        Problem: INVALID, at the path of the parameter that is wrong.
    """
    try:
        return msgspec.convert(params, known, strict=True)
    except msgspec.ValidationError as error:
        raise refusal(error, params, known) from None
