"""The sheet that plots are drawn on: one look, no state between two, the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

from haulier.families.reporting.texts import number

DPI: Final = 110
COLOURS: Final = 256  # of a picture: a palette makes it a third as long, and nobody sees it
INK, SOFT, EDGE, PALE = "#17202b", "#5a6675", "#8a94a0", "#e4e7eb"
ACCENT, ALERT = "#1d5fbf", "#c62f3b"
#: Of series, in this order; told apart by people who see no red or no green.
SERIES: Final = ("#1d5fbf", "#d9730d", "#13804a", "#8a4fbe", "#b8860b", "#0f8b8d", "#5a6675")
MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X")

STYLE: Final = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": EDGE,
    "axes.labelcolor": INK,
    "axes.labelsize": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.linewidth": 0.8,
    "grid.color": PALE,
    "grid.linewidth": 0.7,
    "xtick.color": EDGE,
    "ytick.color": EDGE,
    "xtick.labelcolor": SOFT,
    "ytick.labelcolor": SOFT,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "lines.linewidth": 1.6,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "hatch.linewidth": 0.5,
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.w_pad": 0.09,
}


class Sheet:
    """A figure while it is drawn, and its picture afterwards."""

    def __init__(self, figure: Any) -> None:  # noqa: ANN401 -- matplotlib's types are not followed
        self.figure = figure
        self.png = b""


@contextmanager
def sheet(
    width_in: float, height_in: float, layout: str = "constrained", *, few_colours: bool = True
) -> Iterator[Sheet]:
    """Give a sheet to draw on; when the block ends it holds the picture.

    `layout` is "constrained", which finds room for titles and labels, or "none" where the caller
    says where everything stands. `few_colours` is right for all but pictures like photographs.
    Whatever a user's own settings of matplotlib say, they do not count here, and whatever is set
    here is gone afterwards.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = Figure(figsize=(width_in, height_in), dpi=DPI, layout=layout)
        made = Sheet(figure)
        yield made
        made.png = _encoded(figure, few_colours=few_colours)


def _encoded(figure: Any, *, few_colours: bool) -> bytes:  # noqa: ANN401 -- see Sheet
    """Give a figure as PNG, with no text of date, version or machine in it."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.ascontiguousarray(np.asarray(canvas.buffer_rgba())[..., :3])
    picture = Image.fromarray(pixels)
    if few_colours:
        picture = picture.quantize(
            COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE
        )
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True, dpi=(DPI, DPI))
    return out.getvalue()


def plain_ticks(axis: Any, most: int = 5) -> None:  # noqa: ANN401 -- see Sheet
    """Label an axis with whole numbers as people write them: few, with commas, no offsets."""
    axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(_tick))


def _tick(value: float, position: int | None = None) -> str:
    del position
    return number(round(value, 10), 6)


def note(axes: Any, lines: Sequence[str], where: str = "upper left") -> None:  # noqa: ANN401
    """Write a few lines into a corner of the axes, on white so that points do not disturb."""
    vertical, horizontal = where.split()
    axes.text(
        0.02 if horizontal == "left" else 0.98,
        0.98 if vertical == "upper" else 0.02,
        "\n".join(lines),
        transform=axes.transAxes,
        ha=horizontal,
        va="top" if vertical == "upper" else "bottom",
        fontsize=8.0,
        linespacing=1.45,
        zorder=10,
        bbox={"boxstyle": "round,pad=0.4", "fc": "white", "ec": PALE, "alpha": 0.92},
    )


def subtitle(axes: Any, title: str, lines: Sequence[str]) -> None:  # noqa: ANN401 -- see Sheet
    """Write a title with smaller lines below it, above the axes."""
    axes.set_title(title, pad=5.0 + 11.0 * len(lines))
    axes.annotate(
        "\n".join(lines), (0.0, 1.0), xycoords="axes fraction", xytext=(0, 4),
        textcoords="offset points", fontsize=7.5, color=SOFT, linespacing=1.35, va="bottom",
    )  # fmt: skip


def squared(unit: str) -> str:
    """Give the square of a unit, in brackets, as the end of a label."""
    if not unit:
        return ""
    simple = unit.isalpha() or unit == "%"
    return f" [{unit if simple else f'({unit})'}\N{SUPERSCRIPT TWO}]"


def named(name: str, unit: str) -> str:
    """Give a label of name and unit."""
    return f"{name} [{unit}]" if unit else name


def limits(low: float, high: float, margin: float = 0.03) -> tuple[float, float]:
    """Give limits a little wider than the data, and never of no width."""
    if not np.isfinite([low, high]).all():
        return 0.0, 1.0
    room = (high - low) * margin or abs(high) * 0.05 or 1.0
    return low - room, high + room
