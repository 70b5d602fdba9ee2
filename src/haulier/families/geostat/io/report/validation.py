"""Draw how estimates at samples differ from what was measured there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.canvas import (
    ACCENT,
    ALERT,
    INK,
    SOFT,
    limits,
    named,
    note,
    plain_ticks,
    sheet,
)
from haulier.families.reporting.texts import number

CELLS: Final = 96  # of the raster by which points are coloured
SMOOTH: Final = 1.5  # of these cells
UNUSUAL: Final = 2.5  # standardised errors beyond which a sample deserves a look


def cross_validation(
    estimated: FloatArray,
    observed: FloatArray,
    *,
    facts: Sequence[tuple[str, float | None]] = (),
    unit: str = "",
) -> bytes:
    """Draw what was measured against what was estimated, coloured by density.

    The estimate runs across, so that the slope of the regression tells conditional bias: it is
    one where there is none.

    Args:
        estimated: (n,) NaN where there was no estimate.
        observed: (n,).
        facts: the statistics that stand beside the picture.
        unit: of both.
    """
    good = np.isfinite(estimated) & np.isfinite(observed)
    x, y = estimated[good], observed[good]
    both = np.concatenate([x, y]) if len(x) else np.array([0.0, 1.0])
    low, high = limits(float(both.min()), float(both.max()))
    with sheet(6.6, 4.6, "none") as page:
        axes = page.figure.add_axes((0.095, 0.12, 0.58, 0.58 * 6.6 / 4.6))
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.plot([low, high], [low, high], color=INK, lw=1.0, ls="--", label="1 : 1")
        _by_density(axes, x, y)
        _regression(axes, x, y)
        axes.set_xlabel(named("Estimated", unit))
        axes.set_ylabel(named("Measured", unit))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        _facts(axes, facts)
    return page.png


def _facts(axes: Any, facts: Sequence[tuple[str, float | None]]) -> None:  # noqa: ANN401
    for i, (label, value) in enumerate(facts):
        height = 0.76 - 0.055 * i
        axes.text(1.04, height, label, transform=axes.transAxes, fontsize=8.0, color=SOFT)
        axes.text(1.5, height, number(value), transform=axes.transAxes, fontsize=8.0, ha="right")


def _regression(axes: Any, x: FloatArray, y: FloatArray) -> None:  # noqa: ANN401
    line = regression(x, y)
    if line is not None:
        ends = np.array([x.min(), x.max()])
        label = f"measured on estimated,\nslope {number(line[0], 3)}"
        axes.plot(ends, line[0] * ends + line[1], color=ALERT, label=label, zorder=4)


def regression(x: FloatArray, y: FloatArray) -> tuple[float, float] | None:
    """Give slope and intercept of y on x by least squares; None where x does not vary."""
    if len(x) < 2 or np.ptp(x) == 0:  # noqa: PLR2004 -- two points make a line
        return None
    spread = x - x.mean()
    slope = float((spread * (y - y.mean())).sum() / (spread**2).sum())
    return slope, float(y.mean() - slope * x.mean())


def _by_density(axes: Any, x: FloatArray, y: FloatArray) -> None:  # noqa: ANN401
    """Colour points by how many are near, read from a smoothed raster: cheap for any number."""
    if len(x) == 0:
        note(axes, ["no estimates"])
        return
    span = axes.get_xlim()
    counts, _, _ = np.histogram2d(x, y, bins=CELLS, range=(span, span))
    smooth = gaussian_filter(counts, SMOOTH)
    at = np.stack([x, y]) - span[0]
    near = map_coordinates(smooth, at * CELLS / (span[1] - span[0]) - 0.5, order=1, mode="nearest")
    density = np.sqrt(np.maximum(near, 0.0))
    order = np.argsort(density, kind="stable")
    size = float(np.clip(12000 / len(x), 5, 22))
    axes.scatter(
        x[order], y[order], c=density[order], s=size, cmap="viridis", linewidths=0, zorder=3,
        label="samples, lighter where dense",
    )  # fmt: skip


def standardised_errors(errors: FloatArray) -> bytes:
    """Draw the errors over their kriging standard deviations, against the normal density.

    Args:
        errors: (n,) without unit; NaN are left out.
    """
    good = errors[np.isfinite(errors)]
    edges = np.linspace(-5, 5, 51)
    shown = np.clip(good, edges[0], edges[-1])
    with sheet(5.3, 3.6) as page:
        axes = page.figure.add_subplot()
        counts, _ = np.histogram(shown, edges)
        percent = 100.0 * counts / max(len(good), 1)
        axes.stairs(percent, edges, fill=True, color=ACCENT, alpha=0.4)
        axes.stairs(percent, edges, color=ACCENT, lw=1.0)
        density = np.exp(-0.5 * edges**2) / np.sqrt(2 * np.pi)
        axes.plot(edges, 20.0 * density, color=ALERT, lw=1.2, ls="--", label="N(0, 1)")
        for at in (-UNUSUAL, UNUSUAL):
            axes.axvline(at, color=INK, lw=0.9, ls=":")
        axes.set_xlim(edges[0], edges[-1])
        axes.set_ylim(0, 1.25 * max(float(percent.max(initial=0.0)), 8.0))
        axes.set_xlabel("Standardised error   (beyond \N{PLUS-MINUS SIGN}5: in the outermost bars)")
        axes.set_ylabel("Frequency [%]")
        axes.legend(loc="upper right")
        note(axes, _error_lines(good))
    return page.png


def _error_lines(errors: FloatArray) -> list[str]:
    if len(errors) == 0:
        return ["no estimates"]
    unusual = int((np.abs(errors) > UNUSUAL).sum())
    share = 100.0 * unusual / len(errors)
    return [
        f"n {len(errors):,}",
        f"mean {number(round(float(errors.mean()), 4), 3)}",
        f"variance {number(float(errors.var()), 3)}",
        f"beyond \N{PLUS-MINUS SIGN}{UNUSUAL}: {unusual:,} ({share:.1f} %)",
    ]
