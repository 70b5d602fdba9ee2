"""The report of a geostat job is one page that needs nothing but a browser."""

import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from shutil import which

import numpy as np
import pytest

from haulier.families.geostat.io.report import Figure, Report, Section, Table, render
from haulier.families.geostat.io.report.points import sample_map
from haulier.families.reporting.page import png_size

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,1400",
)  # fmt: skip
EVIL = '</title><script>alert(1)</script> {{STYLE}} & "quoted"'


@pytest.fixture(scope="module")
def png() -> bytes:
    places = np.random.default_rng(0).uniform(0, 100, (20, 3))
    return sample_map(places, places[:, 0], "Cu [%]")


@pytest.fixture
def report(png: bytes) -> Report:
    figure = Figure("map", "Where the samples lie", png, "Twenty samples.")
    table = Table("Statistics", ("", "n", "Mean [%]"), (("Samples", 12345, 0.5), ("None", 0, None)))
    return Report(
        "Kriging of Cu",
        "into block model WP",
        (Section("Samples", "One.\n\nTwo.", (figure,), (table,)),),
        headline=(("Blocks", 168_750),),
        warnings=("1,204 blocks had fewer than 4 samples.",),
        parameters={"neighborhood": {"max_samples": 16}, "quantiles": [0.1, 0.9]},
        provenance=(("Samples", "objects/wp.json, version 3"),),
    )


class Reader(HTMLParser):
    """Collects the tags of a page, and what is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br", "link", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode())
    return reader


def test_the_page_loads_nothing_and_runs_nothing(report: Report) -> None:
    page = render(report).decode()

    reader = read(page.encode())
    sources = [value for _, at in reader.tags for key, value in at.items() if key == "src"]
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in reader.tags}
    assert re.findall(r"https?://|url\(|@import", page) == []
    assert "default-src 'none'" in page


def test_every_tag_of_the_page_is_closed_in_order(report: Report) -> None:
    assert read(render(report)).open == []


def test_every_figure_has_words_for_those_who_do_not_see_it(report: Report) -> None:
    images = [at for tag, at in read(render(report)).tags if tag == "img"]

    assert [each["alt"] for each in images] == ["Where the samples lie"]
    assert all(int(each["width"] or 0) > 100 and int(each["height"] or 0) > 100 for each in images)


@pytest.mark.parametrize(
    ("widths", "sizes"),
    [
        ([500], ["wide"]),
        ([500, 500], ["half", "half"]),
        ([500, 800], ["wide", "wide"]),
        ([800, 500, 500, 500, 800], ["wide", "half", "half", "wide", "wide"]),
    ],
)
def test_small_figures_stand_in_pairs_and_others_alone(widths: list[int], sizes: list[str]) -> None:
    figures = tuple(Figure(str(i), "", blank(width)) for i, width in enumerate(widths))

    page = render(Report("", "", (Section("", "", figures),)))

    assert [at["class"] for tag, at in read(page).tags if tag == "figure"] == sizes


def blank(width: int) -> bytes:
    """Give the head of a PNG, which is all that a page looks at."""
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + b"\0\0\1\0"


def test_tables_name_their_rows_and_columns(report: Report) -> None:
    scopes = [at["scope"] for tag, at in read(render(report)).tags if tag == "th"]

    assert scopes.count("col") == 3
    assert scopes.count("row") == 2 + 2 + 1  # statistics, parameters, provenance


@pytest.mark.parametrize(
    "said",
    [
        "12,345",
        "1,204 blocks had fewer than 4 samples.",
        "neighborhood.max_samples",
        "0.1, 0.9",
        "objects/wp.json, version 3",
        "168,750",
        "<td>\N{EN DASH}</td>",
    ],
)
def test_the_page_says(report: Report, said: str) -> None:
    assert said in render(report).decode()


def test_the_same_report_gives_the_same_bytes(report: Report) -> None:
    assert render(report) == render(report)


def test_no_text_of_a_report_becomes_markup(report: Report) -> None:
    figure = replace(report.sections[0].figures[0], alt=EVIL, caption=EVIL, name=EVIL)
    section = Section(EVIL, EVIL, (figure,), (Table(EVIL, (EVIL, EVIL), ((EVIL, EVIL),), EVIL),))
    evil = Report(
        EVIL, EVIL, (section,) * 3, ((EVIL, EVIL),), (EVIL,), {EVIL: EVIL}, ((EVIL, EVIL),)
    )

    page = render(evil)

    assert read(page).open == []
    assert "<script" not in page.decode()
    assert page.decode().count("{{STYLE}}") > 10  # as text, wherever it was said


def test_a_report_of_nothing_is_still_a_page() -> None:
    assert read(render(Report("Empty", "", ()))).open == []


def test_something_that_is_no_png_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a PNG, got 4 bytes"):
        png_size(b"GIF8")


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_can_take_a_picture_of_the_page(report: Report, tmp_path: Path) -> None:
    page, picture = tmp_path / "report.html", tmp_path / "page.png"
    page.write_bytes(render(report))

    subprocess.run(
        [str(CHROMIUM), *QUIET, f"--user-data-dir={tmp_path / 'profile'}",
         f"--screenshot={picture}", page.as_uri()],
        capture_output=True, timeout=120, check=True,
    )  # fmt: skip

    assert picture.stat().st_size > 20_000
