"""The pages of material: to which category blocks go, and what grade each category has."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from haulier.families.geostat.io.attributes import find_attribute
from haulier.families.geostat.io.grids import GridLocations, MaskedLocations
from haulier.families.geostat.io.report import Figure, Report, Section, Table, maps, resources
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.io.values import read_realisations
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Output
from haulier.families.geostat.steps.pages.about import (
    WORK,
    Variable,
    column_path,
    page_of,
    variable_of,
)
from haulier.families.geostat.steps.pages.cuts import Cut, cut_by_values
from haulier.families.geostat.steps.pages.survey import column_ranges
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.targets import open_target
from haulier.families.geostat.steps.values import GradeTask
from haulier.families.reporting.document import Pairs

Grades = Path | Iterator[tuple[int, FloatArray]]


def category_section(
    job: Job[Any], variable: Variable, cut: Cut | None, output: Output, grades: Grades
) -> Section:
    """Show the categories of blocks.

    Args:
        job: the job.
        variable: the grade.
        cut: where to show them; None where there are no blocks.
        output: that holds them.
        grades: of the same rows: a column, or ranges of one.
    """
    path = column_path(job, output.name)
    labels = output.categories
    ranges = column_ranges(grades) if isinstance(grades, Path) else grades
    counts, sums = _by_category(job, path, ranges, len(labels))
    shares = counts / max(float(counts.sum()), 1.0)
    means = np.full(len(labels), np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    figures = []
    if cut is not None:
        shown = cut.slices(job.context, path)
        alt = f"Categories {', '.join(labels)}: {'; '.join(each.title for each in shown)}"
        figures.append(Figure("categories", alt, maps.category_slices(shown, labels)))
    png = resources.category_shares(labels, shares.tolist(), means.tolist(), variable.axis)
    alt = "Share of the blocks in each category, and their mean grade"
    figures.append(Figure("shares", alt, png))
    said = getattr(job.params, "material_categories", None)
    said = said or job.params.loss_calculation.material_categories
    rows = tuple(
        (label, each.cutoff_grade, each.metal_price, int(count), float(share), float(mean))
        for label, each, count, share, mean in zip(labels, said, counts, shares, means, strict=True)
    )
    columns = ("Category", "Cutoff", "Price", "Blocks", "Fraction", f"Mean {variable.axis}")
    return Section("Material", "", tuple(figures), (Table("Material by category", columns, rows),))


def _by_category(
    job: Job[Any], path: Path, grades: Iterator[tuple[int, FloatArray]], categories: int
) -> tuple[FloatArray, FloatArray]:
    """Count the blocks of each category, and add up their grades."""
    counts, sums = np.zeros(categories), np.zeros(categories)
    for (_, codes), (_, values) in zip(column_ranges(path), grades, strict=True):
        here = np.isfinite(codes) & np.isfinite(values)
        keys = codes[here].astype(np.int64)
        counts += np.bincount(keys, minlength=categories)
        sums += np.bincount(keys, values[here], minlength=categories)
        job.context.check()
    return counts, sums


def material_page(job: Job[Any]) -> Report:
    """Show to which category locations go."""
    task = tasks()[job.kind]
    if not isinstance(task, GradeTask):
        raise TypeError(f"categories are needed, got {type(task).__name__}")
    source = job.object("source.object")
    attribute = find_attribute(source, job.params.source.attribute, at="source.attribute")
    variable = variable_of(source, job.params.source.attribute, at="source.attribute")
    (output,) = task.outputs(job)
    path = column_path(job, output.name)
    cut = None
    if source.type != "pointset":
        target = open_target(job.context, source, attribute.owner, None, filter_at="", steps=None)
        if isinstance(target.locations, GridLocations | MaskedLocations):
            cut = cut_by_values(job.context, target, path)

    def grades() -> Iterator[tuple[int, FloatArray]]:
        for first, codes in column_ranges(path):
            rows = read_realisations(job.context, attribute, first, first + len(codes))
            known = np.isfinite(rows)
            means = np.full(len(rows), np.nan)
            np.divide(
                np.where(known, rows, 0.0).sum(axis=1),
                known.sum(axis=1),
                out=means,
                where=known.any(axis=1),
            )
            yield first, means

    figures = job.context.values(WORK)["statistics"]
    headline: Pairs = (
        ("Locations", figures["locations"]),
        ("With values", figures["locations_with_values"]),
        ("Realisations", int(job.said["width"])),
    )
    section = category_section(job, variable, cut, output, grades())
    return page_of(job, variable.name, (section,), headline)
