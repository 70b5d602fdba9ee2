"""Write LAZ or LAS by shards: chunks made anywhere, put together to one file byte for byte."""

import io
import shutil
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from struct import pack
from types import TracebackType
from typing import Any, Final, Self

import lazrs
import msgspec
import numpy as np

from haulier.families.clouds.io.frame import (
    HEADER_SIZE,
    Facts,
    Frame,
    all_evlrs,
    all_vlrs,
    header_bytes,
)
from haulier.families.clouds.io.laszip import LASZIP, TABLE_AT
from haulier.families.clouds.io.layout import Layout, Records
from haulier.families.clouds.io.vlr import Vlr

CHUNK_POINTS: Final = 50_000
EVLR_HEAD: Final = 60


class ShardFacts(msgspec.Struct, frozen=True):
    """What is in a shard: points and bytes of each chunk, and what a header says of the points.

    Attributes:
        counts: points of each chunk.
        sizes: compressed bytes of each chunk.
        mins: the least X, Y and Z as they are stored; zero if there are no points.
        maxs: the greatest.
        returns: points by return number, from 1 to 15.
        classes: points by class, as text.
    """

    counts: tuple[int, ...] = ()
    sizes: tuple[int, ...] = ()
    mins: tuple[int, int, int] = (0, 0, 0)
    maxs: tuple[int, int, int] = (0, 0, 0)
    returns: tuple[int, ...] = (0,) * 15
    classes: dict[str, int] = {}

    @property
    def point_count(self) -> int:
        """Give the points of all chunks."""
        return sum(self.counts)


def encode_chunk(records: Records, layout: Layout) -> bytes:
    """Give records as the bytes of one compressed chunk; takes one thread."""
    vlr = _encoder(layout.point_format, layout.extra_size)
    stream = io.BytesIO()
    compressor = lazrs.LasZipCompressor(stream, vlr)
    compressor.compress_many(np.frombuffer(np.ascontiguousarray(records), np.uint8))
    compressor.done()
    whole = stream.getbuffer()
    (end,) = TABLE_AT.unpack_from(whole)
    return bytes(whole[TABLE_AT.size : end])


def laz_vlr(layout: Layout, *, chunk_points: int | None) -> Vlr:
    """Give the record that says how points are compressed.

    Args:
        layout: of the records.
        chunk_points: of each chunk but the last; None: chunks of different lengths.
    """
    data = bytearray(_encoder(layout.point_format, layout.extra_size).record_data())
    data[12:16] = pack("<I", chunk_points or 0xFFFFFFFF)
    return Vlr(*LASZIP, "by lazrs of Haulier", bytes(data))


@lru_cache(maxsize=64)
def _encoder(point_format: int, extra_size: int) -> Any:  # noqa: ANN401 -- lazrs has no types
    """Give the record for chunks of any length, so that the encoder never ends one by itself."""
    return lazrs.LazVlr.new_for_compression(point_format, extra_size, True)  # noqa: FBT003 -- theirs


class ShardWriter:
    """Writes chunks one behind the other, and counts what is in them.

    Args:
        path: of the shard.
        layout: of its records.
        compressed: chunks of LAZ; else plain records, of LAS.
    """

    def __init__(self, path: Path, layout: Layout, *, compressed: bool = True) -> None:
        self._file = path.open("wb")
        self._layout = layout
        self._compressed = compressed
        self._facts: list[ShardFacts] = []

    def __enter__(self) -> Self:
        """Write within a `with`."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file, whatever happened."""
        self._file.close()

    def add(self, records: Records) -> None:
        """Write records as one chunk; none are no chunk."""
        if len(records):
            encode = encode_chunk if self._compressed else _plain
            packed = encode(records, self._layout)
            self._file.write(packed)
            self._facts.append(facts_of(records, len(packed)))

    def facts(self) -> ShardFacts:
        """Give what was written so far."""
        return merge_facts(self._facts)


def _plain(records: Records, layout: Layout) -> bytes:
    del layout  # the records have it
    return np.ascontiguousarray(records).tobytes()


