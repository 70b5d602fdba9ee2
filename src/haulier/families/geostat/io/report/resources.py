"""Draw what a block model is worth: tonnage and grade by cutoff, and material by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haulier.families.geostat.io.report.maps import category_colours
from haulier.families.geostat.io.report.summary import Binned
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.canvas import EDGE, SERIES, plain_ticks, sheet
from haulier.families.reporting.texts import number


@dataclass(frozen=True, slots=True, eq=False)
class GradeTonnage:
    """How much lies above each cutoff, and of which mean grade.

    Attributes:
        label: of what, such as "estimates".
        cutoffs: (n,) ascending, in units of the grade.
        amounts: (n,) what lies above, in `unit`.
        grades: (n,) mean grade of it; NaN where nothing is left.
        unit: of the amounts: "%" of the blocks, or "t".
    """

    label: str
    cutoffs: FloatArray
    amounts: FloatArray
    grades: FloatArray
    unit: str = "%"


def grade_tonnage_of(binned: Binned, *, whole: float = 100.0, unit: str = "%") -> GradeTonnage:
    """Give the curve from a histogram that knows the sums of its bins: exact at each edge.

    Args:
        binned: weighted by volume or tonnage where blocks differ.
        whole: what the amount above no cutoff is: 100 %, or tonnes.
        unit: of `whole`.
    """
    sums_above = binned.mean * binned.total - _sum_below(binned)
    above = binned.total - binned.total * binned.fractions()
    above[above < binned.total * 1e-12] = 0.0
    grades = np.full(len(above), np.nan)
    np.divide(sums_above, above, out=grades, where=above > 0)
    shown = above > 0
    shown[-1] = False  # the last bin holds what lies on its end, so that nothing is known above it
    amounts = whole * above / binned.total if binned.total > 0 else above
    return GradeTonnage(binned.label, binned.edges[shown], amounts[shown], grades[shown], unit)


def _sum_below(binned: Binned) -> FloatArray:
    """Give the weighted sum of the values below each edge; what is beyond them counts too."""
    inside = np.concatenate([[0.0], np.cumsum(binned.sums)])
    beyond = binned.mean * binned.total - float(binned.sums.sum()) if binned.below else 0.0
    return inside + (beyond if not binned.above else 0.0)


def grade_tonnage(curves: Sequence[GradeTonnage], grade: str) -> bytes:
    """Draw amount above cutoff (left axis, solid) and its mean grade (right axis, dashed).

    Args:
        curves: estimates, and what they are compared with.
        grade: name and unit of the grade.
    """
    with sheet(6.6, 4.2) as page:
        axes = page.figure.add_subplot()
        right = axes.twinx()
        for i, each in enumerate(curves):
            colour = SERIES[i % len(SERIES)]
            axes.plot(each.cutoffs, each.amounts, color=colour, label=f"{each.label}: amount")
            right.plot(
                each.cutoffs, each.grades, color=colour, ls="--", label=f"{each.label}: grade"
            )
        unit = curves[0].unit if curves else "%"
        last = max((_worth_showing(each) for each in curves), default=1.0)
        first = _first(curves)
        axes.set_xlim(first, last)
        axes.set_ylim(bottom=0)
        axes.set_xlabel(f"Cutoff of {grade}")
        axes.set_ylabel(f"Above cutoff [{unit}] (solid)")
        right.set_ylabel(f"Mean of {grade} above cutoff (dashed)")
        right.grid(visible=False)
        visible = [each.grades[each.cutoffs <= last] for each in curves]
        top = max((float(np.nanmax(each)) for each in visible if len(each)), default=1.0)
        right.set_ylim(min(first, 0.0), 1.05 * top if top > 0 else 1.0)
        right.spines["right"].set_visible(True)
        plain_ticks(axes.xaxis, 7)
        plain_ticks(axes.yaxis, 6)
        plain_ticks(right.yaxis, 6)
        handles = [*axes.get_lines(), *right.get_lines()]
        page.figure.legend(
            handles=handles,
            loc="outside lower center",
            ncols=min(len(handles), 2),
        )
    return page.png


def _first(curves: Sequence[GradeTonnage]) -> float:
    """Give the lowest cutoff; zero where grades are positive but for noise around zero."""
    lowest = [float(each.cutoffs[0]) for each in curves if len(each.cutoffs)]
    highest = [float(each.cutoffs[-1]) for each in curves if len(each.cutoffs)]
    first, last = min(lowest, default=0.0), max(highest, default=1.0)
    return 0.0 if -0.05 * last < first < 0 else first


def _worth_showing(each: GradeTonnage) -> float:
    """Give the cutoff above which a thousandth is left."""
    if len(each.cutoffs) == 0:
        return 1.0
    left = each.amounts >= 0.001 * each.amounts[0]
    return float(each.cutoffs[left][-1]) or 1.0


def category_shares(
    labels: Sequence[str], shares: Sequence[float], grades: Sequence[float], grade: str
) -> bytes:
    """Draw for each category its share of the blocks and the mean grade of these.

    Args:
        labels: of the categories, waste first.
        shares: fraction of the blocks, 0 to 1.
        grades: mean of its blocks; NaN where it has none.
        grade: name and unit of the grade.
    """
    colours = category_colours(len(labels))
    known = np.nan_to_num(np.asarray(grades, dtype=np.float64))
    places = np.arange(len(labels))
    with sheet(7.6, 0.95 + 0.36 * len(labels)) as page:
        left, right = page.figure.subplots(1, 2, sharey=True)
        left.barh(places, 100.0 * np.asarray(shares), color=colours, height=0.66)
        right.barh(places, known, color=colours, height=0.66)
        for place, (share, mean) in enumerate(zip(shares, grades, strict=True)):
            _at_bar(left, place, 100.0 * share, f"{100.0 * share:.1f} %")
            _at_bar(right, place, float(known[place]), number(float(mean)))
        left.set_yticks(places, labels)
        left.invert_yaxis()
        left.set_xlim(0, 118.0 * max([*shares, 0.01]))
        right.margins(x=0.22)
        right.axvline(0, lw=0.8, color=EDGE)
        left.set_xlabel("Share of the blocks [%]")
        right.set_xlabel(f"Mean {grade}")
        for panel in (left, right):
            panel.grid(visible=False, axis="y")
            panel.tick_params(axis="y", length=0)
            plain_ticks(panel.xaxis)
    return page.png


def _at_bar(panel: Any, place: float, length: float, text: str) -> None:  # noqa: ANN401
    panel.annotate(
        text, (length, place), xytext=(4 if length >= 0 else -4, 0), textcoords="offset points",
        va="center", ha="left" if length >= 0 else "right", fontsize=8,
    )  # fmt: skip
