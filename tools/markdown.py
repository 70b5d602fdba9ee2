# ruff: noqa: INP001 -- a script of the repository, in no package
"""Pages and tables of the reference as Markdown."""

from collections.abc import Iterable
from typing import Final

NOTE: Final = "<!-- Made by tools/docs.py from the code: do not edit, run `make docs`. -->"


def table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Give a Markdown table."""
    lines = [columns, tuple("---" for _ in columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def page(title: str, introduction: str, *parts: str) -> str:
    """Give a page that says that it is generated."""
    return "\n\n".join([f"# {title}", NOTE, introduction, *parts]) + "\n"
