"""Problem documents become errors: the right one, with its sentence, whatever the body is."""

import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.client import errors
from haulier.client.errors import (
    BY_CODE,
    ConflictError,
    FieldError,
    InvalidError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    ServerError,
    TooManyError,
    UnavailableError,
    read_refusal,
)
from haulier.core.problem import Code

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "title", "detail", "code", "errors", "pointer", "request_id"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
)
OGC = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"


@given(st.integers(400, 599), st.binary(max_size=300))
def test_any_bytes_become_an_error_with_a_sentence(status: int, body: bytes) -> None:
    error = read_refusal(status, body)

    assert error.status == status
    assert str(error)


@given(st.integers(400, 599), JSON)
def test_any_json_becomes_an_error_with_a_sentence(status: int, value: object) -> None:
    error = read_refusal(status, msgspec.json.encode(value))

    assert isinstance(error, RefusedError)
    assert str(error)


def test_every_code_of_the_server_has_its_error() -> None:
    assert set(BY_CODE) == {code.value for code in Code}


@pytest.mark.parametrize(("code", "kind"), BY_CODE.items())
def test_a_code_decides_and_not_the_status(code: str, kind: type[RefusedError]) -> None:
    body = msgspec.json.encode({"code": code, "detail": "d", "type": "about:blank"})

    assert type(read_refusal(418, body)) is kind


@pytest.mark.parametrize(
    ("status", "tail", "kind"),
    [
        (404, "no-such-job", NotFoundError),
        (404, "no-such-process", NotFoundError),
        (404, "result-not-ready", NotReadyError),
        (404, "result-not-available", errors.NoResultError),
        (400, "invalid-query-parameter-value", InvalidError),
    ],
)
def test_without_a_code_the_type_of_the_standard_decides(
    status: int, tail: str, kind: type[RefusedError]
) -> None:
    body = msgspec.json.encode({"type": OGC + tail, "title": "t"})

    assert type(read_refusal(status, body)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidError),
        (401, errors.UnauthenticatedError),
        (403, errors.ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (413, errors.TooLargeError),
        (429, TooManyError),
        (500, ServerError),
        (502, UnavailableError),
        (599, ServerError),
    ],
)
def test_without_a_document_the_status_decides(status: int, kind: type[RefusedError]) -> None:
    error = read_refusal(status, b"<html>gateway</html>")

    assert type(error) is kind
    assert "gateway" in str(error)


def test_every_field_that_was_wrong_is_in_the_sentence() -> None:
    document = {
        "code": "invalid",
        "detail": "the request is not valid",
        "errors": [
            {"pointer": "#/inputs/mode", "detail": "mode must be fast or accurate, got 'slow'"},
            {"parameter": "limit", "detail": "limit must be 1 to 10000, got 0"},
        ],
    }

    error = read_refusal(400, msgspec.json.encode(document), request_id="r1")

    assert error.fields == (
        FieldError("#/inputs/mode", "mode must be fast or accurate, got 'slow'"),
        FieldError("limit", "limit must be 1 to 10000, got 0"),
    )
    assert "#/inputs/mode: mode must be" in str(error)
    assert "limit: limit must be" in str(error)
    assert error.request_id == "r1"


def test_a_detail_that_says_it_all_is_not_said_twice() -> None:
    document = {"detail": "a is wrong", "errors": [{"pointer": "#/a", "detail": "a is wrong"}]}

    assert str(read_refusal(400, msgspec.json.encode(document))) == "a is wrong"


def test_an_error_passes_between_processes() -> None:
    error = read_refusal(409, b'{"code":"conflict","detail":"it has ended"}', retry_after_s=3.0)

    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own bytes

    assert type(again) is ConflictError
    assert (str(again), again.status, again.retry_after_s) == ("it has ended", 409, 3.0)
