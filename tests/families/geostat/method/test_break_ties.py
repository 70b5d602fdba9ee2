import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.geostat.method.break_ties import break_ties, tied
from haulier.families.geostat.method.rotation import FloatArray

SEED = 38239342
NOTHING = np.full(6, np.nan)


@st.composite
def spiked(draw: st.DrawFn) -> tuple[FloatArray, FloatArray]:
    """Give values of which many are equal, and local means of which some are missing."""
    values = draw(st.lists(st.integers(-5, 5).map(lambda v: v / 8), min_size=1, max_size=200))
    means = st.one_of(st.integers(0, 3).map(float), st.just(float("nan")))
    return np.array(values), np.array(
        draw(st.lists(means, min_size=len(values), max_size=len(values)))
    )


@given(spiked())
def test_no_two_values_are_equal_and_the_order_of_unequal_ones_stays(
    drawn: tuple[FloatArray, FloatArray],
) -> None:
    values, means = drawn

    broken = break_ties(values, means, SEED)

    assert len(np.unique(broken)) == len(values)
    assert np.all(np.diff(values[np.argsort(broken)]) >= 0)
    if len(np.unique(values)) > 1:
        assert broken.min() == values.min()
        assert broken.max() == values.max()


@given(spiked())
def test_the_noise_is_a_thousandth_of_the_distance_to_other_values(
    drawn: tuple[FloatArray, FloatArray],
) -> None:
    values, means = drawn

    broken = break_ties(values, means, SEED)

    gaps = np.diff(np.unique(values))
    assert np.abs(broken - values).max() <= 1.01e-3 * (gaps.max() if len(gaps) else 1.0)


def test_the_richer_neighbourhood_is_the_larger_value() -> None:
    values = np.array([1.0, 2.0, 2.0, 2.0, 2.0, 3.0])
    means = np.array([0.0, 5.0, 1.0, 3.0, 4.0, 0.0])

    broken = break_ties(values, means, SEED)

    assert np.argsort(broken).tolist() == [0, 2, 3, 4, 1, 5]
    assert broken[[0, 5]].tolist() == [1.0, 3.0]


def test_chance_breaks_what_neighbours_leave_and_the_seed_fixes_it() -> None:
    values = np.array([1.0, 2.0, 2.0, 2.0, 2.0, 3.0])

    orders = {tuple(np.argsort(break_ties(values, NOTHING, seed)).tolist()) for seed in range(40)}

    assert len(orders) > 10
    assert np.array_equal(break_ties(values, NOTHING, 7), break_ties(values, NOTHING, 7))


def test_a_missing_mean_counts_as_the_tied_value() -> None:
    values = np.array([1.0, 2.0, 2.0, 2.0, 4.0])
    means = np.array([0.0, 1.5, np.nan, 2.5, 0.0])

    assert np.argsort(break_ties(values, means, SEED)).tolist() == [0, 1, 2, 3, 4]


def test_missing_values_stay_missing_and_do_not_count_as_ties() -> None:
    values = np.array([np.nan, 1.0, 1.0, np.nan, 0.0, 5.0])

    broken = break_ties(values, NOTHING, SEED)

    assert np.array_equal(np.isnan(broken), np.isnan(values))
    assert tied(values).tolist() == [1, 2]


def test_a_spike_at_the_smallest_value_never_goes_below_it() -> None:
    values = np.concatenate([np.zeros(500), [1.0]])

    broken = break_ties(values, np.full(501, np.nan), SEED)

    assert broken.min() == 0.0
    assert broken[:500].max() <= 1e-3


def test_values_that_floating_point_cannot_separate_are_refused() -> None:
    close = 1e9 * (1.0 + 4.0 * np.finfo(float).eps)

    with pytest.raises(ValueError, match="cannot be told apart"):
        break_ties(np.array([1e9] * 50 + [close]), np.full(51, np.nan), SEED)
