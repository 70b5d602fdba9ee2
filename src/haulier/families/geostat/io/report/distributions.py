"""Draw distributions: histograms, probability plots, quantiles against quantiles, transforms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from scipy.special import ndtri

from haulier.families.geostat.io.report.summary import Binned
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.canvas import (
    ALERT,
    EDGE,
    INK,
    SERIES,
    SOFT,
    limits,
    plain_ticks,
    sheet,
    subtitle,
)
from haulier.families.reporting.texts import number, settled

MARKS: Final = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99, 0.999)  # of a probability axis
EXTREME: Final = ndtri(0.0005)
TAIL: Final = 0.995  # what a histogram shows: beyond it a few values would squeeze all others
SKEWED: Final = 1.0  # coefficient of variation from which a probability plot is logarithmic


@dataclass(frozen=True, slots=True, eq=False)
class Cumulative:
    """A cumulative distribution as a curve.

    Attributes:
        label: of what.
        values: (n,) ascending, in units of the variable.
        fractions: (n,) how much lies below each.
    """

    label: str
    values: FloatArray
    fractions: FloatArray


def cumulative_of(
    label: str, values: FloatArray, weights: FloatArray | None = None, most: int = 2000
) -> Cumulative:
    """Give the curve of single values; fractions are those of the middle of each step.

    Args:
        label: of what.
        values: (n,) NaN are left out.
        weights: (n,) such as those of declustering; None: all equal.
        most: points of the curve.
    """
    here = np.isfinite(values)
    order = np.argsort(values[here], kind="stable")
    ordered = values[here][order]
    weight = np.ones(len(ordered)) if weights is None else weights[here][order]
    total = weight.sum()
    fractions = (np.cumsum(weight) - 0.5 * weight) / total if total > 0 else weight
    chosen = np.unique(np.linspace(0, len(ordered) - 1, min(most, len(ordered))).astype(np.int64))
    return Cumulative(label, ordered[chosen], fractions[chosen])


def cumulative_of_bins(binned: Binned) -> Cumulative:
    """Give the curve of a histogram, as exact as its bins are narrow."""
    fractions = binned.fractions()
    rising = np.concatenate([[True], np.diff(fractions) > 0])
    values = np.clip(binned.edges[rising], binned.minimum, binned.maximum)
    return Cumulative(binned.label, values, fractions[rising])


def histograms(series: Sequence[Binned], axis: str, *, normal: bool = False) -> bytes:
    """Draw a panel a series over one common axis, with mean, median and moments.

    Args:
        series: such as samples, declustered samples and estimates.
        axis: name and unit of the variable.
        normal: whether to draw the standard normal density over each.
    """
    low, high = _view(series)
    with sheet(6.6, 0.7 + 1.85 * len(series)) as page:
        panels = page.figure.subplots(len(series), 1, sharex=True, squeeze=False)[:, 0]
        for i, (panel, each) in enumerate(zip(panels, series, strict=True)):
            _bars(panel, each, SERIES[i % len(SERIES)], (low, high), normal=normal)
        panels[-1].set_xlabel(axis)
        panels[-1].set_xlim(low, high)
        plain_ticks(panels[-1].xaxis, 7)
        page.figure.supylabel("Frequency [%]", fontsize=9)
    return page.png


def before_and_after(before: Binned, after: Binned, before_axis: str, after_axis: str) -> bytes:
    """Draw two distributions of different variables side by side, the second against the normal."""
    with sheet(8.0, 3.4) as page:
        left, right = page.figure.subplots(1, 2)
        for panel, each, axis, colour in (
            (left, before, before_axis, SERIES[0]),
            (right, after, after_axis, SERIES[1]),
        ):
            view = _view([each])
            _bars(panel, each, colour, view, normal=panel is right)
            panel.set_xlim(*view)
            panel.set_xlabel(axis)
            plain_ticks(panel.xaxis)
        left.set_ylabel("Frequency [%]")
    return page.png


def small_histograms(series: Sequence[Binned]) -> bytes:
    """Draw histograms of different variables, two in a row, each over an axis of its own.

    Args:
        series: their labels are names and units.
    """
    rows = -(-len(series) // 2)
    with sheet(8.0, 0.2 + 2.0 * rows) as page:
        panels = list(page.figure.subplots(rows, 2, squeeze=False).flat)
        for i, (panel, each) in enumerate(zip(panels, series, strict=False)):
            view = _view([each])
            _bars(panel, each, SERIES[i % len(SERIES)], view, normal=False)
            panel.set_xlim(*view)
            plain_ticks(panel.xaxis, 6)
            plain_ticks(panel.yaxis, 4)
        for panel in panels[len(series) :]:
            panel.set_visible(False)
        page.figure.supylabel("Frequency [%]", fontsize=9)
    return page.png


def _view(series: Sequence[Binned]) -> tuple[float, float]:
    """Give the part of the axis that holds nearly everything of every series."""
    full = [each for each in series if each.count]
    if not full:
        return 0.0, 1.0
    tails = np.array([each.quantiles([1 - TAIL, TAIL]) for each in full])
    low = min(each.minimum for each in full)
    high = max(each.maximum for each in full)
    span = tails[:, 1].max() - tails[:, 0].min()
    view_low = low if tails[:, 0].min() - low < 0.5 * span else tails[:, 0].min()
    view_high = high if high - tails[:, 1].max() < 0.5 * span else tails[:, 1].max()
    return limits(float(view_low), float(view_high))


def _bars(
    panel: Any,  # noqa: ANN401 -- matplotlib's types are not followed
    binned: Binned,
    colour: str,
    view: tuple[float, float],
    *,
    normal: bool,
) -> None:
    percent = 100.0 * binned.weights / binned.total if binned.total else binned.weights
    panel.stairs(percent, binned.edges, fill=True, color=colour, alpha=0.35)
    panel.stairs(percent, binned.edges, color=colour, lw=1.0)
    panel.set_ylim(0, 1.08 * float(percent.max(initial=0.0)) or 1.0)
    if not binned.count:
        subtitle(panel, binned.label, ["no values"])
        return
    median = float(binned.quantiles([0.5])[0])
    subtitle(panel, binned.label, _moments(binned, median, beyond=binned.maximum > view[1]))
    panel.axvline(binned.mean, color=INK, lw=1.2)
    panel.axvline(median, color=INK, lw=1.2, ls=":")
    if normal:
        _normal(panel, binned)


def _moments(binned: Binned, median: float, *, beyond: bool) -> list[str]:
    spread = binned.deviation
    mean, middle = settled(binned.mean, spread), settled(median, spread)
    first = [
        f"n {number(binned.count)}",
        f"mean {number(mean)} (line)",
        f"median {number(middle)} (dotted)",
    ]
    second = [f"variance {number(binned.variance)}", f"CV {number(binned.variation, 3)}"]
    least, most = settled(binned.minimum, spread), settled(binned.maximum, spread)
    second += [f"min {number(least)}", f"max {number(most)}"]
    if beyond:
        second[-1] += " (beyond the axis)"
    return ["    ".join(first), "    ".join(second)]


def _normal(panel: Any, binned: Binned) -> None:  # noqa: ANN401
    width = float(np.median(np.diff(binned.edges)))
    scores = np.linspace(-4, 4, 161)
    density = np.exp(-0.5 * scores**2) / np.sqrt(2 * np.pi)
    panel.plot(scores, 100.0 * width * density, color=ALERT, lw=1.1, ls="--", label="N(0, 1)")
    panel.legend(loc="upper left", borderaxespad=0.2)
    panel.set_ylim(top=max(panel.get_ylim()[1], 112.0 * width * float(density.max())))


def probability_plot(
    curves: Sequence[Cumulative], axis: str, *, logarithmic: bool | None = None
) -> bytes:
    """Draw cumulative distributions on a normal probability axis.

    Args:
        curves: samples, declustered samples, estimates.
        axis: name and unit of the variable.
        logarithmic: of the values; None: where all are positive and the first is skewed, for
            there a lognormal variable gives a straight line.
    """
    log = _skewed(curves) if logarithmic is None else logarithmic
    with sheet(5.6, 4.3) as page:
        axes = page.figure.add_subplot()
        for i, each in enumerate(curves):
            fractions = np.clip(each.fractions, 1e-5, 1 - 1e-5)
            good = each.values > 0 if log else np.ones(len(each.values), dtype=bool)
            style = "-" if i else ""
            axes.plot(
                each.values[good], ndtri(fractions[good]), color=SERIES[i % len(SERIES)],
                ls=style, marker="" if i else ".", ms=4, label=each.label,
            )  # fmt: skip
        axes.set_yticks(ndtri(MARKS), [f"{100 * mark:g}" for mark in MARKS])
        axes.set_ylim(EXTREME, -EXTREME)
        axes.set_ylabel("Cumulative probability [%]")
        axes.set_xlabel(axis)
        axes.axhline(0, color=EDGE, lw=0.8)
        if log:
            _logarithmic(axes)
        else:
            plain_ticks(axes.xaxis, 6)
        axes.legend(loc="lower right" if log else "upper left")
    return page.png


def _skewed(curves: Sequence[Cumulative]) -> bool:
    first = curves[0].values if curves else np.zeros(0)
    if len(first) == 0 or np.quantile(first, 0.01) <= 0:
        return False
    return bool(first.std() > SKEWED * first.mean() or first.max() > 20 * np.median(first))


def _logarithmic(axes: Any) -> None:  # noqa: ANN401
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())


def quantile_plot(first: Cumulative, second: Cumulative, unit: str = "") -> bytes:
    """Draw quantiles of one distribution against those of another, with the line of equality."""
    grid = np.linspace(0.005, 0.995, 199)
    a, b = (np.interp(grid, each.fractions, each.values) for each in (first, second))
    suffix = f" [{unit}]" if unit else ""
    low, high = limits(float(min(a.min(), b.min())), float(max(a.max(), b.max())))
    with sheet(4.6, 4.3) as page:
        axes = page.figure.add_subplot()
        axes.plot([low, high], [low, high], color=INK, lw=1.0, ls="--", label="equal")
        axes.plot(a, b, ls="", marker=".", ms=4, color=SERIES[0])
        for fraction in (0.1, 0.5, 0.9):
            at = np.interp(fraction, grid, a), np.interp(fraction, grid, b)
            axes.plot(*at, marker="o", ms=6, color=SERIES[1], mec="white")
            axes.annotate(
                f"P{100 * fraction:.0f}", at, xytext=(6, -10), textcoords="offset points",
                fontsize=8, color=SOFT,
            )  # fmt: skip
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.set_xlabel(f"Quantiles of {first.label}{suffix}")
        axes.set_ylabel(f"Quantiles of {second.label}{suffix}")
        axes.legend(loc="upper left")
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
    return page.png


def transform_plot(values: FloatArray, scores: FloatArray, axis: str) -> bytes:
    """Draw the normal-score transform: each value against its score.

    Args:
        values: (n,) ascending.
        scores: (n,) ascending.
        axis: name and unit of the values.
    """
    with sheet(5.6, 3.6) as page:
        axes = page.figure.add_subplot()
        axes.plot(scores, values, color=SERIES[0], drawstyle="default")
        axes.set_xlabel("Normal score")
        axes.set_ylabel(axis)
        axes.set_xlim(*limits(float(scores.min()), float(scores.max())))
        plain_ticks(axes.yaxis)
    return page.png
