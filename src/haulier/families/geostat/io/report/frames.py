"""Where the panels of a page of slices stand: each in its true proportions, with no room wasted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from haulier.families.geostat.io.report.slicing import Slice

WIDTH: Final = 8.0
LEFT, RIGHT, TOP, BOTTOM = 0.78, 0.14, 0.42, 0.46  # inches around a panel: labels, title
BAR: Final = 0.95  # of the colour bar with its labels
FOOT: Final = 0.32  # of the line of explanations
TALLEST: Final = 4.4
NARROWEST: Final = 2.1  # of a panel beside a plan: its title needs so much
LEAST: Final = 4.2  # of a page: its line of explanations needs so much
HIGHEST: Final = 8.5  # page that can be seen at once
FLATTEST: Final = 3.5  # how many times wider than high a section may be before it is stretched
MODEL: Final = 2  # columns of a page that shows one model, rather than many of a kind
SHARES: Final = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """A page of panels, in inches.

    Attributes:
        width: of the page.
        height: of the page.
        boxes: left, bottom, width and height of each panel.
        bar: of the colour bar; None where there is none.
    """

    width: float
    height: float
    boxes: tuple[Box, ...]
    bar: Box | None

    def fraction(self, box: Box) -> Box:
        """Give a box in fractions of the page."""
        left, bottom, width, height = box
        return left / self.width, bottom / self.height, width / self.width, height / self.height


def stretch(each: Slice) -> float:
    """Give how many times higher than it is a slice is drawn; flat sections show nothing else."""
    ratio = _wide(each) / _high(each)
    return float(max(round(ratio / FLATTEST), 1)) if ratio > FLATTEST else 1.0


def _wide(each: Slice) -> float:
    return float(each.across_edges[-1] - each.across_edges[0])


def _high(each: Slice) -> float:
    return float(each.up_edges[-1] - each.up_edges[0])


def frame(slices: Sequence[Slice], columns: int, *, bar: bool = True, foot: bool = True) -> Frame:
    """Place slices: in rows, or the first at the left and the others beside it, one above another.

    Args:
        slices: what is to be drawn.
        columns: most panels in a row.
        bar: whether there is a colour bar at the right.
        foot: whether there is a line of explanations below.
    """
    room = WIDTH - (BAR if bar else 0.0)
    ratios = [_high(each) * stretch(each) / _wide(each) for each in slices]
    arranged = [_rows(ratios, min(columns, len(slices)), room)]
    if columns == MODEL and len(slices) > 1:
        arranged.append(_rows(ratios, 1, room))
        arranged += [_beside(ratios, room, share) for share in SHARES]
    boxes, height = max(arranged, key=lambda made: _worth(*made))
    width = max(max(x + w for x, _, w, _ in boxes) + RIGHT, LEAST) + (BAR if bar else 0.0)
    low = FOOT if foot else 0.0
    placed = tuple((x, height - y - h + low, w, h) for x, y, w, h in boxes)
    tall = min(0.86 * height, 4.0)
    at = (width - BAR + 0.16, low + 0.5 * (height - tall), 0.16, tall) if bar else None
    return Frame(width, height + low, placed, at)


def _worth(boxes: list[Box], height: float) -> tuple[bool, float]:
    """Give how good a page is: panels that are all large for its height, and wide enough."""
    narrow = len(boxes) > 1 and min(width for _, _, width, _ in boxes[1:]) < NARROWEST
    areas = [width * high for _, _, width, high in boxes]
    return height <= HIGHEST and not narrow, math.prod(areas) ** (1 / len(areas)) / height


def _panel(ratio: float, width: float) -> tuple[float, float]:
    """Give width and height of a panel in a column of some width."""
    inner = width - LEFT - RIGHT
    return (inner, inner * ratio) if inner * ratio <= TALLEST else (TALLEST / ratio, TALLEST)


def _rows(ratios: list[float], columns: int, room: float) -> tuple[list[Box], float]:
    """Give boxes measured from the top, row by row, and the whole height."""
    boxes: list[Box] = []
    top, width = 0.0, room / columns
    for first in range(0, len(ratios), columns):
        sizes = [_panel(ratio, width) for ratio in ratios[first : first + columns]]
        boxes += [(i * width + LEFT, top + TOP, w, h) for i, (w, h) in enumerate(sizes)]
        top += TOP + BOTTOM + max(h for _, h in sizes)
    return boxes, top


def _beside(ratios: list[float], room: float, share: float) -> tuple[list[Box], float]:
    """Give boxes with the first at the left and the others in a column at the right."""
    w, h = _panel(ratios[0], room * share)
    boxes: list[Box] = [(LEFT, TOP, w, h)]
    begin, top = w + LEFT + RIGHT, 0.0
    for ratio in ratios[1:]:
        wide, high = _panel(ratio, room - begin)
        boxes.append((begin + LEFT, top + TOP, wide, high))
        top += TOP + BOTTOM + high
    return boxes, max(TOP + BOTTOM + h, top)
