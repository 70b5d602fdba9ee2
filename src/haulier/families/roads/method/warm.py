"""Load or compile every kernel of road matching, so that the first job does not wait for it."""

from __future__ import annotations

import numpy as np

from haulier.families.roads.method.lines import Lines
from haulier.families.roads.method.long_roads import cut_long
from haulier.families.roads.method.match import match_tile
from haulier.families.roads.method.network import Customer, Reference
from haulier.families.roads.method.settings import Settings


def warm() -> None:
    """Match two roads of a tiny place in both modes, with every attribute.

    Some tens of seconds where nothing is compiled yet, else about one. Set NUMBA_CACHE_DIR to
    keep the compiled kernels where the package's own folder cannot be written to.
    """
    lines = Lines(
        np.array([[0.0, 0.0], [0.001, 0.0], [0.001, 0.0], [0.001, 0.001]]), np.array([0, 2, 4])
    )
    codes, names, everything = np.zeros(2, np.int64), ("Main St", "High St"), np.ones(2, np.bool_)
    reference = Reference(
        lines,
        np.array([0.0, 1.0, 0.0, 1.0]),
        np.array([1, 2, 2, 3]),
        np.array([0, 2, 4]),
        codes,
        names,
        codes,
        codes,
    )
    beside = Lines(lines.coordinates + np.array([2e-5, 2e-5]), lines.offsets)
    customer = Customer(beside, everything, everything, codes, names, codes)
    match_tile(customer, reference, Settings(mode="fast"))
    match_tile(customer, reference, Settings(mode="accurate"))
    cut_long(lines, lines)
