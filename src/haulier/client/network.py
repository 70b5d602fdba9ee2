"""What both faces need of httpx: its settings, its arguments, and its answers as ours."""

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import anyio.to_thread
import httpx

import haulier
from haulier.client.options import JobRequest
from haulier.client.protocol import Answer, Broken, Request

CHUNK_BYTES: Final = 1 << 18
CONNECT_TIMEOUT_S: Final = 10.0
NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def settings(base_url: str, key: str, timeout_s: float) -> dict[str, Any]:
    """Give the arguments of an httpx client.

    Raises:
        ValueError: the address is not one of HTTP, or the key cannot be one.
    """
    url = httpx.URL(base_url)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"base_url must begin with http:// or https://, got {base_url!r}")
    headers = {"Accept": "application/json", "User-Agent": f"haulier/{haulier.__version__}"}
    if not key.isascii() or any(character.isspace() for character in key):
        raise ValueError("key must be an API key: ASCII, without spaces or line ends")
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return {
        "base_url": url,
        "headers": headers,
        "timeout": httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
        # reading the certificates takes 30 ms, and plain HTTP needs none
        "verify": ssl.create_default_context() if url.scheme == "https" else False,
        # loopback needs no proxy, and elsewhere the environment is the user's wish
        "trust_env": url.host not in {"127.0.0.1", "localhost", "::1"},
    }


def job_request(inputs: Mapping[str, Any] | JobRequest, title: str) -> JobRequest:
    """Give the short form of a request as the long one."""
    return inputs if isinstance(inputs, JobRequest) else JobRequest(inputs=inputs, title=title)


def arguments(request: Request) -> dict[str, Any]:
    """Give the arguments of httpx's `stream`, besides the content."""
    headers = dict(request.headers)
    if request.sink is not None:
        headers["Accept"] = "*/*"
        headers["Accept-Encoding"] = "identity"
    return {
        "method": request.method,
        "url": request.path,
        "params": request.query or None,
        "headers": headers,
    }


@contextmanager
def body(request: Request) -> Iterator[bytes | Iterator[bytes] | None]:
    """Open what a request carries."""
    if isinstance(request.body, Path):
        with request.body.open("rb") as file:
            yield iter(lambda: file.read(CHUNK_BYTES), b"")
    else:
        yield request.body or None


@asynccontextmanager
async def async_body(request: Request) -> AsyncIterator[bytes | AsyncIterator[bytes] | None]:
    """Open what a request carries; a file is read in a thread."""
    if isinstance(request.body, Path):
        with request.body.open("rb") as file:
            yield _pieces(file)
    else:
        yield request.body or None


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await anyio.to_thread.run_sync(file.read, CHUNK_BYTES):
        yield chunk


def head(response: httpx.Response) -> Answer:
    """Give the head of an answer."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(response.status_code, headers, url=str(response.url))


def whole(answer: Answer, content: bytes) -> Answer:
    """Give an answer with its body."""
    return replace(answer, body=content)


def broken(error: httpx.TransportError, base_url: httpx.URL) -> Broken:
    """Give what is known when no whole answer came."""
    place = f"{base_url.scheme}://{base_url.netloc.decode()}"
    reason = str(error) or type(error).__name__
    return Broken(f"no answer from {place}: {reason}", sent=not isinstance(error, NEVER_SENT))
