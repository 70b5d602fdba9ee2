"""Made-up customers: they cover the reference once, and their truth is where they were drawn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.roads.method.lines import Lines, lengths
from haulier.families.roads.method.matches import no_matches
from haulier.families.roads.method.network import Reference
from haulier.families.roads.method.perturb import LEVELS, Level, field, perturb, simplify
from haulier.families.roads.method.projection import centred_on
from haulier.families.roads.method.score import score
from haulier.families.roads.method.truth import make_truth, only_roads


def metres(lines: Lines, reference: Reference) -> Lines:
    projection = centred_on(reference.lines.coordinates)
    return Lines(projection.forward(lines.coordinates), lines.offsets)


def test_roads_and_truth_have_the_same_length(town: Reference) -> None:
    world = make_truth(town, LEVELS["L0"], seed=4)

    roads_m = lengths(metres(world.customer.lines, town))
    segment_m = lengths(metres(town.lines, town))[world.kept]
    true_m = np.bincount(
        world.truth.road,
        weights=(world.truth.segment_to - world.truth.segment_from)
        * segment_m[world.truth.segment],
        minlength=len(roads_m),
    )

    assert roads_m.sum() == pytest.approx(lengths(metres(town.lines, town)).sum(), rel=1e-3)
    assert (true_m <= roads_m + 0.1).all()
    assert (true_m == 0).mean() == pytest.approx(0.12, abs=0.06)


def test_the_same_seed_cuts_the_same_roads_at_every_level(town: Reference) -> None:
    mild, rough = (make_truth(town, LEVELS[level], seed=4) for level in ("L0", "L3"))

    np.testing.assert_array_equal(mild.truth.segment_to, rough.truth.segment_to)
    np.testing.assert_array_equal(mild.kept, rough.kept)


def test_another_seed_cuts_other_roads(town: Reference) -> None:
    first, second = (make_truth(town, LEVELS["L0"], seed=seed) for seed in (1, 2))

    assert first.kept.tolist() != second.kept.tolist()


def test_some_roads_keep_their_truth(town: Reference) -> None:
    world = make_truth(town, LEVELS["L0"], seed=4)
    few = only_roads(world, np.array([3, 5, 8]))

    assert len(few.customer.lines) == 3
    for new, old in enumerate((3, 5, 8)):
        assert (
            few.truth.segment[few.truth.road == new].tolist()
            == world.truth.segment[world.truth.road == old].tolist()
        )


def test_a_customer_without_matches_scores_nothing(town: Reference) -> None:
    world = make_truth(town, LEVELS["L0"], seed=4)
    segment_m = lengths(metres(world.reference.lines, town))

    got = score(no_matches(), world.truth, len(world.customer.lines), segment_m)

    assert (got.recall, got.exact, got.absent_given_a_match) == (0.0, 0.0, 0.0)
    assert np.isnan(got.precision)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(sorted(LEVELS)))
def test_roads_that_met_still_meet_once_bent(seed: int, level: str) -> None:
    random = np.random.default_rng(seed)
    meeting = random.uniform(-500, 500, 2)
    ends = random.uniform(-500, 500, (4, 2))
    rows = np.concatenate([[e, meeting] for e in ends])

    bent = perturb(Lines(rows, np.arange(0, 9, 2)), LEVELS[level], random)

    assert len(bent) == 4
    last = bent.coordinates[bent.offsets[1:] - 1]
    assert np.ptp(last, axis=0).max() < 1e-9


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.5, 20))
def test_a_field_has_the_deviation_asked_for(seed: int, deviation_m: float) -> None:
    random = np.random.default_rng(seed)
    places = random.uniform(-10_000, 10_000, (4000, 2))

    moved = field(places, deviation_m, 1000.0, random)

    assert moved.std() == pytest.approx(deviation_m, rel=0.35)


def test_no_deviation_moves_nothing() -> None:
    lines = Lines(np.array([[0.0, 0.0], [5.0, 1.0], [9.0, 0.0]]), np.array([0, 3]))

    bent = perturb(lines, Level(0, 0, 0, 0), np.random.default_rng(1))

    np.testing.assert_array_equal(bent.coordinates, lines.coordinates)


def test_a_simplified_line_keeps_its_ends_and_loses_what_hardly_bends() -> None:
    lines = Lines(np.array([[0.0, 0.0], [5.0, 0.2], [9.0, 0.0], [9.0, 9.0]]), np.array([0, 4]))

    simple = simplify(lines, 1.0)

    assert simple.coordinates.tolist() == [[0.0, 0.0], [9.0, 0.0], [9.0, 9.0]]
