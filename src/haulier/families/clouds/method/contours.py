"""Draw lines of equal height through a raster, piece by piece, and join the pieces exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.kernels import kernel

FloatArray = NDArray[np.float64]
Int64Array = NDArray[np.int64]

#: The sides of a square of four centres.
TOP, RIGHT, BOTTOM, LEFT = 0, 1, 2, 3
#: From which side to which a line goes, higher ground to its right, by which corners are above:
#: 1 top left, 2 top right, 4 bottom right, 8 bottom left. Rows 16 and 17 are 5 and 10 again,
#: where the middle is below.
TURNS: Final = np.array(
    [
        (-1, -1, -1, -1), (TOP, LEFT, -1, -1), (RIGHT, TOP, -1, -1), (RIGHT, LEFT, -1, -1),
        (BOTTOM, RIGHT, -1, -1), (TOP, RIGHT, BOTTOM, LEFT), (BOTTOM, TOP, -1, -1),
        (BOTTOM, LEFT, -1, -1), (LEFT, BOTTOM, -1, -1), (TOP, BOTTOM, -1, -1),
        (LEFT, TOP, RIGHT, BOTTOM), (RIGHT, BOTTOM, -1, -1), (LEFT, RIGHT, -1, -1),
        (TOP, RIGHT, -1, -1), (LEFT, TOP, -1, -1), (-1, -1, -1, -1),
        (TOP, LEFT, BOTTOM, RIGHT), (RIGHT, TOP, LEFT, BOTTOM),
    ]
)  # fmt: skip
SADDLES: Final = (5, 10)
#: More lines over one raster would be a mistake of the interval, and so would be more pieces, of
#: which a square has one for each line that crosses it: a noisy raster has many.
MOST_LEVELS: Final = 10_000
MOST_PIECES: Final = 10_000_000
#: Heights that are so many intervals from zero have no number any more.
FARTHEST: Final = 2.0**52


class TooManyLinesError(ValueError):
    """An interval is too small for the heights of a raster."""


@dataclass(frozen=True)
class Lines:
    """Lines of several heights, each a run of vertices.

    Attributes:
        levels: (l,) the height of each line, in intervals.
        starts: (l + 1,) where each line begins among the vertices, and the end of the last.
        edges: (v,) the number of the edge between two centres that each vertex lies on.
        places: (v, 2) how far down and right, in cells from the centre of cell (0, 0).
    """

    levels: Int64Array
    starts: Int64Array
    edges: Int64Array
    places: FloatArray

    @property
    def ends(self) -> Int64Array:
        """Give the first and the last edge of each line, (l, 2)."""
        return np.stack([self.edges[self.starts[:-1]], self.edges[self.starts[1:] - 1]], axis=1)


def contours(heights: FloatArray, corner: tuple[int, int], columns: int, interval: float) -> Lines:
    """Draw the lines of all heights that are multiples of an interval.

    A line has higher ground to its right. It ends at the edge of the array, at a void, or where
    it began. A centre that is just as high as a line counts as above it.

    Args:
        heights: (rows, columns) at centres of cells; NaN where void.
        corner: row and column of its first cell in the whole raster.
        columns: of the whole raster: an edge so has one number in all its parts.
        interval: between two lines, in the unit of the heights.

    Returns:
        Closed lines begin at their edge of the lowest number; lines are in the order of their
        height and of the number of their first edge.

    Raises:
        TooManyLinesError: the heights have too many lines, or these too many pieces.

    Source:
        Lorensen & Cline (1987), Marching cubes, in two dimensions; where two lines could go two
        ways, the mean of the four centres decides.
    """
    _check_levels(heights, interval)
    number = _draw(heights, corner, columns, interval, np.empty((0, 3), np.int64), np.empty((0, 4)))
    if number > MOST_PIECES:
        raise TooManyLinesError(
            f"lines of {interval:g} have more than {MOST_PIECES:,} pieces in {heights.size:,} cells"
        )
    pieces, places = np.empty((number, 3), np.int64), np.empty((number, 4))
    _draw(heights, corner, columns, interval, pieces, places)
    order = np.lexsort((pieces[:, 1], pieces[:, 0]))
    pieces, places = pieces[order], places[order]
    runs, starts = chain(pieces[:, 0], pieces[:, 1], pieces[:, 2])
    lasts = runs[starts[1:] - 1]
    edges = np.insert(pieces[runs, 1], starts[1:], pieces[lasts, 2])
    vertices = np.insert(places[runs, :2], starts[1:], places[lasts, 2:], axis=0)
    levels = pieces[runs[starts[:-1]], 0]
    return in_order(Lines(levels, starts + np.arange(len(starts)), edges, vertices))


def _check_levels(heights: FloatArray, interval: float) -> None:
    known = heights[~np.isnan(heights)]
    if not len(known):
        return
    low, high = float(known.min()), float(known.max())
    if high - low > MOST_LEVELS * interval or max(-low, high) > FARTHEST * interval:
        raise TooManyLinesError(
            f"heights from {low:g} to {high:g} have too many lines of {interval:g}, at most "
            f"{MOST_LEVELS:,} may be"
        )


def in_order(lines: Lines) -> Lines:
    """Sort lines by height, and by the number of their first edge."""
    order = np.lexsort((lines.ends[:, 0], lines.levels))
    return take(lines, order)


def take(lines: Lines, which: Int64Array) -> Lines:
    """Give some lines."""
    lengths = np.diff(lines.starts)[which]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    if not len(which):
        return Lines(lines.levels[:0], starts, lines.edges[:0], lines.places[:0])
    shift = np.repeat(lines.starts[which] - starts[:-1], lengths)
    vertices = np.arange(starts[-1]) + shift
    return Lines(lines.levels[which], starts, lines.edges[vertices], lines.places[vertices])


def chain(
    levels: Int64Array, begins: Int64Array, ends: Int64Array
) -> tuple[Int64Array, Int64Array]:
    """Join pieces end to end, each to the one of its level that begins where it ends.

    Args:
        levels: (n,) sorted, and within a level
        begins: (n,) sorted: no two pieces of one level begin at one edge.
        ends: (n,)

    Returns:
        The numbers of the pieces (n,), line by line; where each line begins, and the end of all.
        Open lines are first; closed ones begin with their first piece.
    """
    span = int(max(begins.max(initial=0), ends.max(initial=0))) + 1
    # Counted from the lowest, levels of far heights would make numbers beyond 64 bits.
    ranks = np.cumsum(np.diff(levels, prepend=levels[:1]) != 0)
    keys, wanted = ranks * span + begins, ranks * span + ends
    places = np.searchsorted(keys, wanted)
    found = places < len(keys)
    found[found] = keys[places[found]] == wanted[found]
    return _follow(np.where(found, places, -1))


def join(pieces: Sequence[Lines], order: Sequence[int]) -> tuple[Int64Array, FloatArray]:
    """Give the edges and places of lines that are pieces of one, a closed one turned to its start.

    Args:
        pieces: where lines were drawn, one line each.
        order: of the pieces along the line.
    """
    edges = [pieces[i].edges[:-1] for i in order] + [pieces[order[-1]].edges[-1:]]
    places = [pieces[i].places[:-1] for i in order] + [pieces[order[-1]].places[-1:]]
    edge, place = np.concatenate(edges), np.concatenate(places)
    if edge[0] != edge[-1]:
        return edge, place
    first = int(np.argmin(edge[:-1]))
    turned = np.append(np.roll(np.arange(len(edge) - 1), -first), first)
    return edge[turned], place[turned]


@kernel
def _follow(after: Int64Array) -> tuple[Int64Array, Int64Array]:
    number = len(after)
    has_before = np.zeros(number, dtype=np.bool_)
    for i in range(number):
        if after[i] >= 0:
            has_before[after[i]] = True
    order = np.empty(number, dtype=np.int64)
    starts = np.empty(number + 1, dtype=np.int64)
    is_done = np.zeros(number, dtype=np.bool_)
    done, lines = 0, 0
    for closed in range(2):
        for head in range(number):
            if is_done[head] or (closed == 0 and has_before[head]):
                continue
            starts[lines] = done
            lines += 1
            i = head
            while i >= 0 and not is_done[i]:
                order[done] = i
                is_done[i] = True
                done += 1
                i = after[i]
    starts[lines] = done
    return order, starts[: lines + 1].copy()


@kernel
def _draw(
    heights: FloatArray,
    corner: tuple[int, int],
    columns: int,
    interval: float,
    pieces: Int64Array,
    places: FloatArray,
) -> int:
    """Write pieces: level, edge it comes from, edge it goes to, and both places; give how many.

    Those that there is no room for are counted alone, up to the first row with too many.
    """
    number = 0
    for r in range(heights.shape[0] - 1):
        if number > MOST_PIECES:
            break
        for c in range(heights.shape[1] - 1):
            four = heights[r : r + 2, c : c + 2]
            if np.isnan(four.sum()):
                continue
            place = (corner[0] + r, corner[1] + c)
            least, most = int(np.floor(four.min() / interval)), int(np.floor(four.max() / interval))
            for level in range(least, most + 2):
                case = _case(four, level * interval)
                if TURNS[case, 0] >= 0:
                    crossing, edges = _cross(four, place, columns, level * interval)
                    number = _add(TURNS[case], level, crossing, edges, pieces, places, number)
    return number


@kernel
def _add(
    ways: Int64Array,
    level: int,
    crossing: FloatArray,
    edges: Int64Array,
    pieces: Int64Array,
    places: FloatArray,
    number: int,
) -> int:
    """Write the one or two pieces of a square."""
    for way in range(0, 4, 2):
        if ways[way] < 0:
            continue
        if number < len(pieces):
            begin, end = ways[way], ways[way + 1]
            pieces[number, 0] = level
            pieces[number, 1], pieces[number, 2] = edges[begin], edges[end]
            places[number, :2], places[number, 2:] = crossing[begin], crossing[end]
        number += 1
    return number


@kernel
def _case(four: FloatArray, height: float) -> int:
    case = 0
    case += 1 if four[0, 0] >= height else 0
    case += 2 if four[0, 1] >= height else 0
    case += 4 if four[1, 1] >= height else 0
    case += 8 if four[1, 0] >= height else 0
    if case in SADDLES and four.sum() / 4.0 < height:
        return 16 + case // 10
    return case


@kernel
def _cross(
    four: FloatArray, place: tuple[int, int], columns: int, height: float
) -> tuple[FloatArray, Int64Array]:
    """Give where a line crosses each side, seen always from the side's upper or left end."""
    row, column = place
    crossing = np.empty((4, 2))
    crossing[:, 0], crossing[:, 1] = row, column
    crossing[TOP, 1] += _share(four[0, 0], four[0, 1], height)
    crossing[RIGHT, 0] += _share(four[0, 1], four[1, 1], height)
    crossing[RIGHT, 1] += 1.0
    crossing[BOTTOM, 0] += 1.0
    crossing[BOTTOM, 1] += _share(four[1, 0], four[1, 1], height)
    crossing[LEFT, 0] += _share(four[0, 0], four[1, 0], height)
    here = np.int64(row) * columns + column
    return crossing, np.array([2 * here, 2 * here + 3, 2 * (here + columns), 2 * here + 1])


@kernel
def _share(start: float, end: float, height: float) -> float:
    return (height - start) / (end - start) if end != start else 0.5
