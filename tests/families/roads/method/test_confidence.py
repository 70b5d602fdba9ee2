"""The shipped confidence model: what it must never say, and whether its percentages are true."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.confidence import (
    MODEL_FILE,
    logits,
    parse_model,
    percent,
    shipped_model,
    with_confidence,
)
from haulier.families.roads.method.lines import FloatArray
from haulier.families.roads.method.match import match_tile
from haulier.families.roads.method.matches import CLAIMED, FEATURES, Matches, join
from haulier.families.roads.method.network import Reference
from haulier.families.roads.method.score import shared_fraction
from haulier.families.roads.method.settings import THRESHOLD, Settings
from haulier.families.roads.method.truth import LEVELS, make_truth

FALLS_WITH = (
    "offset_m",
    "offset_sigmas",
    "largest_sigmas",
    "signed_sigmas",
    "log_stretch",
    "claimed",
    "claimed_by_sigmas",
)
RISES_WITH = ("turn", "margin", "coverage")


@pytest.fixture(scope="module")
def judged(town: Reference) -> tuple[Matches, FloatArray]:
    """Give the matches of three bent copies of a town, and the true share of each."""
    tables, right = [], []
    for seed, level in enumerate(("L1", "L2", "L3")):
        world = make_truth(town, LEVELS[level], seed=seed)
        found = match_tile(world.customer, world.reference, Settings())
        way = np.maximum(found.segment_to - found.segment_from, 1e-9)
        tables.append(found)
        right.append(np.clip(shared_fraction(found, world.truth) / way, 0, 1))
    return join(tables), np.concatenate(right)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.floats(-1, 12, width=32), min_size=len(FEATURES), max_size=len(FEATURES)),
    st.sampled_from([*FALLS_WITH, *RISES_WITH]),
    st.floats(0, 10),
)
def test_more_distance_never_makes_a_match_more_probable(
    values: list[float], name: str, more: float
) -> None:
    row = np.array([values, values], np.float32)
    row[1, FEATURES.index(name)] += more

    before, after = logits(shipped_model(), row)

    worse, better = (after, before) if name in FALLS_WITH else (before, after)
    assert worse <= better + 1e-9


def test_percentages_are_true_on_a_town_the_model_never_saw(
    judged: tuple[Matches, FloatArray],
) -> None:
    matches, right = judged
    said = (matches.confidence + 0.5) / 100
    tenth = np.minimum((said * 10).astype(int), 9)

    error = sum(abs((said - right)[tenth == b].sum()) for b in range(10)) / len(said)

    assert len(said) > 1000
    assert error < 0.05
    assert right[matches.confidence >= THRESHOLD].mean() > 0.95


def test_a_match_below_the_threshold_is_mostly_wrong(
    judged: tuple[Matches, FloatArray],
) -> None:
    matches, right = judged
    low = matches.confidence < THRESHOLD

    assert right[low].mean() < 0.6


def test_without_competition_a_match_is_no_less_probable(
    judged: tuple[Matches, FloatArray],
) -> None:
    matches, _ = judged

    assert (matches.features[:, CLAIMED] > 0).any()
    assert (matches.alone >= matches.confidence).all()


def test_a_penalty_lowers_the_confidence(
    judged: tuple[Matches, FloatArray],
) -> None:
    matches, _ = judged
    again = with_confidence(replace(matches, penalty=np.full(len(matches), 1.0, np.float32)))

    assert (again.confidence <= matches.confidence).all()
    assert again.confidence.mean() < matches.confidence.mean()


def test_only_certainty_is_a_hundred_percent() -> None:
    assert percent(np.array([-50.0, 0.0, 6.0, 50.0])).tolist() == [0, 50, 99, 100]


def test_the_shipped_model_says_what_it_was_made_from() -> None:
    text = files("haulier.families.roads.method").joinpath(MODEL_FILE).read_text("utf-8")
    provenance = json.loads(text)["provenance"]

    assert not set(provenance["trained_on"]) & set(provenance["held_back"])
    assert all(r["expected_calibration_error"] < 0.02 for r in provenance["held_back"].values())


def test_a_model_of_other_features_is_refused() -> None:
    text = files("haulier.families.roads.method").joinpath(MODEL_FILE).read_text("utf-8")
    body = json.loads(text)
    body["features"][0] = "height_m"

    with pytest.raises(ValueError, match="height_m"):
        parse_model(json.dumps(body))


def test_every_tree_is_complete() -> None:
    model = shipped_model()

    assert model.feature.shape == model.threshold.shape
    assert model.value.shape == (model.feature.shape[0], model.feature.shape[1] + 1)
    assert model.feature.max() < len(FEATURES)
