"""The report is one page that needs nothing but a browser, and shows what the job found."""

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from haulier.families.roads import FAMILY
from haulier.families.roads.io.report import mapdata
from haulier.testing.context import run_job

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--virtual-time-budget=10000", "--window-size=1280,1400",
)  # fmt: skip
LOADING = {"src", "href", "srcset", "data", "action", "poster"}


def report(town: Any, columns: dict[str, Any], name: str = "roads.parquet") -> Path:
    world = town.world()
    run_job(FAMILY, "ROAD_MATCHING", town.params(town.put(name, columns)), world)
    path: Path = world.outputs["step:write.report"].path
    return path


def browse(path: Path, *options: str) -> str:
    """Open a page in a browser with no network and an empty profile; gives what it says."""
    assert CHROMIUM is not None
    profile = path.parent / "profile"
    command = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", *options, path.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


class Loads(HTMLParser):
    """Collects whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag} {key}={value}" for key, value in attrs if key in LOADING and value]


def test_the_page_loads_nothing_from_anywhere(town: Any, town_columns: dict[str, Any]) -> None:
    page = report(town, town_columns).read_text("utf-8")

    loads = Loads()
    loads.feed(page)
    assert loads.found == []
    assert re.findall(r"https?://[^\s\"'<>]+|url\(|@import|fetch\(|XMLHttp", page) == []
    assert "default-src 'none'" in page  # and if it tried, the browser would refuse


def test_the_page_shows_the_statistics_and_every_reason(
    town: Any, town_columns: dict[str, Any]
) -> None:
    town_columns["id"].append(1000)
    town_columns["geometry"].append("LINESTRING (24.95 60.17, 24.951 60.17)")

    page = report(town, town_columns).read_text("utf-8")

    assert "roads.parquet" in page
    assert "61" in page  # roads
    assert "98.36 %" in page  # 60 of 61
    assert "no segment lies close enough" in page
    assert "2026-01-21.0" in page


def test_names_in_the_data_cannot_become_part_of_the_page(
    town: Any, town_columns: dict[str, Any]
) -> None:
    evil = "</script><script>alert(1)</script>"
    town_columns["id"] = [f"{evil}{i}" for i in range(len(town_columns["id"]))]

    page = report(town, town_columns, "a<b>&c.parquet").read_text("utf-8")

    assert evil not in page
    assert "a<b>" not in page
    assert "a&lt;b&gt;&amp;c.parquet" in page


def test_a_big_job_shows_an_even_sample_and_says_so(
    town: Any, town_columns: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapdata, "MOST_ROADS", 20)

    page = report(town, town_columns).read_text("utf-8")

    said = re.search(r"The map shows (\d+) of 60 roads: an even sample", page)
    assert said is not None
    assert 5 < int(said[1]) < 40


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_without_network_draws_every_road(
    town: Any, town_columns: dict[str, Any]
) -> None:
    page = report(town, town_columns)

    dom = browse(page, "--dump-dom")

    assert re.search(r'data-roads="60"', dom)  # the script says so once the map is painted
    assert re.search(r'id="state"[^>]*hidden', dom)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_can_take_a_picture_of_the_page(town: Any, town_columns: dict[str, Any]) -> None:
    page = report(town, town_columns)
    picture = page.parent / "page.png"

    browse(page, f"--screenshot={picture}")

    assert picture.stat().st_size > 20_000
