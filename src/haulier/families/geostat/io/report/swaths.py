"""Draw swath plots: means in slabs across each axis, of samples and of estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from haulier.families.geostat.io.report.summary import Band
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.canvas import EDGE, MARKERS, SERIES, plain_ticks, sheet

WIDEST: Final = 60  # slabs that can be told apart


@dataclass(frozen=True, slots=True, eq=False)
class Swath:
    """One axis of a swath plot.

    Attributes:
        axis: its name and unit.
        edges: (b + 1,) metres.
        bands: samples, declustered samples, estimates: each with (b,) means and counts.
    """

    axis: str
    edges: FloatArray
    bands: tuple[Band, ...]


def swath_edges(low: float, high: float, step: float, most: int = WIDEST) -> FloatArray:
    """Give the edges of slabs that are whole cells wide, at most so many.

    Args:
        low: where the grid begins, in metres.
        high: where it ends.
        step: size of a cell.
        most: slabs.
    """
    cells = max(round((high - low) / step), 1)
    each = -(-cells // most)
    slabs = -(-cells // each)
    return low + step * each * np.arange(slabs + 1, dtype=np.float64)


def swath_plots(swaths: Sequence[Swath], axis: str) -> bytes:
    """Draw one panel an axis: means as lines, and as bars how much stands behind them.

    Args:
        swaths: for x, y and z, as many as the grid has.
        axis: name and unit of the variable.
    """
    with sheet(7.6, 0.7 + 2.25 * len(swaths)) as page:
        panels = page.figure.subplots(len(swaths), 1, squeeze=False)[:, 0]
        for panel, swath in zip(panels, swaths, strict=True):
            _swath(panel, swath)
        page.figure.supylabel(axis, fontsize=9)
        handles, labels = panels[0].get_legend_handles_labels()
        page.figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return page.png


def _swath(panel: Any, swath: Swath) -> None:  # noqa: ANN401 -- matplotlib's types are not followed
    middles = 0.5 * (swath.edges[1:] + swath.edges[:-1])
    _counts(panel, swath)
    for i, band in enumerate(swath.bands):
        panel.plot(
            middles, band.means, color=SERIES[i], marker=MARKERS[i], ms=3.5, lw=1.4,
            label=band.label, zorder=3,
        )  # fmt: skip
    panel.set_xlabel(swath.axis)
    panel.set_xlim(swath.edges[0], swath.edges[-1])
    low, high = panel.get_ylim()
    if 0 < low < 0.4 * high:
        panel.set_ylim(bottom=0.0)
    plain_ticks(panel.xaxis, 7)
    plain_ticks(panel.yaxis, 4)


def _counts(panel: Any, swath: Swath) -> None:  # noqa: ANN401
    """Draw behind the lines how many samples and estimates each slab has, as shares."""
    behind = panel.twinx()
    panel.set_zorder(behind.get_zorder() + 1)
    panel.patch.set_visible(False)
    ends = swath.bands[:1] + swath.bands[1:][-1:]  # samples and estimates, not what lies between
    widths = np.diff(swath.edges) * 0.82 / max(len(ends), 1)
    top = 0.0
    for i, band in enumerate(ends):
        share = 100.0 * band.counts / max(float(band.counts.sum()), 1.0)
        left = swath.edges[:-1] + np.diff(swath.edges) * 0.09 + i * widths
        colour = SERIES[0] if i == 0 else SERIES[len(swath.bands) - 1]
        behind.bar(left, share, width=widths, align="edge", color=colour, alpha=0.18, lw=0)
        top = max(top, float(share.max(initial=0.0)))
    behind.set_ylim(0, 2.2 * top or 1.0)
    behind.set_ylabel("bars: share of n [%]", fontsize=8, color=EDGE)
    behind.grid(visible=False)
    plain_ticks(behind.yaxis, 4)
