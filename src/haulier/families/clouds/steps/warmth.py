"""Load or compile the kernels of rasters, so that the first step does not wait for them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.cells import HEIGHTS, cell_of, gather, join, join_within
from haulier.families.clouds.method.contours import contours
from haulier.families.clouds.method.ground import Filter, slope_of, terrain
from haulier.families.clouds.method.hillshade import hillshade
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.method.sampling import sample
from haulier.families.clouds.method.surface import Method, fields_of, heights_of

METHODS: Final[tuple[Method, ...]] = ("idw", "plane")


def warm() -> None:
    """Do a small example of everything that has kernels."""
    places = np.arange(9, dtype=np.int32)
    rows, columns = places // 3, places % 3
    values: dict[str, NDArray[Any]] = {"count": np.ones(9, dtype=np.int64)}
    values |= dict.fromkeys(("low", "high", "total"), places)
    values |= dict.fromkeys(("south", "east"), np.full(9, 512, dtype=np.int64))
    plain = gather(rows, columns, {name: values[name] for name in HEIGHTS})
    join([plain, plain])
    join_within([plain, plain], Window(0, 0, 3, 3))
    cell_of(places, 0.01, 0.0, 1.0)
    cells = gather(rows, columns, {name: values[name] for name in fields_of("plane")})
    window = Window(0, 0, 3, 3)
    for method in METHODS:
        heights = heights_of(cells, window, method, base=0, quantum=0.01)
    heights[1, 1] = np.nan
    found = terrain(heights, Filter(window_m=2.0))
    slope_of(found, 1.0)
    half = np.full(1, 0.5)
    sample(found, half, half)
    hillshade(found, (1.0, 1.0))
    contours(found.astype(np.float64), (0, 0), 3, 0.01)
