"""Processes as the standard describes them, made from the kinds that are installed."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.family import Kind, Output
from haulier.wire.ogc.bodies import JSON, REL, Link

SCHEMA_REF: Final = "#/$defs/"
UNTYPED: Final[Mapping[str, Any]] = {"type": "object"}
NULL: Final[Mapping[str, Any]] = {"type": "null"}

JobControl = Literal["sync-execute", "async-execute", "dismiss"]
Transmission = Literal["value", "reference"]


class ProcessSummary(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"job_control": "jobControlOptions", "transmission": "outputTransmission"},
):
    """A kind of work, in a list of them."""

    id: str
    version: str
    title: str = ""
    description: str = ""
    keywords: tuple[str, ...] = ()
    job_control: tuple[JobControl, ...]
    transmission: tuple[Transmission, ...]
    links: tuple[Link, ...]


class InputDescription(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"min_occurs": "minOccurs", "max_occurs": "maxOccurs"},
):
    """One input: its JSON Schema, and whether it may be left out."""

    title: str = ""
    description: str = ""
    schema: Mapping[str, Any]
    min_occurs: int
    max_occurs: int


class OutputDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One output."""

    title: str = ""
    description: str = ""
    schema: Mapping[str, Any]


class ProcessDescription(
    ProcessSummary,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    rename={"job_control": "jobControlOptions", "transmission": "outputTransmission"},
):
    """A kind of work, with its inputs and outputs."""

    inputs: Mapping[str, InputDescription]
    outputs: Mapping[str, OutputDescription]


class ProcessList(msgspec.Struct, frozen=True):
    """The kinds of work that are installed."""

    processes: tuple[ProcessSummary, ...]
    links: tuple[Link, ...]


def summary(kind: Kind, base_url: str) -> ProcessSummary:
    """Give a kind for a list."""
    return ProcessSummary(**_common(kind, base_url))


def description(kind: Kind, base_url: str) -> ProcessDescription:
    """Give a kind with its inputs and outputs."""
    return ProcessDescription(
        **_common(kind, base_url),
        inputs=inputs_of(kind),
        outputs={output.name: _output(output) for output in kind.results},
    )


def _common(kind: Kind, base_url: str) -> dict[str, Any]:
    url = f"{base_url}/processes/{kind.slug}"
    return {
        "id": kind.slug,
        "version": kind.version,
        "title": kind.title,
        "description": kind.description,
        "keywords": kind.keywords,
        "job_control": job_control(kind),
        "transmission": ("value", "reference"),
        "links": (
            Link(url, "self", JSON, kind.title),
            Link(f"{url}/execution", f"{REL}execute", JSON, "execute"),
        ),
    }


def job_control(kind: Kind) -> tuple[JobControl, ...]:
    """Give how a kind can be run; who asks for long work without a word gets a job."""
    if kind.interactive:
        return ("sync-execute", "async-execute", "dismiss")
    return ("async-execute", "dismiss")


def inputs_of(kind: Kind) -> dict[str, InputDescription]:
    """Give the inputs of a kind from the type of its parameters."""
    whole = inlined_schema(kind.params)
    required = whole.get("required", ())
    return {
        name: InputDescription(
            title=schema.get("title", ""),
            description=schema.get("description", ""),
            schema=schema,
            min_occurs=int(name in required),
            max_occurs=1,
        )
        for name, schema in whole.get("properties", {}).items()
    }


def inlined_schema(params: type[msgspec.Struct]) -> dict[str, Any]:
    """Give the JSON Schema of parameters, whole in itself."""
    (reference,), definitions = msgspec.json.schema_components(
        [params], ref_template=SCHEMA_REF + "{name}"
    )
    whole: dict[str, Any] = _inlined(reference, definitions, ())
    return whole


def file_inputs(kind: Kind) -> frozenset[str]:
    """Give the names of the inputs that are files."""
    fields = msgspec.structs.fields(kind.params)
    return frozenset(field.encode_name for field in fields if _is_file(field.type))


def _is_file(annotation: object) -> bool:
    if annotation is FileRef:
        return True
    return any(_is_file(inner) for inner in getattr(annotation, "__args__", ()))


def _inlined(schema: Any, definitions: Mapping[str, Any], seen: tuple[str, ...]) -> Any:  # noqa: ANN401 -- any JSON
    """Put every definition where it is used: an input's schema must stand alone."""
    if isinstance(schema, list):
        return [_inlined(item, definitions, seen) for item in schema]
    if not isinstance(schema, dict):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(SCHEMA_REF)
    if name in seen:
        return dict(UNTYPED)  # a type within itself: one level of it says enough
    rest = {
        key: _inlined(value, definitions, seen) for key, value in schema.items() if key != "$ref"
    }
    if not name:
        return _plain(rest)
    found = _inlined(definitions[name], definitions, (*seen, name))
    return (_with_links(found) if name == FileRef.__name__ else found) | rest


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Say the same in words that version 1.0 knows, too: it is older than the type null."""
    if schema.get("required") == []:
        del schema["required"]
    members = schema.get("anyOf", ())
    if NULL not in members:
        return schema
    others = [member for member in members if member != NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"} | {"nullable": True}
    return rest | others[0] if len(others) == 1 else rest | {"anyOf": others}


def _with_links(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Say that a file may be named by link, too."""
    link = {
        "type": "object",
        "required": ["href"],
        "properties": {"href": {"type": "string", "format": "uri-reference"}},
    }
    return {"title": "file", "oneOf": [dict(schema), link]}


def _output(output: Output) -> OutputDescription:
    return OutputDescription(title=output.title, schema=_output_schema(output.media_type))


def _output_schema(media_type: str) -> dict[str, Any]:
    if not media_type:
        return {}
    if media_type.partition(";")[0].endswith(("/json", "+json")):
        return {"contentMediaType": media_type}
    return {"type": "string", "contentEncoding": "binary", "contentMediaType": media_type}
