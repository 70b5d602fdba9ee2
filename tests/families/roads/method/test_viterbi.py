"""The cheapest path against every path there is."""

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.near import Near, build_near
from haulier.families.roads.method.samples import MOST_STATES, Trellis, Tuning, make_trellis
from haulier.families.roads.method.settings import final_tuning
from haulier.families.roads.method.topology import Edges
from haulier.families.roads.method.viterbi import decode, link

NULL = -1
TUNING = final_tuning(5.0, 45.0)


def a_network(random: np.random.Generator) -> Edges:
    nodes, count = 6, 9
    u = random.integers(0, nodes, count).astype(np.int32)
    v = ((u + random.integers(1, nodes, count)) % nodes).astype(np.int32)
    end = random.integers(5, 60, count).astype(np.float32)
    return Edges(np.arange(count, dtype=np.int32), np.zeros(count, np.float32), end, u, v)


def a_trellis(random: np.random.Generator, edges: Edges, n: int) -> Trellis:
    t = make_trellis(n)
    t.s[:] = np.arange(n) * 15.0
    for i in range(n):
        t.states[i] = random.integers(0, 4)
        chosen = random.permutation(len(edges.u))[: t.states[i]]
        t.edge[i, : len(chosen)] = chosen
        t.at[i, : len(chosen)] = random.uniform(0, edges.end[chosen])
        t.cost[i, : len(chosen)] = random.uniform(0, 6, len(chosen))
    return t


def step_cost(t: Trellis, i: int, pair: tuple[int, int], edges: Edges, near: Near) -> float:
    """Give the cost of one transition as families/roads.md has it, without any shortcut."""
    a, b = pair
    if NULL in pair:
        return 0.0 if a == b else TUNING.switch_cost
    step = t.s[i] - t.s[i - 1]
    e0, at0, e1, at1 = t.edge[i - 1, a], t.at[i - 1, a], t.edge[i, b], t.at[i, b]
    if e0 == e1:
        return float(min(TUNING.jump_cost, abs(abs(at1 - at0) - step) / TUNING.beta_m))
    limit_m = step + TUNING.jump_cost * TUNING.beta_m
    way, via, _, _ = link(edges, near, int(e0), float(at0), int(e1), float(at1), limit_m)
    turn = TUNING.turn_cost if via < 0 else 4 * TUNING.turn_cost
    return float(min(TUNING.jump_cost, abs(way - step) / TUNING.beta_m + turn))


def path_cost(t: Trellis, path: tuple[int, ...], edges: Edges, near: Near) -> float:
    stay = [TUNING.null_cost if k == NULL else float(t.cost[i, k]) for i, k in enumerate(path)]
    steps = [step_cost(t, i, path[i - 1 : i + 1], edges, near) for i in range(1, len(path))]  # type: ignore[arg-type] # a slice of two is a pair
    return sum(stay) + sum(steps)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1_000_000), st.integers(2, 5))
def test_no_path_is_cheaper_than_the_chosen_one(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    edges = a_network(random)
    near = build_near(edges, 6)
    t = a_trellis(random, edges, n)

    decode(n, edges, near, TUNING, t)

    paths = itertools.product(*([NULL, *range(t.states[i])] for i in range(n)))
    least = min(path_cost(t, path, edges, near) for path in paths)
    assert math.isclose(path_cost(t, tuple(t.chosen.tolist()), edges, near), least, abs_tol=1e-9)


def test_a_road_that_nothing_is_near_stays_unmatched() -> None:
    edges = a_network(np.random.default_rng(1))
    t = make_trellis(3)
    t.states[:] = 0
    t.s[:] = [0.0, 15.0, 30.0]

    decode(3, edges, build_near(edges, 6), TUNING, t)

    assert t.chosen.tolist() == [-1, -1, -1]


def test_a_state_that_costs_more_than_none_is_not_taken() -> None:
    edges = a_network(np.random.default_rng(1))
    t = make_trellis(2)
    t.s[:], t.states[:], t.edge[:] = [0.0, 15.0], 1, 0
    t.at[:, 0], t.cost[:, 0] = [0.0, 15.0], TUNING.null_cost + TUNING.switch_cost

    decode(2, edges, build_near(edges, 6), TUNING, t)

    assert t.chosen.tolist() == [-1, -1]


def test_the_way_over_a_connector_is_the_sum_of_its_sides() -> None:
    bounds = np.array([50.0, 70.0], np.float32)
    ends = np.array([0, 1], np.int32), np.array([1, 2], np.int32)
    edges = Edges(np.arange(2, dtype=np.int32), np.zeros(2, np.float32), bounds, *ends)
    near = build_near(edges, 3)

    way, via, leave, enter = link(edges, near, 0, 45.0, 1, 6.0, 100.0)

    assert (way, via, leave, enter) == (11.0, -1, 1, 0)


def test_a_way_longer_than_the_limit_is_none() -> None:
    bounds = np.array([50.0, 70.0], np.float32)
    ends = np.array([0, 1], np.int32), np.array([1, 2], np.int32)
    edges = Edges(np.arange(2, dtype=np.int32), np.zeros(2, np.float32), bounds, *ends)

    way, *_ = link(edges, build_near(edges, 3), 0, 5.0, 1, 60.0, 100.0)

    assert way == math.inf


def test_the_tuning_leaves_room_for_the_unmatched_state() -> None:
    assert isinstance(TUNING, Tuning)
    assert make_trellis(4).best.shape == (4, MOST_STATES + 1)