def facts_of(records: Records, size: int) -> ShardFacts:
    """Give what is in a chunk of at least one record."""
    returns = np.bincount(records["bit_fields"] & 15, minlength=16)[1:16]
    classes = np.bincount(records["classification"], minlength=256)
    lows = tuple(int(records[axis].min()) for axis in "XYZ")
    highs = tuple(int(records[axis].max()) for axis in "XYZ")
    return ShardFacts(
        counts=(len(records),),
        sizes=(size,),
        mins=(lows[0], lows[1], lows[2]),
        maxs=(highs[0], highs[1], highs[2]),
        returns=tuple(returns.tolist()),
        classes={str(code): int(classes[code]) for code in np.flatnonzero(classes)},
    )


def merge_facts(several: Sequence[ShardFacts]) -> ShardFacts:
    """Give what is in several shards, one behind the other."""
    full = [facts for facts in several if facts.counts]
    if not full:
        return ShardFacts()
    classes: dict[str, int] = {}
    for facts in full:
        for code, number in facts.classes.items():
            classes[code] = classes.get(code, 0) + number
    mins = np.min([facts.mins for facts in full], axis=0).tolist()
    maxs = np.max([facts.maxs for facts in full], axis=0).tolist()
    return ShardFacts(
        counts=tuple(count for facts in full for count in facts.counts),
        sizes=tuple(size for facts in full for size in facts.sizes),
        mins=(mins[0], mins[1], mins[2]),
        maxs=(maxs[0], maxs[1], maxs[2]),
        returns=tuple(np.sum([facts.returns for facts in full], axis=0).tolist()),
        classes=dict(sorted(classes.items(), key=lambda pair: int(pair[0]))),
    )


def assemble(
    destination: Path, frame: Frame, shards: Sequence[tuple[Path, ShardFacts]]
) -> ShardFacts:
    """Write a LAZ file of the chunks of shards, in their order.

    The bytes depend on the chunks alone, not on how they were spread over shards.

    Returns:
        What is in the file.
    """
    whole = merge_facts([facts for _, facts in shards])
    fixed = all(a == CHUNK_POINTS for a, _ in pairwise(whole.counts)) and (
        not whole.counts or whole.counts[-1] <= CHUNK_POINTS
    )
    laz = laz_vlr(frame.layout, chunk_points=CHUNK_POINTS if fixed else None)
    vlrs = (*all_vlrs(frame), laz)
    evlrs = all_evlrs(frame)
    packed = b"".join(vlr.packed() for vlr in vlrs)
    points_at = HEADER_SIZE + len(packed)
    table_at = points_at + TABLE_AT.size + sum(whole.sizes)
    table = _table(whole, laz)
    header = header_bytes(
        frame,
        Facts(whole.point_count, whole.mins, whole.maxs, whole.returns),
        vlrs=vlrs,
        offset_to_points=points_at,
        evlr_start=table_at + len(table) if evlrs else 0,
        evlr_count=len(evlrs),
    )
    before = (header, packed, TABLE_AT.pack(table_at))
    _write(destination, before, shards, [table, *(vlr.packed_long() for vlr in evlrs)])
    return whole


def assemble_plain(
    destination: Path, frame: Frame, shards: Sequence[tuple[Path, ShardFacts]]
) -> ShardFacts:
    """Write a LAS file of the plain records of shards, in their order.

    Returns:
        What is in the file.
    """
    whole = merge_facts([facts for _, facts in shards])
    vlrs, evlrs = all_vlrs(frame), all_evlrs(frame)
    packed = b"".join(vlr.packed() for vlr in vlrs)
    points_at = HEADER_SIZE + len(packed)
    header = header_bytes(
        frame,
        Facts(whole.point_count, whole.mins, whole.maxs, whole.returns),
        vlrs=vlrs,
        offset_to_points=points_at,
        evlr_start=points_at + sum(whole.sizes) if evlrs else 0,
        evlr_count=len(evlrs),
        compressed=False,
    )
    _write(destination, (header, packed), shards, [vlr.packed_long() for vlr in evlrs])
    return whole


def _write(
    destination: Path,
    before: Sequence[bytes],
    shards: Sequence[tuple[Path, ShardFacts]],
    after: Sequence[bytes],
) -> None:
    with destination.open("wb") as out:
        out.writelines(before)
        for path, _ in shards:
            with path.open("rb") as shard:
                shutil.copyfileobj(shard, out, 2**20)
        out.writelines(after)


def _table(whole: ShardFacts, laz: Vlr) -> bytes:
    stream = io.BytesIO()
    chunks = list(zip(whole.counts, whole.sizes, strict=True))
    lazrs.write_chunk_table(stream, chunks, lazrs.LazVlr(laz.data))
    return stream.getvalue()
