import numpy as np
import pytest
from scipy.stats import norm

from haulier.families.geostat.method.distribution import (
    Distribution,
    LowerTail,
    UpperTail,
    fit_distribution,
)
from haulier.families.geostat.method.normal_score import backward, forward
from haulier.families.geostat.method.rotation import FloatArray

RNG = np.random.default_rng(7)
GRADES = np.round(RNG.lognormal(0.0, 1.0, 3000), 3)
WEIGHTS = RNG.uniform(0.001, 1.0, 3000)
TAILED = fit_distribution(
    GRADES, WEIGHTS, lower=LowerTail.of_power(0.5, 0.0), upper=UpperTail.of_power(0.5, 80.0)
)
BARE = fit_distribution(GRADES, WEIGHTS)
BOTH = pytest.mark.parametrize("distribution", [TAILED, BARE], ids=["tailed", "bare"])


@BOTH
def test_every_datum_comes_back_to_the_bit(distribution: Distribution) -> None:
    assert np.array_equal(backward(forward(GRADES, distribution), distribution), GRADES)


@BOTH
def test_between_the_data_values_come_back_within_rounding(distribution: Distribution) -> None:
    values = np.sort(RNG.uniform(GRADES.min(), GRADES.max(), 20000))

    back = backward(forward(values, distribution), distribution)

    # a rounding of a probability near one, times the steepest rise of value with probability
    slope = (np.diff(distribution.values) / np.diff(distribution.probabilities)).max()
    assert np.abs(back - values).max() < 4e-16 * slope + 1e-14


def test_scores_have_mean_zero_and_variance_one_by_weight() -> None:
    scores = forward(GRADES, TAILED)

    mean = np.average(scores, weights=WEIGHTS)
    assert mean == pytest.approx(0.0, abs=0.01)
    assert np.average((scores - mean) ** 2, weights=WEIGHTS) == pytest.approx(1.0, abs=0.02)


def test_beyond_the_data_the_tails_count() -> None:
    values = np.array([0.001, GRADES.max() + 1.0, GRADES.max() + 20.0])

    scores = forward(values, TAILED)

    assert scores == pytest.approx(norm.ppf(TAILED.cdf(values)), abs=1e-12)
    assert backward(scores, TAILED) == pytest.approx(values, rel=1e-9)
    assert backward(np.array([-40.0, 40.0]), TAILED).tolist() == [0.0, 80.0]


def test_beyond_the_data_without_tails_the_last_values_stand() -> None:
    ends = [GRADES.min(), GRADES.max()]

    assert backward(np.array([-9.0, 9.0]), BARE).tolist() == ends
    assert np.array_equal(forward(np.array([-1.0, 1e9]), BARE), forward(np.array(ends), BARE))


@BOTH
def test_order_is_kept_both_ways(distribution: Distribution) -> None:
    scores = np.linspace(-6.0, 6.0, 50001)

    values = backward(scores, distribution)

    assert np.all(np.diff(values) >= 0)
    assert np.all(np.diff(forward(np.linspace(0.0, 80.0, 50001), distribution)) >= 0)


def test_no_value_stays_no_value() -> None:
    hole: FloatArray = np.array([[np.nan, 1.0], [2.0, np.nan]])

    assert np.array_equal(np.isnan(forward(hole, TAILED)), np.isnan(hole))
    assert np.array_equal(np.isnan(backward(hole, TAILED)), np.isnan(hole))


def test_gaussian_scores_take_the_distribution_of_the_data() -> None:
    scores = norm.ppf((np.arange(200000) + 0.5) / 200000)

    values = backward(scores, TAILED)

    assert values.mean() == pytest.approx(TAILED.mean, rel=1e-4)
    assert values.var() == pytest.approx(TAILED.variance, rel=1e-3)


def test_scores_themselves_are_not_changed() -> None:
    scores = np.array([0.5, -0.5])

    backward(scores, TAILED)

    assert scores.tolist() == [0.5, -0.5]


def test_a_distribution_of_one_value_gives_it_for_every_score() -> None:
    single = fit_distribution(np.array([4.0, 4.0]))

    assert backward(np.array([-3.0, 0.0, 3.0]), single).tolist() == [4.0, 4.0, 4.0]
    assert forward(np.array([4.0]), single).tolist() == [0.0]
