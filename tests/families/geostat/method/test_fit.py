"""Fitting variograms: gstat's answer on Meuse, and models that are found again."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from haulier.families.geostat.method.experimental import (
    ExperimentalVariogram,
    experimental_variogram,
)
from haulier.families.geostat.method.fit import WEIGHTINGS, fit_variogram
from haulier.families.geostat.method.lags import (
    Direction,
    Form,
    centred_lags,
    equal_lags,
    gstat_lags,
)
from haulier.families.geostat.method.rotation import rotation_angles, rotation_matrix
from haulier.families.geostat.method.unknowns import Candidate
from haulier.families.geostat.method.variogram import MODELS, Structure, Variogram

FloatArray = NDArray[np.float64]
LAGS = equal_lags(10.0, 20)
ALONG = [(0.0, 0.0), (45.0, 0.0), (90.0, 0.0), (135.0, 0.0)]
AROUND = [
    *ALONG,
    (0.0, 90.0),
    (0.0, 45.0),
    (90.0, 45.0),
    (180.0, 45.0),
    (270.0, 45.0),
    (45.0, 30.0),
]


def exact(variogram: Variogram, ways: Sequence[tuple[float, float]] = ()) -> ExperimentalVariogram:
    """Give what would be measured of a model if there were no chance in it."""
    directions = [Direction(LAGS, Form.DIRECTIONAL, *way, 10.0, 10.0) for way in ways]
    directions = directions or [Direction(LAGS)]
    middle = 0.5 * (LAGS.start_m + LAGS.end_m)
    separations = np.concatenate([middle[:, None] * each.unit for each in directions])
    lags = len(directions)
    return ExperimentalVariogram(
        directions=tuple(directions),
        estimator="matheron",
        variance=variogram.sill,
        direction=np.repeat(np.arange(lags), len(middle)),
        start_m=np.tile(LAGS.start_m, lags),
        end_m=np.tile(LAGS.end_m, lags),
        centroid_m=np.tile(middle, lags),
        value=variogram.gamma(separations),
        num_pairs=np.tile(np.arange(100, 100 + len(middle)), lags),
    )


@pytest.fixture
def meuse(
    table: Callable[[str], dict[str, FloatArray]],
) -> ExperimentalVariogram:
    data = table("meuse.csv")
    places = np.column_stack([data["x"], data["y"], np.zeros(len(data["x"]))])
    return experimental_variogram(places, np.log(data["zinc"]), [Direction(gstat_lags(places))])


def test_the_fit_of_meuse_is_that_of_gstat_and_no_worse(meuse: ExperimentalVariogram) -> None:
    fit = fit_variogram(meuse, [Candidate("spherical")])

    (structure,) = fit.variogram.structures
    assert fit.variogram.nugget == pytest.approx(0.05066, abs=5e-6)
    assert structure.contribution == pytest.approx(0.59061, abs=5e-6)
    assert structure.ranges_m == pytest.approx([897.02] * 3, rel=2e-5)
    assert fit.ss_error == pytest.approx(9.011e-06, abs=5e-10)
    assert fit.ss_error == pytest.approx(np.sum(fit.weights * fit.residuals**2))
    assert fit.converged
    assert fit.remarks == ()


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_no_other_model_near_by_fits_better(meuse: ExperimentalVariogram, weighting: str) -> None:
    fit = fit_variogram(meuse, [Candidate("spherical")], weighting=weighting)
    (structure,) = fit.variogram.structures
    separations = meuse.centroid_m[:, None] * np.array([1.0, 0.0, 0.0])

    for scales in 1.0 + 1e-3 * np.random.default_rng(5).normal(size=(50, 3)):
        range_m = structure.ranges_m[0] * scales[2]
        near = Structure("spherical", structure.contribution * scales[1], (range_m,) * 3)
        other = Variogram(fit.variogram.nugget * scales[0], (near,)).gamma(separations)
        assert np.sum(fit.weights * (meuse.value - other) ** 2) >= fit.ss_error


def test_cressies_weights_are_those_of_the_model_it_ends_with(
    meuse: ExperimentalVariogram,
) -> None:
    fit = fit_variogram(meuse, [Candidate("exponential")], weighting="cressie")

    fitted = meuse.value - fit.residuals
    np.testing.assert_allclose(fit.weights, meuse.num_pairs / fitted**2, rtol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    model=st.sampled_from([name for name in MODELS if name != "linear"]),
    nugget=st.floats(0.0, 1.0),
    contribution=st.floats(0.2, 5.0),
    range_m=st.floats(25.0, 180.0),
    weighting=st.sampled_from(WEIGHTINGS),
)
def test_every_model_is_found_again(
    model: str, nugget: float, contribution: float, range_m: float, weighting: str
) -> None:
    alpha = 5 if model in {"spheroidal", "generalisedcauchy"} else 0
    truth = Structure(model, contribution, (range_m,) * 3, alpha=alpha)

    fit = fit_variogram(
        exact(Variogram(nugget, (truth,))), [Candidate(model, alpha)], weighting=weighting
    )

    (found,) = fit.variogram.structures
    assert fit.variogram.nugget == pytest.approx(nugget, abs=1e-4)
    assert found.contribution == pytest.approx(contribution, rel=1e-3)
    assert found.ranges_m == pytest.approx(truth.ranges_m, rel=1e-3)


def test_a_straight_line_is_found_by_its_slope() -> None:
    truth = Variogram(0.3, (Structure("linear", 2.0, (100.0,) * 3),))

    fit = fit_variogram(exact(truth), [Candidate("linear")])

    (found,) = fit.variogram.structures
    assert found.contribution / found.ranges_m[0] == pytest.approx(0.02)
    assert fit.variogram.nugget == pytest.approx(0.3)


def test_nested_structures_are_found_again_with_the_shortest_first() -> None:
    short, long = (
        Structure("spherical", 1.0, (30.0,) * 3),
        Structure("spherical", 2.0, (150.0,) * 3),
    )

    fit = fit_variogram(exact(Variogram(0.5, (long, short))), [Candidate("spherical")] * 2)

    assert fit.variogram.nugget == pytest.approx(0.5, abs=1e-4)
    assert [each.contribution for each in fit.variogram.structures] == pytest.approx([1.0, 2.0])
    assert [each.ranges_m[0] for each in fit.variogram.structures] == pytest.approx([30.0, 150.0])


def test_three_ranges_are_found_along_axes_that_are_given() -> None:
    truth = Variogram(0.2, (Structure("spherical", 1.0, (60.0, 150.0, 25.0), (30.0, 40.0, 20.0)),))
    candidate = Candidate("spherical", isotropic=False, rotation_deg=(30.0, 40.0, 20.0))

    fit = fit_variogram(exact(truth, AROUND), [candidate])

    (found,) = fit.variogram.structures
    assert found.ranges_m == pytest.approx((60.0, 150.0, 25.0), rel=1e-4)
    assert found.rotation_deg == (30.0, 40.0, 20.0)


@pytest.mark.parametrize("angles", [(0.0, 0.0, 0.0), (30.0, 40.0, 20.0), (200.0, 75.0, 110.0)])
def test_axes_are_found_with_their_ranges(angles: tuple[float, float, float]) -> None:
    truth = Variogram(0.2, (Structure("spherical", 1.0, (150.0, 60.0, 25.0), angles),))

    fit = fit_variogram(
        exact(truth, AROUND), [Candidate("spherical", isotropic=False)], fit_rotation=True
    )

    (found,) = fit.variogram.structures
    assert found.ranges_m == pytest.approx((150.0, 60.0, 25.0), rel=1e-4)
    axes, expected = rotation_matrix(*found.rotation_deg), rotation_matrix(*angles)
    assert np.abs(np.sum(axes * expected, axis=0)) == pytest.approx([1.0, 1.0, 1.0], abs=1e-6)
    assert fit.ss_error == pytest.approx(0.0, abs=1e-8)


def test_in_a_plane_the_azimuth_is_found_and_the_range_across_follows() -> None:
    truth = Variogram(0.1, (Structure("exponential", 1.0, (120.0, 40.0, 40.0), (70.0, 0.0, 0.0)),))

    fit = fit_variogram(
        exact(truth, ALONG), [Candidate("exponential", isotropic=False)], fit_rotation=True
    )

    (found,) = fit.variogram.structures
    assert found.ranges_m == pytest.approx((120.0, 40.0, 40.0), rel=1e-4)
    azimuth, dip, pitch = found.rotation_deg
    assert (azimuth + pitch) % 180.0 == pytest.approx(70.0, abs=1e-3)
    assert dip == 0.0


def test_what_is_held_stays_and_the_sill_is_met(meuse: ExperimentalVariogram) -> None:
    held = Candidate("spherical", contribution=0.2, ranges_m=(300.0,) * 3, hold_ranges=True)

    fit = fit_variogram(meuse, [held, Candidate("spherical")], nugget=0.07, sill=0.65)

    first, second = fit.variogram.structures
    assert fit.variogram.nugget == 0.07
    assert (first.contribution, first.ranges_m) == (0.2, (300.0, 300.0, 300.0))
    assert second.contribution == pytest.approx(0.38, rel=1e-12)
    assert fit.variogram.sill == pytest.approx(0.65, rel=1e-12)


def test_a_start_that_is_given_is_where_the_search_begins(meuse: ExperimentalVariogram) -> None:
    fit = fit_variogram(meuse, [Candidate("spherical", ranges_m=(500.0,) * 3)])

    assert fit.variogram.structures[0].ranges_m[0] == pytest.approx(897.0, abs=0.1)


def test_the_same_lags_give_the_same_bits(meuse: ExperimentalVariogram) -> None:
    one, other = (fit_variogram(meuse, [Candidate("spherical")] * 2) for _ in range(2))

    assert one.variogram == other.variogram


def test_a_nugget_alone_makes_a_structure_of_no_height() -> None:
    flat = exact(Variogram(2.0, (Structure("spherical", 0.0, (50.0,) * 3),)))

    fit = fit_variogram(flat, [Candidate("spherical")])

    assert fit.variogram.sill == pytest.approx(2.0)
    assert fit.ss_error == pytest.approx(0.0, abs=1e-20)


def test_a_range_beyond_the_lags_is_said_to_be_at_its_bound() -> None:
    line = exact(Variogram(0.0, (Structure("linear", 1.0, (100.0,) * 3),)))

    fit = fit_variogram(line, [Candidate("spherical")])

    assert fit.remarks[0].code == "RANGE_AT_BOUND"
    assert "reached the bound of 1950 m" in fit.remarks[0].message


def test_a_search_that_stops_at_its_limit_says_so() -> None:
    """Noise, and two structures that may turn: flat valleys without an end."""
    chance = np.random.default_rng(1)
    places, values = chance.random((150, 3)) * [200, 150, 60], chance.normal(size=150)
    lags = centred_lags(20.0, 6, 10.0)
    directions = [Direction(lags, Form.DIRECTIONAL, *way, 30.0, 30.0) for way in AROUND[:5]]
    noise = experimental_variogram(places, values, directions)

    fit = fit_variogram(noise, [Candidate("spherical", isotropic=False)] * 2, fit_rotation=True)

    assert not fit.converged
    assert fit.remarks[0].code == "FIT_NOT_CONVERGED"
    assert "limit of steps" in fit.remarks[0].message
    assert "fewer structures" in fit.remarks[0].what_to_do


def test_lags_with_few_pairs_are_left_out(meuse: ExperimentalVariogram) -> None:
    fit = fit_variogram(meuse, [Candidate("spherical")], least_pairs=100)

    assert math.isnan(fit.residuals[0])
    assert fit.weights[0] == 0.0
    assert np.isfinite(fit.residuals[1:]).all()


def test_progress_rises_to_one(meuse: ExperimentalVariogram) -> None:
    told: list[float] = []

    fit_variogram(meuse, [Candidate("spherical")], report=told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0


ISOTROPIC = exact(Variogram(0.1, (Structure("spherical", 1.0, (50.0,) * 3),)))


@pytest.mark.parametrize(
    ("candidates", "changes", "cause"),
    [
        ([], {}, "structures must be 1 to 6, got 0"),
        ([Candidate("power")], {}, "a model must be one of spherical, .* got 'power'"),
        ([Candidate("spherical", hold_ranges=True)], {}, "ranges_m must be given"),
        ([Candidate("spherical", isotropic=False)], {}, "directional lags, got omnidirectional"),
        ([Candidate("spherical")], {"weighting": "best"}, "weighting must be one of"),
        ([Candidate("spherical")], {"least_pairs": 1000}, "lags of 1000 pairs, got none"),
        ([Candidate("spherical")], {"least_pairs": 118}, "3 unknown numbers .* got 2"),
        ([Candidate("linear")], {"sill": 1.0}, "no sill, so none can be held"),
        ([Candidate("spherical")], {"nugget": 2.0, "sill": 1.0}, "fit the sill of 1.0, got 2.0"),
        ([Candidate("spherical", contribution=0.0)], {"nugget": 0.0}, "to more than 0, got 0"),
    ],
)
def test_what_cannot_be_fitted_is_refused(
    candidates: list[Candidate], changes: dict[str, object], cause: str
) -> None:
    with pytest.raises(ValueError, match=cause):
        fit_variogram(ISOTROPIC, candidates, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_a_variogram_that_never_rises_is_refused(weighting: str) -> None:
    flat = exact(Variogram(0.0, (Structure("spherical", 0.0, (50.0,) * 3),)))

    with pytest.raises(ValueError, match="do all samples have one value"):
        fit_variogram(flat, [Candidate("spherical")], weighting=weighting)


@given(azimuth=st.floats(0.0, 360.0), dip=st.floats(0.0, 180.0), pitch=st.floats(0.0, 360.0))
def test_angles_of_a_rotation_give_it_again(azimuth: float, dip: float, pitch: float) -> None:
    rotation = rotation_matrix(azimuth, dip, pitch)

    again = rotation_matrix(*rotation_angles(rotation))

    np.testing.assert_allclose(again, rotation, atol=1e-7)
