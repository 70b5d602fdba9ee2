"""A job's inputs from the command line: values, nested names, documents and files."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from haulier.cli.codes import UsageError

FILE_MEMBERS: Final = frozenset({"storage", "filename"})
CHOICES: Final = ("oneOf", "anyOf", "allOf")

Inputs = Mapping[str, Any]  # by name: a description with its JSON Schema


def read_document(source: str) -> dict[str, Any]:
    """Read all parameters at once: JSON text, "@FILE", "-" for standard input, or nothing.

    Raises:
        UsageError: it is no JSON object.
        OSError: the file cannot be read.
    """
    if not source:
        return {}
    if source == "-":
        text, place = sys.stdin.read(), "standard input"
    elif source.startswith("@"):
        text, place = Path(source[1:]).read_text("utf-8"), source[1:]
    else:
        text, place = source, "--params"
    value = _decoded(text, place)
    if not isinstance(value, dict):
        raise UsageError(f"{place}: must be a JSON object, got {text.strip()[:60]}")
    return value


def _decoded(text: str, place: str) -> object:
    import msgspec  # noqa: PLC0415 -- 0.1 s that --help does not pay

    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError as error:
        raise UsageError(f"{place}: not JSON: {error}") from error


def merge(document: dict[str, Any], pairs: Sequence[str], inputs: Inputs) -> dict[str, Any]:
    """Add parameters of the form NAME=VALUE to a document, in their order.

    A value is text where the process's schema wants text; else JSON, or text where it is none.

    Raises:
        UsageError: one has no "=", or goes into something that is no object.
    """
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"a parameter must be NAME=VALUE, got {pair!r}")
        place(document, name, _value(text, _schema_at(inputs, name)))
    return document


def place(document: dict[str, Any], name: str, value: object) -> None:
    """Put a value under a dotted name.

    Raises:
        UsageError: a part of the name stands for something that is no object.
    """
    *path, last = name.split(".")
    inner = document
    for step in path:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            raise UsageError(f"{name}: {step!r} is no object, but {inner!r}")
    inner[last] = value


def place_file(document: dict[str, Any], name: str, ref: Mapping[str, str], inputs: Inputs) -> None:
    """Put a file under its input's name, or at the end of its list."""
    if is_list(inputs[name].get("schema", {})):
        document[name] = [*document.get(name, []), ref]
    else:
        document[name] = ref


def assign(
    given: Sequence[str], inputs: Inputs, document: Mapping[str, Any]
) -> list[tuple[str, Path]]:
    """Give the input's name for each local file, "PATH" or "NAME=PATH".

    A file without a name goes to the one file input that is still free, a needed one first.

    Raises:
        UsageError: no such file, no such input, or more than one input it could be.
    """
    files = {name: one for name, one in inputs.items() if is_file(one.get("schema", {}))}
    taken = set(document)
    found: list[tuple[str, Path]] = []
    for text in given:
        name, path = _named(text, files)
        if not path.is_file():
            raise UsageError(f"--input {text}: no file {path}")
        name = name or _free(path, files, taken)
        if name in taken and not is_list(files[name].get("schema", {})):
            raise UsageError(f"--input {text}: '{name}' is given already, and takes one file")
        taken.add(name)
        found.append((name, path))
    return found


def _named(text: str, files: Inputs) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if equals and name in files:
        return name, Path(path)
    if equals and not Path(text).exists():
        known = ", ".join(files) or "none"
        raise UsageError(f"--input {text}: no file input {name!r}; there are: {known}")
    return "", Path(text)


def _free(path: Path, files: Inputs, taken: set[str]) -> str:
    free = [
        name for name, one in files.items() if name not in taken or is_list(one.get("schema", {}))
    ]
    needed = [name for name in free if required(files[name])]
    choice = needed if len(needed) == 1 else free
    if len(choice) != 1:
        known = ", ".join(files) or "none"
        raise UsageError(f"say which input {path} is: --input NAME={path}; file inputs: {known}")
    return choice[0]


def required(description: Mapping[str, Any]) -> bool:
    """Whether an input must be given; the standard's own default is yes."""
    return int(description.get("minOccurs", 1)) > 0


def is_file(schema: object) -> bool:
    """Whether a schema wants a file of a named storage, or a list of them."""
    if not isinstance(schema, Mapping):
        return False
    properties = schema.get("properties", {})
    if isinstance(properties, Mapping) and properties.keys() >= FILE_MEMBERS:
        return True
    if is_file(schema.get("items")):
        return True
    return any(is_file(one) for word in CHOICES for one in schema.get(word, ()))


def is_list(schema: Mapping[str, Any]) -> bool:
    """Whether a schema wants a list."""
    return schema.get("type") == "array"


def type_word(schema: Mapping[str, Any]) -> str:
    """Give a schema's type in a word or two, for a table."""
    if is_file(schema):
        return "files" if is_list(schema) else "file"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    options = [one for word in CHOICES for one in schema.get(word, ())]
    return " | ".join(type_word(one) for one in options) or "any"


def _schema_at(inputs: Inputs, name: str) -> Mapping[str, Any]:
    first, *rest = name.split(".")
    schema: Any = inputs.get(first, {}).get("schema", {})
    for step in rest:
        schema = schema.get("properties", {}).get(step, {})
    return schema if isinstance(schema, Mapping) else {}


def _value(text: str, schema: Mapping[str, Any]) -> object:
    import msgspec  # noqa: PLC0415 -- 0.1 s that --help does not pay

    if schema.get("type") == "string":
        return text
    try:
        return msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return text
