import numpy as np
import pytest

from haulier.families.geostat.method.ensembles import (
    mean_above,
    mean_below,
    probability_above,
    quantiles,
    summarise,
)
from haulier.families.geostat.method.rotation import FloatArray

RNG = np.random.default_rng(5)
FULL = RNG.lognormal(size=(400, 37))
CUTOFFS = [0.3, 1.0, 2.5]


def holed() -> FloatArray:
    """Give realisations of which some are missing here and there, and all at one location."""
    some = FULL.copy()
    some[RNG.uniform(size=some.shape) < 0.2] = np.nan
    some[7] = np.nan
    return some


def test_a_summary_is_that_of_the_realisations_that_have_values() -> None:
    some = holed()
    kept = np.delete(some, 7, axis=0)

    found = summarise(some)

    assert np.delete(found.mean, 7) == pytest.approx(np.nanmean(kept, axis=1), rel=1e-14)
    assert np.delete(found.variance, 7) == pytest.approx(np.nanvar(kept, axis=1), rel=1e-12)
    assert np.array_equal(np.delete(found.minimum, 7), np.nanmin(kept, axis=1))
    assert np.array_equal(np.delete(found.maximum, 7), np.nanmax(kept, axis=1))
    assert np.isnan([found.mean[7], found.variance[7], found.minimum[7], found.maximum[7]]).all()


def test_the_variance_of_one_realisation_is_zero() -> None:
    assert summarise(np.array([[3.0]])).variance.tolist() == [0.0]


def test_quantiles_are_interpolated_between_ordered_realisations() -> None:
    some = holed()
    fractions = [0.0, 0.1, 0.5, 0.77, 1.0]

    found = quantiles(some, fractions)

    expected = np.nanquantile(np.delete(some, 7, axis=0), fractions, axis=1).T
    assert np.delete(found, 7, axis=0) == pytest.approx(expected, rel=1e-13)
    assert np.isnan(found[7]).all()


def test_quantiles_of_infinite_extremes_are_infinite_not_missing() -> None:
    found = quantiles(np.array([[np.inf, np.inf, 1.0]]), [0.0, 0.9])

    assert found.tolist() == [[1.0, np.inf]]


def test_probability_and_mean_above_split_the_mean() -> None:
    above, upper, lower = (f(FULL, CUTOFFS) for f in (probability_above, mean_above, mean_below))

    parts = above * np.nan_to_num(upper) + (1.0 - above) * np.nan_to_num(lower)
    assert parts == pytest.approx(np.tile(FULL.mean(axis=1)[:, None], 3), rel=1e-13)


def test_a_value_at_the_cutoff_is_not_above_it() -> None:
    at = np.array([[1.0, 2.0, np.nan]])

    assert probability_above(at, [1.0, 2.0]).tolist() == [[0.5, 0.0]]
    assert mean_above(at, [1.0]).tolist() == [[2.0]]
    assert np.isnan(mean_above(at, [2.0])).all()


def test_a_location_without_values_has_no_probability() -> None:
    empty = np.full((2, 5), np.nan)

    assert np.isnan(probability_above(empty, CUTOFFS)).all()
    assert np.isnan(mean_above(empty, CUTOFFS)).all()


def test_results_do_not_depend_on_chunks() -> None:
    some = holed()

    pieces = [quantiles(part, [0.2, 0.8]) for part in np.array_split(some, 7)]

    assert np.array_equal(np.concatenate(pieces), quantiles(some, [0.2, 0.8]), equal_nan=True)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan")])
def test_a_fraction_outside_zero_to_one_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match=f"0 to 1, got {fraction}"):
        quantiles(FULL, [0.5, fraction])


def test_a_cutoff_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="cutoffs must be finite"):
        probability_above(FULL, [float("nan")])
