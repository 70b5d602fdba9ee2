"""What becomes of Z when a cloud changes its coordinate system: decided, or refused."""

from dataclasses import dataclass, replace
from typing import Literal

from pyproj import CRS
from pyproj.crs import CompoundCRS
from pyproj.exceptions import CRSError

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io.crs import (
    has_height,
    horizontal,
    is_angular,
    parse_crs,
    vertical,
    vertical_unit_m,
)
from haulier.families.clouds.notes import Note, trap

Treatment = Literal["kept", "scaled", "transformed"]
AT = "vertical"
SAME_UNIT = 1e-9
KEEP, SCALE = "keep", "scale_to_m"


@dataclass(frozen=True)
class Heights:
    """How Z is treated.

    Attributes:
        treatment: numbers are kept, scaled to metres, or transformed with X and Y.
        factor: what Z is times, where it is scaled.
        source: the system to come from, with heights only where they are transformed.
        target: the system to go to.
        output: what the written file says: with the vertical system if it is known, or else with
            the unit of Z where it is another than that of X and Y, for no later step could know.
        notes: what to warn of.
    """

    treatment: Treatment
    factor: float
    source: CRS
    target: CRS
    output: CRS
    notes: tuple[Note, ...] = ()


def decide_heights(source: CRS, target: CRS, policy: str) -> Heights:
    """Decide from both systems and what the request says of Z.

    Raises:
        Problem: INVALID with VERTICAL_UNIT_AMBIGUOUS, VERTICAL_SOURCE_UNKNOWN or
            VERTICAL_CONTRADICTION.
    """
    if policy in {KEEP, SCALE}:
        if has_height(target):
            detail = (
                f"vertical is '{policy}', but the target '{target.name}' has heights of its own"
            )
            raise trap("VERTICAL_CONTRADICTION", detail, "name a target without them", at=AT)
        return _kept(source, target) if policy == KEEP else _scaled(source, target)
    if policy:
        target = _with_vertical(target, policy)
    if has_height(target):
        if not has_height(source):
            detail = f"'{target.name}' has heights, but '{source.name}' does not say what Z is"
            hint = "name the source with its vertical system, such as EPSG:2271+EPSG:6360"
            raise trap("VERTICAL_SOURCE_UNKNOWN", detail, hint, at="source_epsg")
        return Heights("transformed", 1.0, source, target, target)
    if not _same_unit(source, target):
        detail = (
            f"Z of '{source.name}' is in units of {vertical_unit_m(source):.10g} m, X and Y become "
            f"units of {vertical_unit_m(target):.10g} m in '{target.name}', and nothing says what "
            "Z becomes"
        )
        hint = "set vertical to keep, scale_to_m, or a vertical system such as EPSG:5703"
        raise trap("VERTICAL_UNIT_AMBIGUOUS", detail, hint, at=AT)
    return _kept(source, target)


def _same_unit(source: CRS, target: CRS) -> bool:
    return abs(vertical_unit_m(source) / vertical_unit_m(target) - 1) < SAME_UNIT


def _kept(source: CRS, target: CRS) -> Heights:
    flat, up, unit_m = horizontal(target), vertical(source), vertical_unit_m(source)
    output = _with_unit(flat, _unit_name(source), unit_m) if up is None else _compound(flat, up)
    notes: tuple[Note, ...] = ()
    if not _same_unit(source, flat):
        message = (
            f"Z keeps its numbers in units of {unit_m:.10g} m, while X and Y are "
            f"now in '{flat.name}'"
        )
        hint = "set vertical to scale_to_m if heights and distances shall have one unit"
        notes = (Note("VERTICAL_UNIT_KEPT", message, hint),)
    return Heights("kept", 1.0, horizontal(source), flat, output, notes)


def _scaled(source: CRS, target: CRS) -> Heights:
    factor = vertical_unit_m(source)
    if abs(factor - 1) < SAME_UNIT:  # metres, as asked for: nothing to warn of
        return replace(_kept(source, target), notes=())
    flat = horizontal(target)
    return Heights("scaled", factor, horizontal(source), flat, _with_unit(flat, "metre", 1.0))


def _unit_name(crs: CRS) -> str:
    """Give what the unit of Z is called: of its own axis, or else what X and Y suggest."""
    if has_height(crs):
        return crs.axis_info[2].unit_name
    return "metre" if is_angular(crs) else crs.axis_info[0].unit_name


def _with_vertical(target: CRS, policy: str) -> CRS:
    """Give the target with the vertical system that the request names."""
    named = parse_crs(policy, AT)
    if not named.is_vertical:
        detail = f"vertical must be keep, scale_to_m or a vertical system, got '{named.name}'"
        raise Problem(Code.INVALID, detail, at=AT)
    if has_height(target):
        detail = f"vertical is '{policy}', but the target '{target.name}' has heights already"
        raise trap("VERTICAL_CONTRADICTION", detail, "name one of them", at=AT)
    return _compound(horizontal(target), named)


def _with_unit(flat: CRS, name: str, unit_m: float) -> CRS:
    """Give a system that says the unit of Z, where X and Y suggest another, and no datum of it."""
    if abs(unit_m / vertical_unit_m(flat) - 1) < SAME_UNIT:
        return flat
    unit = f'LENGTHUNIT["{name}",{unit_m!r}]'
    axis = f'CS[vertical,1],AXIS["up",up,{unit}]'
    return _compound(flat, CRS.from_wkt(f'VERTCRS["height in {name}",VDATUM["unknown"],{axis}]'))


def _compound(flat: CRS, up: CRS | None) -> CRS:
    if up is None:
        return flat
    try:
        return CompoundCRS(name=f"{flat.name} + {up.name}", components=[flat, up])
    except CRSError:  # PROJ allows no such pair
        return flat
