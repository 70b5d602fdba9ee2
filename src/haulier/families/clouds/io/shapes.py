"""Polygons as requests give them: GeoJSON or WKT."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import shapely
from shapely.errors import ShapelyError
from shapely.geometry.base import BaseGeometry

from haulier.core.problem import Code, Problem

MOST_BYTES: Final = 5_000_000
AREAS: Final = frozenset({"Polygon", "MultiPolygon"})
GROUPS: Final = frozenset({"GeometryCollection", "MultiPolygon"})


def polygon_of(value: str | Mapping[str, Any], at: str) -> BaseGeometry:
    """Give the area of a polygon, or of several together.

    Args:
        value: a GeoJSON geometry, feature or collection, as text or as an object; or WKT.
        at: the field that says it.

    Raises:
        Problem: INVALID; it is too long, cannot be read, is no area, or crosses itself.
    """
    text = value.strip() if isinstance(value, str) else json.dumps(value)
    if len(text) > MOST_BYTES:
        detail = f"{at} must have at most {MOST_BYTES:,} characters, got {len(text):,}"
        raise Problem(Code.INVALID, detail, at=at)
    try:
        read = shapely.from_geojson(text) if text.startswith("{") else shapely.from_wkt(text)
    except (ShapelyError, ValueError) as error:
        detail = f"{at} must be GeoJSON or WKT, got {text[:80]!r} ({str(error)[:200]})"
        raise Problem(Code.INVALID, detail, at=at) from None
    parts = _parts(read)
    wrong = sorted({part.geom_type for part in parts} - AREAS)
    if wrong or not parts or any(part.is_empty for part in parts):
        detail = f"{at} must be polygons that are not empty, got {', '.join(wrong) or 'none'}"
        raise Problem(Code.INVALID, detail, at=at)
    for part in parts:
        if not part.is_valid:
            reason = shapely.is_valid_reason(part)
            raise Problem(Code.INVALID, f"{at} is no valid polygon: {reason}", at=at)
    return shapely.union_all(parts)


def _parts(shape: BaseGeometry) -> list[BaseGeometry]:
    if shape is None:
        return []
    if shape.geom_type in GROUPS:
        return [part for each in shape.geoms for part in _parts(each)]
    return [shape]
