"""What every page says of its job: the variable, what was read, what is to be known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from haulier import __version__
from haulier.families.geostat.io.attributes import find_attribute
from haulier.families.geostat.io.objects import GeoObject, load_object
from haulier.families.geostat.io.report.summary import Binned
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.params.checks import references
from haulier.families.geostat.params.pieces import AnyAttribute, CreateAttribute
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.prepare import AnyType
from haulier.families.reporting.document import Caution, Pairs, Report, Section
from haulier.families.reporting.texts import settled

COLUMNS = ("", "n", "Mean", "Variance", "CV", "Min", "P10", "Median", "P90", "Max")
TENTHS = (0.1, 0.5, 0.9)
WORK = "work"


@dataclass(frozen=True, slots=True)
class Variable:
    """What is drawn: its name and its unit, which may be empty."""

    name: str
    unit: str = ""

    @property
    def axis(self) -> str:
        """Give the label of an axis."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


def variable_of(object_: GeoObject, text: str, *, at: str) -> Variable:
    """Give name and unit of the attribute that an expression finds."""
    attribute = find_attribute(object_, text, at=at)
    described = attribute.document.get("attribute_description")
    unit = described.get("unit") if isinstance(described, dict) else None
    return Variable(attribute.name, unit if isinstance(unit, str) else "")


def attribute_title(spec: AnyAttribute) -> str:
    """Give how people call an attribute that is written."""
    return spec.name if isinstance(spec, CreateAttribute) else spec.reference


def column_path(job: Job[Any], name: str, *, blob: int = 0) -> Path:
    """Give the path of the table that holds an output of the work."""
    found = job.context.values(WORK)["blobs"][name][blob]
    return job.context.read(f"step:{WORK}.{found['artifact']}")


def provenance(job: Job[Any]) -> Pairs:
    """Say which versions of which objects were read, and by what code; never when."""
    kind = KINDS[job.kind]
    read = [(at, _object(job, at, text)) for at, text in references(job.params).items()]
    code = f"haulier {__version__}, {kind.slug} {kind.version}"
    return (("Task", kind.title), *read, ("Code", code))


def _object(job: Job[Any], at: str, text: str) -> str:
    if at not in job.pins:
        return text
    found = load_object(job.context, job.reference(at), at=at, allowed=AnyType())
    return f"{found.title}, {found.type}, version {found.version} of {found.id}"


def parameters(job: Job[Any]) -> dict[str, Any]:
    """Give the parameters as the caller gave them, without those that were left out."""
    said = msgspec.to_builtins(job.params)
    said.pop("report", None)
    kept: dict[str, Any] = _without_nulls(said)
    return kept


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(each) for each in value]
    return value


def page_of(
    job: Job[Any],
    name: str,
    sections: Sequence[Section],
    headline: Pairs = (),
    warnings: Iterable[str | Caution] = (),
) -> Report:
    """Give a page with what all of them have."""
    return Report(
        f"{KINDS[job.kind].title} of {name}",
        str(job.context.values(WORK).get("message", "")),
        tuple(sections),
        headline,
        tuple(warnings),
        parameters(job),
        provenance(job),
    )


def statistics_row(binned: Binned) -> tuple[Any, ...]:
    """Give the row of a distribution under `COLUMNS`; noise beside its spread is zero."""
    spread = binned.deviation
    low, median, high = (float(each) for each in binned.quantiles(TENTHS))
    places = (binned.minimum, low, median, high, binned.maximum)
    return (
        binned.label,
        binned.count,
        settled(binned.mean, spread),
        binned.variance,
        binned.variation,
        *(settled(each, spread) for each in places),
    )
