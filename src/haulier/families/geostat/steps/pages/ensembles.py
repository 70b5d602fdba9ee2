"""The pages of realisations: as they were simulated, and what was made of them."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np

from haulier.core.artifact import FileRef
from haulier.families import parquet
from haulier.families.geostat.io.attributes import find_attribute
from haulier.families.geostat.io.objects import STORAGE
from haulier.families.geostat.io.report import Figure, Report, Section, Table, points
from haulier.families.geostat.io.report import distributions as drawn
from haulier.families.geostat.io.report.summary import Binned, Tally, bin_edges
from haulier.families.geostat.io.tables import CHUNK_ROWS, numbers
from haulier.families.geostat.method.conditional import standardised
from haulier.families.geostat.method.variogram import Variogram
from haulier.families.geostat.steps.consim import LOSS
from haulier.families.geostat.steps.estimators import EstimatorTask, missed
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import (
    COLUMNS,
    WORK,
    Variable,
    column_path,
    page_of,
    parameters,
    provenance,
    statistics_row,
    variable_of,
)
from haulier.families.geostat.steps.pages.cuts import (
    Cut,
    cut_by_samples,
    cut_by_values,
    some_points,
)
from haulier.families.geostat.steps.pages.material import category_section
from haulier.families.geostat.steps.pages.models import (
    model_section,
    pinned_variogram,
    realisations_figure,
    statistics_sections,
)
from haulier.families.geostat.steps.pages.validated import validation_sections
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.samples import Counts, Sampled, left_out, load_samples
from haulier.families.geostat.steps.simulations import SIMULATIONS, SimulationTask
from haulier.families.geostat.steps.statistics import MEAN, PROBABILITY, QUANTILE, SUMMARY
from haulier.families.geostat.steps.targets import Target, open_target
from haulier.families.geostat.steps.values import LocationWiseTask
from haulier.families.reporting.document import Pairs

COUNTED: Final = 20  # realisations of which the values are counted


def simulation_page(job: Job[Any]) -> Report:
    """Show realisations, their statistics, and how they compare with what they should be."""
    task = tasks()[job.kind]
    if not isinstance(task, SimulationTask):
        raise TypeError(f"a simulation is needed, got {type(task).__name__}")
    sampled = load_samples(job.context.read("step:prepare.samples"))
    variable = variable_of(
        job.object(task.source_at), job.params.source_attribute, at="source_attribute"
    )
    target = task.target(job, job.said["steps"])
    cut = cut_by_samples(target, sampled.places)
    done = job.context.values(WORK)
    sections = [
        *_realisations(job, variable, sampled, target, cut),
        *_statistics(job, task, variable, target, cut),
        *_categories(job, task, variable, cut),
        *validation_sections(job, variable, done.get("validation")),
        _model(task.variogram(job)),
    ]
    page = page_of(job, variable.name, sections, _headline(job, done), _warnings(job, task, done))
    return with_context(job, page)


def _model(variogram: Variogram) -> Section:
    note = "It is that of the normal scores, so that its sill is one."
    return model_section(variogram, note=note)


def _headline(job: Job[Any], done: Any) -> Pairs:  # noqa: ANN401 -- JSON
    figures = done["statistics"]
    means = [each for each in done["means"] if each is not None]
    noun = str(job.said["noun"]).capitalize()
    return (
        (f"{noun} simulated", figures["locations_estimated"]),
        (f"{noun} without value", figures["locations_asked"] - figures["locations_estimated"]),
        ("Realisations", figures["realisations"]),
        ("Mean of the realisations", float(np.mean(means)) if means else None),
        ("Samples", figures["samples"]["used"]),
    )


def _warnings(job: Job[Any], task: EstimatorTask[Any], done: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON
    figures = done["statistics"]
    without = figures["locations_asked"] - figures["locations_estimated"]
    yield from missed(without, figures["systems_singular"], job.said["noun"])
    yield from left_out(msgspec.convert(job.said["counts"], Counts))
    yield from task.treated(job, {"jittered": figures["systems_with_jitter"]})


def with_context(job: Job[Any], page: Report) -> Report:
    """Put the title and the lines of the caller on top, if there are some."""
    said = getattr(job.params, "report_context", None)
    if said is None:
        return page
    rows = tuple((each.label, each.value) for each in said.details)
    first = Section("About this report", "", (), (Table("", ("", ""), rows),)) if rows else None
    return Report(
        said.title,
        f"{page.title}. {page.subtitle}",
        (*([first] if first else []), *page.sections),
        page.headline,
        page.warnings,
        parameters(job),
        provenance(job),
    )


def _realisations(
    job: Job[Any], variable: Variable, sampled: Sampled, target: Target, cut: Cut | None
) -> Iterator[Section]:
    """Show some realisations, and their distribution beside that of the samples."""
    if SIMULATIONS not in job.context.values(WORK)["blobs"]:
        return
    path = column_path(job, SIMULATIONS)
    with parquet.opened(path) as file:
        count = len(file.schema_arrow)
    if cut is None:
        where = some_points(job.context, target, path)
        label = f"{variable.axis}, first realisation"
        figure = Figure("map", label, points.sample_map(*where, label))
    else:
        figure = realisations_figure(job.context, variable, cut, path, count)
    series = [_samples(sampled), _pooled(job, count, bin_edges(sampled.values))]
    histograms = Figure(
        "histograms",
        f"Histograms of the samples of {variable.name} and of its realisations",
        drawn.histograms(series, variable.axis),
    )
    rows = tuple(statistics_row(each) for each in series)
    text = (
        "Each realisation could be the truth: it honours the samples and varies as they do. Only "
        "together they tell what is known. Blocks vary less than samples, for they are larger."
    )
    table = Table(variable.axis, COLUMNS, rows)
    yield Section("Realisations", text, (figure, histograms), (table,))


def _samples(sampled: Sampled) -> Binned:
    tally = Tally("Samples", bin_edges(sampled.values))
    tally.add(sampled.values)
    return tally.binned()


def _pooled(job: Job[Any], count: int, edges: Any) -> Binned:  # noqa: ANN401 -- an array
    """Count the values of some realisations together."""
    chosen = np.unique(np.linspace(0, count - 1, min(count, COUNTED)).astype(int))
    tally = Tally(f"{len(chosen)} realisations" if len(chosen) > 1 else "Realisation", edges)
    with parquet.opened(column_path(job, SIMULATIONS)) as file:
        names = [file.schema_arrow.names[number] for number in chosen]
        for batch in file.iter_batches(CHUNK_ROWS, columns=names):
            for column in batch.columns:
                tally.add(numbers(column))
            job.context.check()
    return tally.binned()


def _statistics(
    job: Job[Any], task: SimulationTask[Any], variable: Variable, target: Target, cut: Cut | None
) -> Iterator[Section]:
    names = [each.name for each in task.outputs(job) if _is_statistic(each.name)]
    if names:
        yield from statistics_sections(job, variable, target, cut, names)


def _is_statistic(name: str) -> bool:
    return name in SUMMARY or name.startswith((QUANTILE, PROBABILITY, MEAN))


def _categories(
    job: Job[Any], task: SimulationTask[Any], variable: Variable, cut: Cut | None
) -> Iterator[Section]:
    outputs = {each.name: each for each in task.outputs(job)}
    if LOSS in outputs:
        grades = column_path(job, SUMMARY[0])
        yield category_section(job, variable, cut, outputs[LOSS], grades)


def simulation_report_page(job: Job[Any]) -> Report:
    """Show how simulations that are there compare with their samples and their variogram."""
    done = job.context.values(WORK)
    variable = variable_of(
        job.object("simulation_source"), job.params.source_attribute, at="source_attribute"
    )
    object_ = job.object("simulation_target")
    found = find_attribute(object_, job.params.block_simulations, at="block_simulations")
    path = job.context.read(FileRef(STORAGE, str(found.document["values"]["data"])))
    target = rows_of(job, "simulation_target", job.params.block_simulations)
    cut = cut_by_values(job.context, target, path)
    count = job.params.number_of_simulations
    sections = list(validation_sections(job, variable, done["validation"]))
    if cut is not None:
        figure = realisations_figure(job.context, variable, cut, path, count)
        sections.append(Section("Realisations", "", (figure,)))
    sections.append(_model(standardised(pinned_variogram(job, "variogram_model"))))
    mean = done["validation"]["mean"]
    headline: Pairs = (
        ("Realisations", count),
        ("Mean of the realisations", mean["mean"]),
        ("Mean of the samples", mean["reference"]),
        ("Verdict", mean["verdict"] or "no thresholds were given"),
    )
    said = left_out(msgspec.convert(job.said["counts"], Counts))
    return with_context(job, page_of(job, variable.name, sections, headline, said))


def location_wise_page(job: Job[Any]) -> Report:
    """Show the statistics that were asked for."""
    task = tasks()[job.kind]
    if not isinstance(task, LocationWiseTask):
        raise TypeError(f"statistics are needed, got {type(task).__name__}")
    variable = variable_of(
        job.object("source.object"), job.params.source.attribute, at="source.attribute"
    )
    names = [each.name for each in task.outputs(job)]
    target = rows_of(job, "source.object", job.params.source.attribute)
    cut = cut_by_values(job.context, target, column_path(job, names[0]))
    sections = list(statistics_sections(job, variable, target, cut, names))
    figures = job.context.values(WORK)["statistics"]
    headline: Pairs = (
        ("Locations", figures["locations"]),
        ("With values", figures["locations_with_values"]),
        ("Realisations", int(job.said["width"])),
    )
    return page_of(job, variable.name, sections, headline)


def rows_of(job: Job[Any], at: str, text: str) -> Target:
    """Open the rows of an attribute that is read, as places to draw."""
    object_ = job.object(at)
    owner = find_attribute(object_, text, at=at).owner
    return open_target(job.context, object_, owner, None, filter_at="", steps=None)
