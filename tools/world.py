# ruff: noqa: INP001 -- a script of the repository, in no package
"""Make the outlines of countries that reports show where something lies with.

Natural Earth (public domain) as npm's world-atlas packs it, in hundredths of a degree:

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python tools/world.py package/countries-50m.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TARGET: Final = Path(__file__).parents[1] / "src/haulier/families/reporting/world.npz"
STEP_DEG: Final = 0.01
TOLERANCE_DEG: Final = 0.02
LEAST: Final = 4  # places of a ring


def main(source: Path) -> None:
    """Write rings of countries, thinned arc by arc so that neighbours still meet."""
    atlas = json.loads(source.read_text("utf-8"))
    scale, shift = (np.array(atlas["transform"][name]) for name in ("scale", "translate"))
    arcs = [_thinned(np.cumsum(arc, axis=0) * scale + shift) for arc in atlas["arcs"]]
    places, lengths, owners, names = [], [], [], []
    for country in atlas["objects"]["countries"]["geometries"]:
        rings = [_ring(ring, arcs) for ring in _rings(country)]
        rings = [ring for ring in rings if len(ring) >= LEAST]
        places += rings
        lengths += [len(ring) for ring in rings]
        owners += [len(names)] * len(rings)
        names.append(country["properties"]["name"])
    whole = np.round(np.concatenate(places) / STEP_DEG).astype(np.int16)
    np.savez_compressed(
        TARGET,
        steps=np.diff(whole, axis=0, prepend=np.zeros((1, 2), np.int16)),
        lengths=np.array(lengths, np.int32),
        owners=np.array(owners, np.int16),
        names=np.frombuffer("\n".join(names).encode(), np.uint8),
    )
    sys.stdout.write(f"{TARGET.name}: {len(whole)} places, {TARGET.stat().st_size} bytes\n")


def _thinned(arc: FloatArray) -> FloatArray:
    thin: FloatArray = shapely.get_coordinates(
        shapely.simplify(shapely.linestrings(arc), TOLERANCE_DEG)
    )
    return thin


def _rings(country: dict[str, Any]) -> list[list[int]]:
    several = country["arcs"]
    if country["type"] == "Polygon":
        return list(several)
    return [ring for polygon in several for ring in polygon]


def _ring(numbers: list[int], arcs: list[FloatArray]) -> FloatArray:
    """Join arcs; a negative number means one that is gone along backwards."""
    pieces = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
    return np.concatenate([pieces[0], *(piece[1:] for piece in pieces[1:])])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
