"""Names, classes and levels: what is alike costs nothing, what is not said costs nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.attributes import (
    MOST_CLASS_COST,
    class_costs,
    no_attributes,
    normalised,
    penalties,
)
from haulier.families.roads.method.network import NO_VALUE, ROAD_CLASSES, road_class_code


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("N. Main St.", "north main street"),
        ("Avenue de la Liberté", "AV DE LA LIBERTE"),
        ("Hauptstrasse", "Hauptstraße"),
        ("Cra 27", "Carrera 27"),
    ],
)
def test_common_ways_to_write_a_name_are_one(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_a_normalised_name_stays_as_it_is(name: str) -> None:
    once = normalised(name)

    assert normalised(once) == once


def test_classes_that_hardly_differ_cost_nothing() -> None:
    cost = class_costs()

    assert (np.diag(cost) == 0).all()
    np.testing.assert_array_equal(cost, cost.T)
    assert cost[road_class_code("motorway"), road_class_code("service")] == MOST_CLASS_COST
    assert cost[road_class_code("residential"), road_class_code("tertiary")] == 0
    assert (cost[NO_VALUE] == 0).all()
    assert (cost[road_class_code("unknown")] == 0).all()


@pytest.mark.parametrize("name", [*ROAD_CLASSES, "primary_link"])
def test_every_class_has_a_code(name: str) -> None:
    assert road_class_code(name) >= 0


@pytest.mark.parametrize("name", [None, "", "runway"])
def test_a_word_that_is_no_class_has_no_code(name: str | None) -> None:
    assert road_class_code(name) == NO_VALUE


def test_attributes_that_say_nothing_take_nothing_off() -> None:
    rows = np.arange(4, dtype=np.int32)

    assert penalties(no_attributes(), rows, rows).tolist() == [0.0] * 4
