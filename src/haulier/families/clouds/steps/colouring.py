"""What steps share that give points colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.layout import Layout, Records, convert
from haulier.families.clouds.method.ramps import FULL

FORMAT_WITH_COLOUR = 7


def coloured(layout: Layout) -> Layout:
    """Give the layout with room for colours."""
    return layout if layout.has_colour else Layout(FORMAT_WITH_COLOUR, layout.extra)


def paint(records: Records, layout: Layout, colours: NDArray[np.float64]) -> Records:
    """Give records with colours.

    Args:
        records: of any layout.
        layout: with room for colours.
        colours: (n, 3) from 0 to 1; NaN keeps what a record has.
    """
    given = convert(records, layout)
    known = ~np.isnan(colours[:, 0])
    for band, name in enumerate(("red", "green", "blue")):
        given[name][known] = np.rint(colours[known, band] * FULL).astype(np.uint16)
    return given
