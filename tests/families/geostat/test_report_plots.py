"""Every plot gives the same bytes each time, whatever surrounds it, and bears odd data."""

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from haulier.families.geostat.io.report import (
    distributions,
    maps,
    points,
    resources,
    simulations,
    swaths,
    validation,
    variograms,
)
from haulier.families.geostat.io.report.slicing import Beside, Slice
from haulier.families.geostat.io.report.summary import Binned, SwathTally, Tally, bin_edges
from haulier.families.geostat.method.experimental import experimental_variogram
from haulier.families.geostat.method.lags import Direction, Form, equal_lags
from haulier.families.geostat.method.rotation import FloatArray
from haulier.families.geostat.method.validation import HistogramCheck, VariogramCheck
from haulier.families.geostat.method.variogram import Structure, Variogram
from haulier.families.reporting.page import png_size

Draw = Callable[[], bytes]

NOTHING = np.zeros(0)
NOWHERE = np.zeros((0, 3))
MODEL = Variogram(0.2, (Structure("spherical", 0.8, (90.0, 60.0, 30.0), (40.0, 20.0, 10.0)),))
ENDLESS = Variogram(0.0, (Structure("linear", 1.0, (50.0, 50.0, 50.0)),))


def places(n: int = 60) -> FloatArray:
    corner = np.array([445_000.0, 494_000.0, 2800.0])
    return corner + np.random.default_rng(1).uniform(0, 200, (n, 3))


def grades(n: int = 60) -> FloatArray:
    return np.random.default_rng(2).lognormal(0, 0.8, n)


def binned(values: FloatArray, label: str = "Samples") -> Binned:
    tally = Tally(label, bin_edges(values))
    tally.add(values)
    return tally.binned()


def a_slice(values: FloatArray, **more: Any) -> Slice:
    rows, columns = values.shape
    edges = np.arange(columns + 1) * 10.0, np.arange(rows + 1) * 10.0
    return Slice("Plan at elevation 5 m", values, *edges, "Easting [m]", "Northing [m]", **more)


def holed() -> FloatArray:
    values = grades(600).reshape(20, 30)
    values[5:9, 10:20] = np.nan
    return values


def a_swath() -> swaths.Swath:
    edges = swaths.swath_edges(0.0, 200.0, 10.0)
    tally = SwathTally("samples", edges)
    tally.add(places()[:, 0] - 445_000.0, grades())
    return swaths.Swath("Easting [m]", edges, (tally.band(), tally.band()))


def found(*directions: Direction) -> tuple[variograms.Measured, ...]:
    return variograms.measured_of(experimental_variogram(places(), grades(), directions))


LAGS = equal_lags(25.0, 6)
AROUND = Direction(LAGS)
EAST = Direction(LAGS, Form.DIRECTIONAL, azimuth_deg=90.0, azimuth_tolerance_deg=30.0)
CHECK = VariogramCheck(
    0, np.arange(1.0, 5.0), np.ones(4), np.ones(4), np.ones(4), np.full(4, 0.9), np.full(4, 1.1)
)
BLIND = VariogramCheck(0, np.arange(1.0, 5.0), np.zeros(4), np.ones(4), *[np.full(4, np.nan)] * 3)
PARTS = np.arange(1, 100) / 100.0
HISTOGRAM = HistogramCheck(PARTS, PARTS, PARTS * 1.01, PARTS * 0.9, PARTS * 1.1)
THREE = [a_slice(holed()), a_slice(holed()[:4]), a_slice(holed()[:, :4])]
SAMPLES = Beside(np.array([50.0, 90.0]), np.array([40.0, 90.0]), np.array([0.3, 2.0]))
CURVE = distributions.cumulative_of("samples", grades())
COARSE = distributions.cumulative_of_bins(binned(grades(), "estimates"))
GREY = a_slice(np.full((3, 3), np.nan))

