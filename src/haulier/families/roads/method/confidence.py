"""How probable a match is: boosted trees over its features, trained once, shipped as numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.matches import CLAIMED, CLAIMED_BY, FEATURES, Matches

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from haulier.families.roads.method.lines import FloatArray, IntArray

MODEL_FILE: Final = "confidence_model.json"


class Model(NamedTuple):
    """Boosted trees of one depth d, all complete; t trees.

    Attributes:
        feature: (t, 2**d - 1) column each inner node asks about, level by level.
        threshold: (t, 2**d - 1) go right where the value is greater.
        value: (t, 2**d) logit of each leaf.
        base: logit before any tree.
        version: which training it came from.
    """

    feature: IntArray
    threshold: FloatArray
    value: FloatArray
    base: float
    version: str


@cache
def shipped_model() -> Model:
    """Read the model that comes with the package.

    Raises:
        ValueError: it was trained on other features than this code computes.
    """
    text = files("haulier.families.roads.method").joinpath(MODEL_FILE).read_text("utf-8")
    return parse_model(text)


def parse_model(text: str) -> Model:
    """Parse the JSON that `benchmarks/train_roads_confidence.py` writes.

    Raises:
        ValueError: it was trained on other features than this code computes.
    """
    body = json.loads(text)
    if tuple(body["features"]) != FEATURES:
        detail = f"the model's features must be {FEATURES}, got {tuple(body['features'])}"
        raise ValueError(detail)
    return Model(
        np.asarray(body["feature"], dtype=np.int64),
        np.asarray(body["threshold"], dtype=np.float64),
        np.asarray(body["value"], dtype=np.float64),
        float(body["base"]),
        str(body["version"]),
    )


def with_confidence(matches: Matches, model: Model | None = None) -> Matches:
    """Fill in how probable each match is, with and without the claims of other roads.

    Args:
        matches: r rows whose features are filled.
        model: the shipped one if None.

    Returns:
        The matches with `confidence` and `alone`, percent, rounded down so that 100 is certain.

    Source:
        Friedman (2001), Greedy function approximation, Annals of Statistics 29(5).
    """
    used = model or shipped_model()
    confidence = percent(logits(used, matches.features) - matches.penalty)
    claimed = np.flatnonzero(matches.features[:, CLAIMED] > 0.0)
    unclaimed = matches.features[claimed]
    unclaimed[:, [CLAIMED, CLAIMED_BY]] = 0.0
    alone = confidence.copy()
    alone[claimed] = percent(logits(used, unclaimed) - matches.penalty[claimed])
    return replace(matches, confidence=confidence, alone=alone)


def percent(logit: FloatArray) -> NDArray[np.uint8]:
    """Turn logits (r,) into whole percent (r,)."""
    return np.floor(100.0 / (1.0 + np.exp(-logit))).astype(np.uint8)


def logits(model: Model, features: NDArray[np.float32]) -> FloatArray:
    """Add up what each tree says.

    Args:
        model: t trees.
        features: (r, len(FEATURES)).

    Returns:
        (r,) log odds that the match is right.
    """
    out = np.full(len(features), model.base)
    _descend(model.feature, model.threshold, model.value, features, out)
    return out


@kernel
def _descend(
    feature: IntArray,
    threshold: FloatArray,
    value: FloatArray,
    rows: NDArray[np.float32],
    out: FloatArray,
) -> None:
    """Walk every row down every tree."""
    inner = feature.shape[1]
    for i in range(len(rows)):
        for t in range(len(feature)):
            node = 0
            while node < inner:
                right = rows[i, feature[t, node]] > threshold[t, node]
                node = 2 * node + (2 if right else 1)
            out[i] += value[t, node - inner]
