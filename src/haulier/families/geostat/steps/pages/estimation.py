"""The page of an estimate on a target: where it is high, and how it compares with the samples."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import numpy as np

from haulier.families.geostat.io.report import (
    Figure,
    Report,
    Section,
    Table,
    maps,
    points,
    resources,
    swaths,
)
from haulier.families.geostat.io.report import distributions as drawn
from haulier.families.geostat.io.report.summary import Binned, Tally, bin_edges
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.steps.estimators import EstimatorTask, missed
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import Output
from haulier.families.geostat.steps.pages.about import (
    COLUMNS,
    WORK,
    Variable,
    attribute_title,
    column_path,
    parameters,
    provenance,
    statistics_row,
    variable_of,
)
from haulier.families.geostat.steps.pages.models import model_section, pinned_variogram
from haulier.families.geostat.steps.pages.survey import Survey, column_ranges, survey
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.samples import Counts, Sampled, left_out, load_samples
from haulier.families.reporting.texts import number

#: What diagnostics are called by people, and what they should be.
DIAGNOSTICS: Final = {
    "kriging_variance": "Kriging variance",
    "slope_of_regression": "Slope of regression",
    "kriging_efficiency": "Kriging efficiency",
    "kriging_mean": "Kriging mean",
    "sum_weights": "Sum of weights",
    "sum_positive_weights": "Sum of positive weights",
    "sum_negative_weights": "Sum of negative weights",
    "min_distance": "Distance to the nearest sample [m]",
    "mean_distance": "Mean distance to the samples [m]",
    "aniso_min_distance": "Nearest sample, in ranges of the search",
    "aniso_mean_distance": "Mean distance, in ranges of the search",
}
SHOWN: Final = 6  # histograms of diagnostics; the table has all


def estimation_page(job: Job[Any]) -> Report:
    """Read an estimate, and give its page."""
    task: EstimatorTask[Any] = tasks()[job.kind]  # type: ignore[assignment]  # kinds with this page have such tasks
    sampled = load_samples(job.context.read("step:prepare.samples"))
    outputs = task.outputs(job)
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    target = task.target(job, job.said["steps"])
    seen = survey(
        job.context,
        target,
        column_path(job, outputs[0].name),
        sampled,
        bin_edges(sampled.values),
        "Estimates",
    )
    figures = job.context.values(WORK)["statistics"]
    rows = f"{job.said['rows']:,} {job.said['noun']}"
    return Report(
        f"{KINDS[job.kind].title} of {variable.name}",
        f"Attribute '{attribute_title(outputs[0].spec)}' of '{job.said['title']}', {rows}",
        (*sections(job, variable, seen, sampled), *quality(job, outputs[1:])),
        headline(job, seen, figures),
        tuple(warnings(job, task, figures)),
        parameters(job),
        provenance(job),
    )


def headline(job: Job[Any], seen: Survey, figures: Any) -> tuple[tuple[str, Any], ...]:  # noqa: ANN401 -- JSON
    """Give the numbers that come first."""
    noun = str(job.said["noun"]).capitalize()
    made, asked = figures["locations_estimated"], figures["locations_asked"]
    return (
        (f"{noun} estimated", made),
        (f"{noun} without value", asked - made),
        ("Mean of the estimates", seen.made.mean),
        ("Mean of the samples", seen.samples.mean),
        ("Samples", seen.samples.count),
    )


def warnings(job: Job[Any], task: EstimatorTask[Any], figures: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON
    """Say what was left out, what has no value, and what was treated."""
    singular = figures["systems_singular"]
    without = figures["locations_asked"] - figures["locations_estimated"]
    yield from missed(without, singular, job.said["noun"])
    yield from left_out(msgspec.convert(job.said["counts"], Counts))
    yield from task.treated(job, {"jittered": figures["systems_with_jitter"]})


def sections(
    job: Job[Any], variable: Variable, seen: Survey, sampled: Sampled
) -> Iterator[Section]:
    """Give the chapters in the order of reading."""
    if seen.made.count:
        yield where(variable, seen)
        yield distribution(variable, seen, sampled)
        if seen.swaths:
            yield along_axes(variable, seen)
        yield above_cutoffs(job, variable, seen)
    if "variogram" in job.pins:
        yield model_section(pinned_variogram(job, "variogram"), variable.unit)


def where(variable: Variable, seen: Survey) -> Section:
    """Show the estimates where they are."""
    if seen.slices:
        scale = maps.scale_of(variable.axis, [each.values for each in seen.slices])
        alt = "; ".join(each.title for each in seen.slices)
        text = "Slices through the layers with the most samples, and the samples near them."
        figure = Figure("slices", f"Estimates in colour: {alt}", maps.slices(seen.slices, scale))
        return Section("The estimates", text, (figure,))
    png = points.sample_map(seen.places, seen.values, variable.axis)
    alt = f"Estimates of {variable.name} in plan and section"
    return Section("The estimates", "", (Figure("map", alt, png),))


def distribution(variable: Variable, seen: Survey, sampled: Sampled) -> Section:
    """Compare the distributions of samples and estimates."""
    both = [seen.samples, seen.made]
    curves = [
        drawn.cumulative_of("Samples", sampled.values),
        drawn.cumulative_of_bins(seen.made),
    ]
    text = (
        "The means of samples and estimates should be near each other, unless samples crowd where "
        "values are high or low. Estimates vary less than samples: that is the price of the least "
        "error."
    )
    means = " and ".join(f"{each.label.lower()} {number(each.mean)}" for each in both)
    return Section(
        "Samples and estimates",
        text,
        (
            Figure(
                "histograms",
                f"Histograms of {variable.name}; means: {means}",
                drawn.histograms(both, variable.axis),
            ),
            Figure(
                "probability",
                f"Cumulative distributions of samples and estimates of {variable.name}",
                drawn.probability_plot(curves, variable.axis),
            ),
            Figure(
                "quantiles",
                f"Quantiles of the estimates against those of the samples of {variable.name}",
                drawn.quantile_plot(curves[0], curves[1], variable.unit),
            ),
        ),
        (Table(variable.axis, COLUMNS, tuple(statistics_row(each) for each in both)),),
    )


def along_axes(variable: Variable, seen: Survey) -> Section:
    """Compare means in slabs."""
    text = (
        "Means in slabs across each axis. Estimates should follow the trend of the samples; where "
        "bars are low, few samples stand behind a point."
    )
    alt = f"Means of samples and estimates of {variable.name} in slabs across each axis"
    png = swaths.swath_plots(seen.swaths, variable.axis)
    return Section("Swath plots", text, (Figure("swaths", alt, png),))


def above_cutoffs(job: Job[Any], variable: Variable, seen: Survey) -> Section:
    """Show how much lies above each cutoff."""
    curve = resources.grade_tonnage_of(seen.made)
    alt = f"Share of the {job.said['noun']} above each cutoff of {variable.name}, and its mean"
    png = resources.grade_tonnage([curve], variable.axis)
    text = (
        "How much has an estimate above a cutoff, and the mean of that. Estimates are smoother "
        "than the truth: above high cutoffs there is more than the curve tells, and below low "
        "ones less."
    )
    return Section("Above a cutoff", text, (Figure("grade-tonnage", alt, png),))


def quality(job: Job[Any], outputs: Sequence[Output]) -> Iterator[Section]:
    """Show the diagnostics that were asked for, if there are numbers among them."""
    seen = [each for output in outputs if (each := diagnostic(job, output)) is not None]
    if not seen:
        return
    alt = f"Histograms of {', '.join(each.label for each in seen[:SHOWN])}"
    figure = Figure("diagnostics", alt, drawn.small_histograms(seen[:SHOWN]))
    table = Table("Diagnostics", COLUMNS, tuple(statistics_row(each) for each in seen))
    text = (
        "A slope of regression or a kriging efficiency near 1 marks blocks that their samples "
        "decide; a low one marks blocks that the mean decides."
    )
    yield Section("Diagnostics", text, (figure,), (table,))


def diagnostic(job: Job[Any], output: Output) -> Binned | None:
    """Count a diagnostic; None of those that are true or false, or are nowhere."""
    summary = job.context.values(WORK)["statistics"]["outputs"].get(output.name)
    if summary is None or not summary["count"]:
        return None
    label = DIAGNOSTICS.get(output.name, output.name)
    tally = Tally(label, bin_edges(np.array([summary["min"], summary["max"]])))
    for _, values in column_ranges(column_path(job, output.name)):
        tally.add(values)
        job.context.check()
    return tally.binned()
