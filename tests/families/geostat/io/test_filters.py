"""Filters: what they select, whatever is missing, and that they are read range by range."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.core.problem import Problem
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.attributes import attribute_lists
from haulier.families.geostat.io.filters import select
from haulier.families.geostat.io.objects import PLACED, load_object
from haulier.families.geostat.params.pieces import Filter
from haulier.testing.context import LocalContext, World
from haulier.testing.geoscience import Gallery

STEP = StepPlan("prepare", "geostat", "prepare")
GRADES = [0.1, 0.5, np.nan, 2.0, 0.5, 3.0]
DOMAINS = ["LMS1", None, "LMS2", "LMS1", "OX", "LMS2"]
LEVELS = [1, 2, 3, 4, 5, 6]
WORDS = ["a", "b", None, "a", "c", "a"]
TRUTHS = [True, False, True, True, False, False]


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    made = Gallery(World(tmp_path_factory.mktemp("world")))
    made.pointset(
        "p.json",
        np.zeros((6, 3)),
        made.scalar("grade", GRADES),
        made.category("domain", DOMAINS, first_key=7),
        made.integer("level", LEVELS),
        made.words("word", WORDS),
        made.truths("ore", TRUTHS),
    )
    return made


def selected(
    gallery: Gallery, where: Mapping[str, Any], first: int = 0, last: int = 6
) -> list[int]:
    context = LocalContext(gallery.world, STEP, "run")
    entry = gallery.get("p.json")
    reference = (
        "https://hub.test/geoscience-object/orgs/00000000-0000-0000-0000-0000000000a1"
        f"/workspaces/00000000-0000-0000-0000-0000000000b2/objects/{entry.id}"
    )
    object_ = load_object(context, reference, at="source.object", allowed=PLACED)
    filter_ = msgspec.convert({"where": where}, Filter)
    owner = attribute_lists(object_)[0]
    selection = select(context, object_, filter_, owner, at="source.filter")
    assert selection is not None
    return (np.flatnonzero(selection.rows(context, first, last)) + first).tolist()


def condition(attribute: str, operator: str, what: Sequence[Any] | float) -> dict[str, Any]:
    field = "values" if isinstance(what, list) else "threshold"
    return {"type": "condition", "attribute": attribute, "operator": operator, field: what}


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        (condition("grade", "greater_than", 0.5), [3, 5]),
        (condition("grade", "greater_than_or_equal_to", 0.5), [1, 3, 4, 5]),
        (condition("grade", "less_than", 0.5), [0]),
        (condition("grade", "less_than_or_equal_to", 0.5), [0, 1, 4]),
        (condition("grade", "equal", 0.5), [1, 4]),
        (condition("grade", "not_equal", 0.5), [0, 3, 5]),
        (condition("domain", "in", ["LMS1"]), [0, 3]),
        (condition("domain", "in", [8]), [2, 5]),
        (condition("domain", "in", ["OX", 7]), [0, 3, 4]),
        (condition("domain", "not_in", ["LMS1"]), [2, 4, 5]),
        (condition("domain", "in", ["LMS1", "elsewhere"]), [0, 3]),
        (condition("level", "in", [2, 5]), [1, 4]),
        (condition("level", "greater_than", 4), [4, 5]),
        (condition("word", "in", ["a"]), [0, 3, 5]),
        (condition("word", "not_in", ["a"]), [1, 4]),
        (condition("ore", "equal", 1), [0, 2, 3]),
        (condition("locations.attributes[?name=='grade']", "greater_than", 2.5), [5]),
        (
            {
                "type": "all_of",
                "filters": [
                    condition("domain", "in", ["LMS2"]),
                    {
                        "type": "any_of",
                        "filters": [condition("grade", "equal", 3), condition("level", "equal", 1)],
                    },
                ],
            },
            [5],
        ),
    ],
)
def test_a_filter_selects(where: Mapping[str, Any], rows: list[int], gallery: Gallery) -> None:
    assert selected(gallery, where) == rows


@given(first=st.integers(0, 6), more=st.integers(0, 6), threshold=st.floats(-1, 4))
@settings(deadline=None)
def test_a_range_of_rows_is_a_range_of_the_whole(
    first: int, more: int, threshold: float, gallery: Gallery
) -> None:
    last = min(first + more, 6)
    where = condition("grade", "greater_than", threshold)

    whole = selected(gallery, where)

    assert selected(gallery, where, first, last) == [row for row in whole if first <= row < last]


@pytest.mark.parametrize(
    ("where", "at"),
    [
        (condition("domain", "greater_than", 1.0), "source.filter.where.operator"),
        (condition("domain", "in", ["nowhere"]), "source.filter.where.values"),
        (condition("grade", "in", ["high"]), "source.filter.where.values"),
        (condition("gone", "equal", 1.0), "source.filter.where.attribute"),
        (
            {
                "type": "any_of",
                "filters": [condition("grade", "equal", 1), condition("x", "in", [1])],
            },
            "source.filter.where.filters[1].attribute",
        ),
    ],
)
def test_a_condition_that_fits_nothing_is_refused_at_its_place(
    where: Mapping[str, Any], at: str, gallery: Gallery
) -> None:
    with pytest.raises(Problem) as caught:
        selected(gallery, where)

    assert caught.value.at == at


def test_no_filter_selects_all(gallery: Gallery, tmp_path: Path) -> None:
    del tmp_path
    context = LocalContext(gallery.world, STEP, "run")
    owner = None

    assert select(context, None, None, owner, at="") is None  # type: ignore[arg-type]
