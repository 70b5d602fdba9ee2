"""Variograms as objects: read with every fault named, and written as the vendor's client reads."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.objects import VARIOGRAM, GeoObject, load_object
from haulier.families.geostat.method.variogram import Structure, Variogram
from haulier.families.geostat.params.pieces import LARGEST

#: Relative; documents are written by hand too, with rounded contributions.
SILL_TOLERANCE: Final = 1e-4
SHAPED: Final = frozenset({"spheroidal", "generalisedcauchy"})
#: Schemas of before 1.2.0 know neither spheroidal nor linear structures.
OLD_SCHEMA: Final = "/objects/variogram/1.1.0/variogram.schema.json"
NEW_SCHEMA: Final = "/objects/variogram/1.2.0/variogram.schema.json"
NEWER_MODELS: Final = frozenset({"spheroidal", "linear"})

Positive = Annotated[float, Meta(gt=0.0, le=LARGEST)]
NotNegative = Annotated[float, Meta(ge=0.0, le=LARGEST)]
Model = Literal[
    "spherical",
    "exponential",
    "gaussian",
    "cubic",
    "spheroidal",
    "generalisedcauchy",
    "linear",
]


class _Ranges(msgspec.Struct):
    major: Positive
    semi_major: Positive
    minor: Positive


class _Rotation(msgspec.Struct):
    dip_azimuth: Annotated[float, Meta(ge=0.0, le=360.0)] = 0.0
    dip: Annotated[float, Meta(ge=0.0, le=180.0)] = 0.0
    pitch: Annotated[float, Meta(ge=0.0, le=360.0)] = 0.0


class _Anisotropy(msgspec.Struct):
    ellipsoid_ranges: _Ranges
    rotation: _Rotation | None = None


class _Structure(msgspec.Struct):
    variogram_type: Model
    contribution: NotNegative
    anisotropy: _Anisotropy
    alpha: Literal[3, 5, 7, 9] | None = None


class _Variogram(msgspec.Struct):
    sill: Positive
    structures: Annotated[tuple[_Structure, ...], Meta(min_length=1, max_length=20)]
    nugget: NotNegative = 0.0


def load_variogram(context: Context, text: str, *, at: str) -> Variogram:
    """Load the variogram that a reference names.

    Raises:
        Problem: it is not there, it is no variogram, or something in it is wrong.
    """
    object_ = load_object(context, text, at=at, allowed={VARIOGRAM})
    return variogram_of(object_)


def variogram_of(object_: GeoObject) -> Variogram:
    """Read a variogram.

    Raises:
        Problem: INVALID at the parameter, with the field of the document that is wrong.
    """
    try:
        said = msgspec.convert(object_.document, _Variogram)
    except msgspec.ValidationError as error:
        raise _bad(object_, str(error).replace("`", "").replace("$.", "")) from None
    for each in said.structures:
        if each.variogram_type in SHAPED and each.alpha is None:
            raise _bad(object_, f"a {each.variogram_type} structure needs an alpha of 3, 5, 7 or 9")
    variogram = Variogram(said.nugget, tuple(map(_structure, said.structures)))
    total = said.nugget + sum(each.contribution for each in said.structures)
    if not math.isclose(total, said.sill, rel_tol=SILL_TOLERANCE):
        raise _bad(
            object_,
            f"its sill must be nugget and contributions together, {total:g}, got {said.sill:g}",
        )
    return variogram


def variogram_of_document(document: Mapping[str, Any]) -> Variogram:
    """Read what `variogram_document` gave."""
    said = msgspec.convert(document, _Variogram)
    return Variogram(said.nugget, tuple(map(_structure, said.structures)))


def _structure(said: _Structure) -> Structure:
    ranges, turn = said.anisotropy.ellipsoid_ranges, said.anisotropy.rotation or _Rotation()
    return Structure(
        said.variogram_type,
        said.contribution,
        (ranges.major, ranges.semi_major, ranges.minor),
        (turn.dip_azimuth, turn.dip, turn.pitch),
        (said.alpha or 0) if said.variogram_type in SHAPED else 0,
    )


def _bad(object_: GeoObject, what: str) -> Problem:
    detail = f"{object_.at} names variogram '{object_.title}', which cannot be used: {what}"
    return Problem(Code.INVALID, detail, at=object_.at)


def check_bounded(variogram: Variogram, *, at: str, what: str) -> None:
    """Refuse a variogram without a sill where one is needed.

    Raises:
        Problem: INVALID at the parameter.
    """
    if not variogram.bounded:
        detail = f"{at} must have a sill for {what}; a linear structure has none"
        raise Problem(Code.INVALID, f"{detail}: use ordinary kriging or another model", at=at)


def variogram_document(
    variogram: Variogram, *, name: str, extra: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Give the document of a variogram.

    Args:
        variogram: the model.
        name: of the object.
        extra: attribute, domain, data_variance, modelling_space, description, tags.
    """
    models = {each.model for each in variogram.structures}
    turns = {each.rotation_deg for each in variogram.structures}
    return {
        "name": name,
        "schema": NEW_SCHEMA if models & NEWER_MODELS else OLD_SCHEMA,
        "sill": variogram.nugget + sum(each.contribution for each in variogram.structures),
        "nugget": variogram.nugget,
        "is_rotation_fixed": len(turns) == 1,
        "structures": [_said(each) for each in variogram.structures],
        **(extra or {}),
    }


def _said(structure: Structure) -> dict[str, Any]:
    ranges = dict(zip(("major", "semi_major", "minor"), structure.ranges_m, strict=True))
    turn = dict(zip(("dip_azimuth", "dip", "pitch"), structure.rotation_deg, strict=True))
    said: dict[str, Any] = {
        "variogram_type": structure.model,
        "contribution": structure.contribution,
        "anisotropy": {"ellipsoid_ranges": ranges, "rotation": turn},
    }
    return said | ({"alpha": structure.alpha} if structure.model in SHAPED else {})
