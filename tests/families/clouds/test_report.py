"""The report of a cloud: one page, true to the ground, the same for any cut of the work."""

import re
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import laspy
import numpy as np
import pytest
from pyproj import CRS
from tests.families.clouds.conftest import MakeLas
from tests.families.clouds.landscape import write_landscape

from haulier.core.family import Part, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.lazwriter import CHUNK_POINTS
from haulier.families.clouds.steps import cloud_report
from haulier.testing.context import LocalContext, World, Written

MOST_BYTES = 4_000_000


class Page(NamedTuple):
    """A page, and what the step said."""

    html: str
    values: Mapping[str, Any]

    @property
    def codes(self) -> set[str]:
        """Give the codes on the page."""
        return set(re.findall(r"<code>([A-Z0-9_]+)</code>", self.html))

    def cell(self, name: str) -> str:
        """Give what stands beside a name in a table, or below it on a card."""
        found = re.search(rf"{re.escape(name)}</(?:th><td[^>]*>|dt><dd>)([^<]*)<", self.html)
        assert found, f"no '{name}' on the page"
        return found[1]


Look = Callable[..., Page]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """Give what makes the page of a cloud, in parts of so many points."""

    def make(
        path: Path, *, points: int = 0, before: Mapping[str, Any] | None = None, **params: Any
    ) -> Page:
        world = World(tmp_path / f"world-{path.name}-{points}", {"here": path.parent})
        source: Any = {"storage": "here", "filename": path.name}
        if before is not None:
            world.results["moved"] = StepResult(before)
            world.outputs["step:moved.output_las"] = Written(path, "", path.name)
            source = "step:moved.output_las"
        step = StepPlan("s", "clouds", "CLOUD_REPORT", params, inputs={"input_las": source})

        def context(action: str, part: Part | None = None) -> LocalContext:
            return LocalContext(world, step, action, part)

        parts = list(cloud_report.split(step, context("split")))
        if points:
            last = parts[-1].params["last"]
            parts = [
                Part(f"{first:09d}", {"first": first, "last": min(first + points, last)})
                for first in range(0, last, points)
            ]
        done = {p.key: cloud_report.run(step, p, context("run", p)) for p in reversed(parts)}
        merging = context("merge")
        given = cloud_report.merge(step, {p.key: done[p.key] for p in parts}, merging)
        return Page(merging.written["report"].path.read_text("utf-8"), given.values)

    return make


