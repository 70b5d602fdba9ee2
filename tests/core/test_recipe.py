"""Recipes: the order that follows from the needs, and all faults at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan


def step(name: str, *needs: str) -> StepPlan:
    return StepPlan(name, "family", "kind", needs=needs)


@st.composite
def graphs(draw: st.DrawFn) -> Recipe:
    """Give a recipe without cycles, its steps shuffled."""
    count = draw(st.integers(1, 12))
    steps = [
        step(f"s{index}", *(f"s{need}" for need in draw(st.sets(st.integers(0, index - 1)))))
        if index
        else step("s0")
        for index in range(count)
    ]
    return Recipe(tuple(draw(st.permutations(steps))))


@given(graphs())
def test_each_layer_needs_only_steps_of_layers_before_it(recipe: Recipe) -> None:
    done: set[str] = set()
    layers = recipe.levels()
    for layer in layers:
        assert all(done.issuperset(one.needs) for one in layer)
        done |= {one.id for one in layer}
    assert sorted(one.id for layer in layers for one in layer) == sorted(
        one.id for one in recipe.steps
    )


def test_steps_that_need_nothing_of_each_other_share_a_layer() -> None:
    recipe = Recipe((step("a"), step("b"), step("c", "a", "b")))
    assert [[one.id for one in layer] for layer in recipe.levels()] == [["a", "b"], ["c"]]


def test_a_recipe_without_steps_is_refused() -> None:
    with pytest.raises(Problem, match="at least one step, got none"):
        Recipe(()).levels()


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(Problem) as caught:
        Recipe((step("a", "x"), step("a"), step("b", "y"))).levels()
    assert caught.value.code is Code.INVALID
    assert [fault.at for fault in caught.value.faults] == [
        "steps[0].needs",
        "steps[1].id",
        "steps[2].needs",
    ]


@pytest.mark.parametrize("steps", [(step("a", "a"),), (step("a", "b"), step("b", "a"))])
def test_steps_that_wait_for_each_other_are_refused(steps: tuple[StepPlan, ...]) -> None:
    with pytest.raises(Problem, match="wait for each other: a"):
        Recipe((step("free"), *steps)).levels()
