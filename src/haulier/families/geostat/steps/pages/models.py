"""Sections that several pages share: the variogram model, and statistics over realisations."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from haulier.core.family import Context
from haulier.families.geostat.io.report import Figure, Section, Table, maps, points, variograms
from haulier.families.geostat.io.variograms import load_variogram
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import WORK, Variable, column_path
from haulier.families.geostat.steps.pages.cuts import Cut, some_points
from haulier.families.geostat.steps.targets import Target
from haulier.families.reporting.texts import number

STRUCTURES: Final = (
    "Structure", "Contribution", "Major [m]", "Semi-major [m]", "Minor [m]", "Rotation",
)  # fmt: skip
PANELS: Final = 6  # slices in one picture
THREE: Final = 3  # of them in a row
FIGURES: Final = ("", "n", "Mean", "Variance", "Min", "Max")


def pinned_variogram(job: Job[Any], at: str) -> Variogram:
    """Load a variogram, of the version that the job works with."""
    return load_variogram(job.context, job.reference(at), at=at)


def model_section(model: Variogram, unit: str = "", note: str = "") -> Section:
    """Show a variogram model and its numbers."""
    rows = tuple(
        (
            each.model,
            each.contribution,
            *each.ranges_m,
            ", ".join(number(angle) for angle in each.rotation_deg),
        )
        for each in model.structures
    )
    table = Table(
        "The model",
        STRUCTURES,
        (("nugget", model.nugget, None, None, None, None), *rows),
        "Rotation: dip azimuth, dip and pitch, in degrees. Ranges are practical ones.",
    )
    alt = f"Model along its principal directions; nugget {number(model.nugget)}"
    text = "The model along its principal directions; markers show the ranges of its structures."
    figure = Figure("variogram", alt, variograms.model_variogram(model, unit=unit))
    return Section("The variogram", f"{text} {note}".strip(), (figure,), (table,))


def statistics_sections(
    job: Job[Any], variable: Variable, target: Target, cut: Cut | None, names: Sequence[str]
) -> Iterator[Section]:
    """Show statistics over realisations: those in the variable's unit, then the others."""
    table = figures_table(job, names)
    if cut is None:
        places, values = some_points(job.context, target, column_path(job, names[0]))
        label = f"{names[0].replace('_', ' ')} of {variable.axis}"
        figure = Figure("map", label, points.sample_map(places, values, label))
        yield Section("Over the realisations", "", (figure,), (table,))
        return
    groups = {
        "statistics": [n for n in names if not n.startswith("probability") and n != "variance"],
        "probabilities": [n for n in names if n.startswith("probability")],
        "variance": [n for n in names if n == "variance"],
    }
    labels = {
        "statistics": variable.axis,
        "probabilities": "Probability",
        "variance": f"Variance of {variable.name}",
    }
    figures = tuple(
        _panels(job, cut, plot, labels[plot], some) for plot, some in groups.items() if some
    )
    text = "Each block's own statistics over all realisations, in the layer that tells most."
    yield Section("Over the realisations", text, figures, (table,))


def _panels(job: Job[Any], cut: Cut, plot: str, label: str, names: Sequence[str]) -> Figure:
    shown = [
        cut.first(job.context, column_path(job, name), name.replace("_", " "))
        for name in names[:PANELS]
    ]
    scale = maps.scale_of(label, [each.values for each in shown])
    if plot == "probabilities":
        scale = maps.Scale(label, 0.0, 1.0)
    columns = 1 if len(shown) == 1 else THREE
    alt = f"{shown[0].layer}: {', '.join(each.title for each in shown)}"
    return Figure(plot, alt, maps.slices(shown, scale, columns=columns))


def figures_table(job: Job[Any], names: Sequence[str]) -> Table:
    """Give what was counted of outputs."""
    counted = job.context.values(WORK)["statistics"]["outputs"]
    columns = ("count", "mean", "variance", "min", "max")
    rows = tuple(
        (name.replace("_", " "), *(counted[name][column] for column in columns))
        for name in names
        if name in counted
    )
    return Table("Over the target", FIGURES, rows)


def realisations_figure(
    context: Context, variable: Variable, cut: Cut, path: Path, count: int
) -> Figure:
    """Show some of the realisations, which are columns of a table, side by side."""
    shown = [
        cut.first(context, path, f"Realisation {number_ + 1}", number_)
        for number_ in np.unique(np.linspace(0, count - 1, min(count, PANELS)).astype(int)).tolist()
    ]
    scale = maps.scale_of(variable.axis, [each.values for each in shown])
    columns = 1 if len(shown) == 1 else THREE
    alt = f"{shown[0].layer}: {', '.join(each.title for each in shown)}"
    return Figure("realisations", alt, maps.slices(shown, scale, columns=columns))