class Reader(HTMLParser):
    """Collects what a page would load or open, and its pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        self.tags.add(tag)
        self.addresses += [said[name] or "" for name in ("src", "href", "action") if name in said]
        if tag == "img":
            self.images.append(said)


def read(page: Page) -> Reader:
    reader = Reader()
    reader.feed(page.html)
    return reader


def write_grid(
    path: Path,
    *,
    low: tuple[float, float],
    spacing: tuple[float, float],
    crs: str,
    step: float,
    side: int = 150,
) -> Path:
    """Write a cloud of evenly spaced points on a slope."""
    header = laspy.LasHeader(version="1.4", point_format=6)
    header.scales, header.offsets = (step, step, 0.001), (*np.floor(low), 0)
    header.add_crs(CRS.from_user_input(crs))
    x, y = (edge + size * (np.arange(side) + 0.5) for edge, size in zip(low, spacing, strict=True))
    columns, rows = (each.ravel() for each in np.meshgrid(x, y))
    las = laspy.LasData(header)
    las.points = laspy.ScaleAwarePointRecord.zeros(len(columns), header=header)
    las.x, las.y, las.z = columns, rows, np.linspace(10.0, 20.0, len(columns))
    las.return_number = las.number_of_returns = np.ones(len(columns), np.uint8)
    las.write(path)
    return path


def test_the_page_is_the_same_to_the_byte_for_any_number_of_parts(
    look: Look, make_las: MakeLas
) -> None:
    path = make_las(count=3 * CHUNK_POINTS + 777, crs=2271)

    pages = [look(path, points=n * CHUNK_POINTS).html for n in (1, 2, 4)]

    assert len(set(pages)) == 1


def test_the_page_loads_nothing_and_names_every_picture(look: Look, tmp_path: Path) -> None:
    page = read(look(write_landscape(tmp_path / "hill.laz"), title="<script>alert(1)</script>"))

    assert page.addresses
    assert all(each.startswith(("data:image/png;base64,", "#")) for each in page.addresses)
    assert not page.tags & {"script", "link", "iframe", "object", "embed", "form"}
    assert len(page.images) >= 6
    assert all(each["alt"] and each["width"] and each["height"] for each in page.images)


def test_the_page_shows_what_there_is_to_see(look: Look, tmp_path: Path) -> None:
    page = look(write_landscape(tmp_path / "hill.laz"))

    for name in ("place", "surface", "ground", "density", "heights", "intensities", "classes"):
        assert f'id="figure-{name}"' in page.html, name
    for text in ("EPSG:25832", "DHHN2016 height", "Germany", "11", "high vegetation"):
        assert text in page.html, text
    assert page.cell("Points") == "6,000"
    assert len(page.html) < MOST_BYTES


def test_what_is_wrong_stands_first_with_what_to_do(look: Look, make_las: MakeLas) -> None:
    page = look(make_las(crs=4326))  # its X is 1,503,000 degrees

    warnings = page.html[page.html.index('class="warnings') : page.html.index("</aside>")]
    assert "CRS_NOT_A_PLACE" in page.codes
    assert '<li class="grave">' in warnings
    assert 'class="hint">Name the right one as source_epsg' in warnings
    assert page.codes == {each["code"] for each in page.values["warnings"]}
    assert page.cell("Heights").endswith("1,100"), "no unit is known where the system is wrong"
    assert "figure-place" not in page.html


def test_what_the_step_before_warned_of_is_on_the_page(look: Look, make_las: MakeLas) -> None:
    note = {"code": "VERTICAL_UNIT_KEPT", "message": "Z is in US feet", "what_to_do": "scale it"}
    operation = {"name": "Null geographic offset", "accuracy_m": 4.0, "missing_grids": ["us.tif"]}

    page = look(
        make_las(crs=2271),
        before={"warnings": [note], "operation": operation, "heights": "keep", "point_count": 1000},
    )

    assert "VERTICAL_UNIT_KEPT" in page.codes
    assert note in page.values["warnings"]
    assert page.cell("Its accuracy") == "4 m"
    assert page.cell("Grids that were missing") == "us.tif"


@pytest.mark.parametrize(
    ("crs", "low", "spacing", "step"),
    [
        pytest.param("EPSG:3857", (1_000_000.0, 8_399_700.0), (2.0, 2.0), 0.01, id="mercator"),
        pytest.param("EPSG:25832", (500_000.0, 6_650_000.0), (1.0, 1.0), 0.01, id="metres"),
        pytest.param("EPSG:2271", (1_503_000.0, 375_000.0), (3.28083, 3.28083), 0.01, id="feet"),
        pytest.param("EPSG:4326", (9.0, 60.0), (1.792e-5, 8.976e-6), 1e-8, id="degrees"),
    ],
)
def test_density_is_of_square_metres_on_the_ground_in_any_unit(
    crs: str, low: tuple[float, float], spacing: tuple[float, float], step: float,
    look: Look, tmp_path: Path,
) -> None:  # fmt: skip
    """Points lie a metre apart on the ground in all of them: at 60 degrees north, or by feet."""
    path = write_grid(tmp_path / "even.laz", low=low, spacing=spacing, crs=crs, step=step)

    page = look(path)

    median = float(page.cell("Median cell").split()[0])
    assert median == pytest.approx(1.0, rel=0.12)


def test_a_person_may_know_the_unit_of_heights_better(look: Look, make_las: MakeLas) -> None:
    path = make_las(crs=3857, low=(-8.3e6, 5.04e6, 0.0), high=(-8.299e6, 5.041e6, 100.0))

    assert look(path, height_unit="us_survey_foot").cell("Heights").endswith("US ft")


@pytest.mark.parametrize(("count", "crs"), [(1, None), (1, 2271), (40, None)])
def test_few_points_are_a_page_too(
    count: int, crs: int | None, look: Look, make_las: MakeLas
) -> None:
    page = look(make_las(count=count, crs=crs))

    assert page.cell("Points") == str(count)
    assert "figure-surface" not in page.html
    assert ("CRS_MISSING" in page.codes) == (crs is None)
    assert ("figure-place" in page.html) == (crs is not None)


def test_no_points_are_a_page_that_says_so(look: Look, tmp_path: Path) -> None:
    path = tmp_path / "empty.las"
    laspy.LasData(laspy.LasHeader(version="1.4", point_format=6)).write(path)

    page = look(path)

    assert page.cell("Points") == "0"
    assert "NO_POINTS" in page.codes


@pytest.mark.parametrize(
    ("low", "high"),
    [
        pytest.param((500_000.0, 5e6, 0.0), (500_000.0, 5.001e6, 1.0), id="north"),
        pytest.param((500_000.0, 5e6, 7.0), (501_000.0, 5.001e6, 7.0), id="flat"),
        pytest.param((500_000.0, 5e6, 0.0), (500_001.0, 5.1e6, 1.0), id="ribbon"),
        pytest.param((500_000.0, 5e6, 0.0), (500_000.0, 5e6, 0.0), id="one-place"),
    ],
)
def test_clouds_of_odd_shape_are_a_page(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    look: Look,
    make_las: MakeLas,
) -> None:
    page = look(make_las(low=low, high=high, crs=25832))

    assert page.cell("Points") == "1,000"
    assert len(page.html) < MOST_BYTES


@pytest.mark.parametrize(
    ("name", "code", "shown"),
    [
        ("test_semis_2023_0292_6833_LA93_IGN69.laz", "VERTICAL_SYSTEM_MISSING", "France"),
        ("lone-star.laz", "CRS_NOT_A_PLACE", "No map can be drawn"),
        ("lone-star.copc.laz", "CRS_NOT_A_MAP", "COPC"),
        ("ellipsoid.laz", "WEB_MERCATOR_SCALE", "times that on the ground"),
        ("epsg_4326.las", "DEGREES_NOT_METRIC", "per hectare"),
        ("mvk-thin.las", "CRS_NOT_HERE", "Corners of the extent"),
        ("simple.laz", "CRS_MISSING", "take X and Y as metres"),
    ],
)
def test_published_clouds_are_pages_of_bounded_size(
    name: str, code: str, shown: str, look: Look, published: Callable[[str], Path]
) -> None:
    page = look(published(name))

    assert code in page.codes
    assert shown in page.html
    assert len(page.html) < MOST_BYTES
