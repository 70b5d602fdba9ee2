"""Inputs of an execute request as parameters of a kind: values, qualified values, links."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote, unquote_to_bytes, urlsplit

import msgspec

from haulier.core.family import Kind
from haulier.core.problem import Code, Problem
from haulier.wire.ogc.describe import file_inputs

QUALIFIERS: Final = frozenset({"value", "mediaType", "encoding", "schema", "format"})
LINK: Final = frozenset({"href", "type", "rel", "title", "hreflang", "length"})
_FILE: Final = re.compile(r"/storages/([^/]+)/files/([^/]+)")


def params_of(kind: Kind, inputs: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """Give a kind's parameters in JSON terms.

    Raises:
        Problem: INVALID at the input whose link cannot be followed.
    """
    files = file_inputs(kind)
    return {
        name: _plain(value, f"inputs.{name}", base_url, is_file=name in files)
        for name, value in inputs.items()
    }


def _plain(value: object, at: str, base_url: str, *, is_file: bool) -> object:
    if isinstance(value, list):
        return [
            _plain(item, f"{at}[{index}]", base_url, is_file=is_file)
            for index, item in enumerate(value)
        ]
    if not isinstance(value, dict):
        return value
    if "value" in value and value.keys() <= QUALIFIERS:
        return value["value"]
    if "href" in value and value.keys() <= LINK:
        return _followed(value["href"], at, base_url, is_file=is_file)
    return value


def _followed(href: object, at: str, base_url: str, *, is_file: bool) -> object:
    if not isinstance(href, str):
        raise Problem(Code.INVALID, f"{at}.href must be a string, got {href!r}", at=f"{at}.href")
    if is_file:
        return _own_file(href, at, base_url)
    if href.startswith("data:"):
        return _embedded(href, at)
    detail = f"{at}.href must be a data: URL, for this input is not a file; got {href!r}"
    raise Problem(Code.INVALID, detail, at=f"{at}.href")


def _own_file(href: str, at: str, base_url: str) -> dict[str, str]:
    """Give the file that a link into our own storages means.

    We follow no link to another machine: whoever can submit could else read what only
    this server can reach.
    """
    ours, base = urlsplit(href), urlsplit(base_url)
    same = not ours.netloc or (ours.scheme, ours.netloc) == (base.scheme, base.netloc)
    found = _FILE.fullmatch(ours.path.removeprefix(base.path)) if same else None
    if found is None:
        raise Problem(
            Code.INVALID,
            f"{at}.href must be a file of this server, {base_url}/storages/<storage>/files/<name>, "
            f"got {href!r}; upload it there first",
            at=f"{at}.href",
        )
    return {"storage": unquote(found[1]), "filename": unquote(found[2])}


def _embedded(href: str, at: str) -> object:
    """Give the value within a data: URL (RFC 2397)."""
    head, comma, data = href.removeprefix("data:").partition(",")
    try:
        content = (
            base64.b64decode(data, validate=True)
            if head.endswith(";base64")
            else unquote_to_bytes(data)
        )
        is_json = head.partition(";")[0].endswith(("/json", "+json"))
        value: object = msgspec.json.decode(content) if is_json else content.decode()
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        detail = f"{at}.href is no data: URL that can be read: {error}"
        raise Problem(Code.INVALID, detail, at=f"{at}.href") from None
    if not comma:
        detail = f"{at}.href is no data: URL that can be read: it has no comma"
        raise Problem(Code.INVALID, detail, at=f"{at}.href")
    return value


def below_inputs(problem: Problem) -> Problem:
    """Give a problem of a kind's parameters as a problem of the request's inputs."""
    if problem.code is not Code.INVALID or problem.at.startswith(("inputs", "haulier")):
        return problem
    faults = [
        msgspec.structs.replace(fault, at=f"inputs.{fault.at}" if fault.at else "inputs")
        for fault in problem.faults
    ]
    at = f"inputs.{problem.at}" if problem.at else "inputs"
    return Problem(problem.code, problem.detail, at=at, faults=faults)
