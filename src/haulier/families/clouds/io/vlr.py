"""Variable length records: what a LAS file says beside its header and points."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

#: reserved, user id, record id, length, description
SHORT: Final = Struct("<H16sHH32s")
LONG: Final = Struct("<H16sHQ32s")
MOST_SHORT_BYTES: Final = 65_535


@dataclass(frozen=True)
class Vlr:
    """One record with its payload."""

    user_id: str
    record_id: int
    description: str
    data: bytes

    def packed(self) -> bytes:
        """Give the record as it stands between header and points.

        Raises:
            ValueError: it is too long to stand there.
        """
        if len(self.data) > MOST_SHORT_BYTES:
            raise ValueError(f"a VLR holds at most {MOST_SHORT_BYTES} bytes, got {len(self.data)}")
        return SHORT.pack(0, *self._names(len(self.data))) + self.data

    def packed_long(self) -> bytes:
        """Give the record as it stands behind the points."""
        return LONG.pack(0, *self._names(len(self.data))) + self.data

    def _names(self, length: int) -> tuple[bytes, int, int, bytes]:
        return (
            self.user_id.encode()[:16],
            self.record_id,
            length,
            self.description.encode("utf-8")[:32],
        )


@dataclass(frozen=True)
class Evlr:
    """Where a record behind the points is, for it may be larger than memory."""

    user_id: str
    record_id: int
    description: str
    offset: int
    size_bytes: int


def text(padded: bytes) -> str:
    """Give the text of a field that is filled up with zeros."""
    return padded.split(b"\0", 1)[0].decode("utf-8", "replace").strip()
