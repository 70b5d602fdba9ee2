"""Ore or waste: to which category each block goes, by what its simulated grades are worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.geostat.method.ensembles import split_at
from haulier.families.geostat.method.rotation import FloatArray

#: The category of a block that no realisation has a grade for.
NO_CATEGORY: Final = -1


@dataclass(frozen=True, slots=True)
class Category:
    """A destination of material.

    Attributes:
        cutoff_grade: material of the category has grades above it.
        metal_price: of a unit of metal, as grades count it; 0 where nothing is sold.
        label: what people call it.
    """

    cutoff_grade: float
    metal_price: float
    label: str


@dataclass(frozen=True, slots=True)
class Costs:
    """What a unit of material costs, in the currency of the price.

    Attributes:
        processing: of material that is treated.
        mining_waste: of mining it as waste.
        mining_ore: of mining it as ore.
        recovery: fraction 0 to 1 of the metal that is won.
    """

    processing: float
    mining_waste: float
    mining_ore: float
    recovery: float


@dataclass(frozen=True, slots=True, eq=False)
class Expectations:
    """What is expected, a unit of material, of a block in or out of each of c categories.

    Attributes:
        included: (m, c) loss, or profit, if the block goes to the category; NaN where no
            realisation has a grade.
        excluded: (m, c) the same if it does not.
    """

    included: FloatArray
    excluded: FloatArray


def expected_losses(
    ensemble: FloatArray, categories: Sequence[Category], costs: Costs
) -> Expectations:
    """Give what a wrong destination is expected to cost.

    With P the probability of a grade above the category's cutoff, m+ and m- the mean grades above
    and below it, v = recovery * price, and k = processing + mining_ore - mining_waste what the
    category costs beyond mining waste:

        excluded = P max(0, v m+ - k)           profit forgone, where it belongs to the category
        included = (1 - P) max(0, k - v m-)     money thrown away, where it does not

    Args:
        ensemble: (m, r) simulated grades; those that are NaN do not count.
        categories: by rising cutoff.
        costs: of mining and treatment.

    Raises:
        ValueError: there are no categories, their cutoffs do not rise, or a cost is unfit.

    Source:
        Isaaks (1990), The application of Monte Carlo methods to the analysis of spatially
        correlated data, Stanford, ch. 4; Srivastava (1987), Minimum variance or maximum
        profitability?, CIM Bulletin 80; Glacken (1996), Change of support and use of economic
        parameters for block selection, Geostatistics Wollongong '96.
    """
    above, upper, lower, worth, extra = _terms(ensemble, categories, costs)
    return Expectations(
        included=(1.0 - above) * np.maximum(0.0, extra - worth * lower),
        excluded=above * np.maximum(0.0, worth * upper - extra),
    )


def expected_profits(
    ensemble: FloatArray, categories: Sequence[Category], costs: Costs
) -> Expectations:
    """Give what a destination is expected to earn; no metal is won from below the cutoff.

    In the notation of `expected_losses`:

        included = P v m+ - processing - mining_ore
        excluded = -mining_waste

    Source:
        Glacken (1996), Change of support and use of economic parameters for block selection,
        Geostatistics Wollongong '96; Verly (2005), Mathematical Geology 37.
    """
    above, upper, _, worth, extra = _terms(ensemble, categories, costs)
    return Expectations(
        included=above * worth * upper - extra - costs.mining_waste,
        excluded=np.full_like(above, -costs.mining_waste),
    )


def _terms(
    ensemble: FloatArray, categories: Sequence[Category], costs: Costs
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float]:
    """Give P, m+ and m-, each (m, c); v (c,) and k. A mean of nothing is 0, and has no share."""
    _check(categories, costs)
    cutoffs = np.array([each.cutoff_grade for each in categories])
    table = split_at(np.ascontiguousarray(ensemble, dtype=np.float64), cutoffs)
    worth = costs.recovery * np.array([each.metal_price for each in categories])
    extra = costs.processing + costs.mining_ore - costs.mining_waste
    return table[0], np.nan_to_num(table[1]), np.nan_to_num(table[2]), worth, extra


def _check(categories: Sequence[Category], costs: Costs) -> None:
    if not categories:
        raise ValueError("material_categories must name at least one category, got none")
    cutoffs = [each.cutoff_grade for each in categories]
    if any(after < before for before, after in pairwise(cutoffs)):
        raise ValueError(f"material_categories must have rising cutoff grades, got {cutoffs}")
    prices = [each.metal_price for each in categories]
    named = {
        "cutoff_grade": min(cutoffs),
        "metal_price": min(prices),
        "processing_cost": costs.processing,
        "mining_waste_cost": costs.mining_waste,
        "mining_ore_cost": costs.mining_ore,
        "metal_recovery_fraction": costs.recovery,
    }
    for name, value in named.items():
        if not value >= 0.0 or not np.isfinite(value):
            raise ValueError(f"{name} must be a number of 0 or more, got {value}")
    if costs.recovery > 1.0:
        raise ValueError(f"metal_recovery_fraction must lie in 0 to 1, got {costs.recovery}")


def least_loss(
    ensemble: FloatArray, categories: Sequence[Category], costs: Costs
) -> NDArray[np.int64]:
    """Give each block the category whose inclusion is expected to lose less than its exclusion.

    Where that holds of several it is the last of them, the one of the highest cutoff; where it
    holds of none, the first.

    Returns:
        (m,) positions in `categories`; `NO_CATEGORY` where all realisations are NaN.
    """
    expected = expected_losses(ensemble, categories, costs)
    return _last(expected.included < expected.excluded, ensemble)


def most_profit(
    ensemble: FloatArray, categories: Sequence[Category], costs: Costs
) -> NDArray[np.int64]:
    """Give each block the category whose inclusion is expected to earn more than its exclusion.

    The choice among several, or none, is that of `least_loss`.
    """
    expected = expected_profits(ensemble, categories, costs)
    return _last(expected.included > expected.excluded, ensemble)


def _last(accepted: NDArray[np.bool_], ensemble: FloatArray) -> NDArray[np.int64]:
    count = accepted.shape[1]
    last = count - 1 - np.argmax(accepted[:, ::-1], axis=1)
    chosen = np.where(accepted.any(axis=1), last, 0)
    return np.where(np.all(np.isnan(ensemble), axis=1), NO_CATEGORY, chosen).astype(np.int64)
