"""Draw samples where they lie: their values, the errors made there, their weights."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from haulier.families.geostat.io.report.maps import Scale, finish_bar, scale_of, symmetric_scale
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.canvas import (
    ACCENT,
    INK,
    limits,
    note,
    plain_ticks,
    sheet,
)
from haulier.families.reporting.texts import number

NAMES: Final = ("Easting [m]", "Northing [m]", "Elevation [m]")
CROWD: Final = 1500  # points from which outlines would hide their colours
FLAT: Final = 1e-6  # of the width: heights that vary less are one height


def residual_map(places: FloatArray, residuals: FloatArray, unit: str = "") -> bytes:
    """Draw where estimates were too low (red) and where too high (blue), in plan and in section.

    Args:
        places: (n, 3) metres.
        residuals: (n,) measured minus estimated; NaN are left out.
        unit: of the variable.
    """
    label = f"Measured \N{MINUS SIGN} estimated{f' [{unit}]' if unit else ''}"
    return _views(places, residuals, symmetric_scale(label, residuals), by_size=True)


def sample_map(places: FloatArray, values: FloatArray, label: str) -> bytes:
    """Draw values where they lie, in plan and in section.

    Args:
        places: (n, 3) metres.
        values: (n,) NaN are left out.
        label: name and unit of the values.
    """
    return _views(places, values, scale_of(label, [values]), by_size=False)


def declustering_weights(places: FloatArray, weights: FloatArray) -> bytes:
    """Draw the weights of declustering: how they are distributed, and where they are.

    Args:
        places: (n, 3) metres.
        weights: (n,) of any sum; they are drawn relative to their mean. NaN are left out.
    """
    good = np.isfinite(weights)
    found = weights[good]
    found = found / found.mean() if found.any() else found
    with sheet(8.0, 3.6) as page:
        left, right = page.figure.subplots(1, 2, width_ratios=(1.0, _slenderness(places)))
        counts, edges = np.histogram(found, bins=min(40, max(len(found) // 4, 8)))
        left.stairs(counts, edges, fill=True, color=ACCENT, alpha=0.4)
        left.stairs(counts, edges, color=ACCENT, lw=1.0)
        left.axvline(1.0, color=INK, lw=1.1)
        left.set_xlabel("Weight over mean weight")
        left.set_ylabel("Samples")
        left.set_ylim(0, 1.3 * max(float(counts.max(initial=0)), 1.0))
        left.set_title("Distribution")
        plain_ticks(left.xaxis)
        plain_ticks(left.yaxis)
        if len(found):
            note(left, _weights(found), "upper right")
        scale = scale_of("Weight over mean weight", [found])
        points = _view(right, places[good], found, scale, (0, 1), by_size=False)
        right.set_title("Plan")
        _bar(page.figure, points, right, scale)
    return page.png


def _slenderness(places: FloatArray) -> float:
    """Give how wide a plan is for its height, so that it gets the room that it can fill."""
    if len(places) == 0:
        return 1.0
    wide, high = np.ptp(places[:, 0]), np.ptp(places[:, 1])
    return float(np.clip(wide / high, 0.45, 1.4)) if high > 0 else 1.0


def _weights(weights: FloatArray) -> list[str]:
    return [
        f"n {len(weights):,}",
        f"min {number(float(weights.min()), 3)}    max {number(float(weights.max()), 3)}",
        f"CV {number(float(weights.std()), 3)}",
    ]


def _bar(figure: Any, points: Any, panels: Any, scale: Scale) -> None:  # noqa: ANN401
    bar = figure.colorbar(points, ax=panels, extend=scale.extend, aspect=30, pad=0.015)
    finish_bar(bar, scale)


def _views(places: FloatArray, values: FloatArray, scale: Scale, *, by_size: bool) -> bytes:
    good = np.isfinite(values)
    places, values = places[good], values[good]
    flat = len(places) == 0 or np.ptp(places[:, 2]) <= FLAT * max(float(np.ptp(places[:, 0])), 1.0)
    sides = ((0, 1),) if flat else ((0, 1), (0, 2))
    with sheet(5.3 if flat else 8.0, 4.4 if flat else 4.0) as page:
        ratios = None if flat else (_slenderness(places), 1.0)
        panels = page.figure.subplots(1, len(sides), squeeze=False, width_ratios=ratios)[0]
        points = None
        for panel, side in zip(panels, sides, strict=True):
            points = _view(panel, places, values, scale, side, by_size=by_size)
            panel.set_title("Plan" if side == (0, 1) else "Section, looking north")
        _bar(page.figure, points, panels, scale)
    return page.png


def _view(
    panel: Any,  # noqa: ANN401 -- matplotlib's types are not followed
    places: FloatArray,
    values: FloatArray,
    scale: Scale,
    sides: tuple[int, int],
    *,
    by_size: bool,
) -> Any:  # noqa: ANN401
    """Draw points from one side; the largest values last, so that they are seen."""
    order = np.argsort(np.abs(values), kind="stable")
    size = float(np.clip(6000 / max(len(values), 1), 3, 20))
    sizes = size * (0.45 + 1.1 * np.abs(values) / max(abs(scale.high), 1e-300)) if by_size else size
    x, y = places[order, sides[0]], places[order, sides[1]]
    points = panel.scatter(
        x, y, c=values[order], s=np.minimum(sizes, 4 * size)[order] if by_size else size,
        cmap=scale.colours, vmin=scale.low, vmax=scale.high,
        linewidths=0.3 if len(x) <= CROWD else 0.0, edgecolors=INK, zorder=3,
    )  # fmt: skip
    panel.set_xlabel(NAMES[sides[0]], fontsize=8)
    panel.set_ylabel(NAMES[sides[1]], fontsize=8)
    if len(x):
        panel.set(xlim=limits(float(x.min()), float(x.max())),
                  ylim=limits(float(y.min()), float(y.max())))  # fmt: skip
    panel.set_aspect("equal" if sides == (0, 1) else "auto")
    plain_ticks(panel.xaxis, 3 if sides == (0, 1) and _slenderness(places) < 1 else 4)
    plain_ticks(panel.yaxis, 5)
    return points
