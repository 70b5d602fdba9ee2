"""Distributions as objects: a table of values and probabilities, and the tails beyond it."""

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.objects import DISTRIBUTION, GeoObject, load_object
from haulier.families.geostat.io.tables import read_matrix
from haulier.families.geostat.method.distribution import Distribution, LowerTail, UpperTail
from haulier.families.geostat.params.transforms import TailExtrapolation

SCHEMA: Final = f"/objects/{DISTRIBUTION}/1.2.1/{DISTRIBUTION}.schema.json"
NO_TAIL: Final = "no_extrapolation"


def load_distribution(context: Context, text: str, *, at: str) -> Distribution:
    """Load the distribution that a reference names.

    Raises:
        Problem: it is not there, it is no distribution, or something in it is wrong.
    """
    object_ = load_object(context, text, at=at, allowed={DISTRIBUTION})
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
    return LowerTail(float(model["power"]), float(model["min"]))


def _upper(said: object) -> UpperTail | None:
    if not isinstance(said, Mapping):
        return None
    model = said["power_model"]
    return UpperTail(float(model["power"]), float(model["max"]))


def tails_of(said: TailExtrapolation | None) -> tuple[LowerTail | None, UpperTail | None]:
    """Give the tails that parameters ask for."""
    if said is None:
        return None, None
    upper = UpperTail.of_power(said.upper.power, said.upper.max)
    if said.lower is None:
        return None, upper
    return LowerTail.of_power(said.lower.power, said.lower.min), upper


def tail_documents(distribution: Distribution) -> dict[str, Any]:
    """Give the tails as a document has them: exponents, of at least 1 below and at most 1 above."""
    lower, upper = distribution.lower, distribution.upper
    below: Any = NO_TAIL
    above: Any = NO_TAIL
    if lower is not None:
        below = {"power_model": {"min": lower.minimum, "power": lower.exponent}}
    if upper is not None:
        above = {"power_model": {"max": upper.maximum, "power": upper.exponent}}
    return {"lower_tail_extrapolation": below, "upper_tail_extrapolation": above}


def distribution_document(
    values: Mapping[str, Any],
    distribution: Distribution,
    *,
    declustered: bool,
    extra: Mapping[str, Any],
) -> dict[str, Any]:
    """Give the document of a distribution whose table was written.

    Args:
        values: what a document says of its table.
        distribution: whose tails are written.
        declustered: whether samples were weighed.
        extra: name, bounding box, coordinate reference system, description, tags.
    """
    return {
        "schema": SCHEMA,
        "cdf": {"values": dict(values), **tail_documents(distribution)},
        "is_declustered": declustered,
        "support": "point",
        **extra,
    }


def distribution_table(distribution: Distribution) -> pa.Table:
    """Give the points of a distribution as a table of values and probabilities."""
    columns = {"values": distribution.values, "probabilities": distribution.probabilities}
    return pa.table(columns)
