"""Whole matches on small networks: direction, attributes, absent roads, odd input, both modes."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from haulier.families.roads.method.lines import FloatArray, Lines, lengths, take
from haulier.families.roads.method.match import match_tile
from haulier.families.roads.method.matches import Matches
from haulier.families.roads.method.network import NO_VALUE, Customer, Reference, road_class_code
from haulier.families.roads.method.projection import centred_on
from haulier.families.roads.method.score import score
from haulier.families.roads.method.settings import THRESHOLD, Settings
from haulier.families.roads.method.truth import LEVELS, World, make_truth

MakeReference = Callable[..., Reference]
MakeCustomer = Callable[..., Customer]
STREET = [(0.0, 0.0), (100.0, 0.0), (200.0, 0.0)]
SIDES = [(0.0, 6.0), (200.0, 6.0)], [(0.0, -6.0), (200.0, -6.0)]  # as far from the STREET


def matched(customer: Customer, reference: Reference, settings: Settings | None = None) -> Matches:
    return match_tile(customer, reference, settings or Settings())


def counted(matches: Matches) -> list[int]:
    return [int(s) for s in matches.segment[matches.confidence >= THRESHOLD]]


@pytest.fixture(scope="module")
def world(town: Reference) -> World:
    return make_truth(town, LEVELS["L1"], seed=3)


@pytest.mark.parametrize("mode", ["fast", "accurate"])
def test_a_road_lies_on_the_whole_of_its_segment(
    mode: str, reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    road = customer_of([[(1.0, 1.0), (199.0, 1.5)]])

    found = match_tile(road, reference_of([STREET]), Settings(mode=mode))  # type: ignore[arg-type] # pytest knows no literals

    assert found.segment.tolist() == [0]
    assert found.confidence[0] >= THRESHOLD
    assert (found.segment_from[0], found.segment_to[0]) == pytest.approx((0, 1), abs=0.01)
    assert (found.road_from[0], found.road_to[0]) == pytest.approx((0, 1), abs=0.01)
    assert found.offset_m[0] == pytest.approx(1.25, abs=0.3)


def test_a_road_drawn_the_other_way_runs_backward(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    road = customer_of([[(0.0, 1.0), (200.0, 1.0)], [(200.0, 1.0), (0.0, 1.0)]])

    found = matched(road, reference_of([STREET]))

    assert found.forward.tolist() == [True, False]


def test_a_road_over_two_segments_is_two_rows_in_its_order(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    reference = reference_of([[(0, 0), (100, 0)], [(220, 0), (100, 0)], [(100, 0), (100, 90)]])

    found = matched(customer_of([[(0.0, 1.0), (220.0, 1.0)]]), reference)

    assert found.segment.tolist() == [0, 1]
    assert found.sequence.tolist() == [0, 1]
    assert found.forward.tolist() == [True, False]
    assert found.road_to[0] == pytest.approx(found.road_from[1], abs=1e-6)


def test_a_road_far_from_everything_has_no_match(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    assert len(matched(customer_of([[(0.0, 300.0), (200.0, 300.0)]]), reference_of([STREET]))) == 0


def test_a_street_that_crosses_is_no_match(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    crossing = customer_of([[(100.0, -90.0), (100.0, 90.0)]])

    assert counted(matched(crossing, reference_of([STREET]))) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            {"road_class": np.array([road_class_code("primary")])},
            {"road_class": np.array([road_class_code("service"), road_class_code("primary")])},
        ),
        ({"level": np.array([1])}, {"level": np.array([0, 1])}),
        ({"names": ("Rue du Pont",)}, {"names": ("Quai Nord", "R. du Pont")}),
        ({"one_way": np.array([True])}, {"one_way": np.array([-1, 1])}),
    ],
    ids=["class", "level", "name", "one-way"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_equal_streets_the_one_that_agrees_is_matched(
    ours: dict[str, object],
    theirs: dict[str, object],
    turned: bool,  # noqa: FBT001 -- pytest passes its parameters by name
    reference_of: MakeReference,
    customer_of: MakeCustomer,
) -> None:
    sides = SIDES[::-1] if turned else SIDES

    found = matched(customer_of([STREET], **ours), reference_of(list(sides), **theirs))

    assert set(found.segment.tolist()) == {1}


def test_values_that_are_not_said_change_nothing(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    road, segment = [[(0.0, 2.0), (200.0, 2.0)]], [STREET]
    plain = matched(customer_of(road), reference_of(segment))

    silent = matched(
        customer_of(road, road_class=np.array([NO_VALUE]), names=(None,)),
        reference_of(segment, road_class=np.array([NO_VALUE]), names=(None,)),
    )

    assert silent.confidence.tolist() == plain.confidence.tolist()


def test_a_road_that_is_not_navigable_is_left_alone(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    two = customer_of([STREET, STREET])

    found = matched(replace(two, navigable=np.array([False, True])), reference_of([STREET]))

    assert set(found.road.tolist()) == {1}


def test_roads_without_length_or_place_spoil_no_other(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    odd = customer_of([STREET, [(5.0, 5.0), (5.0, 5.0)], [(5.0, 5.0)], [], STREET])
    coordinates = odd.lines.coordinates.copy()
    coordinates[-1] = np.nan
    odd = replace(odd, lines=Lines(coordinates, odd.lines.offsets))

    found = matched(odd, reference_of([STREET]))

    assert set(found.road.tolist()) == {0}
    assert found.confidence[0] >= THRESHOLD


def test_nothing_against_nothing_is_nothing(
    reference_of: MakeReference, customer_of: MakeCustomer
) -> None:
    nothing, street = customer_of([]), reference_of([STREET])

    assert len(matched(nothing, street)) == 0
    assert len(matched(customer_of([STREET]), reference_of([]))) == 0


def test_a_report_that_raises_ends_the_match(world: World) -> None:
    def stop(fraction: float, message: str) -> None:
        raise InterruptedError(f"{message} at {fraction}")

    with pytest.raises(InterruptedError, match="prepare at 0"):
        match_tile(world.customer, world.reference, Settings(), stop)


def test_the_same_tile_gives_the_same_bytes(world: World) -> None:
    first, second = (matched(world.customer, world.reference) for _ in range(2))

    for name in ("road", "segment", "segment_from", "segment_to", "confidence", "features"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


def test_the_order_of_the_roads_does_not_matter(world: World) -> None:
    order = np.random.default_rng(1).permutation(len(world.customer.lines))
    shuffled = Customer(take(world.customer.lines, order), world.customer.navigable[order])

    first = matched(world.customer, world.reference)
    second = matched(shuffled, world.reference)

    place = np.lexsort((second.sequence, order[second.road]))
    np.testing.assert_array_equal(order[second.road][place], first.road)
    for name in ("segment", "confidence", "forward"):
        np.testing.assert_array_equal(getattr(second, name)[place], getattr(first, name))
    for name in ("segment_from", "segment_to", "road_from", "road_to"):
        np.testing.assert_allclose(getattr(second, name)[place], getattr(first, name), atol=1e-9)


@pytest.mark.parametrize(
    ("level", "mode", "f1", "exact"),
    [
        ("L0", "accurate", 0.995, 0.99),
        ("L1", "accurate", 0.985, 0.97),
        ("L2", "accurate", 0.96, 0.92),
        ("L1", "fast", 0.97, 0.95),
    ],
)
def test_a_bent_town_is_matched_as_well_as_promised(
    town: Reference, level: str, mode: str, f1: float, exact: float
) -> None:
    world = make_truth(town, LEVELS[level], seed=11)
    settings = Settings(mode=mode)  # type: ignore[arg-type] # pytest knows no literals

    found = match_tile(world.customer, world.reference, settings)

    segment_m = _lengths(world.reference)
    got = score(found, world.truth, len(world.customer.lines), segment_m)
    assert got.f1 >= f1
    assert got.exact >= exact
    assert got.absent_given_a_match <= 0.1


def _lengths(reference: Reference) -> FloatArray:
    projection = centred_on(reference.lines.coordinates)
    metres = projection.forward(reference.lines.coordinates)
    return lengths(Lines(metres, reference.lines.offsets))
