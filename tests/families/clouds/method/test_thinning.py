"""Thinning keeps one point a voxel, or none nearer than a distance; isolation is exact."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial import KDTree

from haulier.families.clouds.method import isolation
from haulier.families.clouds.method.isolation import isolation_of
from haulier.families.clouds.method.thinning import (
    centres_of_voxels,
    far_apart,
    first_of_voxels,
    in_turn,
)

SIZE = 0.7


@pytest.fixture(scope="module")
def places() -> NDArray[np.float64]:
    return np.random.default_rng(5).uniform(-4, 4, (3000, 3))


def voxels(places: NDArray[np.float64]) -> list[tuple[int, ...]]:
    return [tuple(cell) for cell in np.floor(places / SIZE).astype(int).tolist()]


def test_the_first_of_each_voxel_is_kept(places: NDArray[np.float64]) -> None:
    numbers = np.arange(len(places))[::-1].copy()

    kept = first_of_voxels(places, numbers, SIZE)

    assert sorted(voxels(places[kept])) == sorted(set(voxels(places)))
    least: dict[tuple[int, ...], int] = {}
    for cell, number in zip(voxels(places), numbers.tolist(), strict=True):
        least[cell] = min(number, least.get(cell, number))
    assert set(numbers[kept].tolist()) == set(least.values())


def test_the_nearest_to_the_mean_of_each_voxel_is_kept(places: NDArray[np.float64]) -> None:
    kept = centres_of_voxels(places, np.arange(len(places)), SIZE)

    cells = np.array(voxels(places))
    assert len(kept) == len(set(voxels(places)))
    for point in kept[:200]:
        mine = np.flatnonzero((cells == cells[point]).all(axis=1))
        apart = np.linalg.norm(places[mine] - places[mine].mean(axis=0), axis=1)
        assert apart[mine == point][0] == pytest.approx(apart.min(), abs=1e-12)


def test_of_equally_near_points_the_one_of_the_least_number_is_kept() -> None:
    places = np.array([[0.2, 0.2, 0.2], [0.4, 0.4, 0.4], [0.2, 0.2, 0.2]])

    assert centres_of_voxels(places[:2], np.array([9, 3]), 1.0).tolist() == [1]


def test_points_that_are_taken_are_far_apart_and_leave_no_gap(
    places: NDArray[np.float64],
) -> None:
    taken = np.array([[0.0, 0.0, 0.0], [10.0, 10.0, 10.0]])

    kept = far_apart(places, taken, SIZE)

    whole = np.concatenate([taken, places[kept]])
    distances, _ = KDTree(whole).query(whole, k=2)
    assert distances[:, 1].min() >= SIZE
    left, _ = KDTree(whole).query(places[~kept])
    assert left.max() < SIZE


def test_no_points_are_no_points() -> None:
    none = np.zeros((0, 3))

    assert far_apart(none, none, 1.0).tolist() == []
    assert first_of_voxels(none, np.zeros(0, np.int64), 1.0).tolist() == []
    assert centres_of_voxels(none, np.zeros(0, np.int64), 1.0).tolist() == []
    assert isolation_of(none, none, 3).distances.tolist() == []


def test_the_turn_of_a_point_depends_on_its_number_alone() -> None:
    numbers = np.arange(1000)
    turned = numbers[in_turn(numbers)]
    some = numbers[::3]

    assert some[in_turn(some)].tolist() == [n for n in turned.tolist() if n % 3 == 0]
    assert abs(np.corrcoef(np.arange(1000), turned)[0, 1]) < 0.1


def test_isolation_is_that_of_all_pairs(places: NDArray[np.float64]) -> None:
    some = places[:200]

    found = isolation_of(some, some, 4)

    pairs = np.linalg.norm(some[:, None] - some[None], axis=2)
    order = np.argsort(pairs, axis=1)[:, 1:5]
    nearest = np.take_along_axis(pairs, order, axis=1)
    np.testing.assert_allclose(found.distances, nearest.mean(axis=1))
    np.testing.assert_allclose(found.farthest, nearest[:, -1])
    assert found.above.tolist() == (some[:, 2] >= some[order, 2].mean(axis=1)).tolist()


def test_too_few_neighbours_are_infinitely_far() -> None:
    found = isolation_of(np.zeros((2, 3)), np.zeros((2, 3)), 4)

    assert np.isinf(found.distances).all()


def test_points_of_one_place_are_not_all_looked_at(
    places: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tree makes one leaf of them: it would take the square of their number."""
    among = np.concatenate([places, np.ones((1200, 3)), places[:5], np.full((1500, 3), 2.0)])
    some = np.concatenate([places[:50], np.ones((2, 3)), np.full((1, 3), 2.0)])
    distances, _ = KDTree(among).query(some, k=5)
    grown: list[int] = []

    def planted(given: NDArray[np.float64]) -> KDTree:
        grown.append(len(given))
        return KDTree(given)

    monkeypatch.setattr(isolation, "KDTree", planted)

    found = isolation_of(some, among, 4)

    assert grown == [len(places) + 5 + 5 + 5]
    assert found.distances.tolist() == distances[:, 1:].mean(axis=1).tolist()
    assert found.farthest.tolist() == distances[:, -1].tolist()
