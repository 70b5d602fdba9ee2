"""How tests speak to a store: whole files in and out, streams that fail, and refusals."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import pytest

from haulier.core.problem import Problem
from haulier.engine.storage import Blob, Storage

#: Longer than a piece of a multipart upload and than a piece of a download, and no multiple.
LONG: Final = bytes(range(256)) * 70_000 + b"end"


class BrokenStreamError(Exception):
    """What a failing stream raises."""


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    """Give chunks as an upload does."""
    for chunk in chunks:
        yield chunk


async def failing(*chunks: bytes) -> AsyncIterator[bytes]:
    """Give chunks, and then fail as an upload whose caller went away."""
    for chunk in chunks:
        yield chunk
    raise BrokenStreamError


def read(storage: Storage, key: str, start: int = 0, end: int | None = None) -> bytes:
    """Give the bytes of a file."""

    async def gathered() -> bytes:
        return b"".join([chunk async for chunk in await storage.read(key, start, end)])

    return asyncio.run(gathered())


def put(storage: Storage, key: str, *chunks: bytes, expected_sha256: str = "") -> Blob:
    """Write the bytes of a file."""

    async def written() -> Blob:
        return await storage.put(key, stream(*chunks), expected_sha256=expected_sha256)

    return asyncio.run(written())


def keys(storage: Storage, prefix: str = "") -> Sequence[str]:
    """Give the keys below a prefix."""

    async def listed() -> Sequence[Blob]:
        return await storage.list(prefix)

    return [blob.key for blob in asyncio.run(listed())]


def refusal(call: Callable[..., object], *given: object) -> Problem:
    """Give the problem that a call raises."""
    with pytest.raises(Problem) as caught:
        call(*given)
    return caught.value
