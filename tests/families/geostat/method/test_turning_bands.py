import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.spectrum import WAVES
from haulier.families.geostat.method.spread import directions, generator
from haulier.families.geostat.method.turning_bands import add_lines, draw_bands, simulate
from haulier.families.geostat.method.variogram import Structure, Variogram

BOUNDED = [
    ("spherical", 0),
    ("exponential", 0),
    ("gaussian", 0),
    ("cubic", 0),
    *[("generalisedcauchy", alpha) for alpha in (3, 5, 7, 9)],
    *[("spheroidal", alpha) for alpha in (3, 5, 7, 9)],
]
RANGE_M = 10.0
#: Nested, anisotropic, turned apart, with a nugget: everything at once.
NESTED = Variogram(
    0.15,
    (
        Structure("spherical", 0.35, (40.0, 20.0, 8.0), (30.0, 40.0, 60.0)),
        Structure("exponential", 0.3, (120.0, 60.0, 30.0), (10.0, 20.0, 0.0)),
        Structure("gaussian", 0.2, (50.0, 50.0, 5.0), (90.0, 10.0, 0.0)),
    ),
)

#: What NESTED gave when it was first simulated.
PINNED = [
    [0.9745436847347586, -0.3513644263483391],
    [0.11126752146951291, 0.005842286717065215],
    [0.5257429787090793, -1.0566563102939042],
]


def covariances(
    variogram: Variogram, separations: FloatArray, *, lines: int, realisations: int
) -> FloatArray:
    """Give the covariance of realisations at (s, 3) separations, the mean of zero known.

    Of 50 pairs each, further apart than any range, so that they count as independent.
    """
    rng = np.random.default_rng(3)
    starts = rng.uniform(0.0, 50_000.0, (50, 3))
    places = np.concatenate([starts, *(starts + each for each in separations)])
    fields = simulate(places, variogram, lines=lines, seed=11, realisations=range(realisations))
    stacked = fields.reshape(len(separations) + 1, 50, realisations)
    return np.asarray((stacked[0] * stacked[1:]).mean(axis=(1, 2)))


def tolerance(variogram: Variogram, separations: FloatArray, realisations: int) -> FloatArray:
    """Give five standard errors: of Gaussian pairs, Var(ab) = C(0)^2 + C(h)^2."""
    expected = variogram.covariance(separations)
    return np.asarray(5.0 * np.sqrt((variogram.sill**2 + expected**2) / (50 * realisations)))


@pytest.mark.parametrize(("model", "alpha"), BOUNDED)
def test_each_model_has_its_covariance_within_five_standard_errors(model: str, alpha: int) -> None:
    variogram = Variogram(0.0, (Structure(model, 2.0, (RANGE_M,) * 3, alpha=alpha),))
    shares = np.array([0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.5])
    separations = RANGE_M * shares[:, None] * np.array([0.6, 0.0, 0.8])

    found = covariances(variogram, separations, lines=200, realisations=300)

    assert np.all(
        np.abs(found - variogram.covariance(separations)) < tolerance(variogram, separations, 300)
    )


def test_nested_anisotropic_structures_and_a_nugget_keep_their_covariance() -> None:
    axes = NESTED.structures[0].transform  # rows point along its axes, one range long at |.| = 1
    along = axes / np.linalg.norm(axes, axis=1)[:, None]
    separations = np.concatenate([[[0.0, 0.0, 0.0]], *(along * size for size in (1.0, 8.0, 20.0))])

    found = covariances(NESTED, separations, lines=300, realisations=400)

    assert np.all(
        np.abs(found - NESTED.covariance(separations)) < tolerance(NESTED, separations, 400)
    )


def test_an_isotropic_field_is_alike_in_thirteen_directions() -> None:
    variogram = Variogram(0.0, (Structure("spherical", 1.0, (RANGE_M,) * 3),))
    corners = [(x, y, z) for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (0, 1)]
    ways = np.array([c for c in corners if c > (0, 0, 0) or c[2] == 1], dtype=float)
    ways /= np.linalg.norm(ways, axis=1)[:, None]

    found = covariances(variogram, 0.4 * RANGE_M * ways, lines=1000, realisations=150)

    assert np.ptp(found) < 2 * tolerance(variogram, 0.4 * RANGE_M * ways, 150).max()


