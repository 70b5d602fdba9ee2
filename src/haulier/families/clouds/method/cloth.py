"""Find the terrain under lowest points by a cloth that is let down on the cloud turned over."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import CSF
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from haulier.families.clouds.method.openings import Raster
from haulier.families.clouds.method.sampling import sample

FloatArray = NDArray[np.float64]

#: How far beyond a tile the cloth is laid out, so that its edge does not matter within.
OVERLAP_M: Final = 32.0
TIME_STEP: Final = 0.65
#: A knot takes about 450 bytes, and the library ends the process where there is no memory.
MOST_KNOTS: Final = 5_000_000


class TooFineError(ValueError):
    """A cloth would have more knots than memory may be taken for."""


@dataclass(frozen=True)
class Cloth:
    """What a cloth is like.

    Attributes:
        cell_m: side of the cells whose lowest points it falls on, in metres.
        mesh_m: between its knots, in metres.
        rigidness: 1, soft, for mountains, to 3, stiff, for plains.
        iterations: steps of its fall.
        steep: it is let down on steep slopes afterwards.
    """

    cell_m: float
    mesh_m: float
    rigidness: int
    iterations: int
    steep: bool


def terrain_by_cloth(lowest: Raster, settings: Cloth) -> Raster:
    """Give the terrain under the lowest points of cells.

    The cloth is one piece: what a cell gets depends, ever less, on all of the raster. Tiles
    therefore overlap, and must be the same ones wherever they are made.

    Args:
        lowest: (rows, columns) heights in metres, NaN where a cell has no point; there the
            cloth falls on the height of the nearest cell that has one.
        settings: what the cloth is like.

    Returns:
        (rows, columns) heights in metres; NaN where there is nothing that a cloth can fall on.

    Raises:
        TooFineError: the mesh is too fine for a raster of this extent.

    Source:
        Zhang et al. (2016), An easy-to-use airborne LiDAR data filtering method based on cloth
        simulation, Remote Sensing 8(6), 501; by its authors' library.
    """
    voids = np.isnan(lowest)
    if voids.all():
        return lowest
    cell = settings.cell_m
    _check_knots(lowest.shape[0] * cell, lowest.shape[1] * cell, settings.mesh_m)
    # The library looks around each knot over a void anew: hours where a void is wide, as a lake is.
    nearest = distance_transform_edt(voids, return_distances=False, return_indices=True)
    down, right = np.mgrid[: lowest.shape[0], : lowest.shape[1]]
    # It lays its cloth out from the points' own corner; X is east, Y is south here.
    places = ((right + 0.5) * cell, (down + 0.5) * cell, lowest[tuple(nearest)])
    points = np.stack([each.ravel() for each in places], axis=1)
    knots = _let_down(points.astype(np.float64), settings)
    xs, ys = np.unique(knots[:, 0].round(6)), np.unique(knots[:, 1].round(6))
    order = np.lexsort((knots[:, 0], knots[:, 1]))
    mesh = knots[order, 2].reshape(len(ys), len(xs)).astype(np.float32)
    heights = sample(
        mesh,
        ((down.ravel() + 0.5) * cell - ys[0]) / settings.mesh_m + 0.5,
        ((right.ravel() + 0.5) * cell - xs[0]) / settings.mesh_m + 0.5,
    )
    return heights.reshape(lowest.shape).astype(np.float32)


def _check_knots(down_m: float, right_m: float, mesh_m: float) -> None:
    knots = (down_m / mesh_m + 1) * (right_m / mesh_m + 1)
    if knots > MOST_KNOTS:
        raise TooFineError(
            f"a cloth of {mesh_m:g} m over {down_m:g} by {right_m:g} m has {knots:,.0f} knots, "
            f"at most {MOST_KNOTS:,} may be"
        )


def _let_down(points: FloatArray, settings: Cloth) -> FloatArray:
    cloth = CSF.CSF()
    cloth.params.bSloopSmooth = settings.steep
    cloth.params.cloth_resolution = settings.mesh_m
    cloth.params.rigidness = settings.rigidness
    cloth.params.interations = settings.iterations
    cloth.params.time_step = TIME_STEP
    # In several threads its sums depend on which is first; on a busy machine it is slower, too.
    ctypes.CDLL(CSF._CSF.__file__).omp_set_num_threads(1)  # noqa: SLF001 -- the library itself
    with _silence():
        cloth.setPointCloud(points)
        return np.asarray(cloth.do_cloth_export()).reshape(-1, 3)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what the library prints from standard output, which may be somebody's channel."""
    kept = os.dup(1)
    with open(os.devnull, "wb") as nothing:  # noqa: PTH123 -- a device, not a file
        os.dup2(nothing.fileno(), 1)
    try:
        yield
    finally:
        ctypes.CDLL(None).fflush(None)  # what C holds back would come out later
        os.dup2(kept, 1)
        os.close(kept)
