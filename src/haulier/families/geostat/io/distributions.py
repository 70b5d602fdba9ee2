"""Distributions as objects: a table of values and probabilities, and the tails beyond it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.objects import DISTRIBUTION, GeoObject, load_object
from haulier.families.geostat.io.tables import read_matrix, table_info, write_table
from haulier.families.geostat.method.distribution import Distribution, LowerTail, UpperTail
from haulier.families.geostat.params.transforms import TailExtrapolation

SCHEMA: Final = f"/objects/{DISTRIBUTION}/1.2.1/{DISTRIBUTION}.schema.json"
NO_TAIL: Final = "no_extrapolation"


def load_distribution(
    context: Context, text: str, *, at: str, version: int | None = None
) -> Distribution:
    """Load the distribution that a reference names.

    Raises:
        Problem: it is not there, it is no distribution, or something in it is wrong.
    """
    object_ = load_object(context, text, at=at, allowed={DISTRIBUTION}, version=version)
    cdf = object_.document.get("cdf")
    if not isinstance(cdf, Mapping):
        raise _bad(object_, "its document lacks cdf")
    table = read_matrix(
        context, cdf.get("values"), at=at, what=f"distribution '{object_.title}'", columns=2
    )
    try:
        return Distribution(
            table[:, 0].copy(),
            table[:, 1].copy(),
            _lower(cdf.get("lower_tail_extrapolation")),
            _upper(cdf.get("upper_tail_extrapolation")),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise _bad(object_, str(error)) from None


def _bad(object_: GeoObject, what: str) -> Problem:
    detail = f"{object_.at} names distribution '{object_.title}', which cannot be used: {what}"
    return Problem(Code.INVALID, detail, at=object_.at)


def _lower(said: object) -> LowerTail | None:
    if not isinstance(said, Mapping):
        return None
    model = said["power_model"]
    return LowerTail.of_power(float(model["power"]), float(model["min"]))


def _upper(said: object) -> UpperTail | None:
    if not isinstance(said, Mapping):
        return None
    model = said["power_model"]
    return UpperTail.of_power(float(model["power"]), float(model["max"]))


def tails_of(said: TailExtrapolation | None) -> tuple[LowerTail | None, UpperTail | None]:
    """Give the tails that parameters ask for."""
    if said is None:
        return None, None
    upper = UpperTail.of_power(said.upper.power, said.upper.max)
    if said.lower is None:
        return None, upper
    return LowerTail.of_power(said.lower.power, said.lower.min), upper


def tail_documents(said: TailExtrapolation | None) -> dict[str, Any]:
    """Give the tails as a document has them, with the powers that were asked for."""
    lower: Any = NO_TAIL
    upper: Any = NO_TAIL
    if said is not None:
        upper = {"power_model": {"max": said.upper.max, "power": said.upper.power}}
    if said is not None and said.lower is not None:
        lower = {"power_model": {"min": said.lower.min, "power": said.lower.power}}
    return {"lower_tail_extrapolation": lower, "upper_tail_extrapolation": upper}


def distribution_document(
    table: Path, tails: TailExtrapolation | None, *, declustered: bool, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Give the document of a distribution whose table was written.

    Args:
        table: as `write_distribution` wrote it.
        tails: as they were asked for.
        declustered: whether samples were weighed.
        extra: name, bounding box, coordinate reference system, description, tags.
    """
    return {
        "schema": SCHEMA,
        "cdf": {"values": table_info(table), **tail_documents(tails)},
        "is_declustered": declustered,
        "support": "point",
        **extra,
    }


def write_distribution(path: Path, distribution: Distribution) -> None:
    """Write the points of a distribution as a table of values and probabilities."""
    columns = {"values": distribution.values, "probabilities": distribution.probabilities}
    write_table(path, pa.table(columns))
