"""What must hold between the fields of parameters, piece by piece, without reading data."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import msgspec

from haulier.core.problem import Fault
from haulier.families.geostat.params import estimation, pieces, search, simulation, transforms
from haulier.families.geostat.params import variography as vario

P = TypeVar("P", bound=msgspec.Struct)
Rule = Callable[[Any, str], Iterator[Fault]]

MEMBERSHIP: Final = frozenset({"in", "not_in"})
RULES: Final[dict[type[msgspec.Struct], Rule]] = {}


def rule_of(*types: type[msgspec.Struct]) -> Callable[[Rule], Rule]:
    """Register what must hold within pieces of these types."""

    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(types, rule))
        return rule

    return register


def below(at: str, name: str) -> str:
    """Give the path of a field."""
    return f"{at}.{name}" if at else name


@rule_of(pieces.Condition)
def _condition(given: pieces.Condition, at: str) -> Iterator[Fault]:
    wanted, other = ("values", "threshold")
    if given.operator not in MEMBERSHIP:
        wanted, other = other, wanted
    if getattr(given, wanted) is None:
        detail = f"{below(at, wanted)} is required with operator '{given.operator}', and missing"
        yield Fault(below(at, wanted), detail)
    if getattr(given, other) is not None:
        detail = f"{below(at, other)} must not be given with operator '{given.operator}'"
        yield Fault(below(at, other), f"{detail}, got {getattr(given, other)!r}")


@rule_of(search.Neighborhood, search.SectorNeighborhood)
def _neighborhood(given: search.AnyNeighborhood, at: str) -> Iterator[Fault]:
    if given.min_samples is not None and given.min_samples > given.max_samples:
        where = below(at, "min_samples")
        yield Fault(
            where,
            f"{where} must be at most max_samples ({given.max_samples}), got {given.min_samples}",
        )


@rule_of(search.EllipsoidRanges)
def _ranges(given: search.EllipsoidRanges, at: str) -> Iterator[Fault]:
    ranges = msgspec.structs.astuple(given)
    if max(ranges) > search.LONGEST_TO_SHORTEST * min(ranges):
        detail = f"{at} must be within a factor of {search.LONGEST_TO_SHORTEST:g} of each other"
        yield Fault(at, f"{detail}, got {list(ranges)}")


@rule_of(transforms.TailExtrapolation)
def _tails(given: transforms.TailExtrapolation, at: str) -> Iterator[Fault]:
    if given.lower is not None and given.lower.min >= given.upper.max:
        where = below(at, "lower.min")
        detail = f"{where} must be less than upper.max ({given.upper.max:g})"
        yield Fault(where, f"{detail}, got {given.lower.min:g}")


@rule_of(simulation.MeanThresholds)
def _thresholds(given: simulation.MeanThresholds, at: str) -> Iterator[Fault]:
    if given.acceptable > given.marginal:
        where = below(at, "acceptable")
        detail = f"{where} must be at most marginal ({given.marginal:g})"
        yield Fault(where, f"{detail}, got {given.acceptable:g}")


@rule_of(simulation.LossSettings, simulation.LossCalculation, simulation.ProfitCalculation)
def _categories(
    given: simulation.LossSettings | simulation.GradeCalculation, at: str
) -> Iterator[Fault]:
    listed = given.material_categories
    where = below(at, "material_categories")
    yield from _rising([each.cutoff_grade for each in listed], where, "cutoff_grade")
    yield from _unique([each.label for each in listed], where, "label")


@rule_of(simulation.LocationWise)
def _location_wise(given: simulation.LocationWise, at: str) -> Iterator[Fault]:
    asked = (
        given.summary,
        given.quantiles,
        given.probability_above_cutoff,
        given.mean_above_cutoff,
    )
    if not any(asked):
        detail = (
            "one or more of summary, quantiles, probability_above_cutoff and mean_above_cutoff "
            "must be asked for, got none"
        )
        yield Fault(below(at, "summary"), detail)
    yield from _unique(given.quantiles or (), below(at, "quantiles"))


@rule_of(simulation.CutoffList)
def _cutoff_list(given: simulation.CutoffList, at: str) -> Iterator[Fault]:
    yield from _unique(given.cutoffs, below(at, "cutoffs"))


@rule_of(simulation.ConditionalSimulation)
def _consim(given: simulation.ConditionalSimulation, at: str) -> Iterator[Fault]:
    for name in ("location_wise_quantiles", "probability_above_cutoff", "mean_above_cutoff"):
        yield from _unique(getattr(given, name) or (), below(at, name))


@rule_of(estimation.IndicatorKriging)
def _indicators(given: estimation.IndicatorKriging, at: str) -> Iterator[Fault]:
    yield from _rising([each.cutoff for each in given.cutoffs], below(at, "cutoffs"), "cutoff")
    made = len(given.target.probabilities)
    if made not in {0, len(given.cutoffs)}:
        where = below(at, "target.probabilities")
        detail = f"{where} must be none or one for each of the {len(given.cutoffs)} cutoffs"
        yield Fault(where, f"{detail}, got {made}")
    if made == 0 and given.target.e_type is None:
        where = below(at, "target.probabilities")
        yield Fault(where, f"{where} or target.e_type must be given, got neither")
    for index, each in enumerate(given.cutoffs):
        if each.variogram is None and given.variogram is None:
            where = below(at, f"cutoffs[{index}].variogram")
            yield Fault(where, f"{where} is required where no variogram of all cutoffs is given")


@rule_of(vario.LagSettings)
def _lags(given: vario.LagSettings, at: str) -> Iterator[Fault]:
    for name in ("size", "tolerance"):
        value = getattr(given, name)
        if value is not None and not value > 0:
            yield Fault(below(at, name), f"{below(at, name)} must be positive, got {value:g}")
        if value is not None and given.edges is not None:
            detail = f"{below(at, name)} must not be given together with edges"
            yield Fault(below(at, name), f"{detail}, got {value:g}")
    if given.tolerance is not None and given.size is None and given.edges is None:
        where = below(at, "tolerance")
        yield Fault(where, f"{where} must be given together with size, got {given.tolerance:g}")
    if given.edges is not None:
        where = below(at, "edges")
        if len(given.edges) < 2 or given.edges[0] < 0:  # noqa: PLR2004 -- a lag has two edges
            yield Fault(where, f"{where} must be two or more, from 0 on, got {list(given.edges)}")
        yield from _rising(given.edges, where)


@rule_of(vario.VariogramFit)
def _fit(given: vario.VariogramFit, at: str) -> Iterator[Fault]:
    if (given.experimental_variogram is None) == (given.experiment is None):
        where = below(at, "experimental_variogram")
        got = "neither" if given.experiment is None else "both"
        yield Fault(where, f"{where} or experiment must be given, got {got}")
    if given.nugget is not None and given.sill is not None and given.nugget > given.sill:
        where = below(at, "nugget")
        yield Fault(where, f"{where} must be at most sill ({given.sill:g}), got {given.nugget:g}")


@rule_of(vario.StructureToFit)
def _structure(given: vario.StructureToFit, at: str) -> Iterator[Fault]:
    if given.hold_ranges and given.anisotropy is None:
        where = below(at, "anisotropy")
        yield Fault(where, f"{where} is required where hold_ranges is true, and missing")
    if given.alpha is not None and given.variogram_type not in vario.SHAPED:
        where, shaped = below(at, "alpha"), " or ".join(vario.SHAPED)
        detail = f"{where} must be left out, for it is the shape of {shaped}"
        yield Fault(where, f"{detail}, got {given.alpha} for '{given.variogram_type}'")
    ranges = given.anisotropy and msgspec.structs.astuple(given.anisotropy.ellipsoid_ranges)
    if given.isotropic and ranges and len(set(ranges)) > 1:
        where = below(at, "anisotropy.ellipsoid_ranges")
        detail = f"{where} must be one range three times, or isotropic false"
        yield Fault(where, f"{detail}, got {list(ranges)}")


@rule_of(vario.VariogramDirection)
def _direction(given: vario.VariogramDirection, at: str) -> Iterator[Fault]:
    if given.type == "directional":
        return
    every = vario.VariogramDirection(given.type)
    for name in vario.ALONG:
        if getattr(given, name) != getattr(every, name):
            where = below(at, name)
            detail = f"{where} must be left out, or type be 'directional': '{given.type}' takes "
            yield Fault(where, f"{detail}pairs of every direction, got {getattr(given, name)}")


def _rising(values: Sequence[float], at: str, name: str = "") -> Iterator[Fault]:
    for index in range(1, len(values)):
        if not values[index] > values[index - 1]:
            where = f"{at}[{index}]" + (f".{name}" if name else "")
            detail = f"{where} must be greater than the one before ({values[index - 1]:g})"
            yield Fault(where, f"{detail}, got {values[index]:g}")


def _unique(values: Sequence[object], at: str, name: str = "") -> Iterator[Fault]:
    for index, value in enumerate(values):
        if value in values[:index]:
            where = f"{at}[{index}]" + (f".{name}" if name else "")
            yield Fault(where, f"{where} must be given once, got {value!r} again")
