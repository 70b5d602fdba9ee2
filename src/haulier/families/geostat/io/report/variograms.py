"""Draw variograms: what was measured by direction, the model over it, and the model alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.lines import Line2D

from haulier.families.geostat.method.experimental import ExperimentalVariogram
from haulier.families.geostat.method.lags import Direction, Form
from haulier.families.geostat.method.rotation import FloatArray, rotation_matrix
from haulier.families.geostat.method.variogram import Structure, Variogram
from haulier.families.reporting.canvas import (
    ALERT,
    EDGE,
    INK,
    MARKERS,
    SERIES,
    SOFT,
    plain_ticks,
    sheet,
    squared,
)
from haulier.families.reporting.texts import number

AXES: Final = ("major", "semi-major", "minor")
STEPS: Final = 240  # points of a curve
STYLES: Final = ("-", "--", ":")
PANELS: Final = 9  # directions that are drawn; a variogram map of more says nothing to the eye


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """An experimental variogram in one direction.

    Attributes:
        label: the direction in words.
        distances_m: (l,) mean distance of each lag's pairs.
        gammas: (l,) semivariances; NaN where a lag has no pairs.
        pairs: (l,) how many.
        direction: (3,) unit vector; None: pairs in all directions.
    """

    label: str
    distances_m: FloatArray
    gammas: FloatArray
    pairs: FloatArray
    direction: FloatArray | None = None

    @property
    def longest_m(self) -> float:
        """Give the distance of the last lag that has pairs; 1 where none has."""
        known = self.distances_m[np.isfinite(self.distances_m)]
        return float(known.max()) if len(known) and known.max() > 0 else 1.0


def measured_of(found: ExperimentalVariogram) -> tuple[Measured, ...]:
    """Give what was found, direction by direction, with the directions in words."""
    return tuple(
        _measured(direction, found, found.rows(i)) for i, direction in enumerate(found.directions)
    )


def _measured(direction: Direction, found: ExperimentalVariogram, rows: slice) -> Measured:
    vector = None if direction.form is Form.OMNIDIRECTIONAL else direction.unit
    words = {Form.OMNIDIRECTIONAL: "All directions", Form.DOWNHOLE: "Downhole"}
    label = words.get(direction.form) or (bearing(vector) if vector is not None else "")
    return Measured(
        label,
        found.centroid_m[rows],
        found.value[rows],
        found.num_pairs[rows].astype(np.float64),
        None if direction.form is Form.DOWNHOLE else vector,
    )


def bearing(direction: FloatArray) -> str:
    """Write a direction as azimuth (clockwise from north) and plunge (down)."""
    x, y, z = direction / np.linalg.norm(direction)
    if z > 1e-9:  # noqa: PLR2004 -- an axis has two ends, and people name the lower one
        x, y, z = -x, -y, -z
    azimuth = round(float(np.degrees(np.arctan2(x, y))) % 360.0) % 360
    plunge = round(float(np.degrees(np.arcsin(min(max(-z, 0.0), 1.0)))))
    if plunge == 90:  # noqa: PLR2004 -- straight down
        return "vertical"
    return f"azimuth {azimuth:03d}\N{DEGREE SIGN}, plunge {plunge}\N{DEGREE SIGN}"


def principal_directions(variogram: Variogram) -> tuple[tuple[str, FloatArray], ...]:
    """Give major, semi-major and minor direction of the structure with the longest range."""
    if not variogram.structures:  # a nugget alone is the same in all of them
        return (("all directions", np.array([1.0, 0.0, 0.0])),)
    longest = max(variogram.structures, key=lambda each: max(each.ranges_m))
    axes = rotation_matrix(*longest.rotation_deg)
    return tuple((f"{name} ({bearing(axes[:, i])})", axes[:, i]) for i, name in enumerate(AXES))


def range_along(structure: Structure, direction: FloatArray) -> float:
    """Give the range of a structure in a direction, in metres."""
    return float(1.0 / np.linalg.norm(structure.transform @ direction))


def experimental_variogram(
    measured: Sequence[Measured],
    model: Variogram | None = None,
    *,
    variance: float | None = None,
    quantity: str = "Semivariance",
    unit: str = "",
) -> bytes:
    """Draw a panel a direction: points sized by pairs, the model, its sill, and the variance.

    Args:
        measured: by direction; at most nine are drawn.
        model: what was fitted.
        variance: of the samples, in squared units.
        quantity: what was computed.
        unit: of the variable, empty where it has none.
    """
    shown = measured[:PANELS]
    columns = min(len(shown), 3) if len(shown) != 4 else 2  # noqa: PLR2004 -- two by two
    rows = -(-len(shown) // columns)
    size = (6.6, 4.5) if len(shown) == 1 else (2.9 * columns + 0.5, 2.8 * rows + 0.7)
    most = max((float(each.pairs.max()) for each in shown if len(each.pairs)), default=1.0)
    top = _top(shown, model, variance)
    with sheet(*size) as page:
        panels = page.figure.subplots(rows, columns, sharey=True, squeeze=False)
        for i, panel in enumerate(panels.flat):
            if i >= len(shown):
                panel.set_visible(False)
                continue
            _direction(panel, shown[i], most, SERIES[i % len(SERIES)])
            _model(panel, shown[i], model)
            _levels(panel, model, variance)
            _frame(panel, shown[i], top)
        page.figure.supylabel(f"{quantity}{squared(unit)}", fontsize=9)
        page.figure.supxlabel("Distance [m]", fontsize=9)
        _key(page.figure, most, model, variance, of_all=_of_all(shown))
    return page.png


def _sizes(pairs: FloatArray, most: float) -> FloatArray:
    return 6.0 + 90.0 * pairs / max(most, 1.0)


def _top(measured: Sequence[Measured], model: Variogram | None, variance: float | None) -> float:
    values = [float(np.nanmax(each.gammas)) for each in measured if np.isfinite(each.gammas).any()]
    if model is not None and model.bounded:
        values.append(model.sill)
    if variance is not None:
        values.append(variance)
    return 1.08 * max(values, default=1.0) or 1.0


def _direction(panel: Any, measured: Measured, most: float, colour: str) -> None:  # noqa: ANN401
    here = np.isfinite(measured.gammas) & (measured.pairs > 0)
    panel.scatter(
        measured.distances_m[here],
        measured.gammas[here],
        s=_sizes(measured.pairs[here], most),
        color=colour,
        alpha=0.75,
        edgecolors="white",
        linewidths=0.6,
        zorder=3,
    )


def _model(panel: Any, measured: Measured, model: Variogram | None) -> None:  # noqa: ANN401
    """Draw the model's curve; of all directions together, the curves of its principal axes."""
    if model is None:
        return
    longest = measured.longest_m
    if measured.direction is not None:
        distances, gammas = curve(model, measured.direction, longest)
        panel.plot(distances, gammas, color=INK, zorder=4)
        for structure in model.structures:
            reach = range_along(structure, measured.direction)
            if reach <= longest:
                panel.axvline(reach, color=EDGE, lw=0.9, ls=":", zorder=2)
        return
    for style, (_, direction) in zip(STYLES, principal_directions(model), strict=False):
        distances, gammas = curve(model, direction, longest)
        panel.plot(distances, gammas, color=INK, lw=1.3, ls=style, zorder=4)


