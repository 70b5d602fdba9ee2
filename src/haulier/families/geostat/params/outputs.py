"""Which attributes a job writes, as its parameters tell, and that no two outputs share one."""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from haulier.core.problem import Fault
from haulier.families.geostat.params.estimation import (
    CrossValidation,
    IndicatorKriging,
    KrigingDiagnostics,
    KrigingTarget,
)
from haulier.families.geostat.params.pieces import AnyAttribute, CreateAttribute, Parameters

ESTIMATE: Final = "estimate"
#: What each diagnostic holds; those that are not named are numbers.
DIAGNOSTIC_KINDS: Final[Mapping[str, str]] = {
    "valid": "bool",
    "num_samples": "integer",
    "num_drillholes": "integer",
    "num_duplicates": "integer",
    "num_equidistant": "integer",
}


def diagnostics_of(target: KrigingTarget) -> dict[str, AnyAttribute]:
    """Give where each diagnostic that was asked for is written, in the order of the schema."""
    asked = target.diagnostics
    if asked is None:
        return {}
    names = [field.name for field in msgspec.structs.fields(KrigingDiagnostics)]
    return {name: spec for name in names if (spec := getattr(asked, name)) is not None}


def written_attributes(params: Parameters) -> dict[str, AnyAttribute]:
    """Give every attribute that parameters name as an output, by the path of its field."""
    if isinstance(params, CrossValidation):
        names = [field.name for field in msgspec.structs.fields(type(params.outputs))]
        specs = {f"outputs.{name}": getattr(params.outputs, name) for name in names}
        return {at: spec for at, spec in specs.items() if spec is not None}
    if isinstance(params, IndicatorKriging):
        made = {f"target.probabilities[{i}]": s for i, s in enumerate(params.target.probabilities)}
        return made | (
            {} if params.target.e_type is None else {"target.e_type": params.target.e_type}
        )
    place = getattr(params, "target", None)
    if isinstance(place, KrigingTarget):
        diagnostics = diagnostics_of(place)
        return {"target.attribute": place.attribute} | {
            f"target.diagnostics.{name}": spec for name, spec in diagnostics.items()
        }
    return {}


def attribute_faults(params: Parameters) -> Iterator[Fault]:
    """Find outputs that would be written to one and the same attribute."""
    claimed: dict[tuple[bool, str], str] = {}
    for at, spec in written_attributes(params).items():
        new = isinstance(spec, CreateAttribute)
        name = spec.name if isinstance(spec, CreateAttribute) else spec.reference
        owner = claimed.setdefault((new, name), at)
        if owner != at:
            detail = f"{owner} and {at} both write to the attribute {name!r}"
            yield Fault(at, f"{detail}; every output needs an attribute of its own")
