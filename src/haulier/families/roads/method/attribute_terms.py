"""What class, level, direction and name of a road cost it on a segment, sample by sample."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import IntArray
from haulier.families.roads.method.topology import Float32Array, Int32Array

LEVEL_COST: Final = 0.5  # per sample, of different grade levels
AGAINST_COST: Final = 2.0  # per sample, of running against a one-way segment
AGAINST_UNKNOWN_COST: Final = 0.1  # the same where the segment does not say


class Attributes(NamedTuple):
    """What else speaks for or against a pair of road and segment; empty arrays for nothing.

    Attributes:
        class_cost: (classes + 1, classes + 1) cost per sample by customer's and reference's
            class; the last row and column are for NO_VALUE.
        road_class: (m,) of the customer.
        segment_class: (s,) of the reference.
        road_level: (m,)
        segment_level: (s,)
        road_one_way: (m,) 1 or 0.
        segment_one_way: (s,) 1, -1 or 0.
        road_name: (m,) codes, -1 for none.
        segment_name: (s,) codes, -1 for none.
        name_pair: (q,) sorted keys road code * names + segment code.
        name_cost: (q,) cost per sample of the pair.
        names: number of segment name codes.
    """

    class_cost: Float32Array
    road_class: Int32Array
    segment_class: Int32Array
    road_level: Int32Array
    segment_level: Int32Array
    road_one_way: Int32Array
    segment_one_way: Int32Array
    road_name: Int32Array
    segment_name: Int32Array
    name_pair: IntArray
    name_cost: Float32Array
    names: int


@kernel
def attribute_cost(a: Attributes, road: int, segment: int, along: float) -> float:
    """Weigh class, level, direction and name of a pair; 0 where nothing is known."""
    cost = 0.0
    if len(a.class_cost):
        cost += a.class_cost[a.road_class[road], a.segment_class[segment]]
    if len(a.road_level) and a.road_level[road] != a.segment_level[segment]:
        cost += LEVEL_COST
    if len(a.road_one_way) and a.road_one_way[road]:
        # Digitised against each other is proof only where the reference is one-way too.
        way = a.segment_one_way[segment]
        if way * along < 0.0:
            cost += AGAINST_COST
        elif way == 0 and along < 0.0:
            cost += AGAINST_UNKNOWN_COST
    if a.names and a.road_name[road] >= 0 and a.segment_name[segment] >= 0:
        key = np.int64(a.road_name[road]) * a.names + a.segment_name[segment]
        at = np.searchsorted(a.name_pair, key)
        if at < len(a.name_pair) and a.name_pair[at] == key:
            cost += a.name_cost[at]
    return cost
