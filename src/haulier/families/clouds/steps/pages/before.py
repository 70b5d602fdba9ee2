"""What the step said that made the cloud: how it was moved, and how accurate that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haulier.families.clouds.steps.pages.seen import Before
from haulier.families.reporting.document import Cell, Table
from haulier.families.reporting.texts import number


def before_table(before: Before) -> Table:
    """Give how the step before made the cloud."""
    values = before.values
    pairs: list[tuple[str, Cell]] = [("Step", before.step)]
    if "point_count" in values:
        pairs.append(("Points", f"{values['point_count']:,}"))
    pairs += _operation(values.get("operation") or {})
    if "heights" in values:
        pairs.append(("Heights", str(values["heights"]).replace("_", " ")))
    pairs += _surrogate(values.get("surrogate") or {})
    rows = tuple((name, value) for name, value in pairs if value not in (None, ""))
    return Table("The step that made it", ("", ""), rows)


def _operation(said: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    if not said:
        return []
    accuracy = said.get("accuracy_m")
    return [
        ("Operation", said.get("name")),
        ("Its accuracy", "unknown" if accuracy is None else f"{number(accuracy)} m"),
        ("Grids that were missing", ", ".join(said.get("missing_grids", ()))),
        ("PROJ string", said.get("proj_string")),
        ("PROJ", said.get("proj_version")),
    ]


def _surrogate(said: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    if not said.get("patches"):
        return []
    worst, checked = said.get("worst_error_mm"), said.get("checked_points", 0)
    error = f"{number(worst, 2)} mm at most, of {checked:,} points that PROJ moved as well"
    return [("Error of the polynomials", error)]
