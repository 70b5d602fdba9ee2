"""Put a report on one HTML page that needs nothing but itself: no network, no script."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

from haulier.families.reporting.document import (
    Caution,
    Cell,
    Figure,
    Pairs,
    Report,
    Section,
    Table,
)
from haulier.families.reporting.texts import cell, flattened

WIDE_PX: Final = 620  # figures that are wider take the whole column, others stand two by two
CONTENTS_FROM: Final = 3  # sections from which a list of them helps


def render(report: Report) -> bytes:
    """Write the page; the same report gives the same bytes."""
    filled = {
        "STYLE": _asset("page.css"),
        "TITLE": html.escape(report.title),
        "SUBTITLE": html.escape(report.subtitle),
        "HEADLINE": _headline(report.headline),
        "WARNINGS": _warnings(report.warnings),
        "CONTENTS": _contents(report),
        "SECTIONS": "".join(_section(i, each) for i, each in enumerate(report.sections)),
        "ABOUT": _about(report),
    }
    page = _asset("page.html")
    pieces = page.split("{{")
    made = [pieces[0]]
    for piece in pieces[1:]:  # cut once: what a title says is never read as a placeholder
        name, _, rest = piece.partition("}}")
        made += [filled[name], rest]
    return "".join(made).encode()


def png_size(png: bytes) -> tuple[int, int]:
    """Give width and height of a PNG, in pixels.

    Raises:
        ValueError: it is no PNG.
    """
    if png[:8] != b"\x89PNG\r\n\x1a\n" or png[12:16] != b"IHDR":
        raise ValueError(f"a figure must be a PNG, got {len(png)} bytes of something else")
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def _asset(name: str) -> str:
    return files("haulier.families.reporting").joinpath(name).read_text("utf-8")


def _headline(pairs: Pairs) -> str:
    if not pairs:
        return ""
    cards = "".join(
        f'<div class="card"><dt>{html.escape(label)}</dt><dd>{html.escape(cell(value))}</dd></div>'
        for label, value in pairs
    )
    return f'<dl class="cards">{cards}</dl>'


def _warnings(warnings: tuple[str | Caution, ...]) -> str:
    if not warnings:
        return ""
    heading = "One thing to know" if len(warnings) == 1 else f"{len(warnings)} things to know"
    cautions = [each if isinstance(each, Caution) else Caution(each) for each in warnings]
    look = "warnings grave" if any(each.grave for each in cautions) else "warnings"
    items = "".join(map(_caution, cautions))
    return f'<aside class="{look}" aria-label="Warnings"><h2>{heading}</h2><ul>{items}</ul></aside>'


def _caution(caution: Caution) -> str:
    grave = ' class="grave"' if caution.grave else ""
    code = f" <code>{html.escape(caution.code)}</code>" if caution.code else ""
    hint = f'<p class="hint">{html.escape(caution.hint)}</p>' if caution.hint else ""
    return f"<li{grave}>{html.escape(caution.text)}{code}{hint}</li>"


def _contents(report: Report) -> str:
    if len(report.sections) < CONTENTS_FROM:
        return ""
    links = "".join(
        f'<li><a href="#section-{i}">{html.escape(each.title)}</a></li>'
        for i, each in enumerate(report.sections)
    )
    return (
        f'<nav aria-label="Contents"><ol>{links}<li><a href="#about">About this job</a></li></ol>'
        "</nav>"
    )


def _section(index: int, section: Section) -> str:
    text = "".join(
        f"<p>{html.escape(each)}</p>" for each in section.text.split("\n\n") if each.strip()
    )
    wide = _wide(section.figures)
    figures = "".join(map(_figure, section.figures, wide))
    tables = "".join(_table(each) for each in section.tables)
    return (
        f'<section id="section-{index}"><h2>{html.escape(section.title)}</h2>{text}'
        f"{_wrapped('figures', figures)}{_wrapped('tables', tables)}</section>"
    )


def _wrapped(name: str, content: str) -> str:
    return f'<div class="{name}">{content}</div>' if content else ""


def _wide(figures: Sequence[Figure]) -> list[bool]:
    """Say which figures take the whole width: wide ones, and small ones that have no neighbour."""
    wide = [png_size(each.png)[0] > WIDE_PX for each in figures]
    waiting: int | None = None
    for i, whole in enumerate([*wide, True]):
        if whole and waiting is not None:
            wide[waiting] = True
        waiting = None if whole or waiting is not None else i
    return wide


def _figure(figure: Figure, wide: bool) -> str:  # noqa: FBT001 -- mapped over both
    width, height = png_size(figure.png)
    size = "wide" if wide else "half"
    caption = f"<figcaption>{html.escape(figure.caption)}</figcaption>" if figure.caption else ""
    data = base64.b64encode(figure.png).decode()
    return (
        f'<figure class="{size}" id="figure-{html.escape(figure.name)}">'
        f'<img src="data:image/png;base64,{data}" alt="{html.escape(figure.alt)}" '
        f'width="{width}" height="{height}">{caption}</figure>'
    )


def _table(table: Table) -> str:
    cells = "".join(f'<th scope="col">{html.escape(each)}</th>' for each in table.columns)
    head = f"<thead><tr>{cells}</tr></thead>" if any(table.columns) else ""
    caption = f"<caption>{html.escape(table.title)}</caption>" if table.title else ""
    look = "table" if head else "table facts"
    body = "".join(_row(row) for row in table.rows)
    note = f'<p class="note">{html.escape(table.note)}</p>' if table.note else ""
    return f'<div class="{look}"><table>{caption}{head}<tbody>{body}</tbody></table>{note}</div>'


def _row(row: tuple[Cell, ...]) -> str:
    first = f'<th scope="row">{html.escape(cell(row[0]))}</th>'
    return f"<tr>{first}{''.join(_cell(each) for each in row[1:])}</tr>"


def _cell(value: Cell) -> str:
    words = ' class="words"' if isinstance(value, str) else ""
    return f"<td{words}>{html.escape(cell(value))}</td>"


def _about(report: Report) -> str:
    parameters = tuple((name, cell(value)) for name, value in flattened(report.parameters))
    lists = (("Parameters", parameters), ("Where it comes from", report.provenance))
    return "".join(_facts(title, pairs) for title, pairs in lists if pairs)


def _facts(title: str, pairs: Pairs) -> str:
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th>'
        f'<td class="words">{html.escape(cell(value))}</td></tr>'
        for name, value in pairs
    )
    return (
        f'<div class="table facts"><table><caption>{title}</caption>'
        f"<tbody>{rows}</tbody></table></div>"
    )
