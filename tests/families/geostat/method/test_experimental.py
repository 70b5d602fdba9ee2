"""Experimental variograms against gstat, against plain numpy, and against what is known."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.geostat.method.experimental import (
    ESTIMATORS,
    ExperimentalVariogram,
    experimental_variogram,
)
from haulier.families.geostat.method.lags import (
    Direction,
    Form,
    Lags,
    adjoining_lags,
    centred_lags,
    equal_lags,
    gstat_lags,
)
from haulier.families.geostat.method.leaves import LEAF_SIZE

FloatArray = NDArray[np.float64]
Table = Callable[[str], dict[str, FloatArray]]


def scattered(n: int, seed: int = 1) -> tuple[FloatArray, FloatArray]:
    """Give samples in a box of 100 x 80 x 30 metres, on whole metres so that angles tie."""
    random = np.random.default_rng(seed)
    places = np.floor(random.random((n, 3)) * (100.0, 80.0, 30.0))
    return places, random.normal(size=n) + 0.05 * places[:, 0]


def within(direction: Direction, step: FloatArray) -> NDArray[np.bool_]:
    """Tell which steps (p, 3) a direction takes, angle by angle."""
    if direction.form is not Form.DIRECTIONAL:
        return np.ones(len(step), dtype=bool)
    length = np.linalg.norm(step, axis=1)
    level = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)
    azimuth, slack = math.radians(direction.azimuth_deg), 1e-14 * length
    along = step @ np.array([math.sin(azimuth), math.cos(azimuth), 0.0])
    across = step @ np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    flat, tolerance = along, direction.azimuth_tolerance_deg
    inside = np.ones(len(step), dtype=bool)
    if direction.dip_tolerance_deg is not None:
        facing = np.where(np.abs(along) > slack, along, -step[:, 2] * direction.dip_deg)
        flat = np.where(facing < 0, -1.0, 1.0) * np.where(level > 1e-9, level, 0.0)
        beside = np.abs(along) / level < math.cos(math.radians(tolerance)) - slack / level
        inside = ~beside | (level <= 1e-9) | (abs(direction.dip_deg) == 90.0)
        tolerance = direction.dip_tolerance_deg
    # What is along and square to the dip, by turning the plane of both.
    turned = (flat - 1j * step[:, 2]) * np.exp(-1j * math.radians(direction.dip_deg))
    inside &= np.abs(turned.real) >= math.cos(math.radians(tolerance)) * length - slack
    inside &= np.abs(across) <= direction.bandwidth_m + slack
    inside &= np.abs(turned.imag) <= direction.bandheight_m + slack
    return np.asarray(inside)


def by_hand(
    places: FloatArray,
    values: FloatArray,
    direction: Direction,
    weights: FloatArray,
    holes: NDArray[np.int64],
) -> tuple[list[int], list[float], list[float]]:
    """Give pairs, mean distances and semivariances, from all pairs at once."""
    i, j = np.triu_indices(len(values), 1)
    step = places[j] - places[i]
    length = np.sqrt(step[:, 0] ** 2 + step[:, 1] ** 2 + step[:, 2] ** 2)
    taken = within(direction, step)
    if direction.form is Form.DOWNHOLE:
        taken &= holes[i] == holes[j]
    out: tuple[list[int], list[float], list[float]] = ([], [], [])
    for start, end in zip(direction.lags.start_m, direction.lags.end_m, strict=True):
        inside = taken & (length <= end) & ((length > start) | ((length == 0) & (start == 0)))
        weight = (weights[i] * weights[j])[inside]
        total = weight.sum() if weight.sum() > 0 else math.nan
        out[0].append(int(inside.sum()))
        out[1].append(float((weight * length[inside]).sum() / total))
        out[2].append(float((weight * (values[i] - values[j])[inside] ** 2).sum() / total / 2))
    return out


def test_pairs_distances_and_semivariances_are_those_of_gstat(table: Table) -> None:
    meuse, expected = table("meuse.csv"), table("gstat/meuse_logzinc_variogram.csv")
    places = np.column_stack([meuse["x"], meuse["y"], np.zeros(len(meuse["x"]))])

    found = experimental_variogram(places, np.log(meuse["zinc"]), [Direction(gstat_lags(places))])

    assert found.num_pairs.tolist() == expected["np"].tolist()
    np.testing.assert_allclose(found.centroid_m, expected["dist"], rtol=1e-13)
    np.testing.assert_allclose(found.value, expected["gamma"], rtol=1e-13)


angles = st.sampled_from([0.0, 22.5, 30.0, 45.0, 90.0, 135.0, 180.0, 270.0, 333.0])
tolerances = st.sampled_from([0.0, 5.0, 22.5, 45.0, 90.0])
bands = st.sampled_from([0.0, 3.0, 12.5, math.inf])
lags = st.sampled_from(
    [
        equal_lags(7.0, 6),
        centred_lags(10.0, 5),
        centred_lags(10.0, 4, tolerance_m=8.0),
        centred_lags(10.0, 4, tolerance_m=2.0),
        adjoining_lags([5.0, 10.0, 13.0, 60.0]),
        Lags(np.array([0.0, 3.0, 0.0]), np.array([5.0, 4.0, 200.0])),
    ]
)
directions = st.builds(
    Direction,
    lags=lags,
    form=st.sampled_from([*Form, Form.DIRECTIONAL, Form.DIRECTIONAL]),
    azimuth_deg=angles,
    dip_deg=st.sampled_from([-90.0, -60.0, -30.0, 0.0, 10.0, 45.0, 90.0]),
    azimuth_tolerance_deg=tolerances,
    dip_tolerance_deg=tolerances | st.none(),
    bandwidth_m=bands,
    bandheight_m=bands,
)


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(directions, min_size=1, max_size=3),
    n=st.sampled_from([2, 3, 40, LEAF_SIZE, LEAF_SIZE + 1, 300]),
    seed=st.integers(0, 1000),
)
def test_every_direction_has_the_pairs_that_its_angles_and_bands_let_in(
    asked: list[Direction], n: int, seed: int
) -> None:
    places, values = scattered(n, seed)
    weights = np.random.default_rng(seed).random(n)
    holes = (places[:, 0] // 20).astype(np.int64)

    found = experimental_variogram(places, values, asked, weights=weights, holes=holes)

    for number, direction in enumerate(asked):
        rows = found.rows(number)
        pairs, centroids, semivariances = by_hand(places, values, direction, weights, holes)
        assert found.num_pairs[rows].tolist() == pairs
        np.testing.assert_allclose(found.centroid_m[rows], centroids, rtol=1e-10)
        np.testing.assert_allclose(found.value[rows], semivariances, rtol=1e-9, atol=1e-12)
        assert set(found.direction[rows].tolist()) == {number}


@pytest.mark.parametrize(
    ("azimuth", "dip", "step"),
    [
        (0.0, 0.0, (0.0, 10.0, 0.0)),
        (90.0, 0.0, (10.0, 0.0, 0.0)),
        (45.0, 0.0, (10.0, 10.0, 0.0)),
        (135.0, 0.0, (10.0, -10.0, 0.0)),
        (0.0, 90.0, (0.0, 0.0, -10.0)),
        (0.0, 45.0, (0.0, 10.0, -10.0)),
        (90.0, -45.0, (10.0, 0.0, 10.0)),
    ],
)
@pytest.mark.parametrize("cone", [True, False])
def test_azimuth_is_clockwise_from_north_and_dip_goes_down(
    azimuth: float, dip: float, step: tuple[float, float, float], *, cone: bool
) -> None:
    places = np.array([(0.0, 0.0, 0.0), step])
    lags = equal_lags(20.0, 1)
    ahead = Direction(lags, Form.DIRECTIONAL, azimuth, dip, 1.0, None if cone else 1.0)
    aside = Direction(lags, Form.DIRECTIONAL, azimuth + 180, -dip, 1.0, None if cone else 1.0)
    level = Direction(lags, Form.DIRECTIONAL, azimuth + 60, 0.0, 1.0, None if cone else 1.0)

    found = experimental_variogram(places, np.array([1.0, 2.0]), [ahead, aside, level])

    assert found.num_pairs.tolist() == [1, 1, 0]
    np.testing.assert_allclose(ahead.unit, np.array(step) / np.linalg.norm(step), atol=1e-15)


def estimate(values: FloatArray, estimator: str) -> ExperimentalVariogram:
    """Give the one lag of all pairs."""
    places = np.column_stack([np.arange(float(len(values))), np.zeros((len(values), 2))])
    return experimental_variogram(
        places, values, [Direction(equal_lags(1e3, 1))], estimator=estimator
    )


def test_estimators_are_their_formulae() -> None:
    values = np.random.default_rng(3).normal(5.0, 2.0, 30)
    i, j = np.triu_indices(30, 1)
    step, ends = np.abs(values[i] - values[j]), np.concatenate([values[i], values[j]])
    covariance = np.mean(values[i] * values[j]) - np.mean(ends) ** 2
    expected = {
        "matheron": np.mean(step**2) / 2,
        "cressie": np.mean(np.sqrt(step)) ** 4 / (0.457 + 0.494 / len(i)) / 2,
        "madogram": np.mean(step) / 2,
        "covariance": covariance,
        "correlogram": covariance / np.var(ends),
    }

    found = {name: estimate(values, name).value[0] for name in ESTIMATORS}

    assert found == pytest.approx(expected, rel=1e-11)


@pytest.mark.parametrize("estimator", ["matheron", "cressie", "madogram", "covariance"])
def test_a_constant_has_no_spread_and_no_correlation(estimator: str) -> None:
    assert estimate(np.full(5, 7.3), estimator).value[0] == 0.0
    assert math.isnan(estimate(np.full(5, 7.3), "correlogram").value[0])


def test_the_robust_estimator_heeds_an_outlier_less() -> None:
    values = np.random.default_rng(4).normal(size=200)
    spoilt = values.copy()
    spoilt[7] = 60.0

    assert estimate(spoilt, "matheron").value[0] > 10 * estimate(values, "matheron").value[0]
    assert estimate(spoilt, "cressie").value[0] < 1.4 * estimate(values, "cressie").value[0]


def test_a_sample_of_weight_two_counts_as_two_at_its_place() -> None:
    places, values = scattered(50)
    twice = np.r_[places, places[:1]], np.r_[values, values[:1]]
    lag = [Direction(Lags(np.array([0.5]), np.array([500.0])))]

    weighted = experimental_variogram(places, values, lag, weights=np.r_[2.0, np.ones(49)])
    doubled = experimental_variogram(*twice, lag)

    assert weighted.value == pytest.approx(doubled.value)
    assert weighted.variance == pytest.approx(doubled.variance)
    assert weighted.variance == pytest.approx(np.var(twice[1]))


def test_an_empty_lag_has_no_value() -> None:
    found = estimate(np.array([1.0, 2.0]), "matheron")
    far = experimental_variogram(
        np.array([[0.0, 0, 0], [5.0, 0, 0]]),
        np.array([1.0, 3.0]),
        [Direction(adjoining_lags([0.0, 1.0, 10.0]))],
    )

    assert found.num_pairs.tolist() == [1]
    assert far.num_pairs.tolist() == [0, 1]
    assert math.isnan(far.value[0])
    assert math.isnan(far.centroid_m[0])
    assert far.value[1] == 2.0


def test_progress_rises_to_one_and_an_error_of_the_listener_ends_it() -> None:
    places, values = scattered(1000)
    lag = [Direction(equal_lags(10.0, 3))]
    told: list[float] = []

    def stop(fraction: float) -> None:
        raise InterruptedError(fraction)

    experimental_variogram(places, values, lag, report=told.append)

    assert len(told) >= 1000 // LEAF_SIZE
    assert told == sorted(told)
    assert told[-1] == 1.0
    with pytest.raises(InterruptedError):
        experimental_variogram(places, values, lag, report=stop)


def test_places_far_from_the_origin_change_nothing() -> None:
    places, values = scattered(400)
    lag = [Direction(equal_lags(7.0, 10), Form.DIRECTIONAL, 30.0, 10.0, 30.0, 30.0)]

    near = experimental_variogram(places, values, lag)
    shift = np.array([500_000.0, 6_000_000.0, -300.0])
    far = experimental_variogram(places + shift, values + 1e6, lag)

    assert near.num_pairs.tolist() == far.num_pairs.tolist()
    np.testing.assert_allclose(near.value, far.value, rtol=1e-6)


ONE_LAG = equal_lags(1.0, 1)


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: equal_lags(0.0, 3), "size of lags must be positive, got 0"),
        (lambda: equal_lags(1.0, 0), "number of lags must be at least 1, got 0"),
        (lambda: centred_lags(1.0, 2, 0.0), "tolerance of lags must be positive"),
        (lambda: adjoining_lags([1.0, 1.0]), "end after its start"),
        (lambda: adjoining_lags([-1.0, 1.0]), "start at 0 or later"),
        (lambda: adjoining_lags([1.0]), "one or more"),
        (lambda: gstat_lags(np.zeros((3, 3))), "size of lags must be positive"),
        (lambda: gstat_lags(np.eye(3), 0), "at least 1, got 0"),
        (lambda: Direction(ONE_LAG, dip_deg=91.0), "dip_deg must be from -90 to 90, got 91"),
        (lambda: Direction(ONE_LAG, azimuth_tolerance_deg=-1.0), "azimuth_tolerance_deg must be"),
        (lambda: Direction(ONE_LAG, bandwidth_m=math.nan), "bandwidth_m must be from 0 to inf"),
    ],
)
def test_what_makes_no_lag_or_direction_is_refused(make: Callable[[], object], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        make()


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"places": np.zeros((3, 3))}, r"places must have the shape \(4, 3\), got \(3, 3\)"),
        ({"weights": np.ones(3)}, "weights must have the shape"),
        ({"weights": np.zeros(4)}, "not all zero"),
        ({"weights": np.array([1.0, 1.0, 1.0, -1.0])}, "none negative"),
        ({"values": np.array([1.0, 2.0, np.nan, 3.0])}, "must be finite"),
        ({"directions": []}, "at least one direction"),
        ({"directions": [Direction(ONE_LAG, Form.DOWNHOLE)]}, "drillhole of each sample"),
        ({"estimator": "geary"}, "estimator must be one of matheron, .*got 'geary'"),
        ({"values": np.ones(1), "places": np.ones((1, 3))}, "at least 2 samples, got 1"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, object], cause: str) -> None:
    given: dict[str, object] = {
        "places": np.eye(4, 3),
        "values": np.arange(4.0),
        "directions": [Direction(ONE_LAG)],
    }

    with pytest.raises(ValueError, match=cause):
        experimental_variogram(**{**given, **changes})  # type: ignore[arg-type]