def curve(
    model: Variogram, direction: FloatArray, longest_m: float
) -> tuple[FloatArray, FloatArray]:
    """Give distances and semivariances of a model; the first is just beyond zero, at the nugget."""
    distances = np.linspace(0.0, longest_m * 1.03, STEPS)
    distances[0] = distances[1] * 1e-6
    return distances, model.gamma(distances[:, None] * np.asarray(direction)[None, :])


def two_lines(label: str) -> str:
    """Put what stands in brackets on a line of its own."""
    name, bracket, rest = label.partition(" (")
    return f"{name}\n{rest.removesuffix(')')}" if bracket else label


def _levels(panel: Any, model: Variogram | None, variance: float | None) -> None:  # noqa: ANN401
    if model is not None and model.bounded:
        panel.axhline(model.sill, color=SOFT, lw=0.9, ls=(0, (5, 3)), zorder=2)
    if model is not None and model.nugget > 0:
        panel.axhline(model.nugget, color=EDGE, lw=0.9, ls=":", zorder=2)
    if variance is not None:
        panel.axhline(variance, color=ALERT, lw=0.9, ls="-.", zorder=2)


def _frame(panel: Any, measured: Measured, top: float) -> None:  # noqa: ANN401
    panel.set_title(two_lines(measured.label), fontsize=8.5)
    longest = measured.longest_m
    panel.set_xlim(0, longest * 1.05)
    panel.set_ylim(0, top)
    plain_ticks(panel.xaxis)


