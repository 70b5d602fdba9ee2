"""Neighbour search: exact, whatever the samples, the limits, and the other targets."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.rotation import rotation_matrix, sphering
from haulier.families.geostat.method.search import Found, Index, find, index_samples, transformed

FloatArray = NDArray[np.float64]
NEVER = 10**9


def in_ellipsoid_space(index: Index, places: FloatArray) -> FloatArray:
    return transformed(places, index.origin, index.neighbourhood.transform)


def hole_allows(area: Neighbourhood, taken: list[int], hole: int) -> bool:
    per_hole, holes = area.max_samples_per_drillhole, area.max_drillholes_per_estimate
    return taken.count(hole) < (per_hole or NEVER) and len({*taken, hole}) <= (holes or NEVER)


def by_brute_force(
    index: Index,
    places: FloatArray,
    target: FloatArray,
    holes: NDArray[np.int64] | None = None,
    banned: NDArray[np.bool_] | None = None,
) -> tuple[list[int], bool]:
    """Choose by the definition: all samples in turn by distance and number."""
    area = index.neighbourhood
    offsets = in_ellipsoid_space(index, places) - in_ellipsoid_space(index, target[None])
    x, y, z = offsets.T
    squares = x * x + y * y + z * z
    octants = (x >= 0) + 2 * (y >= 0) + 4 * (z >= 0)
    taken: list[int] = []
    for i in np.lexsort((np.arange(len(places)), squares)):
        if squares[i] > 1 or len(taken) == area.max_samples:
            break
        if banned is not None and banned[i]:
            continue
        mine = octants[taken]
        if (mine == octants[i]).sum() >= (area.max_samples_per_octant or NEVER):
            continue
        if (mine % 4 == octants[i] % 4).sum() >= (area.max_samples_per_quadrant or NEVER):
            continue
        if holes is not None and not hole_allows(area, holes[taken].tolist(), int(holes[i])):
            continue
        taken.append(int(i))
    octants_free = 8 - len(set(octants[taken].tolist()))
    quadrants_free = 4 - len(set((octants[taken] % 4).tolist()))
    fine = (
        len(taken) >= area.min_samples
        and octants_free <= (8 if area.max_empty_octants is None else area.max_empty_octants)
        and quadrants_free <= (4 if area.max_empty_quadrants is None else area.max_empty_quadrants)
    )
    return taken, fine


def assert_exact(
    index: Index,
    places: FloatArray,
    targets: FloatArray,
    found: Found,
    holes: NDArray[np.int64] | None = None,
) -> None:
    for i, target in enumerate(targets):
        taken, fine = by_brute_force(index, places, target, holes)
        assert found.numbers[i, : found.counts[i]].tolist() == taken
        assert found.accepted[i] == fine
        assert (found.numbers[i, found.counts[i] :] == -1).all()
        assert np.isnan(found.distances[i, found.counts[i] :]).all()


TURNED = sphering(np.array([0.9, 0.5, 0.3]), rotation_matrix(40, 30, 70))
CLOUDS: dict[str, Callable[[np.random.Generator], FloatArray]] = {
    "evenly": lambda rng: rng.random((400, 3)),
    "drillholes": lambda rng: np.column_stack(
        [np.repeat(rng.random((20, 2)), 20, axis=0), np.tile(np.arange(20) / 20, 20)]
    ),
    "regular grid": lambda rng: (
        np.stack(np.meshgrid(*[np.arange(7) / 7] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        + 0.0 * rng.random()
    ),
    "one plane": lambda rng: rng.random((300, 3)) * [1, 1, 0],
    "one place": lambda rng: np.full((200, 3), 0.5) + 0.0 * rng.random(),
    "ever nearer": lambda rng: 0.9 ** np.arange(300)[:, None] * rng.standard_normal((300, 3)),
    "a stray": lambda rng: np.vstack([rng.random((200, 3)), [[1e7, -1e7, 1e6]]]),
}


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("most", [1, 8, 1000])
def test_search_finds_what_brute_force_finds(cloud: str, most: int) -> None:
    rng = np.random.default_rng(5)
    places = CLOUDS[cloud](rng)
    index = index_samples(places, Neighbourhood(TURNED, most, 4))
    targets = np.vstack([rng.random((60, 3)) * 1.6 - 0.3, places[:20]])

    assert_exact(index, places, targets, find(index, targets))


LIMITS: dict[str, dict[str, int]] = {
    "octants": {"max_samples_per_octant": 2, "max_empty_octants": 3},
    "quadrants": {"max_samples_per_quadrant": 3, "max_empty_quadrants": 1},
    "empty octants alone": {"max_empty_octants": 1},
    "a hole's samples": {"max_samples_per_drillhole": 2},
    "holes": {"max_drillholes_per_estimate": 3},
    "all": {
        "max_samples_per_octant": 3,
        "max_empty_octants": 6,
        "max_samples_per_quadrant": 5,
        "max_empty_quadrants": 2,
        "max_samples_per_drillhole": 3,
        "max_drillholes_per_estimate": 4,
    },
}


@pytest.mark.parametrize("limits", LIMITS.values(), ids=LIMITS)
@pytest.mark.parametrize("cloud", ["evenly", "drillholes", "regular grid"])
def test_limits_reject_what_brute_force_rejects(cloud: str, limits: dict[str, int]) -> None:
    rng = np.random.default_rng(6)
    places = CLOUDS[cloud](rng)
    holes = np.unique(places[:, :2], axis=0, return_inverse=True)[1].ravel() * 1000 - 5
    if cloud == "evenly":
        holes = rng.integers(0, 30, len(places))
    index = index_samples(places, Neighbourhood(TURNED, 12, 3, **limits), holes=holes)
    targets = np.vstack([rng.random((60, 3)) * 1.4 - 0.2, places[:20]])

    assert_exact(index, places, targets, find(index, targets), holes)


coordinates = st.integers(-6, 6).map(lambda number: number / 4)
points = st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(
    samples=points, targets=points, most=st.integers(1, 12), octant=st.none() | st.integers(1, 3)
)
def test_ties_go_to_the_lower_number(
    samples: list[tuple[float, float, float]],
    targets: list[tuple[float, float, float]],
    most: int,
    octant: int | None,
) -> None:
    places, wanted = np.array(samples), np.array(targets)
    area = Neighbourhood(np.eye(3), most, max_samples_per_octant=octant)
    index = index_samples(places, area)

    assert_exact(index, places, wanted, find(index, wanted))


def test_a_target_finds_the_same_whatever_is_searched_beside_it() -> None:
    rng = np.random.default_rng(7)
    places, targets = rng.random((2000, 3)), rng.random((500, 3))
    index = index_samples(places, Neighbourhood(np.eye(3) * 3, 10))
    together = find(index, targets)

    for i in range(0, 500, 50):
        alone = find(index, targets[i : i + 1])
        np.testing.assert_array_equal(alone.numbers[0], together.numbers[i])
        np.testing.assert_array_equal(alone.distances[0], together.distances[i])


def test_a_fold_left_out_is_not_found() -> None:
    rng = np.random.default_rng(8)
    places, folds = rng.random((300, 3)), rng.integers(0, 3, 300)
    index = index_samples(places, Neighbourhood(np.eye(3), 15), folds=folds)

    found = find(index, places, folds)

    for i in range(0, 300, 10):
        taken, _ = by_brute_force(index, places, places[i], banned=folds == folds[i])
        assert found.numbers[i].tolist() == taken


def test_large_coordinates_keep_their_digits() -> None:
    rng = np.random.default_rng(9)
    near = rng.integers(0, 4000, (500, 3)) / 4  # exact in a double, also far out
    away = np.array([445_000.0, 6_494_000.0, 3_000.0])
    area = Neighbourhood(np.eye(3) / 200, 20)

    here = find(index_samples(near, area), near)
    there = find(index_samples(near + away, area), near + away)

    np.testing.assert_array_equal(here.numbers, there.numbers)


def test_no_targets_find_nothing() -> None:
    found = find(index_samples(np.zeros((1, 3)), Neighbourhood(np.eye(3), 2)), np.empty((0, 3)))

    assert found.numbers.shape == (0, 1)


@pytest.mark.parametrize(
    ("field", "number"),
    [
        ("max_samples", 0),
        ("min_samples", 0),
        ("max_empty_octants", 9),
        ("max_samples_per_octant", 0),
        ("max_empty_quadrants", -1),
        ("max_samples_per_quadrant", 0),
        ("max_samples_per_drillhole", 0),
        ("max_drillholes_per_estimate", 0),
    ],
)
def test_a_limit_out_of_range_is_refused_by_name(field: str, number: int) -> None:
    fields = {"max_samples": 8, field: number}

    with pytest.raises(ValueError, match=f"{field} must be at least .*got {number}"):
        Neighbourhood(np.eye(3), **fields)


def test_limits_by_drillhole_need_drillholes() -> None:
    area = Neighbourhood(np.eye(3), 8, max_samples_per_drillhole=2)

    with pytest.raises(ValueError, match="holes must be given"):
        index_samples(np.zeros((3, 3)), area)
