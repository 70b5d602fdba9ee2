"""HTTP header fields as values: Link, Retry-After, Content-Range, Repr-Digest."""

import base64
import binascii
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

_TARGET: Final = re.compile(r"\s*<([^<>]*)>")
_PARAMETER: Final = re.compile(
    r"\s*;\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?"
)
_COMMA: Final = re.compile(r"\s*,")
_CONTENT_RANGE: Final = re.compile(r"bytes\s+([0-9]+)-([0-9]+)/([0-9]+|\*)", re.IGNORECASE)
_DIGEST: Final = re.compile(r"(?:^|,)\s*sha-256\s*=\s*:([A-Za-z0-9+/]+={0,2}):", re.IGNORECASE)

SHA256_BYTES: Final = 32
MAX_DIGITS: Final = 18


class Link(msgspec.Struct, frozen=True):
    """One link: where to, and what stands there."""

    href: str
    rel: str = ""
    title: str = ""
    type: str = ""


class ContentRange(msgspec.Struct, frozen=True):
    """Which bytes an answer carries; `total` is -1 where the server does not know it."""

    start: int
    end: int
    total: int


def parse_links(value: str) -> list[Link]:
    """Read a Link field; what does not parse ends the list, and is not an error.

    Source:
        RFC 8288 (2017), section 3 and appendix B.2.
    """
    links: list[Link] = []
    at = 0
    while (target := _TARGET.match(value, at)) is not None:
        at = target.end()
        parameters: dict[str, str] = {}
        while (parameter := _PARAMETER.match(value, at)) is not None:
            at = parameter.end()
            name, quoted, token = parameter.groups()
            text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token or ""
            parameters.setdefault(name.lower(), text)
        kept = {name: parameters.get(name, "") for name in ("rel", "title", "type")}
        links.append(Link(target.group(1), **kept))
        comma = _COMMA.match(value, at)
        if comma is None:
            break
        at = comma.end()
    return links


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Read a Retry-After field.

    Args:
        value: whole seconds, or an HTTP date.
        now: what the date is compared with, aware.

    Returns:
        Seconds to wait, at least 0; None where the field says nothing that can be read.

    Source:
        RFC 9110 (2022), section 10.2.3.
    """
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max((until - now).total_seconds(), 0.0)


def parse_content_range(value: str) -> ContentRange | None:
    """Read a Content-Range field of bytes; None where it is something else."""
    found = _CONTENT_RANGE.fullmatch(value.strip())
    if found is None or any(len(part) > MAX_DIGITS for part in found.groups()):
        return None
    start, end, total = found.groups()
    known = -1 if total == "*" else int(total)
    if int(end) < int(start) or (known != -1 and int(end) >= known):
        return None
    return ContentRange(int(start), int(end), known)


def parse_repr_digest(value: str) -> str:
    """Give the SHA-256 of a Repr-Digest field as 64 hexadecimal digits, or "".

    Source:
        RFC 9530 (2024), section 3.
    """
    found = _DIGEST.search(value)
    if found is None:
        return ""
    try:
        digest = base64.b64decode(found.group(1), validate=True)
    except binascii.Error:
        return ""
    return digest.hex() if len(digest) == SHA256_BYTES else ""


def repr_digest(sha256: str) -> str:
    """Write a Repr-Digest field from 64 hexadecimal digits."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
