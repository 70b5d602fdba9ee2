"""The pages of variograms: what pairs of samples say, and the model fitted to it."""

from collections.abc import Iterator
from typing import Any, Final

from haulier.families.geostat.io.experiments import experimental_of
from haulier.families.geostat.io.report import Figure, Report, Section, Table
from haulier.families.geostat.io.report import variograms as drawn
from haulier.families.geostat.io.variograms import variogram_of_document
from haulier.families.geostat.method.experimental import ExperimentalVariogram
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import WORK, Variable, page_of, variable_of
from haulier.families.geostat.steps.pages.models import model_section
from haulier.families.geostat.steps.variography import EXPERIMENT
from haulier.families.reporting.document import Caution, Pairs
from haulier.families.reporting.texts import sentence

#: What each estimator gives, and whether in squared units of the variable.
QUANTITIES: Final = {
    "matheron": ("Semivariance", True),
    "cressie": ("Robust semivariance", True),
    "madogram": ("Madogram", False),
    "covariance": ("Covariance", True),
    "correlogram": ("Correlation", False),
}
RISING: Final = ("matheron", "cressie")  # those that a model's curve is of
COLUMNS: Final = ("Direction", "From [m]", "To [m]", "Mean distance [m]", "Value", "Pairs")


def experimental_page(job: Job[Any]) -> Report:
    """Show an experimental variogram."""
    found = experimental_of(job.context.values(WORK)[EXPERIMENT])
    variable = _variable(job, "source.object", job.params.source.attribute, "source.attribute")
    figures = job.context.values(WORK)["statistics"]
    headline: Pairs = (
        ("Samples", figures["samples"]),
        ("Pairs", figures["pairs"]),
        ("Lags", figures["lags"]),
        ("Lags without pairs", figures["lags_without_pairs"]),
        ("Variance of the samples", found.variance),
    )
    return page_of(job, variable.name, (_measured(found, variable, None),), headline)


def fit_page(job: Job[Any]) -> Report:
    """Show a model over what it was fitted to."""
    done = job.context.values(WORK)
    found, model = experimental_of(done[EXPERIMENT]), variogram_of_document(done["variogram"])
    said = job.params.experiment
    variable = Variable(str(job.said["attribute"]))
    if said is not None:
        at = "experiment.source.attribute"
        variable = _variable(job, "experiment.source.object", said.source.attribute, at)
    figures = done["statistics"]
    headline: Pairs = (
        ("Nugget", model.nugget),
        ("Sill", model.sill),
        ("Variance of the samples", found.variance),
        ("Lags used", figures["lags_used"]),
        ("Weighted squared errors", figures["ss_error"]),
    )
    sections = (_measured(found, variable, model), model_section(model, variable.unit))
    return page_of(job, variable.name or "a variogram", sections, headline, _notes(figures))


def _notes(figures: Any) -> Iterator[Caution]:  # noqa: ANN401 -- JSON
    """Give what is to be known of a fit."""
    for note in figures["notes"]:
        yield Caution(sentence(note["message"]), sentence(note["what_to_do"]), note["code"])


def _variable(job: Job[Any], object_at: str, text: str, at: str) -> Variable:
    return variable_of(job.object(object_at), text, at=at)


def _measured(found: ExperimentalVariogram, variable: Variable, model: Variogram | None) -> Section:
    """Show a panel a direction, and every lag in a table."""
    quantity, is_square = QUANTITIES[found.estimator]
    measured = drawn.measured_of(found)
    rising = found.estimator in RISING
    png = drawn.experimental_variogram(
        measured,
        model if rising else None,
        variance=found.variance if rising else None,
        quantity=quantity,
        unit=variable.unit if is_square else "",
    )
    alt = f"{quantity} of {variable.name} against distance: "
    alt += "; ".join(each.label for each in measured)
    text = "Each point is a lag; the more pairs it stands on, the larger it is."
    if len(measured) > drawn.PANELS:
        text += f" Drawn are {drawn.PANELS} of {len(measured)} directions; the table has all."
    rows = tuple(
        (
            each.label,
            float(found.start_m[row]),
            float(found.end_m[row]),
            float(found.centroid_m[row]),
            float(found.value[row]),
            int(found.num_pairs[row]),
        )
        for i, each in enumerate(measured)
        for row in range(found.rows(i).start, found.rows(i).stop)
    )
    table = Table("Lags", COLUMNS, rows)
    return Section("Pairs of samples", text, (Figure("experimental", alt, png),), (table,))
