"""Put the report of a cloud together from what was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np

import haulier
from haulier.families.clouds.io.report import plots
from haulier.families.clouds.steps import describing
from haulier.families.clouds.steps.finding import Finding
from haulier.families.clouds.steps.pages import pictures, tables
from haulier.families.clouds.steps.pages.before import before_table
from haulier.families.clouds.steps.pages.pictures import Density
from haulier.families.clouds.steps.pages.seen import Seen
from haulier.families.clouds.steps.pages.systems import (
    Place,
    corner_table,
    place_of,
    system_table,
)
from haulier.families.reporting.document import Caution, Cell, Figure, Pairs, Report, Section, Table
from haulier.families.reporting.locator import country_at, locate, middle
from haulier.families.reporting.texts import number
from haulier.families.reporting.world import SOURCE

GROUND: Final = 2
Check = Callable[[], None]


def report_of(seen: Seen, check: Check) -> Report:
    """Give the report.

    Args:
        seen: the cloud.
        check: lets go where the work was cancelled; called between pictures.
    """
    place = place_of(seen)
    density = pictures.density_of(seen) if seen.bounds else None
    sections = []
    for section in _sections(seen, place, density):
        check()
        sections.append(section)
    return Report(
        title=seen.params.title or seen.cloud.path.name,
        subtitle=_subtitle(seen, place),
        sections=tuple(sections),
        headline=_headline(seen, density),
        warnings=tuple(_caution(each) for each in seen.findings if each.severity != "note"),
        parameters={"height_unit": seen.params.height_unit},
        provenance=(("Cloud", seen.cloud.path.name), ("Haulier", haulier.__version__)),
    )


def _sections(seen: Seen, place: Place | None, density: Density | None) -> Iterator[Section]:
    if density is not None:
        yield _where(seen, place)
        yield from _relief(seen)
        yield _density(seen, density)
        yield _spread(seen)
        yield _kinds(seen)
    yield Section("Coordinates", tables=(system_table(seen, place),))
    if density is not None:
        yield Section("Statistics", tables=(tables.dimension_table(seen),))
    yield _file(seen)


def _subtitle(seen: Seen, place: Place | None) -> str:
    said = [f"Point cloud of {seen.survey.point_count:,} points"]
    if seen.said.crs is not None:
        said.append(seen.said.crs.name)
    if place is not None and (name := country_at(middle(place.outline))):
        said.append(name)
    return " \N{MIDDLE DOT} ".join(said)


def _headline(seen: Seen, density: Density | None) -> Pairs:
    cards: list[tuple[str, Cell]] = [("Points", f"{seen.survey.point_count:,}")]
    if density is None:
        return tuple(cards)
    mean = seen.survey.point_count / density.area
    if not density.unit.startswith("square"):
        cards.append(("Area with points", tables.area_text(density.area)))
        cards.append(("Density", tables.density_text(mean, density.unit).replace(" per m", " /m")))
        cards.append(("Spacing", f"{number(mean**-0.5, 2)} m"))
    low, high = seen.bounds[2], seen.bounds[5]
    unit = f" {seen.height_unit}" if seen.height_unit else ""
    cards.append(("Heights", f"{number(low)}\N{EN DASH}{number(high)}{unit}"))
    return (*cards, ("Coordinate system", _code(seen)))


def _code(seen: Seen) -> str:
    """Give the codes of a system, of both its parts where it is a compound one."""
    crs = seen.said.crs
    if crs is None:
        return "none"
    parts = crs.sub_crs_list if crs.is_compound else [crs]
    codes = [describing.code_of(part) for part in parts]
    whole = describing.code_of(crs) or "+".join(codes)
    return whole if all(codes) else "without a code"


def _caution(finding: Finding) -> Caution:
    text = finding.message[:1].upper() + finding.message[1:] + "."
    hint = (
        finding.what_to_do[:1].upper() + finding.what_to_do[1:] + "." if finding.what_to_do else ""
    )
    return Caution(text, hint, finding.code, grave=finding.severity == "error")


def _where(seen: Seen, place: Place | None) -> Section:
    table = corner_table(seen, place)
    if place is None:
        text = "No map can be drawn: where these coordinates are on earth is not known."
        return Section("Where it is", text, tables=(table,))
    lon, lat = middle(place.outline)
    alt = (
        f"Globe and map of the countries around, with the cloud at {lat:.3f} north, {lon:.3f} east"
    )
    figure = Figure("place", alt, locate(place.outline), SOURCE)
    return Section("Where it is", figures=(figure,), tables=(table,))


def _relief(seen: Seen) -> Iterator[Section]:
    drawn = pictures.surface(seen)
    if drawn is not None:
        yield Section("Surface", figures=(drawn,))
    classes = seen.survey.classes
    if not classes[GROUND]:
        return
    drawn = pictures.ground(seen)
    if drawn is not None:
        yield Section("Ground", figures=(drawn,))


def _density(seen: Seen, density: Density) -> Section:
    figures = [pictures.density_map(seen, density, wide=False)]
    if figures[0] is not None and (spread := pictures.density_spread(density)) is not None:
        figures.append(spread)
    drawn = tuple(each for each in figures if each is not None)
    text = ""
    if seen.said.crs is None:
        text = "The cloud says no coordinate system: lengths and areas here take X and Y as metres."
    return Section("Density", text, drawn, (tables.density_table(seen, density),))


def _spread(seen: Seen) -> Section:
    heights, scale = seen.survey.heights, seen.cloud.scales[2]
    first = (heights.low[0] << heights.shift) * scale + seen.cloud.offsets[2]
    unit = f" [{seen.height_unit}]" if seen.height_unit else ""
    figures = []
    for name, label, where in (
        ("heights", f"Height{unit}", (first, (1 << heights.shift) * scale, heights.counts)),
        ("intensities", "Intensity", (0.0, 1.0, seen.survey.intensity)),
    ):
        if np.count_nonzero(where[2]) > 1:  # one bar says nothing
            png = plots.histogram(*where, label)
            figures.append(Figure(name, f"Histogram of points by {label.lower()}", png))
    text = "" if figures else "All points have one height and one intensity."
    return Section("Histograms", text, figures=tuple(figures))


def _kinds(seen: Seen) -> Section:
    listed = describing.classes_of(seen.survey)
    figures: tuple[Figure, ...] = ()
    if len(listed) > 1:
        codes, names, counts = zip(
            *((e["code"], e["name"], e["count"]) for e in listed), strict=True
        )
        png = plots.classes(codes, names, counts)
        figures = (Figure("classes", "Bars of the share of points in each class", png),)
    found = [tables.class_table(seen), tables.return_table(seen), tables.source_table(seen)]
    return Section("Classes and returns", figures=figures, tables=tuple(t for t in found if t))


def _file(seen: Seen) -> Section:
    rows = tuple(tables.file_pairs(seen))
    found: list[Table | None] = [Table("", ("", ""), rows), tables.record_table(seen)]
    if seen.before is not None:
        found.append(before_table(seen.before))
    notes = [each for each in seen.findings if each.severity == "note"]
    if notes:
        listed = tuple((each.message, each.what_to_do) for each in notes)
        found.append(Table("Also seen", ("", ""), listed))
    return Section("File", tables=tuple(each for each in found if each is not None))
