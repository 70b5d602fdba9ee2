"""Names of things: time-ordered job ids, and hashes that stand for content."""

import hashlib
import os
import time
from typing import Any
from uuid import UUID

import msgspec


def new_job_id(now_ms: int | None = None) -> UUID:
    """Give a UUID version 7: 48 bits of milliseconds, then 74 random bits.

    Source:
        RFC 9562 (2024), section 5.7.
    """
    milliseconds = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    noise = int.from_bytes(os.urandom(10), "big")
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | noise
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


def fingerprint(value: Any) -> str:  # noqa: ANN401 -- anything that has a JSON form
    """Hash a value by its canonical JSON: equal values have equal fingerprints.

    Returns:
        64 hexadecimal digits of SHA-256.
    """
    encoded = msgspec.json.encode(value, order="sorted")
    return hashlib.sha256(encoded).hexdigest()
