from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.geostat.method.distribution import (
    Distribution,
    LowerTail,
    UpperTail,
    fit_distribution,
    weighted_mean,
)
from haulier.families.geostat.method.rotation import FloatArray

FIVE = np.array([3.0, 1.0, 2.0, 2.0, 7.0])


def tailed(values: FloatArray, weights: FloatArray | None = None) -> Distribution:
    """Fit with a tail at either end."""
    return fit_distribution(
        values,
        weights,
        lower=LowerTail.of_power(0.4, float(values.min()) - 1.0),
        upper=UpperTail.of_power(0.7, float(values.max()) + 5.0),
    )


@st.composite
def data(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Give values with ties among them, and weights of very unequal size."""
    size = draw(st.integers(1, 60))
    values = st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda v: round(v, 3))
    weights = st.floats(0.0, 1e6, allow_subnormal=False)
    v = draw(st.lists(values, min_size=size, max_size=size))
    w = draw(st.lists(weights, min_size=size, max_size=size).filter(lambda w: max(w) > 1e-6))
    return np.array(v), np.array(w)


def test_equal_values_are_one_point_with_the_probability_up_to_their_middle() -> None:
    fitted = fit_distribution(FIVE)

    assert fitted.values.tolist() == [1.0, 2.0, 3.0, 7.0]
    assert fitted.probabilities == pytest.approx([0.1, 0.4, 0.7, 0.9], abs=1e-15)


def test_weights_count_like_repeated_data() -> None:
    weighted = fit_distribution(np.array([1.0, 2.0, 3.0, 7.0]), np.array([1.0, 2.0, 1.0, 1.0]))

    repeated = fit_distribution(FIVE)
    assert weighted.values.tolist() == repeated.values.tolist()
    assert weighted.probabilities == pytest.approx(repeated.probabilities, abs=1e-15)


@given(data())
@settings(max_examples=60)
def test_probabilities_and_values_both_rise_strictly_inside_zero_and_one(
    drawn: tuple[FloatArray, FloatArray],
) -> None:
    fitted = fit_distribution(*drawn)

    assert np.all(np.diff(fitted.values) > 0)
    assert np.all(np.diff(fitted.probabilities) > 0)
    assert 0 < fitted.probabilities[0] <= fitted.probabilities[-1] < 1


@given(data())
@settings(max_examples=60)
def test_quantile_undoes_cdf_exactly_at_the_data(drawn: tuple[FloatArray, FloatArray]) -> None:
    fitted = tailed(*drawn)

    assert np.array_equal(fitted.quantile(fitted.cdf(fitted.values)), fitted.values)


@given(data())
@settings(max_examples=60)
def test_cdf_undoes_quantile_everywhere(drawn: tuple[FloatArray, FloatArray]) -> None:
    fitted = tailed(drawn[0])
    probabilities = np.linspace(1e-6, 1 - 1e-6, 997)

    quantiles = fitted.quantile(probabilities)

    # what a rounding of the quantile, of values up to 1e6 that lie 1e-3 apart, is in probability
    tolerance = 1e-12 + np.abs(quantiles).max() * 4e-16 / 1e-3
    assert np.all(np.diff(quantiles) >= 0)
    assert np.abs(fitted.cdf(quantiles) - probabilities).max() < tolerance


def test_tails_reach_their_ends_and_join_the_data() -> None:
    fitted = tailed(FIVE)

    assert fitted.quantile(np.array([0.0, 1.0])).tolist() == [0.0, 12.0]
    assert fitted.cdf(np.array([-9.0, 0.0, 12.0, 99.0])).tolist() == [0.0, 0.0, 1.0, 1.0]
    assert fitted.quantile(np.array([0.1 - 1e-13])) == pytest.approx([1.0], abs=1e-11)


def test_tails_follow_the_power_model() -> None:
    fitted = fit_distribution(
        FIVE, lower=LowerTail.of_power(0.5, 0.0), upper=UpperTail.of_power(0.5, 11.0)
    )

    # F = 0.1 (z/1)^2 below, 0.9 + 0.1 ((z - 7)/4)^0.5 above
    assert fitted.cdf(np.array([0.5, 8.0])) == pytest.approx([0.025, 0.95], abs=1e-15)


def test_without_tails_the_ends_are_the_ends() -> None:
    fitted = fit_distribution(FIVE)

    assert fitted.quantile(np.array([0.0, 1.0])).tolist() == [1.0, 7.0]
    assert fitted.cdf(np.array([-5.0, 50.0])).tolist() == fitted.probabilities[[0, -1]].tolist()


@pytest.mark.parametrize("tails", [(None, None), (0.4, 0.7), (1.0, 1.0)])
def test_moments_are_those_of_its_quantiles(tails: tuple[float | None, float | None]) -> None:
    low, high = tails
    fitted = fit_distribution(
        FIVE,
        lower=None if low is None else LowerTail.of_power(low, -2.0),
        upper=None if high is None else UpperTail.of_power(high, 30.0),
    )
    steps = 2_000_000

    quantiles = fitted.quantile((np.arange(steps) + 0.5) / steps)

    assert fitted.mean == pytest.approx(quantiles.mean(), rel=1e-6)
    assert fitted.variance == pytest.approx(quantiles.var(), rel=1e-5)


def test_a_tail_whose_square_is_no_number_has_an_infinite_variance() -> None:
    far = fit_distribution(FIVE, upper=UpperTail.of_power(0.5, 1e300))

    assert far.variance == np.inf
    assert np.isfinite(far.mean)


def test_a_distribution_is_rebuilt_from_its_table_without_loss() -> None:
    rng = np.random.default_rng(1)
    fitted = tailed(rng.lognormal(size=500), rng.uniform(size=500))
    assert fitted.lower is not None
    assert fitted.upper is not None

    table = np.column_stack((fitted.values, fitted.probabilities))
    again = Distribution(
        table[:, 0],
        table[:, 1],
        LowerTail(fitted.lower.exponent, fitted.lower.minimum),
        UpperTail(fitted.upper.exponent, fitted.upper.maximum),
    )

    probes = rng.uniform(size=1000)
    assert np.array_equal(again.quantile(probes), fitted.quantile(probes))
    assert again.mean == fitted.mean


def test_a_value_without_weight_is_no_point_of_the_distribution() -> None:
    fitted = fit_distribution(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 1.0]))

    assert fitted.values.tolist() == [1.0, 3.0]


def test_a_weighted_mean_is_that_of_the_data() -> None:
    assert weighted_mean(np.array([1.0, 4.0]), np.array([3.0, 1.0])) == pytest.approx(1.75)
    assert weighted_mean(FIVE) == 3.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"values": np.array([])}, "one column of finite numbers"),
        ({"values": np.array([1.0, np.nan])}, "one column of finite numbers"),
        ({"weights": np.array([1.0])}, "one weight a value"),
        ({"weights": np.array([1.0, -1.0, 1, 1, 1])}, "none negative"),
        ({"weights": np.zeros(5)}, "not all zero"),
        ({"lower": LowerTail(1.0, 1.0)}, "below the smallest value, 1.0, got 1.0"),
        ({"upper": UpperTail(1.0, 6.5)}, "above the largest value, 7.0, got 6.5"),
    ],
)
def test_what_makes_no_distribution_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_distribution(**({"values": FIVE} | change))


@pytest.mark.parametrize("power", [0.0, -1.0, 1.5, float("nan")])
@pytest.mark.parametrize("tail", [LowerTail, UpperTail])
def test_a_power_outside_zero_to_one_is_refused(
    tail: type[LowerTail] | type[UpperTail], power: float
) -> None:
    with pytest.raises(ValueError, match=r"power of the .* tail must lie"):
        tail.of_power(power, 9.0)


@pytest.mark.parametrize(
    ("values", "probabilities"),
    [([1.0, 1.0], [0.2, 0.4]), ([1.0, 2.0], [0.4, 0.4]), ([1.0, 2.0], [0.0, 0.4]), ([1.0], [1.0])],
)
def test_a_table_that_does_not_rise_is_refused(
    values: list[float], probabilities: list[float]
) -> None:
    with pytest.raises(ValueError, match="rise strictly"):
        Distribution(np.array(values), np.array(probabilities))
