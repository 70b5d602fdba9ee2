"""Draw where on earth something lies: on a globe, and among its countries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import shapely
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.patches import Circle, Polygon
from matplotlib.path import Path

from haulier.families.reporting.canvas import ALERT, EDGE, INK, SOFT, sheet
from haulier.families.reporting.world import (
    EARTH_KM,
    Country,
    FloatArray,
    around,
    countries,
    directions,
    on_globe,
)

WIDTH_IN, HEIGHT_IN = 9.6, 3.9
GLOBE_IN: Final = 3.5
SEA, LAND, BORDER, LINES = "#dfe9f1", "#f6f3ea", "#a9a493", "#c6d5e1"
HALF_KM: Final = 800.0  # of the map of countries, to the east and to the west
WIDEST_KM: Final = 6000.0
ROOM: Final = 3.0  # times as wide as what is shown
NAMED: Final = 0.006  # of the map that a country must take to be named
CORNERS: Final = 4  # that a ring has at least, the first of them twice
INNER: Final = 0.88  # of the map, to the left and right: a name beyond would be cut
SEEN_PX: Final = 9.0  # what is smaller gets a ring around it
TILT: Final = 0.85  # the globe shows a little more of the equator's side
DEGREES: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
NIGH_KM: Final = 12_000.0  # places beyond turn inside out around the far side


def locate(outline: FloatArray) -> bytes:
    """Draw a globe, and beside it the countries around.

    Args:
        outline: (n, 2) a ring of longitude and latitude, degrees, around what is shown.
    """
    centre = middle(outline)
    ring = around(outline, centre)
    reach = float(np.abs(ring).max())
    half = float(np.clip(reach * ROOM, HALF_KM, WIDEST_KM))
    with sheet(WIDTH_IN, HEIGHT_IN, "none") as page:
        _globe(page.figure, centre, half)
        _region(page.figure, centre, ring, half)
    return page.png


def middle(outline: FloatArray) -> tuple[float, float]:
    """Give the longitude and latitude in the middle of a ring; it may cross 180 degrees."""
    lon = outline[0, 0] + (outline[:, 0] - outline[0, 0] + 180.0) % 360.0 - 180.0
    centre = float(lon.min() + lon.max()) / 2
    return (centre + 180.0) % 360.0 - 180.0, float(outline[:, 1].min() + outline[:, 1].max()) / 2


def country_at(place: tuple[float, float]) -> str:
    """Name the country that a place is in; empty on the sea, and near coasts perhaps wrong."""
    point = np.array([place])
    for country in countries():
        for ring in country.rings:
            if not ring[:, 1].min() <= place[1] <= ring[:, 1].max():
                continue
            lon = np.unwrap(ring[:, 0], period=360.0)  # it may go on over 180 degrees
            turns = 360.0 * np.ceil((lon.min() - place[0]) / 360.0)
            path = Path(np.stack([lon, ring[:, 1]], axis=1))
            if path.contains_points(point + np.array([turns, 0.0]))[0]:
                return country.name
    return ""


def _globe(figure: Any, centre: tuple[float, float], half: float) -> None:  # noqa: ANN401
    box = (0.1 / WIDTH_IN, 0.2 / HEIGHT_IN, GLOBE_IN / WIDTH_IN, GLOBE_IN / HEIGHT_IN)
    axes = figure.add_axes(box)
    axes.set(xlim=(-1.02, 1.02), ylim=(-1.02, 1.02), aspect="equal")
    axes.axis("off")
    eye = (centre[0], centre[1] * TILT)
    disc = Circle((0, 0), 1.0, facecolor=SEA, edgecolor="none", zorder=0)
    axes.add_patch(disc)
    _draw_lines(axes, [_line_on_globe(line, eye) for line in _graticule(15.0)], 0.5)
    shapes = [[on_globe(ring, eye) for ring in country.rings] for country in countries()]
    _fill(axes, shapes, width=0.35)
    axes.add_patch(Circle((0, 0), 1.0, facecolor="none", edgecolor=EDGE, linewidth=0.8, zorder=4))
    spot = _line_on_globe(np.array([centre]), eye)[0]
    size = max(half / EARTH_KM, 0.02)
    square = np.array([(-1, -0.72), (1, -0.72), (1, 0.72), (-1, 0.72)]) * size + spot
    axes.add_patch(Polygon(square, facecolor="none", edgecolor=ALERT, linewidth=1.4, zorder=5))


def _line_on_globe(line: FloatArray, eye: tuple[float, float]) -> FloatArray:
    """Give a line as a globe shows it, NaN where it is behind."""
    seen = directions(line, eye)
    return np.where(seen[:, 2:] > 0, seen[:, :2], np.nan)


def _graticule(step: float) -> Iterator[FloatArray]:
    along = np.linspace(-180, 180, 241)
    for lat in np.arange(-90 + step, 90, step):
        yield np.stack([along, np.full_like(along, lat)], axis=1)
    up = np.linspace(-90, 90, 121)
    for lon in np.arange(-180, 180, step):
        yield np.stack([np.full_like(up, lon), up], axis=1)


def _region(figure: Any, centre: tuple[float, float], ring: FloatArray, half: float) -> None:  # noqa: ANN401
    left = GLOBE_IN + 0.35
    width, height = WIDTH_IN - left - 0.1, GLOBE_IN
    axes = figure.add_axes((left / WIDTH_IN, 0.2 / HEIGHT_IN, width / WIDTH_IN, height / HEIGHT_IN))
    tall = half * height / width
    axes.set(xlim=(-half, half), ylim=(-tall, tall), xticks=[], yticks=[], facecolor=SEA)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=EDGE)
    step = next((each for each in DEGREES if each * 111 > half / 3), DEGREES[-1])
    _draw_lines(axes, [_nearby(around(line, centre)) for line in _graticule(step)], 0.6)
    window = shapely.box(-half, -tall, half, tall)
    shapes = [[_near(around(each, centre)) for each in one.rings] for one in countries()]
    _fill(axes, shapes, width=0.7)
    for country, rings in zip(countries(), shapes, strict=True):
        _name(axes, country, rings, window)
    _mark(axes, ring, half / (width * 55))
    _bar(axes, half, tall)


def _near(ring: FloatArray) -> FloatArray:
    return ring if np.hypot(*ring.T).min() < NIGH_KM else ring[:0]


def _nearby(line: FloatArray) -> FloatArray:
    line[np.hypot(*line.T) > NIGH_KM] = np.nan
    return line


def _fill(axes: Any, shapes: Sequence[Sequence[FloatArray]], *, width: float) -> None:  # noqa: ANN401
    """Draw countries, each of several rings; together, for one by one takes ten times as long."""
    paths = []
    for rings in shapes:
        full = [ring for ring in rings if len(ring) > 2]  # noqa: PLR2004 -- a triangle at least
        if full:
            codes = np.concatenate([_codes(len(ring)) for ring in full])
            closed = np.concatenate([np.vstack([ring, ring[:1]]) for ring in full])
            paths.append(Path(closed, codes))
    look = {"facecolors": LAND, "edgecolors": BORDER, "linewidths": width, "zorder": 2}
    axes.add_collection(PathCollection(paths, **look), autolim=False)


def _draw_lines(axes: Any, lines: Sequence[FloatArray], width: float) -> None:  # noqa: ANN401
    look = {"colors": LINES, "linewidths": width, "zorder": 1}
    axes.add_collection(LineCollection(lines, **look), autolim=False)


def _codes(length: int) -> Any:  # noqa: ANN401 -- matplotlib's types
    codes = np.full(length + 1, Path.LINETO)
    codes[0], codes[-1] = Path.MOVETO, Path.CLOSEPOLY
    return codes


def _name(axes: Any, country: Country, rings: Sequence[FloatArray], window: Any) -> None:  # noqa: ANN401
    """Write a country's name into the largest part of it that the map shows."""
    largest, room = None, NAMED * window.area
    for ring in rings:
        if len(ring) < CORNERS or not shapely.box(*ring.min(axis=0), *ring.max(axis=0)).intersects(
            window
        ):
            continue
        for part in shapely.get_parts(shapely.Polygon(ring).buffer(0).intersection(window)):
            if part.area > room:
                largest, room = part, part.area
    if largest is None:
        return
    spot = shapely.maximum_inscribed_circle(largest, tolerance=20.0)
    x, y = shapely.get_coordinates(spot)[0]
    if abs(x) > INNER * abs(window.bounds[0]):
        return
    name = country.name.replace(" of ", "\nof ")
    axes.text(
        x, y, name, ha="center", va="center", fontsize=7.5, color=SOFT, zorder=3,
        linespacing=1.0, clip_on=True,
    )  # fmt: skip


def _mark(axes: Any, ring: FloatArray, pixel_km: float) -> None:  # noqa: ANN401
    axes.add_patch(
        Polygon(ring, facecolor=ALERT, edgecolor=ALERT, linewidth=1.0, alpha=0.85, zorder=5)
    )
    if np.abs(ring).max() < SEEN_PX * pixel_km:
        axes.plot(0, 0, marker="o", ms=11, mfc="none", mec=ALERT, mew=1.6, zorder=6)
        axes.plot(0, 0, marker="o", ms=3.2, color=ALERT, zorder=6)


def _bar(axes: Any, half: float, tall: float) -> None:  # noqa: ANN401
    length = next(each for each in (5000, 2000, 1000, 500, 200, 100) if each < half / 2)
    x, y = half * 0.94 - length, -tall * 0.88
    axes.plot([x, x + length], [y, y], color=INK, linewidth=2.0, solid_capstyle="butt", zorder=7)
    axes.text(x + length / 2, y + tall * 0.03, f"{length:,} km", ha="center", va="bottom",
              fontsize=7.5, zorder=7)  # fmt: skip
