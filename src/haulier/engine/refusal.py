"""What msgspec says of bad parameters, as sentences that name each field and its value."""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from types import NoneType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

import msgspec

from haulier.core.problem import Code, Fault, Problem

MOST_FAULTS: Final = 50  # that are told at once
LONGEST_SHOWN: Final = 80
_WHERE: Final = re.compile(
    r"(?P<said>.*?)(?: - at (?P<key>`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL
)
_MISSING: Final = re.compile(r"Object missing required field `(?P<name>.*)`", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_EXPECTED: Final = re.compile(r"Expected (?P<wanted>.*?)(?:, got `(?P<got>[^`]*)`)?", re.DOTALL)
_NO_CHOICE: Final = "Invalid enum value"
_PIECE: Final = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|(?P<other>.)", re.DOTALL)


S = TypeVar("S", bound=msgspec.Struct)


class _Unseen(Exception):  # noqa: N818 -- a way out, not an error
    """The value at a path cannot be told."""


def decode(known: type[S], params: Mapping[str, Any]) -> S:
    """Give parameters in their own type.

    Raises:
        Problem: INVALID, at the path of the parameter that is wrong; where there are several,
            at the first, with every one.
    """
    try:
        return msgspec.convert(params, known, strict=True)
    except msgspec.ValidationError as error:
        # What spans several fields is known to the whole alone, and only once each is right.
        found = list(islice(_refusals(params, known), MOST_FAULTS))
        first, *others = found or [refusal(error, params, known)]
        faults = [Fault(each.at, each.detail) for each in (first, *others)] if others else ()
        raise Problem(first.code, first.detail, at=first.at, faults=faults) from None


def each_fault(problem: Problem) -> Sequence[Fault]:
    """Give every fault of a problem, or itself as the only one."""
    return problem.faults or (Fault(problem.at, problem.detail),)


def _refusals(value: Any, known: Any, at: str = "") -> Iterator[Problem]:  # noqa: ANN401 -- JSON, type
    """Give all that is wrong with a value: msgspec stops at the first, so each member is tried."""
    struct, member = _struct_of(known), _member_of(known)
    if isinstance(value, Mapping) and struct is not None:
        yield from _field_refusals(value, struct, at)
    elif isinstance(value, Mapping) and member is not None:
        for name, each in value.items():  # msgspec tells no key: it says "outputs[...]"
            yield from _refusals(each, member, _join(at, str(name)))
    else:
        try:
            msgspec.convert(value, known, strict=True)
        except msgspec.ValidationError as error:
            yield refusal(error, value, known, at)


def _field_refusals(
    value: Mapping[str, Any], struct: type[msgspec.Struct], at: str
) -> Iterator[Problem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    for name, field in fields.items():
        if name in value:
            yield from _refusals(value[name], field.type, _join(at, name))
        elif field.required:
            yield _missing(_join(at, name))
    if struct.__struct_config__.forbid_unknown_fields:
        yield from (_unknown(at, str(name), struct) for name in value if name not in fields)


def _struct_of(known: Any) -> type[msgspec.Struct] | None:  # noqa: ANN401 -- a type
    """Give the structure that alone a value may be, besides null; None: it may be something else.

    A structure with a tag is one of many: which one, msgspec decides.
    """
    alone = _alone(known)
    if not isinstance(alone, type) or not issubclass(alone, msgspec.Struct):
        return None
    config = alone.__struct_config__
    return None if config.array_like or config.tag is not None else alone


def _member_of(known: Any) -> Any:  # noqa: ANN401 -- a type
    """Give what each member of a mapping by text must be; None: it may be something else."""
    alone = _alone(known)
    names, member = get_args(alone) if get_origin(alone) in (dict, Mapping) else (None, None)
    return member if names is str else None


def _alone(known: Any) -> Any:  # noqa: ANN401 -- a type
    """Give the type that alone a value may have, besides null."""
    if get_origin(known) is Annotated:
        return _alone(get_args(known)[0])
    if get_origin(known) in (Union, UnionType):
        others = [one for one in get_args(known) if one is not NoneType]
        return _alone(others[0]) if len(others) == 1 else known
    return known


def refusal(error: msgspec.ValidationError, params: Any, known: Any, below: str = "") -> Problem:  # noqa: ANN401 -- JSON, type
    """Give the problem of parameters that msgspec refused.

    Args:
        error: what msgspec raised.
        params: what it was given.
        known: the type that the parameters should have had.
        below: where they stand in the whole.
    """
    found = _WHERE.fullmatch(str(error))
    said, path = (str(error), "") if found is None else (found["said"], found["path"] or "")
    at = _join(below, path.removeprefix("."))
    if missing := _MISSING.fullmatch(said):
        return _missing(_join(at, missing["name"]))
    if unknown := _UNKNOWN.fullmatch(said):
        return _unknown(at, unknown["name"], None if path else _struct_of(known))
    if found is not None and found["key"]:
        return Problem(Code.INVALID, f"a key of {at} is wrong: {_plain(said)}", at=at)
    if said.startswith(_NO_CHOICE) and (choices := _choices(known, path)):
        said = f"Expected one of {', '.join(choices)}"
    return Problem(Code.INVALID, f"{at or 'the whole'} {_rest(said, params, path)}", at=at)


def _missing(at: str) -> Problem:
    return Problem(Code.INVALID, f"{at} is required and missing", at=at)


def _unknown(at: str, name: str, known: type[msgspec.Struct] | None) -> Problem:
    place, hint = _join(at, name), "" if known is None else _hint(name, known)
    return Problem(Code.INVALID, f"{place} is no parameter that is known{hint}", at=place)


def _choices(known: Any, path: str) -> list[str]:  # noqa: ANN401 -- a type
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
    return f"{at}{'' if name.startswith('[') else '.'}{name}" if at and name else at or name


def _plain(said: str) -> str:
    return said.replace("`", "")
