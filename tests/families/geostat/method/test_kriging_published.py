"""Kriging against R's gstat, on Meuse; its answers lie beside the data."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from haulier.families.geostat.method.discretisation import POINT, Discretisation, gauss, regular
from haulier.families.geostat.method.kriging import (
    Kriging,
    Method,
    Ordinary,
    Simple,
    Targets,
    Universal,
    krige,
)
from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.method.samples import Samples
from haulier.families.geostat.method.variogram import Structure, Variogram

FloatArray = NDArray[np.float64]
Table = Callable[[str], dict[str, FloatArray]]
ALL = 155
#: Of log(zinc), and of what sqrt(dist) does not explain of it: nugget, partial sill, range.
OF_VALUES = (0.05066, 0.59066, 897.01)
OF_RESIDUALS = (0.08, 0.14, 880.0)


def spherical(nugget: float, sill: float, range_m: float) -> Variogram:
    return Variogram(nugget, (Structure("spherical", sill, (range_m,) * 3),))


def places_of(rows: dict[str, FloatArray]) -> FloatArray:
    return np.column_stack([rows["x"], rows["y"], np.zeros(len(rows["x"]))])


def differences(
    table: Table,
    answers: str,
    *,
    most: int = ALL,
    method: Method | None = None,
    block: Discretisation = POINT,
) -> FloatArray:
    """Krige the grid as gstat did; gives how far estimates and variances are from its answers."""
    meuse, grid, given = (table(name) for name in ("meuse.csv", "meuse_grid.csv", answers))
    np.testing.assert_array_equal(places_of(grid), places_of(given))
    drift = None if method else np.sqrt(grid["dist"])
    kriging = Kriging(
        Samples(places_of(meuse), np.log(meuse["zinc"])),
        spherical(*(OF_VALUES if method else OF_RESIDUALS)),
        Neighbourhood(np.eye(3) / 1e5, most),
        method or Universal(np.sqrt(meuse["dist"])),
        block,
    )
    sides = np.array([40.0, 40.0, 1.0])
    got = krige(kriging, Targets(places_of(given), sides, drift), ["kriging_variance"])
    return np.abs(
        [
            got.values - given["var1.pred"],
            got.diagnostics["kriging_variance"] - given["var1.var"],
        ]
    )


def test_ordinary_kriging_is_gstat_s(table: Table) -> None:
    assert differences(table, "gstat/meuse_ok_global.csv", method=Ordinary()).max() < 1e-12


def test_kriging_from_the_nearest_sixteen_is_gstat_s(table: Table) -> None:
    off = differences(table, "gstat/meuse_ok_nmax16.csv", method=Ordinary(), most=16)

    # Samples lie on whole metres: where two are equally far, gstat keeps whichever it met first.
    tied = (off > 1e-8).any(axis=0)
    assert tied.mean() < 0.01
    assert off[:, ~tied].max() < 1e-12


def test_simple_kriging_is_gstat_s(table: Table) -> None:
    assert differences(table, "gstat/meuse_sk_beta5.9.csv", method=Simple(5.9)).max() < 1e-12


def test_universal_kriging_is_gstat_s(table: Table) -> None:
    assert differences(table, "gstat/meuse_uk_sqrtdist.csv").max() < 1e-12


def test_block_kriging_is_gstat_s_with_its_gaussian_points(table: Table) -> None:
    off = differences(table, "gstat/meuse_ok_block40.csv", method=Ordinary(), block=gauss(4))

    # gstat's own points and weights have few digits: hence no closer.
    assert np.sqrt((off**2).mean(axis=1)).max() < 1e-8
    assert off.max() < 2e-8


def test_regular_points_differ_from_gaussian_ones_by_little(table: Table) -> None:
    off = differences(table, "gstat/meuse_ok_block40.csv", method=Ordinary(), block=regular(4, 4))

    assert 1e-4 < off.max() < 1e-2


@pytest.mark.parametrize(
    ("block", "estimate", "variance"),
    [(regular(4, 4), 268.7324, 19568.76), (gauss(4), 268.7576, 19447.67)],
    ids=["regular", "gauss"],
)
def test_a_published_block_of_zinc_is_met(
    table: Table, block: Discretisation, estimate: float, variance: float
) -> None:
    meuse = table("meuse.csv")
    kriging = Kriging(
        Samples(places_of(meuse), meuse["zinc"]),
        spherical(2.42e4, 1.34e5, 800.0),
        Neighbourhood(np.eye(3) / 1e5, 40),
        Ordinary(),
        block,
    )
    target = Targets(np.array([[181170.0, 333250.0, 0.0]]), np.array([40.0, 40.0, 1.0]))

    got = krige(kriging, target, ["kriging_variance"])

    assert got.values[0] == pytest.approx(estimate, abs=5e-5)
    assert got.diagnostics["kriging_variance"][0] == pytest.approx(variance, abs=5e-3)


def test_leaving_each_sample_out_gives_gstat_s_statistics(table: Table) -> None:
    meuse, given = table("meuse.csv"), table("gstat/meuse_loocv_nmax40.csv")
    numbers = np.arange(ALL)
    kriging = Kriging(
        Samples(places_of(meuse), np.log(meuse["zinc"])),
        spherical(*OF_VALUES),
        Neighbourhood(np.eye(3) / 1e5, 40),
        folds=numbers,
    )

    got = krige(kriging, Targets(places_of(meuse), left_out=numbers), ["kriging_variance"])

    errors = got.values - np.log(meuse["zinc"])
    deviations = errors**2 / got.diagnostics["kriging_variance"]
    assert np.sqrt((errors**2).mean()) == pytest.approx(0.38687, abs=5e-6)
    assert deviations.mean() == pytest.approx(0.8002, abs=5e-5)
    tied = np.abs(got.values - given["var1.pred"]) > 1e-8
    assert tied.mean() < 0.02