@pytest.mark.parametrize("model", ["spherical", "gaussian"])
def test_one_realisation_of_a_thousand_lines_looks_gaussian_along_any_plane(model: str) -> None:
    variogram = Variogram(0.0, (Structure(model, 1.0, (RANGE_M,) * 3),))
    grid = np.stack(np.meshgrid(*(np.arange(12) * 2.5 * RANGE_M,) * 3), axis=-1).reshape(-1, 3)

    field = draw_bands(variogram, lines=1000, seed=2, realisation=0).values(grid)

    # the nodes lie beyond the range of one another, hence are independent
    assert kstest(field, "norm").pvalue > 1e-3
    # a line that stood out would make a plane's mean differ more than chance lets it
    planes = field.reshape(12, 12, 12)
    for axis in range(3):
        means = planes.mean(axis=tuple({0, 1, 2} - {axis}))
        assert np.abs(means).max() < 4.5 / 12.0


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 4999), max_size=8), st.integers(-5, 5), st.integers(0, 99))
def test_a_value_depends_on_its_own_coordinates_alone_to_the_bit(
    cuts: list[int], seed: int, realisation: int
) -> None:
    rng = np.random.default_rng(1)
    places = rng.uniform(-1e5, 7e6, (5000, 3))
    order = rng.permutation(5000)
    bands = draw_bands(NESTED, lines=20, seed=seed, realisation=realisation)

    whole = bands.values(places)

    parts = np.full(5000, np.nan)
    for some in np.split(order, sorted(cuts)):
        parts[some] = bands.values(places[some])
    assert np.array_equal(whole, parts)


def test_seed_and_realisation_make_the_field_and_nothing_else() -> None:
    places = np.random.default_rng(1).uniform(0, 100, (50, 3))

    many = simulate(places, NESTED, lines=50, seed=4, realisations=range(5))

    assert np.array_equal(
        simulate(places, NESTED, lines=50, seed=4, realisations=[3])[:, 0], many[:, 3]
    )
    other = simulate(places, NESTED, lines=50, seed=5, realisations=range(5))
    assert len(np.unique(np.round(np.concatenate([many, other], axis=1), 9), axis=1).T) == 10


def test_realisations_are_independent() -> None:
    places = np.random.default_rng(1).uniform(0, 1e5, (500, 3))

    fields = simulate(places, NESTED, lines=100, seed=4, realisations=range(20))

    correlations = np.asarray(np.corrcoef(fields.T))[np.triu_indices(20, 1)]
    assert np.abs(correlations).max() < 5.0 / math.sqrt(500)
    assert correlations.mean() == pytest.approx(0.0, abs=5.0 / math.sqrt(500 * 190))


def test_a_nugget_alone_is_white_noise_with_its_variance() -> None:
    places = np.stack(np.meshgrid(*(np.arange(30.0),) * 3), axis=-1).reshape(-1, 3)

    field = draw_bands(Variogram(4.0, ()), lines=1, seed=1, realisation=0).values(places)

    assert kstest(field / 2.0, "norm").pvalue > 1e-3
    cube = field.reshape(30, 30, 30)
    for axis in range(3):
        shifted = np.roll(cube, 1, axis=axis)
        assert np.mean(cube * shifted) == pytest.approx(0.0, abs=5 * 4.0 / math.sqrt(27000))


def test_a_nugget_is_the_same_at_zero_and_minus_zero() -> None:
    bands = draw_bands(Variogram(1.0, ()), lines=1, seed=1, realisation=0)

    assert bands.values(np.zeros((1, 3))) == bands.values(-np.zeros((1, 3)))


def test_directions_cover_the_sphere_evenly() -> None:
    vectors = directions(500, generator(1, 0, 0))

    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-14)
    # of directions spread evenly the mean of v v' is a third of the identity
    assert vectors.T @ vectors / 500 == pytest.approx(np.eye(3) / 3.0, abs=0.01)


@pytest.mark.parametrize("lines", [0, -1, 1001])
def test_a_number_of_lines_outside_one_to_a_thousand_is_refused(lines: int) -> None:
    with pytest.raises(ValueError, match=f"must lie in 1 to 1000, got {lines}"):
        draw_bands(NESTED, lines=lines, seed=1, realisation=0)


def test_a_model_without_a_sill_is_refused() -> None:
    linear = Variogram(0.0, (Structure("linear", 1.0, (1.0, 1.0, 1.0)),))

    with pytest.raises(ValueError, match="without a sill"):
        draw_bands(linear, lines=10, seed=1, realisation=0)


def test_waves_are_cosines_within_rounding() -> None:
    turns = np.linspace(-3.0, 3.0, 10001)
    out = np.zeros(10001)
    none = np.zeros(10001)

    add_lines(
        turns,
        none,
        none,
        np.array([WAVES]),
        np.eye(3)[:1],
        np.zeros(1),
        np.zeros(1, dtype=np.uint32),
        np.array([math.sqrt(0.5)]),
        out,
    )

    assert out == pytest.approx(np.cos(2.0 * np.pi * turns), abs=4e-15)


def test_a_seed_gives_the_field_it_gave_in_earlier_releases() -> None:
    places = np.array([[0.0, 0.0, 0.0], [10.0, 20.0, 30.0], [5e5, 7e6, 100.0]])

    fields = simulate(places, NESTED, lines=100, seed=38239342, realisations=[0, 99])

    assert fields == pytest.approx(np.array(PINNED), rel=1e-9)
