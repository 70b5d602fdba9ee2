"""Open a cloud: LAS, LAZ, COPC and EPT as one thing that gives records of formats 6 to 8."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io.header import Header, Triple, read_header
from haulier.families.clouds.io.laszip import read_compression
from haulier.families.clouds.io.layout import Layout, Records, read_extra_bytes, undocumented
from haulier.families.clouds.io.sources import PackedSource, PlainSource, Source
from haulier.families.clouds.io.upgrade import BECOMES, HAVE_WAVEFORMS
from haulier.families.clouds.notes import Note

#: Points of a LAZ chunk, and of an array of records.
BATCH: Final = 50_000
INT32: Final = 2**31


@dataclass(frozen=True)
class Cloud:
    """A cloud that can be read from any point on, with memory for one batch.

    Attributes:
        path: the file, or the folder of an EPT.
        container: "las", "laz", "copc" or "ept".
        header: what the file says; of an EPT what its document and first tile say.
        layout: of the records that `read` gives.
        notes: what was odd about it, as warnings.
    """

    path: Path
    container: str
    header: Header
    layout: Layout
    source: Source
    notes: tuple[Note, ...] = ()

    @property
    def point_count(self) -> int:
        """Give how many points there are."""
        return self.header.point_count

    @property
    def scales(self) -> Triple:
        """Give what the whole numbers of X, Y and Z are times."""
        return self.header.scales

    @property
    def offsets(self) -> Triple:
        """Give what the whole numbers of X, Y and Z are counted from."""
        return self.header.offsets

    @property
    def bounds(self) -> tuple[Triple, Triple]:
        """Give the least and greatest coordinates that the header says."""
        return self.header.mins, self.header.maxs

    @property
    def reach(self) -> float:
        """Give how far from zero X, Y or Z of any stored number can lie."""
        both = zip(self.scales, self.offsets, strict=True)
        return max(INT32 * scale + abs(offset) for scale, offset in both)

    @property
    def bounds_are_credible(self) -> bool:
        """Say whether points could lie within the bounds that the header says."""
        mins, maxs = self.bounds
        numbers = (*mins, *maxs)
        if not all(math.isfinite(number) for number in numbers) or not any(numbers):
            return False
        for low, high, scale, offset in zip(mins, maxs, self.scales, self.offsets, strict=True):
            least, most = (low - offset) / scale, (high - offset) / scale
            if not -INT32 - 1 <= least <= most <= INT32:
                return False
        return True

    def read(
        self,
        first: int = 0,
        last: int | None = None,
        *,
        fields: Sequence[str] | None = None,
        batch: int = BATCH,
    ) -> Iterator[Records]:
        """Give records in the order of the file.

        Args:
            first: the number of the first point.
            last: the number after the last point; None: to the end.
            fields: the only ones that the records shall have; others are not decoded where the
                file allows it.
            batch: records in an array; the last array may have fewer.

        Yields:
            Arrays of `layout.dtype`, or of those fields of it; the reader may write into them.

        Raises:
            Problem: INVALID, the points are damaged or there are fewer than the header says.
        """
        end = self.point_count if last is None else min(last, self.point_count)
        pieces = self.source.pieces(first, end, fields)
        for records in _batches(pieces, self.layout, batch):
            yield records if fields is None else records[list(fields)]

    def ranges(self, points: int = 1_000_000) -> list[tuple[int, int]]:
        """Give ranges of about so many points, cut where reading may begin for nothing."""
        cuts = [0]
        for start in self.source.starts:
            if start - cuts[-1] >= points:
                cuts.append(start)
        return [
            (first, last)
            for first, last in zip(cuts, [*cuts[1:], self.point_count], strict=True)
            if first < last
        ]


def open_cloud(path: Path, at: str = "input") -> Cloud:
    """Open a LAS, LAZ or COPC file, or the folder of an EPT.

    Args:
        path: the file or folder.
        at: the field of the request that names it.

    Raises:
        Problem: INVALID, what is wrong with the file and what to do; NOT_FOUND.
    """
    if path.is_dir():
        from haulier.families.clouds.io.eptsource import open_ept  # noqa: PLC0415 -- it opens tiles

        return open_ept(path, at)
    if not path.is_file():
        raise Problem(Code.NOT_FOUND, f"there is no file '{path.name}'", at=at)
    header = read_header(path, at)
    layout, notes = layout_of(header)
    if not header.compressed:
        return Cloud(path, "las", header, layout, PlainSource(path, header, layout, at), notes)
    compression = read_compression(path, header, at)
    container = "copc" if header.find_vlr("copc", 1) else "laz"
    source = PackedSource(path, header, layout, compression, at)
    return Cloud(path, container, header, layout, source, notes)


def layout_of(header: Header) -> tuple[Layout, tuple[Note, ...]]:
    """Give the layout that a file's records are read as, and what is lost or odd."""
    notes = []
    if header.point_format in HAVE_WAVEFORMS:
        notes.append(
            Note(
                "WAVEFORMS_DROPPED",
                f"point format {header.point_format} has waveform packets, no output of ours does",
                "keep the original file for its waveforms",
            )
        )
    extra = read_extra_bytes(header.vlrs, header.extra_size)
    if extra is None:
        message = f"more extra bytes are described than the {header.extra_size} that records have"
        notes.append(
            Note("EXTRA_BYTES_MISMATCH", message, "they are kept as bytes without a name or type")
        )
        extra = undocumented(header.extra_size)
    return Layout(BECOMES[header.point_format], extra), tuple(notes)


def coordinates(records: Records, scales: Triple, offsets: Triple) -> NDArray[np.float64]:
    """Give the coordinates of records, (n, 3), in the units of the cloud."""
    given = np.empty((len(records), 3))
    for axis, name in enumerate("XYZ"):
        given[:, axis] = records[name] * scales[axis] + offsets[axis]
    return given


def _batches(pieces: Iterator[Records], layout: Layout, batch: int) -> Iterator[Records]:
    """Give arrays of `batch` records; a piece of just that length goes through as it is."""
    waiting: Records | None = None
    held = 0
    for piece in pieces:
        start = 0
        while start < len(piece):
            if waiting is None and len(piece) - start >= batch:
                yield piece[start : start + batch]
                start += batch
                continue
            if waiting is None:
                waiting, held = np.empty(batch, layout.dtype), 0
            taken = min(batch - held, len(piece) - start)
            waiting[held : held + taken] = piece[start : start + taken]
            held, start = held + taken, start + taken
            if held == batch:
                yield waiting
                waiting = None
    if waiting is not None and held:
        yield waiting[:held]
