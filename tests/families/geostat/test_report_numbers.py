"""What plots and tables show is counted rightly, however the data come in."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from haulier.families.geostat.io.report.distributions import cumulative_of
from haulier.families.geostat.io.report.frames import frame
from haulier.families.geostat.io.report.resources import grade_tonnage_of
from haulier.families.geostat.io.report.slicing import (
    SIDES,
    Lattice,
    Slice,
    SliceReader,
    beside,
    busiest_layers,
    slice_of,
)
from haulier.families.geostat.io.report.summary import SwathTally, Tally, bin_edges
from haulier.families.geostat.io.report.swaths import swath_edges
from haulier.families.geostat.method.rotation import rotation_matrix
from haulier.families.reporting.texts import cell, flattened, number, settled

SIZES = st.tuples(*[st.integers(1, 6)] * 3)


def lattice(shape: tuple[int, int, int], *, turned: bool = False) -> Lattice:
    axes = rotation_matrix(30.0, 20.0, 10.0) if turned else np.eye(3)
    nx, ny, nz = (np.full(n, size) for n, size in zip(shape, (10.0, 5.0, 2.0), strict=True))
    return Lattice(np.array([1000.0, 2000.0, 300.0]), axes, (nx, ny, nz))


@given(shape=SIZES, axis=st.integers(0, 2), data=st.data())
def test_a_slice_read_in_pieces_is_the_slice_of_the_whole_grid(
    shape: tuple[int, int, int], axis: int, data: st.DataObject
) -> None:
    length = math.prod(shape)
    index = data.draw(st.integers(0, shape[axis] - 1))
    piece = data.draw(st.integers(1, 40))
    active = data.draw(st.lists(st.booleans(), min_size=length, max_size=length))
    cells = np.flatnonzero(active)
    whole = np.full(length, np.nan)
    whole[cells] = cells
    cube = whole.reshape(shape[::-1])  # z, y, x: x runs fastest

    reader = SliceReader(shape, {axis: index})
    for start in range(0, len(cells), piece):
        some = cells[start : start + piece]
        reader.take(some, some.astype(np.float64))

    np.testing.assert_array_equal(reader.slices()[axis], np.take(cube, index, axis=2 - axis))


@pytest.mark.parametrize("turned", [False, True])
def test_samples_are_found_in_the_cells_they_lie_in(*, turned: bool) -> None:
    grid = lattice((4, 5, 6), turned=turned)
    wanted = np.array([[0, 0, 0], [3, 4, 5], [2, 1, 3]])
    inside = (wanted + 0.5) * [10.0, 5.0, 2.0]
    places = grid.origin + inside @ grid.axes.T
    outside = grid.origin + np.array([[-1.0, 1.0, 1.0]]) @ grid.axes.T

    np.testing.assert_array_equal(grid.cells(places), wanted)
    assert grid.cells(outside)[0, 0] == -1


def test_the_busiest_layer_has_most_samples_and_of_equals_is_the_middle_one() -> None:
    grid = lattice((5, 5, 5))
    places = np.array([[1001.0, 2012.0, 305.0], [1002.0, 2012.0, 305.0], [1049.0, 2012.0, 305.0]])

    assert busiest_layers(grid, places) == (0, 2, 2)
    assert busiest_layers(grid, places + 1e6) == (2, 2, 2)


def test_samples_beside_a_slice_are_those_within_half_a_layer_of_it() -> None:
    grid = lattice((5, 5, 5))
    z = np.array([300.5, 302.9, 303.1, 305.0, 306.9, 307.1])
    places = np.column_stack([np.full(6, 1010.0), np.full(6, 2010.0), z])

    found = beside(grid, 2, 2, places, np.arange(6.0))  # the layer from 304 to 306

    np.testing.assert_array_equal(found.values, [2, 3, 4])
    assert found.across[0] == 1010.0


def test_a_slice_of_an_upright_grid_has_the_coordinates_of_the_world() -> None:
    plan = slice_of(lattice((4, 5, 6)), 2, 2, np.zeros((5, 4)))

    assert plan.title == "Plan at elevation 305 m"
    assert plan.layer == "layer 3 of 6"
    assert (plan.across_edges[0], plan.across_edges[-1]) == (1000.0, 1040.0)
    assert slice_of(lattice((4, 5, 6), turned=True), 2, 2, np.zeros((5, 4))).title == (
        "Section at grid z 5 m"
    )


@given(
    shapes=st.lists(st.tuples(st.floats(1.0, 1e4), st.floats(1.0, 1e4)), min_size=1, max_size=9),
    columns=st.integers(1, 4),
)
def test_panels_lie_on_the_page_and_never_over_each_other(
    shapes: list[tuple[float, float]], columns: int
) -> None:
    slices = [
        Slice("", np.zeros((1, 1)), np.array([0.0, wide]), np.array([0.0, high]), "", "")
        for wide, high in shapes
    ]

    page = frame(slices, columns)

    for i, (x, y, w, h) in enumerate(page.boxes):
        assert x >= 0
        assert y >= 0
        assert x + w <= page.width
        assert y + h <= page.height
        for u, v, p, q in page.boxes[:i]:
            assert x >= u + p or u >= x + w or y >= v + q or v >= y + h


VALUES = st.lists(
    st.one_of(st.floats(-100, 100).map(lambda x: round(x, 3)), st.just(math.nan)), max_size=60
)


@given(values=VALUES, piece=st.integers(1, 20), data=st.data())
def test_moments_do_not_depend_on_the_pieces_the_values_come_in(
    values: list[float], piece: int, data: st.DataObject
) -> None:
    array = np.array(values)
    weights = np.array(
        data.draw(st.lists(st.floats(0.1, 5.0), min_size=len(values), max_size=len(values)))
    )
    good = np.isfinite(array)
    tally = Tally("samples", np.linspace(-50, 50, 11))

    for start in range(0, len(array), piece):
        tally.add(array[start : start + piece], weights[start : start + piece])

    found = tally.binned()
    assert (found.count, found.missing) == (good.sum(), (~good).sum())
    if good.any():
        mean = np.average(array[good], weights=weights[good])
        variance = np.average((array[good] - mean) ** 2, weights=weights[good])
        np.testing.assert_allclose(found.mean, mean, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.variance, variance, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found.total, weights[good].sum())
        assert (found.minimum, found.maximum) == (array[good].min(), array[good].max())


@given(values=VALUES)
def test_bins_of_round_width_cover_every_value(values: list[float]) -> None:
    array = np.array(values)

    edges = bin_edges(array)

    assert np.all(np.diff(edges) > 0)
    assert len(edges) <= 404
    tally = Tally("samples", edges)
    tally.add(array)
    found = tally.binned()
    assert found.below == found.above == 0
    assert found.weights.sum() == np.isfinite(array).sum()


@pytest.mark.parametrize("value", [0.0, 5e-324, 1e17, -1e17, 1e300])
def test_one_value_alone_has_bins_around_it(value: float) -> None:
    """Also where a half is less than the step from one double to the next."""
    edges = bin_edges(np.full(5, value))

    assert edges[0] <= value < edges[-1]
    assert np.all(np.diff(edges) > 0)


def test_a_histogram_counts_a_value_on_an_edge_in_the_bin_above_it() -> None:
    tally = Tally("samples", np.array([0.0, 1.0, 2.0]))

    tally.add(np.array([-0.1, 0.0, 1.0, 2.0, 2.1]))

    found = tally.binned()
    np.testing.assert_array_equal(found.weights, [1, 2])
    assert (found.below, found.above) == (1, 1)


def test_quantiles_of_bins_are_right_to_within_a_bin() -> None:
    values = np.random.default_rng(0).lognormal(0, 1, 5000)
    tally = Tally("samples", bin_edges(values))
    tally.add(values)
    found = tally.binned()

    wanted = np.quantile(values, [0.1, 0.5, 0.9])
    width = found.edges[1] - found.edges[0]
    np.testing.assert_allclose(found.quantiles([0.1, 0.5, 0.9]), wanted, atol=width)


def test_the_curve_of_weighted_values_ends_at_one() -> None:
    curve = cumulative_of("samples", np.array([3.0, 1.0, math.nan, 2.0]), np.array([2, 1, 9, 1.0]))

    np.testing.assert_array_equal(curve.values, [1, 2, 3])
    np.testing.assert_allclose(curve.fractions, [0.125, 0.375, 0.75])


def test_nothing_varies_by_nothing() -> None:
    tally = Tally("scores", np.linspace(-3, 3, 7))
    tally.add(np.array([-1.0, 1.0 + 1e-15]))

    assert math.isnan(tally.binned().variation)  # and not 1e15
    assert math.isnan(Tally("", np.array([0.0, 1.0])).binned().deviation)


@given(values=st.lists(st.floats(0, 10), min_size=1, max_size=50), clipped=st.booleans())
@example(values=[6.0, 7.0], clipped=True)
def test_grade_and_tonnage_above_a_cutoff_are_those_of_the_blocks_above_it(
    values: list[float], *, clipped: bool
) -> None:
    array = np.array(values)
    tally = Tally("estimates", np.linspace(0, 6 if clipped else 10, 21))
    tally.add(array)

    curve = grade_tonnage_of(tally.binned(), whole=1000.0, unit="t")

    for cutoff, amount, grade in zip(curve.cutoffs, curve.amounts, curve.grades, strict=True):
        above = array[array >= cutoff]
        np.testing.assert_allclose(amount, 1000.0 * len(above) / len(array), rtol=1e-9)
        np.testing.assert_allclose(grade, above.mean(), rtol=1e-6, atol=1e-9)


@given(piece=st.integers(1, 30))
def test_swath_means_are_those_of_the_values_in_each_slab(piece: int) -> None:
    random = np.random.default_rng(3)
    coordinates, values = random.uniform(-5, 45, 80), random.normal(size=80)
    values[::9] = math.nan
    edges = swath_edges(0.0, 40.0, 10.0)
    tally = SwathTally("samples", edges)

    for start in range(0, 80, piece):
        tally.add(coordinates[start : start + piece], values[start : start + piece])

    band = tally.band()
    for i in range(4):
        here = (coordinates >= edges[i]) & (coordinates < edges[i + 1]) & np.isfinite(values)
        np.testing.assert_allclose(band.means[i], values[here].mean())
        assert band.counts[i] == here.sum()


@pytest.mark.parametrize(("cells", "slabs"), [(1, 1), (60, 60), (61, 31), (1000, 59)])
def test_slabs_are_whole_cells_and_not_more_than_can_be_told_apart(cells: int, slabs: int) -> None:
    edges = swath_edges(100.0, 100.0 + 5.0 * cells, 5.0)

    assert len(edges) - 1 == slabs
    assert edges[-1] >= 100.0 + 5.0 * cells
    assert (edges[1] - edges[0]) % 5.0 == 0


def test_a_slice_stands_across_the_axis_that_its_sides_leave() -> None:
    assert all({axis, *sides} == {0, 1, 2} for axis, sides in SIDES.items())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "\N{EN DASH}"),
        (math.nan, "\N{EN DASH}"),
        (math.inf, "\N{INFINITY}"),
        (-math.inf, "\N{MINUS SIGN}\N{INFINITY}"),
        (0, "0"),
        (-0.0, "0"),
        (1204, "1,204"),
        (1234567, "1,234,567"),
        (445198.86, "445,199"),
        (3052.5, "3,052"),
        (0.53124, "0.5312"),
        (0.5, "0.5"),
        (-2.0, "\N{MINUS SIGN}2"),
        (0.00001234, "1.23e\N{MINUS SIGN}05"),
        (99.996, "100"),
    ],
)
def test_a_number_is_written_for_people(value: float | None, said: str) -> None:
    assert number(value) == said


@given(value=st.floats(1e-3, 1e9), digits=st.integers(3, 6))
def test_a_number_is_right_to_its_digits(value: float, digits: int) -> None:
    written = float(number(value, digits).replace(",", ""))

    assert written == pytest.approx(value, rel=10.0 ** (1 - digits))


def test_noise_beside_a_spread_is_zero() -> None:
    assert settled(-2.9e-17, 1.0) == 0
    assert settled(0.65, 0.9) == 0.65
    assert settled(5.0, 0.0) == 5.0


def test_parameters_become_dotted_names_in_their_order() -> None:
    given_ = {"b": {"y": 1, "x": [{"k": 2}, {"k": None}]}, "a": [], "c": {}}

    assert list(flattened(given_)) == [
        ("b.y", 1), ("b.x[0].k", 2), ("b.x[1].k", None), ("a", []), ("c", {}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (True, "yes"),
        ("", "\N{EN DASH}"),
        ([], "\N{EN DASH}"),
        ({}, "\N{EN DASH}"),
        ([1, "a"], "1, a"),
        (list(range(12)), "0, 1, 2, 3, 4, 5, 6, 7, and 4 more"),
    ],
)
def test_a_cell_says(value: object, said: str) -> None:
    assert cell(value) == said
