"""The page of indicator kriging: probabilities to be above cutoffs, and the expected value."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from haulier.families.geostat.io.report import Figure, Report, Section, Table, maps, points
from haulier.families.geostat.io.report.summary import bin_edges
from haulier.families.geostat.steps.indicators import E_TYPE, IndicatorTask
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import (
    WORK,
    Variable,
    column_path,
    page_of,
    variable_of,
)
from haulier.families.geostat.steps.pages.cuts import cut_by_samples, some_points
from haulier.families.geostat.steps.pages.estimation import sections, warnings
from haulier.families.geostat.steps.pages.models import PANELS, THREE
from haulier.families.geostat.steps.pages.survey import survey
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.samples import Sampled, load_samples
from haulier.families.geostat.steps.targets import Target
from haulier.families.reporting.document import Cell, Pairs
from haulier.families.reporting.texts import number


def indicator_page(job: Job[Any]) -> Report:
    """Show the probabilities, and the expected value if it was asked for."""
    task = tasks()[job.kind]
    if not isinstance(task, IndicatorTask):
        raise TypeError(f"indicators are needed, got {type(task).__name__}")
    sampled = load_samples(job.context.read("step:prepare.samples"))
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    target = task.target(job, job.said["steps"])
    figures = job.context.values(WORK)["statistics"]
    made = [_probabilities(job, variable, sampled, target)]
    if job.params.target.e_type is not None:
        made += _expected(job, variable, sampled, target)
    noun = str(job.said["noun"]).capitalize()
    headline: Pairs = (
        (f"{noun} estimated", figures["locations_estimated"]),
        (f"{noun} without value", figures["locations_asked"] - figures["locations_estimated"]),
        ("Cutoffs", len(job.params.cutoffs)),
        ("Samples", figures["samples"]["used"]),
    )
    return page_of(job, variable.name, made, headline, warnings(job, task, figures))


def _probabilities(job: Job[Any], variable: Variable, sampled: Sampled, target: Target) -> Section:
    cutoffs = [each.cutoff for each in job.params.cutoffs]
    names = [f"above.{position}" for position in range(len(cutoffs))]
    titles = [f"above {number(cutoff)}" for cutoff in cutoffs]
    counted = job.context.values(WORK)["statistics"]["outputs"]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (cutoff, counted[name]["mean"], float((sampled.values > cutoff).mean()))
        for cutoff, name in zip(cutoffs, names, strict=True)
    )
    columns = (f"Above {variable.axis}", "Mean probability", "Fraction of the samples")
    table = Table("Probabilities", columns, rows)
    cut = cut_by_samples(target, sampled.places)
    if cut is None:
        where = some_points(job.context, target, column_path(job, names[0]))
        label = f"Probability to be {titles[0]}"
        figure = Figure("map", label, points.sample_map(*where, label))
    else:
        shown = [
            cut.first(job.context, column_path(job, name), title)
            for name, title in list(zip(names, titles, strict=True))[:PANELS]
        ]
        alt = f"{shown[0].layer}: probability to be {', '.join(titles[:PANELS])}"
        scale = maps.Scale("Probability", 0.0, 1.0)
        png = maps.slices(shown, scale, columns=1 if len(shown) == 1 else THREE)
        figure = Figure("probabilities", alt, png)
    text = "The probability of each block to be above a cutoff, given the samples around it."
    return Section("Probabilities", text, (figure,), (table,))


def _expected(
    job: Job[Any], variable: Variable, sampled: Sampled, target: Target
) -> Iterator[Section]:
    """Compare the expected values with the samples, as of any estimate."""
    path = column_path(job, E_TYPE)
    edges = bin_edges(np.asarray(sampled.values))
    seen = survey(job.context, target, path, sampled, edges, "Expected values")
    for section in sections(job, variable, seen, sampled):
        figures = tuple(each for each in section.figures if each.name != "map")
        yield Section(section.title, section.text, figures, section.tables)
