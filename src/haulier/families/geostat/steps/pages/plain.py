"""The page of what needs no plots: what was done, in sentences and numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

from haulier.families.geostat.io.report import Report, Section, Table
from haulier.families.geostat.io.report.document import Cell
from haulier.families.geostat.io.report.texts import flattened
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.about import WORK, parameters, provenance


def plain_page(job: Job[Any]) -> Report:
    """Give message and figures of a job."""
    kind = KINDS[job.kind]
    done = job.context.values(WORK)
    rows = tuple(figures(done.get("statistics", {})))
    tables = (Table("Figures", ("", "Value"), rows),) if rows else ()
    section = Section("What was done", str(done.get("message", "")), (), tables)
    return Report(
        kind.title,
        kind.description,
        (section,),
        parameters=parameters(job),
        provenance=provenance(job),
    )


def figures(statistics: Mapping[str, Any]) -> Iterator[tuple[str, Cell]]:
    """Give figures as rows of a table: nested names are put together."""
    for name, value in flattened(statistics):
        words = name.replace("_", " ").replace(".", ": ")
        yield words, value if isinstance(value, str | int | float | None) else str(value)
