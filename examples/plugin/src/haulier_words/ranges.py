"""A file in byte ranges: each word belongs to the range in which its first byte lies."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from haulier.core.problem import Code, Problem

SPACES = b" \t\n\r\f\v"
READ_BYTES = 1 << 16
LONGEST_BYTES = 1 << 20  # without a space: no text that people wrote


def split_at(size_bytes: int, part_bytes: int) -> list[tuple[int, int]]:
    """Give start and end of each range; one that is empty for an empty file."""
    starts = range(0, size_bytes, part_bytes) or (0,)
    return [(start, min(start + part_bytes, size_bytes)) for start in starts]


def texts(path: Path, start: int, end: int) -> Iterator[tuple[str, int]]:
    """Give the text of a range in pieces that end at a space, and where each one ends.

    Raises:
        Problem: INVALID; the bytes are no UTF-8, or go on without a space.
    """
    with path.open("rb") as file:
        at = _first_word(file, start)
        held = b""
        while at + len(held) < end and (read := file.read(min(READ_BYTES, end - at - len(held)))):
            held += read
            cut = 1 + max(held.rfind(bytes([space])) for space in SPACES)
            if cut:
                yield _decoded(held[:cut], at), at + cut
                held, at = held[cut:], at + cut
            _check_length(held, at)
        if held:
            whole = held + _rest_of_word(file, at)
            yield _decoded(whole, at), at + len(whole)


def _first_word(file: BinaryIO, start: int) -> int:
    """Go to the first byte of the range that is not the rest of a word begun before it."""
    if start == 0:
        return 0
    file.seek(start - 1)
    before = file.read(1)
    if before in SPACES:
        return start
    return start + len(_rest_of_word(file, start))


def _rest_of_word(file: BinaryIO, at: int) -> bytes:
    """Read up to the next space, which is left to be read."""
    rest = b""
    while read := file.read(READ_BYTES):
        found = [place for space in SPACES if (place := read.find(bytes([space]))) >= 0]
        if found:
            file.seek(min(found) - len(read), 1)
            return rest + read[: min(found)]
        rest += read
        _check_length(rest, at)
    return rest


def _check_length(held: bytes, at: int) -> None:
    if len(held) > LONGEST_BYTES:
        detail = f"input must be text with spaces, got {LONGEST_BYTES} bytes without at byte {at}"
        raise Problem(Code.INVALID, detail, at="input")


def _decoded(piece: bytes, at: int) -> str:
    try:
        return piece.decode()
    except UnicodeDecodeError as error:
        place, byte = at + error.start, piece[error.start]
        detail = f"input must be UTF-8, got the byte 0x{byte:02x} at byte {place}"
        raise Problem(Code.INVALID, detail, at="input") from None
