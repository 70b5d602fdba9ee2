"""Cut very long roads before tiling and join their references again afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import FloatArray, IntArray, Lines, measures
from haulier.families.roads.method.matches import Matches, pick

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from haulier.families.roads.method.topology import Int32Array

LONGEST_M: Final = 20_000.0
SAME_FRACTION: Final = 1e-6  # of a segment: two stretches that meet this closely are one


@dataclass(frozen=True, slots=True)
class Cut:
    """Roads cut at vertices, and how they come from the whole ones.

    Attributes:
        lines: k parts; parts of one road follow each other.
        parent: (k,) row of the whole road.
        begin: (k,) fraction of the whole road where the part begins.
        end: (k,) fraction of the whole road where it ends.
    """

    lines: Lines
    parent: IntArray
    begin: FloatArray
    end: FloatArray


def cut_long(lines: Lines, metres: Lines, longest_m: float = LONGEST_M) -> Cut:
    """Cut lines at a vertex whenever they have grown longer than a limit.

    Args:
        lines: m roads in any coordinates.
        metres: the same roads in metres (any projection that is true within a per cent).
        longest_m: a part is at most this long, unless two vertices are farther apart.

    Returns:
        The parts; a road within the limit is one part.
    """
    rows, parent, begin, end = _cut_rows(lines.offsets, measures(metres), longest_m)
    counts = rows[:, 1] - rows[:, 0]
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
    within = np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts)
    taken = np.repeat(rows[:, 0], counts) + within
    return Cut(Lines(lines.coordinates[taken], offsets), parent, begin, end)


def rejoin(matches: Matches, cut: Cut) -> Matches:
    """Turn matches of parts into matches of whole roads.

    Args:
        matches: whose `road` is a row of `cut.lines`.
        cut: as `cut_long` gave it.

    Returns:
        Matches whose `road` is a row of the whole roads, sorted; two that meet on one segment
        where the road was cut are one again, with the weaker one's confidence.
    """
    part = matches.road
    span = cut.end[part] - cut.begin[part]
    whole = replace(
        matches,
        road=cut.parent[part].astype(np.int32),
        road_from=cut.begin[part] + matches.road_from * span,
        road_to=cut.begin[part] + matches.road_to * span,
    )
    order = np.lexsort((matches.sequence, part))
    return _merge_seams(pick(whole, order), part[order])


def _merge_seams(matches: Matches, part: Int32Array) -> Matches:
    """Merge rows of different parts that go on along one segment."""
    if len(matches) == 0:
        return matches
    first = np.flatnonzero(np.concatenate([[True], ~_is_seam(matches, part)]))
    weight = np.maximum(matches.road_to - matches.road_from, 1e-12)
    total = np.add.reduceat(weight, first)

    def mean(values: NDArray[np.float32]) -> NDArray[np.float32]:
        sums = np.add.reduceat(values * weight, first)
        return np.asarray(sums / total, dtype=np.float32)

    kept = pick(matches, first)
    sequence = np.arange(len(first)) - np.searchsorted(kept.road, kept.road)
    return replace(
        kept,
        road_from=np.minimum.reduceat(matches.road_from, first),
        road_to=np.maximum.reduceat(matches.road_to, first),
        segment_from=np.minimum.reduceat(matches.segment_from, first),
        segment_to=np.maximum.reduceat(matches.segment_to, first),
        offset_m=mean(matches.offset_m),
        signed_m=mean(matches.signed_m),
        confidence=np.minimum.reduceat(matches.confidence, first),
        alone=np.minimum.reduceat(matches.alone, first),
        sequence=sequence.astype(np.int32),
    )


def _is_seam(matches: Matches, part: Int32Array) -> NDArray[np.bool_]:
    """Tell for each row but the first whether it goes on from the row before; (r - 1,)."""
    a, b = slice(None, -1), slice(1, None)
    same = (matches.road[b] == matches.road[a]) & (matches.segment[b] == matches.segment[a])
    same &= (matches.forward[b] == matches.forward[a]) & (part[b] != part[a])
    gap = np.where(
        matches.forward[b],
        np.abs(matches.segment_from[b] - matches.segment_to[a]),
        np.abs(matches.segment_to[b] - matches.segment_from[a]),
    )
    return np.asarray(same & (gap <= SAME_FRACTION))


@kernel
def _cut_rows(
    offsets: IntArray, along: FloatArray, longest_m: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """List the vertex rows, parent and fractions of each part."""
    m = len(offsets) - 1
    most = m + len(along)
    rows = np.empty((most, 2), np.int64)
    parent = np.empty(most, np.int64)
    begin, end = np.empty(most), np.empty(most)
    n = 0
    for line in range(m):
        a, b = offsets[line], offsets[line + 1]
        total = along[b - 1] if b > a else 0.0
        start = a
        for i in range(a + 1, b - 1):
            if along[i + 1] - along[start] > longest_m and along[i] > along[start]:
                rows[n, 0], rows[n, 1], parent[n] = start, i + 1, line
                begin[n], end[n] = along[start] / total, along[i] / total
                n += 1
                start = i
        rows[n, 0], rows[n, 1], parent[n] = start, b, line
        begin[n], end[n] = (along[start] / total if total > 0.0 else 0.0), 1.0
        n += 1
    return rows[:n].copy(), parent[:n].copy(), begin[:n].copy(), end[:n].copy()
