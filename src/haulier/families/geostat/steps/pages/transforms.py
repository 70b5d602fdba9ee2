"""The pages of what is made of samples: ties, weights, distributions, scores."""

from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from haulier.families.geostat.io.distributions import load_distribution
from haulier.families.geostat.io.report import Figure, Report, Section, Table, points
from haulier.families.geostat.io.report import distributions as drawn
from haulier.families.geostat.io.report.summary import Binned, Tally, bin_edges
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.io.values import read_realisations
from haulier.families.geostat.method.distribution import Distribution
from haulier.families.geostat.method.normal_score import forward
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.objects import WEIGHTS, distribution_of
from haulier.families.geostat.steps.pages.about import (
    COLUMNS,
    WORK,
    column_path,
    page_of,
    statistics_row,
    variable_of,
)
from haulier.families.geostat.steps.pages.survey import column_ranges
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.samples import Counts, left_out, load_samples
from haulier.families.geostat.steps.values import NormalScoreTask
from haulier.families.reporting.document import Pairs

FRACTIONS: Final = np.linspace(0.0005, 0.9995, 400)
THINNED: Final = 20_000  # values that edges and the curve of a transform are made of


def counted(label: str, values: FloatArray, weights: FloatArray | None = None) -> Binned:
    """Give the distribution of values."""
    tally = Tally(label, bin_edges(values))
    tally.add(values, weights)
    return tally.binned()


def whole_column(path: Path) -> FloatArray:
    """Read a column that samples have: it fits into memory, as they do."""
    return np.concatenate([np.zeros(0), *(values for _, values in column_ranges(path))])


def break_ties_page(job: Job[Any]) -> Report:
    """Show that breaking ties changed next to nothing."""
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    sampled = load_samples(job.context.read("step:prepare.samples"))
    untied = whole_column(column_path(job, "untied"))[sampled.rows]
    both = [counted("With ties", sampled.values), counted("Without ties", untied)]
    figures = job.context.values(WORK)["statistics"]
    text = (
        "Equal values were told apart by the means around them; the distribution stays as it was."
    )
    section = Section(
        "Before and after",
        text,
        (
            Figure(
                "histograms",
                f"Histograms of {variable.name} with and without ties",
                drawn.histograms(both, variable.axis),
            ),
        ),
        (Table(variable.axis, COLUMNS, tuple(statistics_row(each) for each in both)),),
    )
    headline: Pairs = (
        ("Samples", figures["samples"]),
        ("Tied samples", figures["tied_samples"]),
        ("Largest change", figures["largest_change"]),
    )
    return page_of(job, variable.name, (section,), headline, left_out(_counts(job)))


def declustering_page(job: Job[Any]) -> Report:
    """Show the weights, and where they are."""
    sampled = load_samples(job.context.read("step:prepare.samples"))
    weights = whole_column(column_path(job, "weights"))[sampled.rows]
    figures = job.context.values(WORK)["statistics"]
    without = int(figures["samples_without_weight"])
    effective = float(weights.sum() ** 2 / (weights**2).sum()) if weights.any() else 0.0
    section = Section(
        "The weights",
        "A sample that stands alone speaks for much of the grid; where samples crowd, each speaks "
        "for little.",
        (
            Figure(
                "weights",
                "Histogram of the weights, and a map of them in plan",
                points.declustering_weights(sampled.places, weights),
            ),
        ),
        (
            Table(
                "Weights over their mean",
                COLUMNS,
                (statistics_row(counted("Weight", weights / weights.mean())),),
            ),
        ),
    )
    headline: Pairs = (
        ("Samples", figures["samples"]),
        ("Samples without weight", without),
        ("As many as equal samples", round(effective, 1)),
        ("Locations of the grid", figures["locations"]),
    )
    said = [f"{without:,} samples influence no location, and weigh nothing."] if without else []
    return page_of(job, str(job.said["title"]), (section,), headline, said)


def distribution_page(job: Job[Any]) -> Report:
    """Show a distribution with its samples."""
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    sampled = load_samples(job.context.read("step:prepare.samples"))
    weights = sampled.extra.get(WEIGHTS)
    distribution = distribution_of(job, sampled)
    series = [counted("Samples", sampled.values)]
    curves = [drawn.cumulative_of("Samples", sampled.values)]
    if weights is not None:
        series.append(counted("Samples, weighted", sampled.values, weights))
        curves.append(drawn.cumulative_of("Samples, weighted", sampled.values, weights))
    curves.append(
        drawn.Cumulative("Distribution with tails", distribution.quantile(FRACTIONS), FRACTIONS)
    )
    section = Section(
        "Samples and distribution",
        "",
        (
            Figure(
                "histograms",
                f"Histograms of the samples of {variable.name}",
                drawn.histograms(series, variable.axis),
            ),
            Figure(
                "probability",
                f"Cumulative distribution of {variable.name} and its samples",
                drawn.probability_plot(curves, variable.axis),
            ),
        ),
        (Table(variable.axis, COLUMNS, tuple(statistics_row(each) for each in series)),),
    )
    headline: Pairs = (
        ("Samples", len(sampled.values)),
        ("Mean of the samples", series[0].mean),
        ("Mean of the distribution", distribution.mean),
        ("Its variance", distribution.variance),
    )
    return page_of(job, variable.name, (section,), headline, left_out(_counts(job)))


def normal_score_page(job: Job[Any]) -> Report:
    """Show values before and after, and the transform between them."""
    task = tasks()[job.kind]
    if not isinstance(task, NormalScoreTask):
        raise TypeError(f"normal scores are needed, got {type(task).__name__}")
    attribute = task.attribute(job)
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    rows = int(job.said["rows"])
    step = -(-max(rows, 1) // THINNED)
    before, after = [np.zeros(0)], [np.zeros(0)]
    for first, made in column_ranges(column_path(job, task.name)):
        last = first + len(made)
        begin = -first % step
        before.append(read_realisations(job.context, attribute, first, last)[begin::step, 0])
        after.append(made[begin::step])
        job.context.check()
    forwards = job.params.method == "forward"
    names = ("Values", "Normal scores") if forwards else ("Normal scores", "Values")
    pair = [
        counted(name, np.concatenate(some))
        for name, some in zip(names, (before, after), strict=True)
    ]
    values, scores = pair if forwards else pair[::-1]
    at = "distribution"
    distribution = load_distribution(job.context, job.reference(at), at=at)
    axis = variable.axis if forwards else "Value"
    section = Section(
        "Values and scores",
        "Scores of samples follow the normal curve; of other values they need not."
        + (f" Counted are {THINNED:,} of {rows:,} rows, evenly chosen." if step > 1 else ""),
        (
            Figure(
                "histograms",
                f"Histograms of {variable.name} before and after",
                drawn.before_and_after(values, scores, axis, "Normal score"),
            ),
            Figure(
                "transform", "Values against their normal scores", _transform(distribution, axis)
            ),
        ),
        (Table("Before and after", COLUMNS, tuple(statistics_row(each) for each in pair)),),
    )
    headline: Pairs = (
        ("Locations", rows),
        ("Mean before", pair[0].mean),
        ("Mean after", pair[1].mean),
    )
    return page_of(job, variable.name, (section,), headline)


def _transform(distribution: Distribution, axis: str) -> bytes:
    values = distribution.quantile(FRACTIONS)
    return drawn.transform_plot(values, forward(values, distribution), axis)


def _counts(job: Job[Any]) -> Counts:
    return msgspec.convert(job.said["counts"], Counts)
