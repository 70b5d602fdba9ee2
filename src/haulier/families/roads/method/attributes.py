"""Class, name, level and direction of a road against those of a segment."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import numpy as np
from rapidfuzz import fuzz

from haulier.families.roads.method.attribute_terms import LEVEL_COST, Attributes
from haulier.families.roads.method.network import NO_VALUE, ROAD_CLASSES, Customer, Reference

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from haulier.families.roads.method.lines import IntArray
    from haulier.families.roads.method.topology import Float32Array, Int32Array

# How much a road matters, by class: maps disagree by a step or two, seldom by more.
_RANK: Final = {
    "motorway": 7.0,
    "trunk": 6.0,
    "primary": 5.0,
    "secondary": 4.0,
    "tertiary": 3.0,
    "unclassified": 2.3,
    "residential": 2.0,
    "living_street": 1.7,
    "service": 1.0,
    "track": 0.5,
    "pedestrian": 0.5,
    "path": -0.7,
    "cycleway": -0.8,
    "bridleway": -0.8,
    "footway": -1.0,
    "steps": -1.0,
}
RANK_COST: Final = 0.25  # per rank beyond the first, per sample
MOST_CLASS_COST: Final = 1.25
NAME_COST: Final = 1.2  # of names with nothing in common, per sample
NAME_ALIKE: Final = 0.85  # similarity from which names count as the same
SAME_NAME_BONUS: Final = 1.0  # logit
_WORDS: Final = {
    "st": "street",
    "str": "street",
    "strasse": "street",
    "ave": "avenue",
    "av": "avenue",
    "rd": "road",
    "dr": "drive",
    "ln": "lane",
    "blvd": "boulevard",
    "bd": "boulevard",
    "ct": "court",
    "pl": "place",
    "hwy": "highway",
    "pkwy": "parkway",
    "n": "north",
    "s": "south",
    "e": "east",
    "w": "west",
    "r": "rue",
    "ch": "chemin",
    "cll": "calle",
    "cl": "calle",
    "cra": "carrera",
    "kr": "carrera",
}


def normalised(name: str | None) -> str:
    """Reduce a road name to lower-case words without accents or common abbreviations."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name or "").casefold())
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(_WORDS.get(word, word) for word in re.findall(r"\w+", letters))


def class_costs() -> Float32Array:
    """Tabulate the cost of each pair of classes; the last row and column are "not said"."""
    ranks = np.array([*(_RANK.get(name, np.nan) for name in ROAD_CLASSES), np.nan])
    apart = np.abs(ranks[:, None] - ranks[None, :])
    cost = np.clip(RANK_COST * (apart - 1.0), 0.0, MOST_CLASS_COST)
    return np.asarray(np.nan_to_num(cost), dtype=np.float32)


def no_attributes() -> Attributes:
    """Give attributes that say nothing."""
    none = np.zeros(0, np.int32)
    return Attributes(
        class_cost=np.zeros((0, 0), np.float32),
        road_class=none,
        segment_class=none,
        road_level=none,
        segment_level=none,
        road_one_way=none,
        segment_one_way=none,
        road_name=none,
        segment_name=none,
        name_pair=np.zeros(0, np.int64),
        name_cost=np.zeros(0, np.float32),
        names=0,
    )


def compare(customer: Customer, reference: Reference, pairs: IntArray) -> Attributes:
    """Prepare what the attributes of both sides say about each other.

    Args:
        customer: m roads.
        reference: s segments.
        pairs: (k, 2) rows of roads and segments that may be matched: only their names are
            compared, since comparing all with all would grow with the square of the tile.

    Returns:
        Costs per sample, empty for whatever one side does not have.
    """
    out = no_attributes()
    if customer.road_class is not None and reference.road_class is not None:
        out = out._replace(
            class_cost=class_costs(),
            road_class=customer.road_class.astype(np.int32),
            segment_class=reference.road_class.astype(np.int32),
        )
    if customer.level is not None and reference.level is not None:
        out = out._replace(
            road_level=customer.level.astype(np.int32),
            segment_level=reference.level.astype(np.int32),
        )
    if customer.one_way is not None:
        unknown = np.zeros(len(reference.lines), np.int32)
        one_way = unknown if reference.one_way is None else reference.one_way.astype(np.int32)
        out = out._replace(road_one_way=customer.one_way.astype(np.int32), segment_one_way=one_way)
    if customer.names is None or reference.names is None or len(pairs) == 0:
        return out
    road_name, road_words = _codes(customer.names)
    segment_name, segment_words = _codes(reference.names)
    names = len(segment_words)
    a, b = road_name[pairs[:, 0]].astype(np.int64), segment_name[pairs[:, 1]]
    keys = np.unique((a * names + b)[(a >= 0) & (b >= 0)])
    return out._replace(
        road_name=road_name,
        segment_name=segment_name,
        name_pair=keys,
        name_cost=_name_costs(keys, names, road_words, segment_words),
        names=names,
    )


def penalties(
    attributes: Attributes, road: NDArray[np.int32], segment: NDArray[np.int32]
) -> Float32Array:
    """Weigh the attributes of matches, as a logit to take off their confidence.

    The model is trained on geometry alone, so this is judgement, and kept small: at most about
    three units for a match whose class, level and name all disagree, minus one for equal names.

    Args:
        attributes: as `compare` gave them.
        road: (r,) rows of the customer.
        segment: (r,) rows of the reference.

    Returns:
        (r,) logits; 0 where nothing is known.
    """
    out = np.zeros(len(road), np.float32)
    if attributes.class_cost.size:
        out += attributes.class_cost[attributes.road_class[road], attributes.segment_class[segment]]
    if attributes.road_level.size:
        apart = attributes.road_level[road] != attributes.segment_level[segment]
        out += np.where(apart, np.float32(LEVEL_COST), np.float32(0.0))
    if attributes.name_pair.size:
        a = attributes.road_name[road].astype(np.int64)
        b = attributes.segment_name[segment]
        key = a * attributes.names + b
        at = np.minimum(np.searchsorted(attributes.name_pair, key), len(attributes.name_pair) - 1)
        known = (a >= 0) & (b >= 0) & (attributes.name_pair[at] == key)
        cost = attributes.name_cost[at]
        weight = np.where(cost > 0.0, cost, np.float32(-SAME_NAME_BONUS))
        out += np.where(known, weight, np.float32(0.0))
    return out


def _codes(names: tuple[str | None, ...]) -> tuple[Int32Array, list[str]]:
    """Number the distinct normalised names; NO_VALUE for none."""
    numbers: dict[str, int] = {}
    codes = np.full(len(names), NO_VALUE, np.int32)
    seen: dict[str | None, int] = {None: NO_VALUE}
    for i, name in enumerate(names):
        if name not in seen:
            words = normalised(name)
            seen[name] = numbers.setdefault(words, len(numbers)) if words else NO_VALUE
        codes[i] = seen[name]
    return codes, list(numbers)


def _name_costs(
    keys: IntArray, names: int, road_words: list[str], segment_words: list[str]
) -> Float32Array:
    """Compare the names of each pair of codes."""
    out = np.zeros(len(keys), np.float32)
    for i, key in enumerate(keys.tolist()):
        a, b = divmod(key, names)
        alike = fuzz.token_set_ratio(road_words[a], segment_words[b]) / 100.0
        out[i] = NAME_COST * max(0.0, NAME_ALIKE - alike) / NAME_ALIKE
    return out
