"""What a report is made of: sections with text, figures and tables, and what stands around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Cell = str | float | int | bool | None  # numpy's numbers are turned into these by whoever has them
Pairs = tuple[tuple[str, Cell], ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with the sentence that stands for it where it cannot be seen.

    Attributes:
        name: short and unique in its report: of the output, and of the anchor on the page.
        alt: what a reader would see, in one sentence.
        png: the picture.
        caption: what stands below it; may be empty.
    """

    name: str
    alt: str
    png: bytes
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by row; the first column names the row.

    Attributes:
        title: what stands above it.
        columns: their headings, with units.
        rows: as many cells as there are columns; None is a missing value.
        note: what stands below it; may be empty.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something that whoever relies on the result must know.

    Attributes:
        text: what was found.
        hint: what to do about it; may be empty.
        code: the word by which programs know it; may be empty.
        grave: results may be wrong, rather than in need of care.
    """

    text: str
    hint: str = ""
    code: str = ""
    grave: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One chapter of a report."""

    title: str
    text: str = ""
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that stands on the page.

    Attributes:
        title: what was made, such as the name of the new attribute.
        subtitle: how, in one line.
        sections: in the order of reading.
        headline: the few numbers that come first.
        warnings: sentences for whoever wants to rely on the result, or cautions.
        parameters: as the caller gave them; nested names become dotted ones.
        provenance: references and versions of what was read, and of the code.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    headline: Pairs = ()
    warnings: tuple[str | Caution, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provenance: Pairs = ()

    def figures(self) -> Iterator[Figure]:
        """Give every figure, in the order of reading."""
        for section in self.sections:
            yield from section.figures
