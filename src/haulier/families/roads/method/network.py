"""The two sides of a match as they are read for one tile: customer roads and reference segments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from haulier.families.roads.method.lines import BoolArray, FloatArray, IntArray, Lines

# Overture's values of `class` for subtype road (schema 1.x); a code is a place in this table.
ROAD_CLASSES: Final = (
    "motorway",
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "residential",
    "living_street",
    "unclassified",
    "service",
    "track",
    "pedestrian",
    "footway",
    "steps",
    "path",
    "cycleway",
    "bridleway",
    "unknown",
)
NOT_FOR_VEHICLES: Final = frozenset(
    {"pedestrian", "footway", "steps", "path", "cycleway", "bridleway"}
)
NO_VALUE: Final = -1  # in a code column: the record does not say


def road_class_code(name: str | None) -> int:
    """Find the code of an Overture or OSM road class; ramps count as the class they lead to.

    Args:
        name: for instance "motorway", "primary_link" or None.

    Returns:
        A place in ROAD_CLASSES, or NO_VALUE for a word that is not there.
    """
    word = (name or "").removesuffix("_link")
    return ROAD_CLASSES.index(word) if word in ROAD_CLASSES else NO_VALUE


@dataclass(frozen=True, slots=True)
class Reference:
    """The Overture segments of one tile.

    Attributes:
        lines: s segments, degrees.
        connector_at: (c,) fractions 0-1 along their segment, segment by segment.
        connector_id: (c,) codes; the same connector has the same code within the tile.
        connector_offsets: (s + 1,) first connector of each segment.
        road_class: (s,) codes in ROAD_CLASSES, NO_VALUE where not said; None without the column.
        names: s names, or None without the column.
        level: (s,) grade level, 0 on the ground; None without the column.
        one_way: (s,) 1 along the line only, -1 against it only, 0 both; None without the column.
    """

    lines: Lines
    connector_at: FloatArray
    connector_id: IntArray
    connector_offsets: IntArray
    road_class: IntArray | None = None
    names: tuple[str | None, ...] | None = None
    level: IntArray | None = None
    one_way: IntArray | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer's roads of one tile.

    Attributes:
        lines: m roads, degrees.
        navigable: (m,) False where a road is not to be matched.
        one_way: (m,) True where traffic runs along the line only; None without the column.
        road_class: (m,) codes in ROAD_CLASSES, NO_VALUE where not said; None without the column.
        names: m names, or None without the column.
        level: (m,) grade level, 0 on the ground; None without the column.
    """

    lines: Lines
    navigable: BoolArray
    one_way: BoolArray | None = None
    road_class: IntArray | None = None
    names: tuple[str | None, ...] | None = None
    level: IntArray | None = None
