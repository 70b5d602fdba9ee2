"""Draw whether realisations reproduce what they were made from: mean, distribution, variogram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from haulier.families.geostat.io.report.variograms import two_lines
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.validation import HistogramCheck, VariogramCheck
from haulier.families.reporting.canvas import (
    ACCENT,
    ALERT,
    INK,
    limits,
    plain_ticks,
    sheet,
    squared,
)
from haulier.families.reporting.texts import number

GOOD, FAIR = "#13804a", "#c97a00"


def realisation_means(
    means: FloatArray,
    reference: float,
    *,
    acceptable: float | None = None,
    marginal: float | None = None,
    label: str = "Mean",
) -> bytes:
    """Draw the mean of each realisation, their common mean, and the reference with its bands.

    Args:
        means: (r,) in order of the realisations.
        reference: mean that they should have.
        acceptable: how far from it is acceptable, in units of the variable.
        marginal: how far is still marginal.
        label: name and unit of what is drawn.
    """
    numbers = np.arange(1, len(means) + 1)
    running = np.cumsum(means) / numbers
    bands = [(marginal, FAIR, "marginal"), (acceptable, GOOD, "acceptable")]
    with sheet(6.6, 3.7) as page:
        axes = page.figure.add_subplot()
        for reach, colour, name in bands:
            if reach is not None:
                text = f"{name} (\N{PLUS-MINUS SIGN}{number(reach, 3)})"
                axes.axhspan(
                    reference - reach, reference + reach, color=colour, alpha=0.13, lw=0, label=text
                )
        axes.axhline(reference, color=INK, lw=1.2, ls="--", label=f"reference {number(reference)}")
        axes.plot(numbers, means, ls="", marker="o", ms=4, color=ACCENT, label="a realisation")
        axes.plot(
            numbers,
            running,
            color=ALERT,
            lw=1.4,
            label=f"mean so far, at last {number(float(running[-1]))}",
        )
        reaches = [reach for reach, _, _ in bands if reach is not None]
        low = min([float(means.min()), reference, *(reference - reach for reach in reaches)])
        high = max([float(means.max()), reference, *(reference + reach for reach in reaches)])
        axes.set_ylim(*limits(low, high, 0.06))
        axes.set_xlim(0.5, len(means) + 0.5)
        axes.set_xlabel("Realisation")
        axes.set_ylabel(label)
        plain_ticks(axes.xaxis, 8)
        plain_ticks(axes.yaxis, 7)
        page.figure.legend(loc="outside lower center", ncols=3)
    return page.png


def variogram_reproduction(
    checks: Sequence[VariogramCheck], labels: Sequence[str], unit: str = ""
) -> bytes:
    """Draw the envelope of the realisations' variograms and the model, a panel a direction.

    Args:
        checks: by direction; those without pairs are left out.
        labels: of the directions, in words.
        unit: of the variable; empty for normal scores.
    """
    shown = [
        (label, check)
        for label, check in zip(labels, checks, strict=True)
        if np.isfinite(check.mean).any()
    ]
    columns = max(len(shown), 1)
    with sheet(6.6 if columns == 1 else 2.9 * columns + 0.5, 3.6) as page:
        panels = page.figure.subplots(1, columns, sharey=True, squeeze=False)[0]
        for panel, (label, check) in zip(panels, shown, strict=False):
            panel.set_title(two_lines(label), fontsize=8.5)
            _envelope(panel, check)
        page.figure.supylabel(f"Semivariance{squared(unit)}", fontsize=9)
        page.figure.supxlabel("Distance [m]", fontsize=9)
        handles, names = panels[0].get_legend_handles_labels()
        page.figure.legend(handles, names, loc="outside upper center", ncols=max(len(names), 1))
    return page.png


def _envelope(panel: Any, check: VariogramCheck) -> None:  # noqa: ANN401 -- types are not followed
    here = np.isfinite(check.mean)
    lags = check.lags_m[here]
    panel.fill_between(
        lags, check.low[here], check.high[here], color=ACCENT, alpha=0.16, lw=0,
        label="range of the realisations",
    )  # fmt: skip
    panel.plot(lags, check.mean[here], color=ACCENT, marker=".", ms=4, label="their mean")
    panel.plot(lags, check.model[here], color=INK, ls="--", lw=1.4, label="model")
    panel.set_xlim(0, float(lags.max(initial=1.0)) * 1.03)
    panel.set_ylim(bottom=0)
    plain_ticks(panel.xaxis, 4)


def histogram_reproduction(check: HistogramCheck, axis: str) -> bytes:
    """Draw the quantiles of the realisations around those of the distribution they come from.

    Args:
        check: quantiles by fraction.
        axis: name and unit of the variable.
    """
    percent = 100.0 * check.fractions
    with sheet(5.3, 3.9) as page:
        axes = page.figure.add_subplot()
        axes.fill_betweenx(
            percent, check.low, check.high, color=ACCENT, alpha=0.2, lw=0,
            label="range of the realisations",
        )  # fmt: skip
        axes.plot(check.mean, percent, color=ACCENT, label="their mean")
        axes.plot(check.reference, percent, color=INK, ls="--", lw=1.4, label="distribution")
        axes.set_ylim(0, 100)
        axes.set_xlabel(axis)
        axes.set_ylabel("Cumulative frequency [%]")
        axes.legend(loc="lower right")
        plain_ticks(axes.xaxis)
    return page.png
