"""Drift functions: which there are, that they are small, and what they leave of values."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from haulier.families.geostat.method.discretisation import regular
from haulier.families.geostat.method.experimental import experimental_variogram
from haulier.families.geostat.method.fit import fit_variogram
from haulier.families.geostat.method.kriging import Kriging, Targets, Universal, krige
from haulier.families.geostat.method.lags import Direction, gstat_lags
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.polynomials import (
    check_independent,
    polynomial,
    without_drift,
)
from haulier.families.geostat.method.rotation import rotation_matrix
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.unknowns import Candidate
from haulier.families.geostat.method.variogram import Structure, Variogram

FloatArray = NDArray[np.float64]
PLACES = np.random.default_rng(6).random((50, 3)) * (900.0, 400.0, 60.0) + (5e5, 6e6, -200.0)
FLAT = PLACES * (1.0, 1.0, 0.0)


@pytest.mark.parametrize(
    ("places", "order", "axes", "names"),
    [
        (PLACES, 0, "xyz", ()),
        (PLACES, 1, "xyz", ("x", "y", "z")),
        (PLACES, 1, "xy", ("x", "y")),
        (PLACES, 2, "xyz", ("x", "y", "z", "xx", "xy", "xz", "yy", "yz", "zz")),
        (PLACES, 2, "xy", ("x", "y", "xx", "xy", "yy")),
        (PLACES, 2, "z", ("z", "zz")),
        (FLAT, 1, "xyz", ("x", "y")),
    ],
)
def test_an_order_has_all_products_of_the_axes_on_which_samples_spread(
    places: FloatArray, order: int, axes: str, names: tuple[str, ...]
) -> None:
    found = polynomial(places, order, axes)

    assert found.names == names
    columns = found.columns(places)
    assert columns.shape == (50, len(names))
    assert np.abs(columns).max(initial=0.0) <= 1.0 + 1e-12


def test_functions_are_powers_of_centred_and_scaled_coordinates() -> None:
    found = polynomial(PLACES, 2)
    low, high = PLACES.min(axis=0), PLACES.max(axis=0)
    x, y, z = ((2 * PLACES - low - high) / (high - low)).T

    expected = np.stack([x, y, z, x * x, x * y, x * z, y * y, y * z, z * z], axis=1)
    np.testing.assert_allclose(found.columns(PLACES), expected, atol=1e-9)


def test_an_average_over_a_block_is_that_over_its_points() -> None:
    found, points = polynomial(PLACES, 2), regular(4, 3, 2)
    axes, sides = rotation_matrix(30.0, 20.0, 10.0), np.array([[20.0, 30.0, 10.0]])

    means = found.block_columns(PLACES[:5], sides, axes, points)

    for row, centre in enumerate(PLACES[:5]):
        inside = centre + (axes @ (points.offsets * sides[0]).T).T
        expected = np.average(found.columns(inside), axis=0, weights=points.weights)
        np.testing.assert_allclose(means[row], expected, atol=1e-12)


def test_universal_kriging_with_a_drift_gives_back_a_polynomial() -> None:
    found = polynomial(PLACES, 2)
    exact = 3.0 + found.columns(PLACES) @ np.arange(1.0, 10.0)
    model = Variogram(0.1, (Structure("spherical", 1.0, (200.0,) * 3),))
    drift = Universal(found.columns(PLACES))
    kriging = Kriging(Samples(PLACES, exact), model, Neighbourhood(np.eye(3) / 1e4, 50), drift)
    targets = PLACES[:7] + np.array([13.0, -8.0, 2.0])

    estimated = krige(kriging, Targets(targets, drift=found.columns(targets)))

    expected = 3.0 + found.columns(targets) @ np.arange(1.0, 10.0)
    np.testing.assert_allclose(estimated.values, expected, rtol=1e-9)


def test_residuals_are_square_to_the_drift_and_have_no_mean() -> None:
    values = np.random.default_rng(7).normal(size=50) + PLACES[:, 0]
    columns = polynomial(PLACES, 1).columns(PLACES)

    left = without_drift(columns, values)

    assert left.mean() == pytest.approx(0.0, abs=1e-8)
    assert columns.T @ left == pytest.approx(np.zeros(3), abs=1e-8)
    assert without_drift(columns, columns[:, 1] * 7 - 2) == pytest.approx(np.zeros(50), abs=1e-12)


def test_the_residual_variogram_of_meuse_is_that_of_gstats_pages(
    table: Callable[[str], dict[str, FloatArray]],
) -> None:
    meuse = table("meuse.csv")
    places = np.column_stack([meuse["x"], meuse["y"], np.zeros(len(meuse["x"]))])
    left = without_drift(np.sqrt(meuse["dist"])[:, None], np.log(meuse["zinc"]))

    found = experimental_variogram(places, left, [Direction(gstat_lags(places))])
    fit = fit_variogram(found, [Candidate("spherical")])

    # vignette("gstat"): fit.variogram(variogram(log(zinc) ~ sqrt(dist)), vgm(1, "Sph", 300, 1))
    assert fit.variogram.nugget == pytest.approx(0.07980, abs=0.0005)
    assert fit.variogram.structures[0].contribution == pytest.approx(0.14877, abs=0.0005)
    assert fit.variogram.structures[0].ranges_m[0] == pytest.approx(876.0, abs=5.0)


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (lambda: polynomial(PLACES, 3), "must be 0 to 2, got 3"),
        (lambda: polynomial(PLACES, 1, "xw"), "of xyz, got 'xw'"),
        (lambda: polynomial(PLACES[:1] + np.arange(9.0)[:, None], 1), "cannot tell the drift 'y'"),
        (lambda: polynomial(PLACES[:3], 2), "cannot tell the drift"),
        (lambda: check_independent(np.ones((5, 1)), ("depth",)), "cannot tell the drift 'depth'"),
        (lambda: check_independent(np.zeros((5, 1)), ("depth",)), "cannot tell the drift 'depth'"),
    ],
)
def test_functions_that_samples_cannot_tell_apart_are_refused(
    make: Callable[[], object], cause: str
) -> None:
    with pytest.raises(ValueError, match=cause):
        make()
