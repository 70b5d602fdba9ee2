"""Block lists: the XML that says which staged blocks make a blob, in which order."""

import base64
import binascii
import hashlib
import re
from typing import Final
from xml.sax.saxutils import unescape

from haulier.core.problem import Code, Problem

LONGEST_ID: Final = 64  # bytes, before base64
LONGEST_NAME: Final = 64  # characters that the engine takes
MOST: Final = 50_000  # the vendor's own limit
_LIST: Final = re.compile(
    r"\s*(?:<\?xml[^>]*\?>)?\s*<BlockList(?:\s*/>|>(.*)</BlockList>)\s*", re.DOTALL
)
_BLOCK: Final = re.compile(r"\s*<(Latest|Uncommitted|Committed)>([^<]*)</\1>")


def block_name(block_id: str, *, at: str = "blockid") -> str:
    """Give the name under which a block is kept: its id, or what stands for a long one.

    Raises:
        Problem: INVALID; it is not base64, or too long.
    """
    try:
        raw = base64.b64decode(block_id, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not 0 < len(raw) <= LONGEST_ID:
        detail = f"a block id must be base64 of 1 to {LONGEST_ID} bytes, got {block_id[:100]!r}"
        raise Problem(Code.INVALID, detail, at=at)
    if len(block_id) <= LONGEST_NAME:
        return block_id
    return hashlib.sha256(block_id.encode()).hexdigest()


def parse_block_list(body: bytes) -> list[str]:
    """Give the names of the blocks of a block list, in order.

    Raises:
        Problem: INVALID; it is no block list.
    """
    try:
        found = _LIST.fullmatch(body.decode())
    except UnicodeDecodeError:
        found = None
    if found is None:
        raise _no_list("it must be <BlockList> with <Latest> in it, in UTF-8")
    inner, position, ids = found[1] or "", 0, []
    while block := _BLOCK.match(inner, position):
        ids.append(block_name(unescape(block[2]).strip(), at="blocklist"))
        position = block.end()
    if inner[position:].strip():
        raise _no_list(f"got {inner[position:].strip()[:80]!r} where a block must stand")
    if len(ids) > MOST:
        raise _no_list(f"it must name at most {MOST} blocks, got {len(ids)}")
    return ids


def _no_list(why: str) -> Problem:
    return Problem(Code.INVALID, f"the block list cannot be read: {why}", at="blocklist")
