"""Whether the ends of a road were matched where they were drawn and where its neighbours end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines
from haulier.families.roads.method.sheet import Sheet, displacements
from haulier.families.roads.method.topology import SAME_PLACE_DEG, Int32Array

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_SIGMAS: Final = 12.0  # gaps beyond it are all the same
NO_GAP: Final = -1.0  # not an end of the road, or no other matched road meets it


class Gaps(NamedTuple):
    """Gaps at both ends of the road of each match; (2, r) metres, nan where not known.

    Attributes:
        drawn: from the drawn end to the matched end.
        junction: from the matched end to the nearest matched end of another road that meets it.
        ends: (2, r) True where the match is the first, or the last, of its road.
    """

    drawn: FloatArray
    junction: FloatArray
    ends: BoolArray

    def loose(self, sigma_m: float) -> FloatArray:
        """Give the larger drawn gap of the match's own ends, in sigmas; (r,)."""
        return self._pick(self.drawn / sigma_m, np.max, -np.inf)

    def worse(self, sigma_m: float) -> FloatArray:
        """Give the larger junction gap of the match's own ends, in sigmas; (r,)."""
        return self._pick(self.junction / sigma_m, np.max, -np.inf)

    def better(self, sigma_m: float) -> FloatArray:
        """Give the smaller junction gap of the match's own ends, in sigmas; (r,)."""
        return self._pick(self.junction / sigma_m, np.min, np.inf)

    def _pick(
        self, sigmas: FloatArray, choose: Callable[..., FloatArray], neutral: float
    ) -> FloatArray:
        """Choose among the known gaps at the match's own ends, NO_GAP if there are none."""
        known = self.ends & np.isfinite(sigmas)
        chosen = choose(np.where(known, sigmas, neutral), axis=0)
        return np.where(known.any(axis=0), np.minimum(chosen, MOST_SIGMAS), NO_GAP)


def end_gaps(
    owner: Int32Array,
    begins: tuple[Int32Array, FloatArray],
    stops: tuple[Int32Array, FloatArray],
    roads: Lines,
    roads_xy: Lines,
    segments_xy: Lines,
    sheet: Sheet,
) -> Gaps:
    """Measure the gaps at the ends of matched roads.

    A road whose segment is missing is often matched to a parallel one; then its ends are far
    from where the roads that meet it were matched.

    Args:
        owner: (r,) road of each match, never falling.
        begins: (r,) segment and metres along it where each match begins.
        stops: (r,) the same where it ends.
        roads: m roads, degrees; roads meet where their ends are the same place.
        roads_xy: the same, metres.
        segments_xy: s segments, metres.
        sheet: displacement of the roads.
    """
    row = np.arange(len(roads))
    first = np.searchsorted(owner, row)
    last = np.searchsorted(owner, row, side="right") - 1
    found = np.flatnonzero(last >= first)
    at = np.full((2, len(roads), 2), np.nan)
    for end, rows, (segment, along) in ((0, first, begins), (1, last, stops)):
        chosen = rows[found]
        at[end, found] = places_along(segments_xy, segment[chosen], along[chosen])
    ends, node = _drawn_ends(roads, roads_xy, sheet)
    apart = at - ends
    junction = _to_neighbours(at.reshape(-1, 2), node).reshape(2, -1)
    match = np.arange(len(owner))
    return Gaps(
        np.hypot(apart[..., 0], apart[..., 1])[:, owner],
        junction[:, owner],
        np.stack([first[owner] == match, last[owner] == match]),
    )


def _drawn_ends(roads: Lines, roads_xy: Lines, sheet: Sheet) -> tuple[FloatArray, IntArray]:
    """Give both displaced ends of every road, (2, m, 2), and the junction of each, (2 * m,)."""
    offsets = roads.offsets
    drawn = np.diff(offsets) > 0
    rows = np.stack([np.where(drawn, offsets[:-1], 0), np.where(drawn, offsets[1:] - 1, 0)])
    xy = roads_xy.coordinates[rows.reshape(-1)]
    xy = xy + displacements(sheet, xy[:, 0].copy(), xy[:, 1].copy())
    degrees = np.round(roads.coordinates[rows.reshape(-1)] / SAME_PLACE_DEG)
    # One number a place, since sorting rows of two is ten times slower; both fit in 2**32.
    node = np.unique(degrees[:, 0] * 2.0**32 + degrees[:, 1], return_inverse=True)[1]
    return xy.reshape(2, -1, 2), node.reshape(-1).astype(np.int64)


def places_along(lines: Lines, line: Int32Array, along_m: FloatArray) -> FloatArray:
    """Find the places at given metres along given lines.

    Args:
        lines: in metres.
        line: (k,) rows of lines with at least two vertices.
        along_m: (k,) metres from the start of the line.

    Returns:
        (k, 2) metres.
    """
    return np.asarray(_walk(lines.coordinates, lines.offsets, line, along_m))


@kernel
def _walk(xy: FloatArray, offsets: IntArray, line: Int32Array, along_m: FloatArray) -> FloatArray:
    """Walk each line to its place."""
    out = np.empty((len(line), 2))
    for q in range(len(line)):
        rest = along_m[q]
        i = offsets[line[q]]
        last = offsets[line[q] + 1] - 1
        while True:
            dx, dy = xy[i + 1, 0] - xy[i, 0], xy[i + 1, 1] - xy[i, 1]
            step = np.hypot(dx, dy)
            if rest <= step or i + 2 > last:
                f = min(rest / step, 1.0) if step > 0.0 else 0.0
                out[q, 0], out[q, 1] = xy[i, 0] + f * dx, xy[i, 1] + f * dy
                break
            rest -= step
            i += 1
    return out


@kernel
def _to_neighbours(at: FloatArray, node: IntArray) -> FloatArray:
    """Measure from each matched end to the nearest one at its junction; nan without one."""
    n = len(node)
    out = np.full(n, np.nan)
    order = np.argsort(node, kind="mergesort")
    first = 0
    while first < n:
        last = first
        while last < n and node[order[last]] == node[order[first]]:
            last += 1
        for i in range(first, last):
            for j in range(first, last):
                a, b = order[i], order[j]
                # the two ends of one closed road are no witnesses for each other
                if a % (n // 2) == b % (n // 2):
                    continue
                gap = np.hypot(at[a, 0] - at[b, 0], at[a, 1] - at[b, 1])
                if gap < out[a] or (np.isnan(out[a]) and not np.isnan(gap)):
                    out[a] = gap
        first = last
    return out
