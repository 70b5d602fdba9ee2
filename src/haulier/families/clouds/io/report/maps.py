"""Draw a cloud from above: its heights as a shaded relief, and how dense its points are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from numpy.typing import NDArray

from haulier.families.clouds.method.hillshade import hillshade
from haulier.families.reporting.canvas import EDGE, INK, SOFT, plain_ticks, sheet
from haulier.families.reporting.texts import number

FloatArray = NDArray[np.float64]

WIDE_IN, HALF_IN = 9.6, 5.0
TALLEST_IN, HALF_TALLEST_IN = 6.6, 3.1
LEFT, BOTTOM, TOP, BAR = 1.05, 0.55, 0.25, 0.95  # inches around a map
LEAST_IN: Final = 0.6
FLAT: Final = math.cos(math.radians(45.0))  # how bright a level place is
#: Heights are drawn so many times higher where slopes would hardly be seen.
TIMES: Final = (1.0, 2.0, 3.0, 5.0, 10.0, 20.0)
AMBIENT: Final = 0.35  # of the light comes from everywhere: shadows keep their colours
STEEP: Final = 0.3  # slope that is well seen, of the steepest tenth
CLIP: Final = (0.01, 0.99)
#: From low to high: quiet, light enough to be shaded, the same order in grey.
RELIEF: Final = LinearSegmentedColormap.from_list(
    "relief", ["#7d9c7a", "#a9bb8b", "#d3cf9f", "#dfc48d", "#cfa779", "#c3a191", "#e9e2de"]
)
DENSITY: Final = "viridis"
NICE: Final = (1.0, 2.0, 5.0)


@dataclass(frozen=True)
class Ground:
    """Where a picture lies.

    Attributes:
        left, right, bottom, top: in the unit of X and Y.
        x_m, y_m: metres on the ground of a unit in its middle; None where that is not known.
        x_label, y_label: name and unit of the axes.
    """

    left: float
    right: float
    bottom: float
    top: float
    x_m: float | None
    y_m: float | None
    x_label: str = "X"
    y_label: str = "Y"

    @property
    def size(self) -> tuple[float, float]:
        """Give width and height, in metres where they are known."""
        return (self.right - self.left) * (self.x_m or 1.0), (self.top - self.bottom) * (
            self.y_m or 1.0
        )


def relief(heights: FloatArray, ground: Ground, *, z_factor: float, label: str) -> bytes:
    """Draw heights in colours, shaded by light from the north-west.

    Args:
        heights: (rows, columns) row 0 in the north, NaN where void.
        ground: where they lie.
        z_factor: what makes a height as long as the metres of `ground`.
        label: name and unit of the heights.
    """
    rows, columns = heights.shape
    width, height = ground.size
    cell = width / columns, height / rows
    times = exaggeration(heights * z_factor, cell)
    shade = hillshade(heights.astype(np.float32), cell, z_factor=z_factor * times)
    low, high = _limits(heights)
    norm = Normalize(low, high)
    colours = _lit(RELIEF(norm(heights))[..., :3], shade.astype(np.float64) / (255.0 * FLAT))
    colours[np.isnan(heights)] = 1.0
    with sheet(*_page(ground, wide=True), "none", few_colours=False) as page:
        axes, bar = _frame(page.figure, ground, wide=True)
        axes.imshow(colours, extent=_extent(ground), aspect="auto", interpolation="antialiased")
        _colour_bar(page.figure, bar, ScalarMappable(norm, RELIEF), label, _ends(heights, norm))
        if times > 1:
            _foot(axes, f"slopes \N{MULTIPLICATION SIGN} {times:.0f}")
        _scale_bar(axes, ground)
    return page.png


def exaggeration(heights: FloatArray, cell: tuple[float, float]) -> float:
    """Give how many times higher heights are to be shaded so that slopes are seen."""
    down, right = np.gradient(heights, cell[1], cell[0]) if min(heights.shape) > 1 else (0.0, 0.0)
    slopes = np.hypot(down, right)
    steep = float(np.nanquantile(slopes, 0.9)) if np.isfinite(slopes).any() else 0.0
    return next((each for each in TIMES if each * steep >= STEEP), TIMES[-1])


def density(values: FloatArray, ground: Ground, *, label: str, wide: bool) -> bytes:
    """Draw points per area.

    Args:
        values: (rows, columns) row 0 in the north, NaN where there are no points.
        ground: where they lie.
        label: name and unit.
        wide: as wide as the page, or half of it.
    """
    held = values[np.isfinite(values)]
    norm = Normalize(0.0, float(np.quantile(held, 0.995)) or 1.0)
    with sheet(*_page(ground, wide=wide), "none") as page:
        axes, bar = _frame(page.figure, ground, wide=wide)
        axes.imshow(
            np.ma.masked_invalid(values), extent=_extent(ground), aspect="auto",
            interpolation="nearest", cmap=DENSITY, norm=norm,
        )  # fmt: skip
        _colour_bar(page.figure, bar, ScalarMappable(norm, DENSITY), label, _ends(values, norm))
        _scale_bar(axes, ground)
    return page.png


def _lit(colours: FloatArray, light: FloatArray) -> FloatArray:
    """Darken colours in the shade, and lighten those in the sun; a level place keeps its own."""
    light = AMBIENT + (1 - AMBIENT) * light[..., None]
    dark = colours * np.minimum(light, 1.0) ** 0.85
    return np.asarray(dark + (1.0 - dark) * np.clip((light - 1.0) * 1.1, 0.0, 0.75))


def _limits(heights: FloatArray) -> tuple[float, float]:
    good = heights[np.isfinite(heights)]
    low, high = (float(each) for each in np.quantile(good, CLIP))
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _ends(values: FloatArray, norm: Any) -> str:  # noqa: ANN401 -- matplotlib's types
    below, above = np.nanmin(values) < norm.vmin, np.nanmax(values) > norm.vmax
    ends = {(True, True): "both", (True, False): "min", (False, True): "max"}
    return ends.get((bool(below), bool(above)), "neither")


def _extent(ground: Ground) -> tuple[float, float, float, float]:
    return ground.left, ground.right, ground.bottom, ground.top


def _map_size(ground: Ground, *, wide: bool) -> tuple[float, float]:
    """Give inches of a map in its true proportions; no side so short that nothing is seen."""
    room = (WIDE_IN if wide else HALF_IN) - LEFT - BAR - 0.1
    tallest = TALLEST_IN if wide else HALF_TALLEST_IN
    width, height = ground.size
    scale = min(room / width, tallest / height)
    return max(width * scale, LEAST_IN), max(height * scale, LEAST_IN)


def _page(ground: Ground, *, wide: bool) -> tuple[float, float]:
    width, height = _map_size(ground, wide=wide)
    whole = WIDE_IN if wide else max(width + LEFT + BAR + 0.1, 3.2)
    return whole, max(height, 1.2) + BOTTOM + TOP


def _frame(figure: Any, ground: Ground, *, wide: bool) -> tuple[Any, Any]:  # noqa: ANN401
    """Give the axes of the map, in the middle, and those of its colour bar."""
    page_width, page_height = figure.get_size_inches()
    width, height = _map_size(ground, wide=wide)
    left = LEFT + (page_width - LEFT - BAR - 0.1 - width) / 2
    bottom = BOTTOM + (page_height - BOTTOM - TOP - height) / 2
    axes = figure.add_axes(
        (left / page_width, bottom / page_height, width / page_width, height / page_height)
    )
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=EDGE, linewidth=0.6)
    axes.set_xlabel(ground.x_label, fontsize=8.0)
    axes.set_ylabel(ground.y_label, fontsize=8.0)
    plain_ticks(axes.xaxis, int(np.clip(width / 1.1, 1, 7)))
    plain_ticks(axes.yaxis, int(np.clip(height / 0.7, 1, 8)))
    axes.tick_params(labelsize=7.5)
    tall = float(np.clip(height, 1.2, 4.0))
    low = bottom + (height - tall) / 2
    bar = figure.add_axes(
        (
            (left + width + 0.15) / page_width,
            low / page_height,
            0.14 / page_width,
            tall / page_height,
        )
    )
    return axes, bar


def _colour_bar(figure: Any, axes: Any, colours: Any, label: str, extend: str) -> None:  # noqa: ANN401
    bar = figure.colorbar(colours, cax=axes, extend=extend, extendfrac=0.03)
    bar.set_label(label, fontsize=8.0)
    bar.outline.set_visible(False)
    plain_ticks(bar.ax.yaxis, 6)
    bar.ax.tick_params(labelsize=7.5)


def _foot(axes: Any, text: str) -> None:  # noqa: ANN401
    axes.annotate(
        text, (0, 1), xycoords="axes fraction", xytext=(0, 4), textcoords="offset points",
        fontsize=7.5, color=SOFT,
    )  # fmt: skip


def _scale_bar(axes: Any, ground: Ground) -> None:  # noqa: ANN401
    """Draw a length on the ground, above the map at the right, and how long it is."""
    if ground.x_m is None:
        return
    whole = (ground.right - ground.left) * ground.x_m
    length = round_length(whole * 0.25)
    share = length / whole
    text = f"{number(length / 1000)} km" if length >= 1000 else f"{number(length)} m"  # noqa: PLR2004
    line = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.plot(
        [1 - share, 1], [1, 1], transform=axes.transAxes, color=INK, linewidth=3.0,
        solid_capstyle="butt", clip_on=False, zorder=9,
    )  # fmt: skip
    axes.annotate(text, (1 - share / 2, 1), xytext=(0, 5), ha="center", fontsize=7.5, **line)


def round_length(most: float) -> float:
    """Give the longest of 1, 2 or 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(each * power for each in NICE if each * power <= most * (1 + 1e-9))
