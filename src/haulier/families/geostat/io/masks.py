"""Masks of grids: the numbers of active blocks, in one pass over the mask for who asks in order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context
from haulier.families.geostat.io.tables import CHUNK_ROWS, batches_of_rows, open_table

IntArray = NDArray[np.int64]


class ActiveBlocks:
    """The active blocks of a mask, range by range.

    Where few of very many blocks are active, a range of them is a long way through the mask. So
    the way is gone once: what a range needs no more is dropped, and the next one goes on from
    there. A range that lies elsewhere begins at the step before it.

    Args:
        mask: the table of the mask, as the document has it.
        steps: every `CHUNK_ROWS`-th active block's number; the number of blocks stands at the end.
        at: the parameter.
    """

    def __init__(self, mask: Mapping[str, Any], steps: Sequence[int], at: str) -> None:
        self._mask = mask
        self._steps = steps
        self._at = at
        self._coming: Iterator[IntArray] | None = None
        self._held: IntArray = np.zeros(0, dtype=np.int64)
        self._first = 0  # row of the first that is held

    def cells(self, context: Context, first: int, last: int) -> IntArray:
        """Give the numbers of the active blocks from row `first` up to `last`: (m,)."""
        coming = self._coming
        if coming is None or not self._first <= first < self._end + CHUNK_ROWS:
            step = first // CHUNK_ROWS
            coming = self._coming = self._from(context, self._steps[step])
            self._held, self._first = self._held[:0], step * CHUNK_ROWS
        pieces = []
        missing = last - self._end
        while missing > 0 and (piece := next(coming, None)) is not None:
            pieces.append(piece)
            missing -= len(piece)
        held = np.concatenate([self._held, *pieces]) if pieces else self._held
        self._held, self._first = held[first - self._first :], first
        return self._held[: last - first]

    @property
    def _end(self) -> int:
        """Give the row behind the last that is held."""
        return self._first + len(self._held)

    def _from(self, context: Context, low: int) -> Iterator[IntArray]:
        """Give the active blocks from number `low` on, in pieces."""
        with open_table(context, self._mask, at=self._at, what="the mask") as file:
            for batch in batches_of_rows(file, low, self._steps[-1]):
                context.check()
                yield low + np.flatnonzero(batch.column(0).to_numpy(zero_copy_only=False))
                low += batch.num_rows
