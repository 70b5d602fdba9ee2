from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from haulier.families.geostat.method.economics import (
    NO_CATEGORY,
    Category,
    Costs,
    expected_losses,
    expected_profits,
    least_loss,
    most_profit,
)

WASTE = Category(0.0, 0.0, "waste")
ORE = Category(0.5, 200.0, "ore")
COSTS = Costs(processing=20.0, mining_waste=5.0, mining_ore=10.0, recovery=0.85)
#: k = 20 + 10 - 5 = 25 and v = 0.85 * 200 = 170: ore pays from a grade of 25 / 170.
BOTH = [WASTE, ORE]
CHOICES = pytest.mark.parametrize("choose", [least_loss, most_profit])


def test_losses_follow_their_formulae() -> None:
    grades = np.array([[0.1, 0.3, 0.7, 0.9]])

    found = expected_losses(grades, BOTH, COSTS)

    # half the realisations are above 0.5 with mean 0.8, half below with mean 0.2
    assert found.excluded[0, 1] == pytest.approx(0.5 * (170 * 0.8 - 25))
    assert found.included[0, 1] == pytest.approx(0.5 * max(0.0, 25 - 170 * 0.2))


def test_profits_follow_their_formulae() -> None:
    grades = np.array([[0.1, 0.3, 0.7, 0.9]])

    found = expected_profits(grades, BOTH, COSTS)

    assert found.included[0, 1] == pytest.approx(0.5 * 170 * 0.8 - 20 - 10)
    assert found.excluded[0, 1] == -5.0


@CHOICES
def test_rich_blocks_are_ore_and_poor_ones_waste(choose: Any) -> None:
    grades = np.array([[2.0, 3.0, 1.0], [0.01, 0.02, 0.0]])

    assert choose(grades, BOTH, COSTS).tolist() == [1, 0]


def test_the_risk_of_a_rich_tail_makes_ore_of_a_block_whose_mean_is_poor() -> None:
    breakeven = 25.0 / 170.0
    tail = np.array([[0.0, 0.0, 0.0, 0.0, 0.0, 1.2]])
    cautious = replace(COSTS, processing=60.0)

    assert tail.mean() > breakeven
    assert least_loss(tail, BOTH, COSTS).tolist() == [1]
    assert least_loss(tail, BOTH, cautious).tolist() == [0]


def test_where_the_cutoff_is_the_grade_that_pays_least_loss_is_the_mean_against_it() -> None:
    rng = np.random.default_rng(1)
    grades = rng.lognormal(-2.0, 1.0, (2000, 25))
    breakeven = 25.0 / 170.0

    chosen = least_loss(grades, [WASTE, Category(breakeven, 200.0, "ore")], COSTS)

    assert np.array_equal(chosen == 1, grades.mean(axis=1) > breakeven)


@CHOICES
def test_among_several_that_pay_the_last_wins(choose: Any) -> None:
    three = [WASTE, ORE, Category(1.0, 200.0, "high grade")]
    grades = np.array([[0.8, 0.8, 0.8], [3.0, 4.0, 5.0], [0.0, 0.0, 0.0]])

    assert choose(grades, three, COSTS).tolist() == [1, 2, 0]


@CHOICES
def test_a_block_without_grades_has_no_category(choose: Any) -> None:
    grades = np.array([[np.nan, np.nan], [np.nan, 5.0]])

    assert choose(grades, BOTH, COSTS).tolist() == [NO_CATEGORY, 1]


@CHOICES
def test_results_do_not_depend_on_chunks(choose: Any) -> None:
    grades = np.random.default_rng(1).lognormal(-1.5, 1.0, (500, 11))

    parts = [choose(part, BOTH, COSTS) for part in np.array_split(grades, 9)]

    assert np.array_equal(np.concatenate(parts), choose(grades, BOTH, COSTS))


@pytest.mark.parametrize(
    ("categories", "costs", "words"),
    [
        ([], COSTS, "at least one category"),
        ([ORE, WASTE], COSTS, "rising cutoff grades"),
        (BOTH, replace(COSTS, processing=-1.0), "processing_cost must be"),
        (BOTH, replace(COSTS, recovery=1.5), "metal_recovery_fraction must lie in 0 to 1"),
        ([replace(WASTE, metal_price=float("nan"))], COSTS, "metal_price must be"),
    ],
)
def test_unfit_economics_are_refused(categories: list[Category], costs: Costs, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        least_loss(np.ones((1, 2)), categories, costs)


def test_of_several_categories_that_pay_the_last_is_taken_not_the_one_that_pays_most() -> None:
    three = [WASTE, Category(0.5, 200.0, "ore"), Category(1.0, 100.0, "other ore")]
    rich = np.full((1, 4), 2.0)

    profits = expected_profits(rich, three, COSTS)

    assert profits.included[0].argmax() == 1
    assert (
        most_profit(rich, three, COSTS).tolist() == least_loss(rich, three, COSTS).tolist() == [2]
    )