PLOTS: dict[str, Draw] = {
    "variogram": lambda: variograms.experimental_variogram(
        found(AROUND, EAST), MODEL, variance=1.0, unit="%"
    ),
    "variogram alone": lambda: variograms.experimental_variogram(found(AROUND)),
    "variogram without end": lambda: variograms.experimental_variogram(found(EAST), ENDLESS),
    "variogram of few": lambda: variograms.experimental_variogram(
        variograms.measured_of(experimental_variogram(places(2), grades(2), [EAST, AROUND])), MODEL
    ),
    "model": lambda: variograms.model_variogram(MODEL, unit="g/t"),
    "model without end": lambda: variograms.model_variogram(ENDLESS),
    "model of nugget alone": lambda: variograms.model_variogram(Variogram(1.0, ())),
    "histograms": lambda: distributions.histograms(
        [binned(grades()), binned(grades(20))], "Cu [%]"
    ),
    "small histograms": lambda: distributions.small_histograms(
        [binned(grades(20 + n), f"Distance {n} [m]") for n in range(3)]
    ),
    "histogram of nothing": lambda: distributions.histograms([binned(NOTHING)], "Cu [%]"),
    "histogram of one value": lambda: distributions.histograms([binned(np.ones(9))], "Cu [%]"),
    "before and after": lambda: distributions.before_and_after(
        binned(grades()), binned(np.log(grades())), "Cu [%]", "Score"
    ),
    "probability": lambda: distributions.probability_plot([CURVE, COARSE], "Cu [%]"),
    "probability of logs": lambda: distributions.probability_plot(
        [CURVE], "Cu [%]", logarithmic=True
    ),
    "quantiles": lambda: distributions.quantile_plot(CURVE, COARSE, "%"),
    "transform": lambda: distributions.transform_plot(
        np.sort(grades()), np.linspace(-2, 2, 60), "Cu [%]"
    ),
    "swaths": lambda: swaths.swath_plots([a_swath(), a_swath()], "Cu [%]"),
    "cross-validation": lambda: validation.cross_validation(
        grades(), grades() * 1.1, facts=[("n", 60), ("RMSE", None)], unit="%"
    ),
    "cross-validation of nothing": lambda: validation.cross_validation(NOTHING, NOTHING),
    "cross-validation of NaN": lambda: validation.cross_validation(
        np.full(3, np.nan), np.ones(3)
    ),
    "cross-validation of one": lambda: validation.cross_validation(np.ones(1), np.ones(1)),
    "errors": lambda: validation.standardised_errors(np.log(grades())),
    "errors of nothing": lambda: validation.standardised_errors(np.full(3, np.nan)),
    "residuals": lambda: points.residual_map(places(), grades() - 1.0, "%"),
    "residuals of zero": lambda: points.residual_map(places(), np.zeros(60)),
    "residuals of nothing": lambda: points.residual_map(NOWHERE, NOTHING),
    "samples in a plane": lambda: points.sample_map(places() * [1, 1, 0], grades(), "Cu [%]"),
    "weights": lambda: points.declustering_weights(places(), grades() / grades().mean()),
    "weights of nothing": lambda: points.declustering_weights(NOWHERE, NOTHING),
    "slices": lambda: maps.slices(
        [a_slice(holed(), samples=SAMPLES, layer="layer 3 of 9"), *THREE[1:]],
        maps.scale_of("Cu [%]", [each.values for each in THREE]),
    ),
    "many slices": lambda: maps.slices(THREE[:1] * 5, maps.scale_of("Cu", [holed()]), columns=3),
    "slice of nothing": lambda: maps.slices([GREY], maps.scale_of("Cu", [GREY.values])),
    "categories": lambda: maps.category_slices([a_slice(holed() // 1 % 3)], ["a", "b", "c"]),
    "category shares": lambda: resources.category_shares(
        ["waste", "ore"], [0.7, 0.3], [np.nan, 1.2], "Cu [%]"
    ),
    "grade and tonnage": lambda: resources.grade_tonnage(
        [resources.grade_tonnage_of(binned(grades(), "estimates"))], "Cu [%]"
    ),
    "grade and tonnage of nothing": lambda: resources.grade_tonnage(
        [resources.grade_tonnage_of(binned(NOTHING))], "Cu [%]"
    ),
    "means": lambda: simulations.realisation_means(
        grades(9), 1.2, acceptable=0.1, marginal=0.3, label="Mean [%]"
    ),
    "mean of one": lambda: simulations.realisation_means(np.ones(1), 1.0),
    "variogram reproduction": lambda: simulations.variogram_reproduction(
        [CHECK, BLIND, CHECK], ["x", "y", "z"]
    ),
    "variogram reproduction of nothing": lambda: simulations.variogram_reproduction(
        [BLIND], ["x"]
    ),
    "histogram reproduction": lambda: simulations.histogram_reproduction(HISTOGRAM, "Cu [%]"),
}  # fmt: skip


#: Those of data that are hardly there must be drawn without a warning, and that is all.
ODD = [name for name in PLOTS if " of " in name]
USUAL = [name for name in PLOTS if name not in ODD]
STRANGE = {
    "figure.facecolor": "black",
    "font.size": 20.0,
    "lines.linewidth": 9.0,
    "savefig.dpi": 30,
}


@pytest.mark.parametrize("name", USUAL)
def test_a_plot_has_the_same_bytes_whatever_a_users_settings(name: str) -> None:
    settings = dict(mpl.rcParams)
    plain = PLOTS[name]()

    with mpl.rc_context(STRANGE):
        strange = PLOTS[name]()

    assert plain == strange
    assert dict(mpl.rcParams) == settings  # nothing is left behind


@pytest.mark.parametrize("name", ODD)
def test_a_plot_bears_data_that_are_hardly_there(name: str) -> None:
    assert png_size(PLOTS[name]())[0] > 300


@pytest.mark.parametrize("name", ["slices", "histograms", "cross-validation", "swaths"])
def test_a_picture_is_small_and_says_nothing_of_time_or_machine(name: str) -> None:
    png = PLOTS[name]()

    with Image.open(io.BytesIO(png)) as picture:
        assert picture.mode == "P"
        assert picture.text == {}  # type: ignore[attr-defined]  # a PNG has it
        assert picture.width <= 1100
    assert len(png) < 80_000


def test_blocks_without_value_are_neither_zero_nor_white() -> None:
    hole = a_slice(np.where(np.arange(100).reshape(10, 10) < 50, np.nan, 0.0))
    scale = maps.Scale("Cu [%]", 0.0, 1.0)

    with Image.open(io.BytesIO(maps.slices([hole], scale))) as picture:
        colours = np.asarray(picture.convert("RGB")).reshape(-1, 3)

    for colour in (maps.MISSING["facecolor"], "#440154"):  # hatched, and viridis' zero
        wanted = np.array([int(str(colour)[i : i + 2], 16) for i in (1, 3, 5)])
        assert (np.abs(colours - wanted).max(axis=1) < 6).sum() > 2000


def test_the_page_can_be_made_without_loading_matplotlib() -> None:
    code = (
        "import sys; import haulier.families.geostat.io.report as r; "
        "r.render(r.Report('a', 'b', ())); "
        "from haulier.families.geostat.io.report import slicing, summary; "
        "sys.exit('matplotlib' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("direction", "said"),
    [
        ((0.0, 1.0, 0.0), "azimuth 000\N{DEGREE SIGN}, plunge 0\N{DEGREE SIGN}"),
        ((1.0, 0.0, 0.0), "azimuth 090\N{DEGREE SIGN}, plunge 0\N{DEGREE SIGN}"),
        ((1.0, 0.0, 1.0), "azimuth 270\N{DEGREE SIGN}, plunge 45\N{DEGREE SIGN}"),
        ((-1.0, 0.0, -1.0), "azimuth 270\N{DEGREE SIGN}, plunge 45\N{DEGREE SIGN}"),
        ((0.0, 0.0, 1.0), "vertical"),
        ((-1e-12, 1.0, 0.0), "azimuth 000\N{DEGREE SIGN}, plunge 0\N{DEGREE SIGN}"),
    ],
)
def test_a_direction_is_named_by_its_lower_end(
    direction: tuple[float, float, float], said: str
) -> None:
    assert variograms.bearing(np.array(direction)) == said


def test_the_range_in_a_principal_direction_is_the_structures_own() -> None:
    structure = MODEL.structures[0]

    ranges = [
        variograms.range_along(structure, direction)
        for _, direction in variograms.principal_directions(MODEL)
    ]

    np.testing.assert_allclose(ranges, structure.ranges_m, rtol=1e-12)


def test_the_regression_line_is_that_of_least_squares() -> None:
    x, y = grades(), grades(60)[::-1] + 2.0

    line = validation.regression(x, y)

    assert line is not None
    np.testing.assert_allclose(line, np.polyfit(x, y, 1), rtol=1e-10)
