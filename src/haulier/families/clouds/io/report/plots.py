"""Draw how the numbers of a cloud's points are spread: heights, intensities, densities, classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from haulier.families.reporting.canvas import ACCENT, EDGE, INK, SOFT, note, plain_ticks, sheet
from haulier.families.reporting.texts import number

SIZE_IN: Final = (5.0, 3.1)
ROW_IN: Final = 0.34
BINS: Final = 80
TAIL: Final = 0.001
MARKS: Final = ((0.05, "5 %"), (0.5, "median"), (0.95, "95 %"))
#: As maps of classes usually have them; of others, one after another.
COLOURS: Final = {
    0: "#b9bfc7", 1: "#9aa3ad", 2: "#b07d48", 3: "#b8d48a", 4: "#7cb65a", 5: "#3b8544",
    6: "#c8553d", 7: "#6a4c93", 9: "#3f8fd2", 10: "#4a4e57", 11: "#7a7f88", 12: "#e3c567",
    17: "#8c6d5a", 18: "#6a4c93",
}  # fmt: skip
OTHER: Final = "#5aa9a5"


def histogram(
    first: float, width: float, counts: NDArray[np.int64], label: str, what: str = "points"
) -> bytes:
    """Draw how many points, or cells, there are by value; the outermost thousandths are cut off.

    Args:
        first: lower edge of the first bin.
        width: of a bin.
        counts: (n,) by bin; bins are taken together until few enough are left.
        label: name and unit of the value.
        what: is counted.
    """
    shares = np.cumsum(counts) / counts.sum()
    begin = int(np.searchsorted(shares, TAIL))
    end = min(int(np.searchsorted(shares, 1 - TAIL)) + 1, len(counts))
    several = -(-(end - begin) // BINS)
    end = begin + -(-(end - begin) // several) * several
    shown = np.pad(counts, (0, max(end - len(counts), 0)))[begin:end].reshape(-1, several)
    bars = shown.sum(axis=1)
    edges = first + width * np.arange(begin, end + 1, several)
    with sheet(*SIZE_IN) as page:
        axes = page.figure.add_subplot()
        axes.stairs(bars, edges, fill=True, color=ACCENT, alpha=0.85)
        axes.set(xlim=(edges[0], edges[-1]), xlabel=label, ylabel=what)
        axes.grid(visible=False, axis="x")
        _marks(axes, first, width, counts)
        plain_ticks(axes.xaxis, 6)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(_short))
        out = int(counts.sum() - bars.sum())
        if out:
            note(axes, [f"{out:,} {what} lie outside"], "upper right")
    return page.png


def _marks(axes: Any, first: float, width: float, counts: NDArray[np.int64]) -> None:  # noqa: ANN401
    """Mark quantiles below the bars."""
    values = [quantile(first, width, counts, share) for share, _ in MARKS]
    low, high = axes.get_xlim()
    near = (high - low) * 0.09
    for i, (value, (_, text)) in enumerate(zip(values, MARKS, strict=True)):
        axes.axvline(value, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), alpha=0.75)
        crowded = any(abs(value - other) < near for other in values[:i])
        if not crowded:
            axes.annotate(
                text, (value, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                textcoords="offset points", ha="center", fontsize=7.5, color=SOFT,
            )  # fmt: skip


def quantile(first: float, width: float, counts: NDArray[np.int64], share: float) -> float:
    """Give the value below which a share of the points lies, to within a bin."""
    sums = np.concatenate([[0.0], np.cumsum(counts)])
    return float(first + width * np.interp(share * sums[-1], sums, np.arange(len(sums))))


def classes(codes: Sequence[int], names: Sequence[str], counts: Sequence[int]) -> bytes:
    """Draw the share of points in each class."""
    total = max(sum(counts), 1)
    rows = np.arange(len(codes))[::-1]
    shares = [count / total for count in counts]
    with sheet(SIZE_IN[0], max(0.75 + ROW_IN * len(codes), 1.4)) as page:
        axes = page.figure.add_subplot()
        axes.barh(rows, shares, color=[COLOURS.get(code, OTHER) for code in codes], height=0.72,
                  edgecolor=EDGE, linewidth=0.4)  # fmt: skip
        axes.set(yticks=rows, ylim=(-0.6, len(codes) - 0.4), xlim=(0, max(shares) * 1.22))
        axes.set_yticklabels([f"{name}  {code}" for code, name in zip(codes, names, strict=True)])
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{share:.0%}"))
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        for row, share in zip(rows, shares, strict=True):
            axes.annotate(
                percent(share), (share, row), xytext=(4, 0), textcoords="offset points",
                va="center", fontsize=8.0,
            )  # fmt: skip
    return page.png


def percent(share: float) -> str:
    """Write a share; never 0 % of something that is there."""
    if 0 < share < 0.0001:  # noqa: PLR2004 -- what two digits cannot say
        return "< 0.01 %"
    return f"{share * 100:.2f} %" if share < 0.1 else f"{share * 100:.1f} %"  # noqa: PLR2004


def _short(value: float, position: int | None = None) -> str:
    del position
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{number(value / size)} {letter}"
    return number(value)
