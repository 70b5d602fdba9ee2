"""Local distributions: order, and moments against sums over many quantiles."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from haulier.families.geostat.method.distribution import LowerTail, UpperTail
from haulier.families.geostat.method.indicators import (
    HyperbolicTail,
    LocalDistributions,
    deviations,
    indicators,
    ordered,
)

FloatArray = NDArray[np.float64]
CUTOFFS = np.array([1.0, 2.0, 5.0])
UPPER: list[UpperTail | HyperbolicTail] = [
    UpperTail(1.0, 9.0),
    UpperTail(0.4, 9.0),
    HyperbolicTail(1.5, 40.0),
    HyperbolicTail(1.0, 9.0),
    HyperbolicTail(2.0, 30.0),
]
rows = arrays(np.float64, (3, 3), elements=st.floats(-0.3, 1.3))


def local(
    probabilities: FloatArray, upper: UpperTail | HyperbolicTail, lower: float = 1.0
) -> LocalDistributions:
    return LocalDistributions(probabilities, CUTOFFS, LowerTail(lower, 0.2), upper)


def test_a_value_on_a_cutoff_does_not_exceed_it() -> None:
    found = indicators(np.array([0.5, 1.0, 3.0, 9.0]), CUTOFFS)

    assert found.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 1], [0, 0, 0]]


@given(rows)
def test_corrected_probabilities_rise_and_stay_within_0_and_1(kriged: FloatArray) -> None:
    found = ordered(kriged)

    assert np.all(np.diff(found, axis=1) >= 0)
    assert np.all((found >= 0) & (found <= 1))
    np.testing.assert_array_equal(ordered(found), found)
    assert np.all(deviations(found) == 0)


def test_a_correction_goes_halfway_between_up_and_down() -> None:
    kriged = np.array([[0.5, 0.3, 0.8], [-0.1, 0.2, 1.2], [0.1, 0.2, 0.3]])

    assert ordered(kriged) == pytest.approx(
        np.array([[0.4, 0.4, 0.8], [0.0, 0.2, 1.0], [0.1, 0.2, 0.3]])
    )
    assert deviations(kriged) == pytest.approx([0.1, 0.2, 0.0])


@settings(max_examples=40, deadline=None)
@given(kriged=rows, upper=st.sampled_from(UPPER), lower=st.sampled_from([1.0, 2.5]))
def test_moments_are_those_of_many_quantiles(
    kriged: FloatArray, upper: UpperTail | HyperbolicTail, lower: float
) -> None:
    found = local(ordered(kriged), upper, lower)
    fractions = (np.arange(40_000) + 0.5) / 40_000

    values = found.quantiles(fractions)

    thresholds = np.array([0.7, 2.0, 3.3, 6.0])
    assert np.all(np.diff(values, axis=1) >= -1e-12)
    np.testing.assert_allclose(found.mean(), values.mean(axis=1), rtol=1e-3)
    np.testing.assert_allclose(found.variance(), values.var(axis=1), rtol=5e-3, atol=1e-6)
    above = values[:, None, :] > thresholds[:, None]
    np.testing.assert_allclose(found.probability_above(thresholds), above.mean(axis=2), atol=1e-4)
    sums = found.mean_above(thresholds) * found.probability_above(thresholds)
    np.testing.assert_allclose(
        np.nan_to_num(sums), (values[:, None, :] * above).mean(axis=2), atol=2e-3
    )


@pytest.mark.parametrize("upper", UPPER)
def test_quantiles_and_probabilities_undo_each_other(upper: UpperTail | HyperbolicTail) -> None:
    found = local(np.array([[0.2, 0.5, 0.8]]), upper, lower=2.0)
    fractions = np.array([0.05, 0.2, 0.3, 0.5, 0.8, 0.95])

    values = found.quantiles(fractions)[0]

    assert 1.0 - found.probability_above(values)[0] == pytest.approx(fractions)
    assert 1.0 - found.probability_above(CUTOFFS)[0] == pytest.approx([0.2, 0.5, 0.8])


def test_a_certain_class_has_its_own_mean_and_spread() -> None:
    found = local(np.array([[0.0, 1.0, 1.0]]), UPPER[0])

    assert found.mean()[0] == pytest.approx(1.5)
    assert found.variance()[0] == pytest.approx(1.0 / 12.0)
    assert found.mean_above(np.array([0.5, 3.0]))[0].tolist() == pytest.approx(
        [1.5, math.nan], nan_ok=True
    )


def test_fifty_cutoffs_are_as_good_as_three() -> None:
    cutoffs = np.arange(1.0, 51.0)
    shares = np.linspace(0.01, 0.99, 50)[None, :]
    found = LocalDistributions(shares, cutoffs, LowerTail(1.0, 0.0), UpperTail(1.0, 60.0))

    assert found.quantiles(np.array([0.01, 0.5, 0.99]))[0] == pytest.approx([1.0, 25.5, 50.0])


def test_a_place_without_an_estimate_stays_without() -> None:
    found = local(ordered(np.full((1, 3), np.nan)), UPPER[2])

    assert np.isnan(found.mean()).all()
    assert np.isnan(found.variance()).all()
    assert np.isnan(found.quantiles(np.array([0.1, 0.9]))).all()
    assert np.isnan(found.probability_above(CUTOFFS)).all()


GOOD = np.array([[0.1, 0.5, 0.9]])


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: local(GOOD[:, :2], UPPER[0]), r"must be \(m, 3\), got \(1, 2\)"),
        (lambda: local(GOOD, UpperTail(1.0, 5.0)), "above the last cutoff, 5.0, got 5.0"),
        (
            lambda: LocalDistributions(GOOD, CUTOFFS, LowerTail(1.0, 1.0), UPPER[0]),
            "below the first cutoff, 1.0, got 1.0",
        ),
        (
            lambda: LocalDistributions(GOOD, CUTOFFS[::-1], LowerTail(1.0, 0.0), UPPER[0]),
            "rise strictly",
        ),
        (
            lambda: LocalDistributions(GOOD, CUTOFFS - 9, LowerTail(1.0, -9.0), UPPER[2]),
            "begin above 0",
        ),
        (lambda: HyperbolicTail(0.0, 1.0), "must be positive, got 0"),
        (lambda: HyperbolicTail(1.0, math.inf), "must be a number, got inf"),
        (lambda: local(GOOD, UPPER[0]).quantiles(np.array([0.0])), "between 0 and 1"),
    ],
)
def test_what_is_no_distribution_is_refused(make: Callable[[], object], cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        make()
