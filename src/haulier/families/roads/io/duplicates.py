"""Find ids that stand twice in a file, with eight bytes of memory a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from haulier.families.roads.io.checks import BadRow


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A row whose id an earlier row has.

    Attributes:
        row: its number in the file, from 0.
        id: as text.
        first: the first row with this id.
    """

    row: int
    id: str
    first: int

    def bad_row(self, column: str) -> BadRow:
        """Give it in the form of a bad row."""
        detail = f"ids must be unique, row {self.first} has the same"
        return BadRow(self.row, self.id, column, "duplicate_id", detail)


def find_duplicates(batches: Sequence[pa.RecordBatch]) -> list[Duplicate]:
    """Find the rows whose id stands in an earlier row.

    Ids are compared by hash first, and in full only where two hashes agree.

    Args:
        batches: of prepared roads, with the columns hash, row, id and start; a road that was
            cut into pieces counts once.

    Returns:
        By row, rising.
    """
    hashes = np.concatenate(
        [batch["hash"].to_numpy()[batch["start"].to_numpy() == 0.0] for batch in batches]
    )
    hashes.sort()
    twice = np.unique(hashes[1:][hashes[1:] == hashes[:-1]])
    if len(twice) == 0:
        return []
    first: dict[str, int] = {}
    suspects = sorted((row, id_) for batch in batches for row, id_ in _with_hash(batch, twice))
    return [
        Duplicate(row, id_, first[id_])
        for row, id_ in suspects
        if first.setdefault(id_, row) != row
    ]


def _with_hash(batch: pa.RecordBatch, hashes: NDArray[np.uint64]) -> list[tuple[int, str]]:
    start = batch["start"].to_numpy()
    rows = np.flatnonzero(np.isin(batch["hash"].to_numpy(), hashes) & (start == 0.0))
    ids = batch["id"].take(pa.array(rows)).to_pylist()
    return list(zip(batch["row"].to_numpy()[rows].tolist(), ids, strict=True))
