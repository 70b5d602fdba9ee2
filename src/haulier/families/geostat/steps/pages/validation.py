"""The page of a cross-validation: how far estimates at samples are from what was measured."""

from typing import Any, Final

import msgspec
import numpy as np

from haulier.families.geostat.io.report import Figure, Report, Section, Table, points
from haulier.families.geostat.io.report import distributions as drawn
from haulier.families.geostat.io.report import validation as compared
from haulier.families.geostat.io.report.summary import Tally, bin_edges
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.steps.crossvalidation import MADE
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import (
    COLUMNS,
    WORK,
    Variable,
    page_of,
    statistics_row,
    variable_of,
)
from haulier.families.geostat.steps.pages.models import model_section, pinned_variogram
from haulier.families.geostat.steps.samples import Counts, left_out
from haulier.families.geostat.steps.tables import read_arrays
from haulier.families.reporting.document import Pairs
from haulier.families.reporting.texts import number

#: What the statistics are called, and what they are at best.
SCORES: Final = {
    "count": ("Samples with an estimate", ""),
    "missing": ("Samples without", "0"),
    "mean_observed": ("Mean measured", ""),
    "mean_estimated": ("Mean estimated", "the mean measured"),
    "mean_error": ("Mean error", "0"),
    "mean_absolute_error": ("Mean absolute error", ""),
    "root_mean_square_error": ("Root mean square error", ""),
    "correlation": ("Correlation", "1"),
    "r_squared": ("R squared", "1"),
    "slope": ("Slope, measured on estimated", "1: no conditional bias"),
    "intercept": ("Intercept", "0"),
    "efficiency": ("Efficiency (Nash, Sutcliffe)", "1"),
    "mean_standardised_error": ("Mean standardised error", "0"),
    "mean_squared_deviation_ratio": ("Mean squared deviation ratio", "1: the variance is right"),
    "within_90": ("Within the 90 % interval", "0.9"),
    "within_95": ("Within the 95 % interval", "0.95"),
}
BESIDE: Final = {
    "count": "n",
    "mean_observed": "mean measured",
    "mean_estimated": "mean estimated",
    "mean_error": "mean error",
    "root_mean_square_error": "RMSE",
    "correlation": "correlation",
    "mean_squared_deviation_ratio": "MSDR",
}


def validation_page(job: Job[Any]) -> Report:
    """Show estimates against measurements, and where errors are."""
    made = read_arrays(job.context.read(f"step:{WORK}.{MADE}"))
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    scores = job.context.values(WORK)["statistics"]
    sections = (
        _scatter(variable, made, scores),
        _errors(variable, made),
        _distributions(variable, made),
        model_section(pinned_variogram(job, "variogram"), variable.unit),
    )
    headline: Pairs = (
        ("Samples validated", scores["count"]),
        ("Folds", scores["folds"]),
        ("Mean error", scores["mean_error"]),
        ("Root mean square error", scores["root_mean_square_error"]),
        ("Correlation", scores["correlation"]),
    )
    warnings = left_out(msgspec.convert(job.said["counts"], Counts))
    if scores["missing"]:
        warnings.append(
            f"Samples without enough others within reach: {scores['missing']:,}. They are left "
            "out of every figure."
        )
    return page_of(job, variable.name, sections, headline, warnings)


def _scatter(variable: Variable, made: Any, scores: Any) -> Section:  # noqa: ANN401 -- arrays, JSON
    png = compared.cross_validation(
        made["estimate"],
        made["measured"],
        facts=[(label, scores[name]) for name, label in BESIDE.items()],
        unit=variable.unit,
    )
    alt = f"Measured against estimated {variable.name}; correlation "
    rows = tuple((label, scores[name], best) for name, (label, best) in SCORES.items())
    text = (
        "Each sample estimated from the others. The regression of measured on estimated shows "
        "conditional bias: with a slope below 1, high estimates are too high and low ones too low."
    )
    figure = Figure("cross-validation", f"{alt}{number(scores['correlation'])}", png)
    table = Table(
        "Statistics", ("", "Value", "At best"), rows, "Errors are measured less estimated."
    )
    return Section("Measured and estimated", text, (figure,), (table,))


def _errors(variable: Variable, made: Any) -> Section:  # noqa: ANN401 -- arrays
    places = np.stack([made[name] for name in "xyz"], axis=1)
    figures = (
        Figure(
            "errors",
            "Histogram of the errors over their standard deviations, and the normal curve",
            compared.standardised_errors(made["standardised_residual"]),
        ),
        Figure(
            "residuals",
            f"Errors of {variable.name} where they were made, in plan and section",
            points.residual_map(places, made["residual"], variable.unit),
        ),
    )
    text = (
        "Errors over their kriging standard deviations should vary by 1 around 0. On the map no "
        "part should be all of one colour: there the mean or the model does not hold."
    )
    return Section("Errors", text, figures)


def _distributions(variable: Variable, made: Any) -> Section:  # noqa: ANN401 -- arrays
    there = np.isfinite(made["estimate"])
    edges = bin_edges(made["measured"])
    series = []
    for label, name in (("Measured", "measured"), ("Estimated", "estimate")):
        tally = Tally(label, edges)
        values: FloatArray = made[name][there]
        tally.add(values)
        series.append(tally.binned())
    figure = Figure(
        "histograms",
        f"Histograms of measured and estimated {variable.name}",
        drawn.histograms(series, variable.axis),
    )
    table = Table(variable.axis, COLUMNS, tuple(statistics_row(each) for each in series))
    return Section("Distributions", "", (figure,), (table,))
