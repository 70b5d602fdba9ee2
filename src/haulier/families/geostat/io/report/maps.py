"""Draw slices of a block model: values in colour, missing blocks hatched, samples over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from haulier.families.geostat.io.report.frames import Frame, frame, stretch
from haulier.families.geostat.io.report.slicing import Slice
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.reporting.canvas import EDGE, INK, plain_ticks, sheet, subtitle

MISSING: Final = {"facecolor": "#e3e6ea", "edgecolor": "#b6bdc6", "hatch": "/////", "linewidth": 0}
CLIP: Final = (0.01, 0.99)  # a few extreme blocks must not take all the colours
SMALL: Final = 3  # panels in a row from which letters are smaller
#: Of categories; told apart by people who see no red or no green, and in print.
CATEGORIES: Final = (
    "#9aa3ad", "#f0b429", "#d9602b", "#8c2d62", "#2d6fb7", "#2a9d8f", "#6a4c93", "#4a4e57",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """How values become colours.

    Attributes:
        label: name and unit of the variable.
        low: value of the first colour.
        high: value of the last.
        extend: which ends have values beyond: neither, min, max or both.
        colours: a map of matplotlib, or its name.
    """

    label: str
    low: float
    high: float
    extend: str = "neither"
    colours: Any = "viridis"


def scale_of(label: str, arrays: Sequence[FloatArray]) -> Scale:
    """Give a scale for several arrays together; the outermost hundredths share the end colours."""
    found = [array[np.isfinite(array)] for array in arrays]
    good = np.concatenate(found) if found else np.zeros(0)
    if len(good) == 0:
        return Scale(label, 0.0, 1.0)
    low, high = (float(each) for each in np.quantile(good, CLIP))
    if high <= low:
        low, high = float(good.min()), float(good.max())
    if high <= low:
        return Scale(label, low - 0.5, high + 0.5)
    ends = {(True, True): "both", (True, False): "min", (False, True): "max"}
    return Scale(label, low, high, ends.get((good.min() < low, good.max() > high), "neither"))


def symmetric_scale(label: str, values: FloatArray) -> Scale:
    """Give a scale around zero, for errors: blue below, red above."""
    good = np.abs(values[np.isfinite(values)])
    reach = float(np.quantile(good, 0.98)) if len(good) else 1.0
    extend = "both" if len(good) and good.max() > reach else "neither"
    return Scale(label, -(reach or 1.0), reach or 1.0, extend, "RdBu_r")


def slices(shown: Sequence[Slice], scale: Scale, *, columns: int = 2) -> bytes:
    """Draw slices in one scale: three through one model, or one place in many realisations.

    Args:
        shown: a plan before its sections.
        scale: of the values and of the samples.
        columns: most panels in a row.
    """
    placed = frame(shown, columns)
    with sheet(placed.width, placed.height, "none") as page:
        image = None
        for box, each in zip(placed.boxes, shown, strict=True):
            panel = page.figure.add_axes(placed.fraction(box))
            image = _slice(panel, each, scale, small=columns >= SMALL)
        _bar(page.figure, image, placed, scale)
        page.figure.legend(handles=_key(shown), loc="lower left", ncols=3)
    return page.png


def category_slices(shown: Sequence[Slice], labels: Sequence[str]) -> bytes:
    """Draw slices of material categories, each in a colour of its own.

    Args:
        shown: values are positions in `labels`, NaN where there is no category.
        labels: of the categories, waste first.
    """
    placed = frame(shown, 2, bar=False)
    colours = category_colours(len(labels))
    scale = Scale("", -0.5, len(labels) - 0.5, colours=ListedColormap(colours))
    with sheet(placed.width, placed.height, "none") as page:
        for box, each in zip(placed.boxes, shown, strict=True):
            _slice(page.figure.add_axes(placed.fraction(box)), each, scale, small=False)
        handles = [
            Patch(facecolor=colour, edgecolor=EDGE, linewidth=0.5, label=label)
            for colour, label in zip(colours, labels, strict=True)
        ]
        handles += _key(shown)
        page.figure.legend(handles=handles, loc="lower left", ncols=len(handles))
    return page.png


def category_colours(count: int) -> list[str]:
    """Give the colour of each category; beyond eight they come again."""
    return [CATEGORIES[i % len(CATEGORIES)] for i in range(count)]


def _slice(panel: Any, each: Slice, scale: Scale, *, small: bool) -> Any:  # noqa: ANN401
    left, right = float(each.across_edges[0]), float(each.across_edges[-1])
    low, high = float(each.up_edges[0]), float(each.up_edges[-1])
    panel.add_patch(Rectangle((left, low), right - left, high - low, zorder=0.5, **MISSING))
    image = panel.pcolorfast(
        each.across_edges, each.up_edges, np.ma.masked_invalid(each.values),
        cmap=scale.colours, vmin=scale.low, vmax=scale.high, zorder=1,
    )  # fmt: skip
    _samples(panel, each, scale)
    _title(panel, each, small=small)
    panel.set(xlim=(left, right), ylim=(low, high))
    panel.grid(visible=False)
    panel.tick_params(labelsize=7.0 if small else 8.0)
    panel.set_xlabel(each.across, fontsize=8.0)
    panel.set_ylabel(each.up, fontsize=8.0)
    width, height = panel.get_window_extent().size / panel.figure.dpi
    plain_ticks(panel.xaxis, int(np.clip(width / 0.75, 1, 6)))
    plain_ticks(panel.yaxis, int(np.clip(height / 0.4, 1, 6)))
    return image


def _title(panel: Any, each: Slice, *, small: bool) -> None:  # noqa: ANN401
    times = stretch(each)
    notes = [each.layer] if each.layer else []
    notes += [f"heights \N{MULTIPLICATION SIGN} {times:.0f}"] if times > 1 else []
    subtitle(panel, each.title, [", ".join(notes)] if notes else [])
    panel.title.set_fontsize(8.0 if small else 8.5)


def _samples(panel: Any, each: Slice, scale: Scale) -> None:  # noqa: ANN401 -- not followed
    """Draw samples with one outline around each string of them, so that colours stay visible."""
    if each.samples is None or len(each.samples.values) == 0:
        return
    width = float(np.clip(np.sqrt(1500 / len(each.samples.values)), 2.6, 4.5))
    place = each.samples.across, each.samples.up
    panel.scatter(*place, s=(width + 1.5) ** 2, color=INK, linewidths=0, zorder=2)
    panel.scatter(
        *place, c=each.samples.values, s=width**2, linewidths=0, zorder=3,
        cmap=scale.colours, vmin=scale.low, vmax=scale.high,
    )  # fmt: skip


def _bar(figure: Any, image: Any, placed: Frame, scale: Scale) -> None:  # noqa: ANN401
    if placed.bar is None:
        return
    axes = figure.add_axes(placed.fraction(placed.bar))
    bar = figure.colorbar(image, cax=axes, extend=scale.extend, extendfrac=0.03)
    finish_bar(bar, scale)


def finish_bar(bar: Any, scale: Scale) -> None:  # noqa: ANN401
    """Label a colour bar."""
    bar.set_label(scale.label)
    bar.outline.set_visible(False)
    plain_ticks(bar.ax.yaxis, 7)


def _key(shown: Sequence[Slice]) -> list[Any]:
    handles: list[Any] = []
    if any(np.isnan(each.values).any() for each in shown):
        handles.append(Patch(label="no value", **MISSING))
    if any(each.samples is not None and len(each.samples.values) for each in shown):
        point = Line2D([], [], ls="", marker="o", mfc="white", mec=INK, ms=4.5, mew=0.8)
        point.set_label("sample near the slice, in the same colours")
        handles.append(point)
    return handles
