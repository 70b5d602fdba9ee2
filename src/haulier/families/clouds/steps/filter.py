"""FILTER: keep the points of which an expression is true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.dimensions import dimensions_of
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.method.expression import Condition, condition_of
from haulier.families.clouds.method.grammar import ExpressionError
from haulier.families.clouds.params.choosing import Filter
from haulier.families.clouds.steps import rewriting, selecting
from haulier.families.clouds.steps.worth import values_of, worth_of


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Give ranges of points; the expression is checked before."""
    cloud = selecting.open_input(step, context)
    _condition(step, cloud)
    return rewriting.split(cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Filter a range."""
    cloud = selecting.open_input(step, context)
    condition = _condition(step, cloud)
    named = {
        each.name: (each, worth)
        for each, worth in zip(dimensions_of(cloud.layout), worth_of(cloud), strict=True)
        if each.name in condition.names
    }

    def keep(records: Records, first: int) -> NDArray[np.bool_]:
        del first
        return condition.holds(
            {name: values_of(records, each, worth) for name, (each, worth) in named.items()}
        )

    return selecting.select(cloud, part, context, keep)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Put what is left together."""
    return selecting.finish(selecting.open_input(step, context), results, context)


def _condition(step: StepPlan, cloud: Cloud) -> Condition:
    params = msgspec.convert(step.params, Filter)
    try:
        return condition_of(params.expression, [each.name for each in dimensions_of(cloud.layout)])
    except ExpressionError as error:
        detail = f"expression is wrong: {error}: {params.expression[:200]!r}"
        raise Problem(Code.INVALID, detail, at="expression") from None
