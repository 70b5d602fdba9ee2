"""Load or compile the kernels of rasters, so that the first step does not wait for them."""

from __future__ import annotations

import numpy as np

from haulier.families.clouds.method.cells import HEIGHTS, gather
from haulier.families.clouds.method.contours import contours
from haulier.families.clouds.method.ground import Filter, slope_of, terrain
from haulier.families.clouds.method.hillshade import hillshade
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.method.sampling import sample
from haulier.families.clouds.method.surface import fields_of, heights_of


def warm() -> None:
    """Do a small example of everything that has kernels."""
    places = np.arange(9, dtype=np.int32)
    rows, columns = places // 3, places % 3
    values = {
        "count": np.ones(9, dtype=np.int64),
        **dict.fromkeys(("low", "high", "total"), places),
        **dict.fromkeys(("south", "east"), np.full(9, 512, dtype=np.int64)),
    }
    gather(rows, columns, {name: values[name] for name in HEIGHTS})
    cells = gather(rows, columns, {name: values[name] for name in fields_of("plane")})
    window = Window(0, 0, 3, 3)
    for method in ("idw", "plane"):
        heights = heights_of(cells, window, method, base=0, quantum=0.01)
    found = terrain(np.where(heights > 0.02, heights, np.float32(np.nan)), Filter(window_m=2.0))
    slope_of(found, 1.0)
    half = np.full(1, 0.5)
    sample(found, half, half)
    hillshade(found, (1.0, 1.0))
    contours(heights.astype(np.float64), (0, 0), 3, 0.01)
