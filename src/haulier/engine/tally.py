"""A stream that is counted and hashed on its way, and refused at its end if it is wrong."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from typing import Final

from haulier.core.problem import Code, Problem

HASHED_INLINE_BYTES: Final = 1 << 18  # more would hold up everybody else on the loop


class Tally:
    """What went through a stream so far.

    Attributes:
        size_bytes: how much.
        failure: what the stream raised, once it did.
    """

    def __init__(self, name: str, chunks: AsyncIterator[bytes], expected_sha256: str = "") -> None:
        self.size_bytes = 0
        self.failure: BaseException | None = None
        self._name = name
        self._chunks = chunks
        self._expected = expected_sha256.lower()
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Give the hash, as 64 hexadecimal digits."""
        return self._digest.hexdigest()

    async def stream(self) -> AsyncIterator[bytes]:
        """Give the bytes on.

        Raises:
            Problem: INVALID; at the end, the bytes are not those that were expected.
        """
        try:
            async for chunk in self._chunks:
                if chunk:
                    await self._add(chunk)
                    yield chunk
            self._check()
        except BaseException as error:
            self.failure = error
            raise

    async def _add(self, chunk: bytes) -> None:
        if len(chunk) > HASHED_INLINE_BYTES:
            await asyncio.to_thread(self._digest.update, chunk)
        else:
            self._digest.update(chunk)
        self.size_bytes += len(chunk)

    def _check(self) -> None:
        if self._expected not in {"", self.sha256}:
            name = self._name.rpartition("/")[2]
            detail = f"'{name}' must have the SHA-256 {self._expected}, got {self.sha256}"
            raise Problem(Code.INVALID, detail, at="sha256")
