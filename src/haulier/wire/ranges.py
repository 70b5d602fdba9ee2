"""Bytes on the wire: ranges, conditions and digests of a download, for every dialect."""

import base64
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final
from urllib.parse import quote

from litestar import Response
from litestar.response import Stream

from haulier.core.artifact import Artifact
from haulier.core.problem import Code, Problem
from haulier.wire.dialect import AnyRequest, AnyResponse, services_of

OCTETS: Final = "application/octet-stream"
SHA256_DIGITS: Final = 64
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/]{43}=):")

Opener = Callable[[int, int], Awaitable[AsyncIterator[bytes]]]


@dataclass(frozen=True, slots=True)
class Content:
    """What is known of some bytes before they are sent."""

    filename: str
    size_bytes: int
    sha256: str = ""
    etag: str = ""
    media_type: str = OCTETS
    modified_at: datetime | None = None


class OutOfRangeError(Problem):
    """The bytes that were asked for are not there; the answer says how many there are."""

    def __init__(self, wanted: str, size_bytes: int) -> None:
        super().__init__(
            Code.RANGE, f"the content has {size_bytes} bytes, the range asked is {wanted!r}"
        )
        self.headers = {"content-range": f"bytes */{size_bytes}"}


def parse_range(wanted: str, size_bytes: int) -> tuple[int, int] | None:
    """Give start and end (not included) of a Range header, or None for the whole.

    Several ranges at once, and other units than bytes, are ignored, as RFC 9110 allows.

    Raises:
        OutOfRangeError: no byte of it is there.
    """
    found = _RANGE.fullmatch(wanted.replace(" ", ""))
    if found is None or not (found[1] or found[2]):
        return None
    if found[1]:
        start, end = int(found[1]), int(found[2]) + 1 if found[2] else size_bytes
        if found[2] and end <= start:
            return None  # "bytes=9-3" is no range at all
    else:
        start, end = max(0, size_bytes - int(found[2])), size_bytes
    if start >= size_bytes or (not found[1] and int(found[2]) == 0):
        raise OutOfRangeError(wanted, size_bytes)
    return start, min(end, size_bytes)


async def download(
    request: AnyRequest,
    content: Content,
    opener: Opener,
    *,
    extra: Mapping[str, str] | None = None,
    range_header: str = "range",
) -> AnyResponse:
    """Answer GET or HEAD of some bytes: whole, in part, or "you have them already".

    Raises:
        OutOfRangeError: no byte of the range is there.
    """
    headers = {**_described(content), **(extra or {})}
    if _unchanged(request, content):
        return Response(b"", status_code=304, headers=headers, media_type=content.media_type)
    wanted = request.headers.get(range_header) or request.headers.get("range") or ""
    part = parse_range(wanted, content.size_bytes) if _same(request, content) else None
    start, end = part or (0, content.size_bytes)
    headers |= {"content-length": str(end - start), "content-type": content.media_type}
    if part:
        headers["content-range"] = f"bytes {start}-{end - 1}/{content.size_bytes}"
    elif content.sha256:
        headers["content-digest"] = digest(content.sha256)
    body = _nothing() if request.method == "HEAD" else await opener(start, end)
    return Stream(body, status_code=206 if part else 200, headers=headers)


async def send_file(request: AnyRequest, file: Artifact) -> AnyResponse:
    """Answer with an artifact, or the range of it that was asked."""
    files = services_of(request).files
    content = Content(
        filename=file.filename,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        etag=file.sha256,
        media_type=file.media_type or OCTETS,
        modified_at=file.created_at,
    )

    async def opener(start: int, end: int) -> AsyncIterator[bytes]:
        return await files.open_artifact(file, start, end)

    return await download(request, content, opener)


def digest(sha256: str) -> str:
    """Give a hash as RFC 9530 writes it.

    Args:
        sha256: 64 hexadecimal digits.
    """
    return f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"


def expected_sha256(request: AnyRequest) -> str:
    """Give the hash that the caller announces for its upload, in hexadecimal digits, or "".

    Raises:
        Problem: INVALID; the header has no SHA-256 that can be read.
    """
    for name in ("content-digest", "repr-digest"):
        value = request.headers.get(name, "")
        if not value:
            continue
        found = _DIGEST.search(value)
        if found is None:
            detail = f"{name} must be sha-256=:<base64 of 32 bytes>:, got {value!r}"
            raise Problem(Code.INVALID, detail, at=f"header.{name}")
        return base64.b64decode(found[1]).hex()
    return ""


def http_date(moment: datetime) -> str:
    """Give a time as HTTP headers write it."""
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


async def uploaded(request: AnyRequest) -> AsyncIterator[bytes]:
    """Give the chunks of a request's body as they arrive; nothing is kept."""
    async for chunk in request.stream():
        if chunk:
            yield chunk


def _described(content: Content) -> dict[str, str]:
    plain = content.filename.encode("ascii", "replace").decode().replace("?", "_")
    safe = re.sub(r'["\\]', "_", plain)
    headers = {
        "accept-ranges": "bytes",
        "cache-control": "private, no-cache",
        "content-disposition": f'attachment; filename="{safe}"; '
        f"filename*=UTF-8''{quote(content.filename, safe='')}",
    }
    if content.etag:
        headers["etag"] = f'"{content.etag}"'
    if content.sha256:
        headers["repr-digest"] = digest(content.sha256)
    if content.modified_at:
        headers["last-modified"] = http_date(content.modified_at)
    return headers


def _unchanged(request: AnyRequest, content: Content) -> bool:
    if tags := request.headers.get("if-none-match"):
        return matches(tags, content.etag)
    since = _moment(request.headers.get("if-modified-since", ""))
    return (
        since is not None
        and content.modified_at is not None
        and content.modified_at.replace(microsecond=0) <= since
    )


def matches(tags: str, etag: str) -> bool:
    """Whether a header such as If-None-Match names this ETag (without its quotes)."""
    if tags.strip() == "*":
        return True
    return bool(etag) and any(
        tag.strip().removeprefix("W/").strip('"') == etag for tag in tags.split(",")
    )


def _same(request: AnyRequest, content: Content) -> bool:
    """Whether a range may be given: no If-Range, or one that still holds."""
    condition = request.headers.get("if-range", "")
    if not condition:
        return True
    if condition.startswith('"'):
        return matches(condition, content.etag)
    moment = _moment(condition)
    return (
        moment is not None
        and content.modified_at is not None
        and content.modified_at.replace(microsecond=0) == moment
    )


def _moment(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value) if value else None
    except (ValueError, TypeError):
        return None
    return found if found is None or found.tzinfo else found.replace(tzinfo=UTC)


async def _nothing() -> AsyncIterator[bytes]:
    empty: tuple[bytes, ...] = ()
    for chunk in empty:
        yield chunk