def _of_all(measured: Sequence[Measured]) -> bool:
    return any(each.direction is None for each in measured)


def _key(
    figure: Any,  # noqa: ANN401 -- see _direction
    most: float,
    model: Variogram | None,
    variance: float | None,
    *,
    of_all: bool,
) -> None:
    """Say what sizes and lines mean, once for all panels."""
    handles = [
        Line2D([], [], ls="", marker="o", color=SOFT, alpha=0.75, mec="white",
               ms=float(np.sqrt(_sizes(np.array([n]), most))[0]), label=f"{n:,} pairs")
        for n in sorted({_round(most), _round(most / 4)})
    ]  # fmt: skip
    if model is not None:
        handles += _model_key(model, of_all=of_all)
    if variance is not None:
        label = f"variance of samples {number(variance)}"
        handles.append(Line2D([], [], color=ALERT, lw=0.9, ls="-.", label=label))
    figure.legend(handles=handles, loc="outside upper center", ncols=-(-len(handles) // 2))


def _model_key(model: Variogram, *, of_all: bool) -> list[Any]:
    names = [f"model, {name}" for name in AXES] if of_all else ["model"]
    handles = [
        Line2D([], [], color=INK, ls=style, lw=1.4, label=name)
        for style, name in zip(STYLES, names, strict=False)
    ]
    if model.bounded:
        handles.append(
            Line2D([], [], color=SOFT, lw=0.9, ls=(0, (5, 3)), label=f"sill {number(model.sill)}")
        )
    text = f"nugget {number(model.nugget)}" + ("" if of_all else "; ranges")
    handles.append(Line2D([], [], color=EDGE, lw=0.9, ls=":", label=text))
    return handles


def _round(value: float) -> int:
    """Give the first digit of a count, with zeros behind it."""
    digits = str(int(max(value, 1)))
    return int(digits[0] + "0" * (len(digits) - 1))


def model_variogram(model: Variogram, *, longest_m: float | None = None, unit: str = "") -> bytes:
    """Draw the model alone, along the three principal directions of its longest structure."""
    directions = principal_directions(model)
    longest = longest_m or 1.25 * max((max(s.ranges_m) for s in model.structures), default=1.0)
    with sheet(6.6, 4.2) as page:
        axes = page.figure.add_subplot()
        for i, (label, direction) in enumerate(directions):
            distances, gammas = curve(model, direction, longest)
            axes.plot(distances, gammas, color=SERIES[i], label=label)
            for structure in model.structures:
                reach = range_along(structure, direction)
                at = float(model.gamma(reach * direction[None, :])[0])
                if reach <= longest:
                    axes.plot(reach, at, marker=MARKERS[i], color=SERIES[i], ms=6, mec="white")
        _levels(axes, model, None)
        if model.bounded:
            _beside_line(axes, model.sill, f"sill {number(model.sill)}")
            axes.set_ylim(0, model.sill * 1.12)
        _beside_line(axes, model.nugget, f"nugget {number(model.nugget)}")
        axes.set_xlim(0, longest)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("Distance [m]   (markers: ranges of the structures)")
        axes.set_ylabel(f"Semivariance{squared(unit)}")
        page.figure.legend(loc="outside upper center", ncols=2)
        plain_ticks(axes.xaxis, 8)
    return page.png


def _beside_line(axes: Any, level: float, text: str) -> None:  # noqa: ANN401
    axes.annotate(
        text, (0.99, level), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", ha="right", fontsize=8, color=SOFT,
    )  # fmt: skip
