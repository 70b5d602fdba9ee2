import numpy as np
import pytest
from scipy.stats import norm

from haulier.families.geostat.method.distribution import fit_distribution
from haulier.families.geostat.method.rotation import rotation_matrix
from haulier.families.geostat.method.turning_bands import draw_bands
from haulier.families.geostat.method.validation import (
    PERCENTILES,
    Verdict,
    check_histogram,
    check_mean,
    check_variograms,
    grid_variograms,
    realisation_quantiles,
)
from haulier.families.geostat.method.variogram import Structure, Variogram


@pytest.mark.parametrize(
    ("mean", "verdict"),
    [
        (2.0, Verdict.ACCEPTABLE),
        (2.05, Verdict.ACCEPTABLE),
        (1.93, Verdict.MARGINAL),
        (2.2, Verdict.UNACCEPTABLE),
        (float("nan"), Verdict.UNACCEPTABLE),
    ],
)
def test_the_verdict_follows_from_the_difference(mean: float, verdict: Verdict) -> None:
    checked = check_mean(2.0, np.array([mean, mean]), (0.06, 0.1))

    assert checked.verdict is verdict


def test_a_mean_check_says_how_far_the_simulations_are_off() -> None:
    checked = check_mean(2.0, np.array([2.0, 2.2, np.nan]))

    assert checked.verdict is None
    assert checked.difference == pytest.approx(0.1)
    assert checked.relative == pytest.approx(0.05)


@pytest.mark.parametrize("thresholds", [(-0.1, 0.2), (0.3, 0.2)])
def test_thresholds_that_do_not_rise_from_zero_are_refused(
    thresholds: tuple[float, float],
) -> None:
    with pytest.raises(ValueError, match="0 <= acceptable <= marginal"):
        check_mean(1.0, np.ones(1), thresholds)


def test_quantiles_of_true_realisations_bracket_those_of_the_distribution() -> None:
    rng = np.random.default_rng(1)
    distribution = fit_distribution(rng.lognormal(size=4000))
    realisations = [
        realisation_quantiles(distribution.quantile(rng.uniform(size=5000))) for _ in range(30)
    ]

    checked = check_histogram(distribution, realisations)

    inside = (checked.low <= checked.reference) & (checked.reference <= checked.high)
    assert inside.mean() > 0.98
    assert checked.mean == pytest.approx(checked.reference, rel=0.06)
    assert checked.fractions is PERCENTILES


def test_a_grid_variogram_is_that_of_its_pairs() -> None:
    cube = np.random.default_rng(2).normal(size=(6, 5, 4))
    cube[1, 2, 3] = np.nan

    found = grid_variograms(cube, 3)

    for axis in range(3):
        for lag in (1, 2, 3):
            n = cube.shape[axis]
            ahead = np.take(cube, range(lag, n), axis=axis)
            apart = ahead - np.take(cube, range(n - lag), axis=axis)
            if 2 * lag <= n:
                assert found[axis, 0, lag - 1] == pytest.approx(0.5 * np.nanmean(apart**2))
                assert found[axis, 1, lag - 1] == np.isfinite(apart).sum()
            else:
                assert np.isnan(found[axis, 0, lag - 1])
                assert found[axis, 1, lag - 1] == 0


def test_simulations_keep_the_variogram_along_the_axes_of_a_turned_grid() -> None:
    axes = rotation_matrix(30.0, 20.0, 10.0)
    structure = Structure("spherical", 0.9, (12.0, 8.0, 5.0), (30.0, 20.0, 10.0))
    variogram = Variogram(0.1, (structure,))
    cell = np.array([2.0, 2.0, 1.0])
    indexes = np.stack(np.meshgrid(*map(np.arange, (40, 40, 40)), indexing="ij"), axis=-1)
    places = (indexes.reshape(-1, 3) * cell) @ axes.T

    fields = [
        draw_bands(variogram, lines=200, seed=1, realisation=r).values(places) for r in range(10)
    ]
    checks = check_variograms(
        variogram, [grid_variograms(f.reshape(40, 40, 40), 8) for f in fields], cell, axes
    )

    assert [check.axis for check in checks] == [0, 1, 2]
    for check in checks:
        # ergodic fluctuations: the domain is some 7 ranges wide, and there are 10 realisations
        assert check.mean == pytest.approx(check.model, abs=0.05)
        assert np.all(check.low <= check.mean)
        assert np.all(check.mean <= check.high)
        assert np.all(check.pairs == 40 * 40 * (40 - np.arange(1, 9)))


def test_without_realisations_there_is_nothing_to_check() -> None:
    with pytest.raises(ValueError, match="at least one realisation"):
        check_variograms(Variogram(1.0, ()), [], np.ones(3), np.eye(3))


def test_a_histogram_of_nothing_is_no_histogram() -> None:
    distribution = fit_distribution(norm.ppf(np.linspace(0.01, 0.99, 99)))

    checked = check_histogram(distribution, [realisation_quantiles(np.full(3, np.nan))])

    assert np.isnan(checked.mean).all()
