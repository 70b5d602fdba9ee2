"""Sections of a validation: mean, distribution and variograms of realisations."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from haulier.families.geostat.io.report import Figure, Section, Table, simulations
from haulier.families.geostat.io.tables import FloatArray
from haulier.families.geostat.method.validation import HistogramCheck, VariogramCheck
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import Variable
from haulier.families.reporting.texts import number

AXES: Final = ("Along the grid's x", "Along the grid's y", "Along the grid's z")
Checked = Mapping[str, Any]


def validation_sections(
    job: Job[Any], variable: Variable, checked: Checked | None
) -> Iterator[Section]:
    """Show what was compared; nothing where nothing was."""
    if checked is None:
        return
    yield _mean(job, variable, checked["mean"])
    if "histogram" in checked:
        yield _histogram(variable, checked["histogram"])
    if checked.get("variograms"):
        yield _variograms(checked["variograms"])


def _mean(job: Job[Any], variable: Variable, mean: Checked) -> Section:
    known = [each for each in mean["realisations"] if each is not None]
    said = getattr(job.params, "report_mean_thresholds", None)
    figures: tuple[Figure, ...] = ()
    if known and mean["reference"] is not None:
        png = simulations.realisation_means(
            np.array(known),
            mean["reference"],
            acceptable=None if said is None else said.acceptable,
            marginal=None if said is None else said.marginal,
            label=f"Mean of {variable.axis}",
        )
        alt = f"Mean of each realisation; reference {number(mean['reference'])}"
        figures = (Figure("means", alt, png),)
    rows = (
        ("Mean of the samples", mean["reference"]),
        ("Mean of the realisations", mean["mean"]),
        ("Difference", mean["difference"]),
        ("As a fraction", mean["relative"]),
        ("Verdict", mean["verdict"] or "no thresholds were given"),
    )
    text = "Realisations should have the mean of the samples, declustered where they crowd."
    return Section("The mean", text, figures, (Table("Means", ("", variable.axis), rows),))


def _histogram(variable: Variable, said: Checked) -> Section:
    names = ("fractions", "reference", "mean", "low", "high")
    check = HistogramCheck(*(_array(said[name]) for name in names))
    png = simulations.histogram_reproduction(check, variable.axis)
    alt = f"Quantiles of the realisations around those of the distribution of {variable.name}"
    text = "The distribution should lie within the range of the realisations."
    return Section("The distribution", text, (Figure("reproduced-histogram", alt, png),))


def _variograms(said: list[Checked]) -> Section:
    names = ("lags_m", "pairs", "model", "mean", "low", "high")
    checks = [
        VariogramCheck(int(each["axis"]), *(_array(each[name]) for name in names)) for each in said
    ]
    png = simulations.variogram_reproduction(checks, [AXES[check.axis] for check in checks])
    alt = "Variograms of the realisations' normal scores along the axes of the grid, and the model"
    text = (
        "Variograms of the normal scores along the axes of the grid. The model should lie within "
        "the range of the realisations, near their mean; at distances that are large for the grid "
        "they differ much from one another."
    )
    return Section("The variograms", text, (Figure("reproduced-variogram", alt, png),))


def _array(values: list[float | None]) -> FloatArray:
    return np.array([np.nan if each is None else each for each in values], dtype=np.float64)
