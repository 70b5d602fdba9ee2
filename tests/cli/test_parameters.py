"""Inputs from the command line: text by the schema, dotted names, files to their places."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.cli.codes import UsageError
from haulier.cli.parameters import assign, merge, place_file, read_document, type_word

FILE = {
    "oneOf": [
        {"type": "object", "properties": {"storage": {}, "filename": {}}},
        {"type": "object", "properties": {"href": {"type": "string"}}},
    ]
}
INPUTS: dict[str, Any] = {
    "input": {"minOccurs": 1, "schema": FILE},
    "mask": {"minOccurs": 0, "schema": FILE},
    "extra": {"minOccurs": 0, "schema": {"type": "array", "items": FILE}},
    "overture_release": {"minOccurs": 1, "schema": {"type": "string"}},
    "threshold": {"minOccurs": 0, "schema": {"type": "integer"}},
    "columns": {
        "minOccurs": 0,
        "schema": {"type": "object", "properties": {"id": {"type": "string"}}},
    },
}


@given(st.text(min_size=1))
def test_text_stays_text_where_the_schema_wants_text(text: str) -> None:
    assert merge({}, [f"overture_release={text}"], INPUTS) == {"overture_release": text}
    assert merge({}, [f"columns.id={text}"], INPUTS) == {"columns": {"id": text}}


@pytest.mark.parametrize(
    ("text", "value"),
    [("60", 60), ("[1,2]", [1, 2]), ("null", None), ("true", True), ("fast", "fast"), ("", "")],
)
def test_elsewhere_a_value_is_json_or_text(text: str, value: object) -> None:
    assert merge({}, [f"threshold={text}"], INPUTS) == {"threshold": value}


def test_a_later_parameter_wins_and_a_document_comes_first() -> None:
    document = read_document('{"threshold": 10, "columns": {"id": "a", "name": "n"}}')

    merged = merge(document, ["threshold=20", "columns.id=b", "threshold=30"], INPUTS)

    assert merged == {"threshold": 30, "columns": {"id": "b", "name": "n"}}


@pytest.mark.parametrize("pair", ["threshold", "=5", ""])
def test_a_parameter_without_name_or_value_is_refused(pair: str) -> None:
    with pytest.raises(UsageError, match="NAME=VALUE"):
        merge({}, [pair], INPUTS)


def test_a_name_that_goes_into_a_number_is_refused() -> None:
    with pytest.raises(UsageError, match=r"threshold\.x: 'threshold' is no object, but 5"):
        merge({}, ["threshold=5", "threshold.x=1"], INPUTS)


def test_a_document_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"a": 1}')

    assert read_document(f"@{tmp_path / 'p.json'}") == {"a": 1}


@pytest.mark.parametrize(("source", "fault"), [("{", "not JSON"), ("[1]", "must be a JSON object")])
def test_a_document_that_is_none_is_refused(source: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        read_document(source)


@pytest.fixture
def roads(tmp_path: Path) -> Path:
    path = tmp_path / "roads.parquet"
    path.write_bytes(b"x")
    return path


def test_a_file_without_a_name_is_the_one_that_is_needed(roads: Path) -> None:
    assert assign([str(roads)], INPUTS, {}) == [("input", roads)]


def test_a_file_goes_where_its_name_says(roads: Path) -> None:
    assert assign([f"mask={roads}"], INPUTS, {}) == [("mask", roads)]


def test_a_file_that_could_be_either_is_asked_about(roads: Path) -> None:
    with pytest.raises(UsageError, match=r"say which input .*file inputs: input, mask, extra"):
        assign([str(roads)], INPUTS, {"input": {}})


def test_an_input_that_takes_one_file_takes_no_second(roads: Path) -> None:
    with pytest.raises(UsageError, match="'input' is given already"):
        assign([f"input={roads}", f"input={roads}"], INPUTS, {})


def test_an_input_that_takes_a_list_takes_many(roads: Path) -> None:
    names = [name for name, _ in assign([f"extra={roads}", f"extra={roads}"], INPUTS, {})]
    document: dict[str, Any] = {}
    for name in names:
        place_file(document, name, {"filename": "f"}, INPUTS)

    assert document == {"extra": [{"filename": "f"}, {"filename": "f"}]}


def test_no_such_file_and_no_such_input_are_refused(roads: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no file "):
        assign([str(tmp_path / "none")], INPUTS, {})
    with pytest.raises(UsageError, match="no file input 'other'; there are: input, mask, extra"):
        assign([f"other={roads}"], INPUTS, {})


def test_a_path_with_an_equals_sign_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "a=b.parquet"
    path.write_bytes(b"x")

    assert assign([str(path)], INPUTS, {}) == [("input", path)]


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        (FILE, "file"),
        ({"type": "array", "items": FILE}, "files"),
        ({"enum": ["fast", "accurate"]}, "fast | accurate"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "number | null"),
        ({}, "any"),
    ],
)
def test_a_type_is_said_in_a_word(schema: dict[str, Any], word: str) -> None:
    assert type_word(schema) == word


def test_documents_are_read_from_json_terms() -> None:
    document = {"a": [1, {"b": None}]}

    assert read_document(msgspec.json.encode(document).decode()) == document
