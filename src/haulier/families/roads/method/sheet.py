"""A rubber sheet: the smooth displacement between two maps, estimated from a first match."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter

from haulier.families.kernels import kernel
from haulier.families.roads.method.lines import FloatArray

CELL_M: Final = 250.0
WIDEST: Final = 2000  # cells along a side; cells grow where the extent would need more
RIDGE: Final = 0.3  # weight of "no displacement", in units of one sample's
CAUCHY_SCALE: Final = 2.5  # of the residual's sigma; 1.0 cost .03 F1 on coarse data
LEAST_SCALE_M: Final = 0.5
MAD_TO_SIGMA: Final = 1.4826  # of a normal distribution


class Sheet(NamedTuple):
    """Displacement at the middle of each cell.

    Attributes:
        west: of the first cell, metres.
        south: of the first cell, metres.
        cell_m: side of a cell.
        dx: (rows, columns) metres to add to the customer's east; empty for no displacement.
        dy: (rows, columns) metres to add to the customer's north.
    """

    west: float
    south: float
    cell_m: float
    dx: FloatArray
    dy: FloatArray


class Residuals(NamedTuple):
    """Where a matched sample lay beside the reference; (n,) each.

    Attributes:
        x: east of the customer's sample, before any displacement, metres.
        y: north of it.
        nx: east of the unit normal of the reference there.
        ny: north of it.
        offset: signed way along the normal from the sample to the reference, metres.
    """

    x: FloatArray
    y: FloatArray
    nx: FloatArray
    ny: FloatArray
    offset: FloatArray


def flat_sheet() -> Sheet:
    """Give the sheet that displaces nothing."""
    return Sheet(0.0, 0.0, CELL_M, np.zeros((0, 0)), np.zeros((0, 0)))


def stretch(before: Sheet, residuals: Residuals, smooth_cells: float, cell_m: float) -> Sheet:
    """Add to a sheet the displacement that the residuals ask for.

    Each cell solves the 2 x 2 normal equations of its samples' offsets along their normals: a
    road says nothing about a shift along itself, so cells share their sums with their neighbours
    (a Gaussian) before solving. Far residuals weigh little, since they are wrong matches.

    Args:
        before: the sheet the residuals were measured with.
        residuals: n samples; n may be 0.
        smooth_cells: sigma of the Gaussian, in cells.
        cell_m: side of a cell.

    Returns:
        The new sheet, over the bounds of the samples.

    Source:
        White & Griffin (1985), Piecewise linear rubber-sheet map transformation, Am. Cartographer
        12(2); here a regularised least-squares field instead of triangles.
    """
    if len(residuals.x) == 0:
        return before
    west, south = float(residuals.x.min()), float(residuals.y.min())
    width, height = float(residuals.x.max()) - west, float(residuals.y.max()) - south
    cell_m = max(cell_m, max(width, height) / WIDEST)
    shape = (int(height / cell_m) + 1, int(width / cell_m) + 1)
    sigma_m = MAD_TO_SIGMA * float(np.median(np.abs(residuals.offset)))
    sums = np.zeros((5, *shape))
    _accumulate(residuals, west, south, cell_m, CAUCHY_SCALE * max(sigma_m, LEAST_SCALE_M), sums)
    a, b, d, p, q = (gaussian_filter(s, smooth_cells, mode="constant") for s in sums)
    # The filter averages where the equations want sums, so the ridge shrinks by its gain.
    ridge = RIDGE / (2 * math.pi * smooth_cells**2)
    a, d = a + ridge, d + ridge
    determinant = a * d - b * b
    rows, columns = np.indices(shape)
    x = west + (columns.reshape(-1) + 0.5) * cell_m
    y = south + (rows.reshape(-1) + 0.5) * cell_m
    old = displacements(before, x.astype(np.float64), y.astype(np.float64)).reshape(*shape, 2)
    dx, dy = (d * p - b * q) / determinant, (a * q - b * p) / determinant
    return Sheet(west, south, cell_m, old[..., 0] + dx, old[..., 1] + dy)


@kernel
def _accumulate(
    r: Residuals, west: float, south: float, cell_m: float, scale: float, sums: FloatArray
) -> None:
    """Add each sample's share of the normal equations to its cell."""
    for i in range(len(r.x)):
        column = int((r.x[i] - west) / cell_m)
        row = int((r.y[i] - south) / cell_m)
        weight = 1.0 / (1.0 + (r.offset[i] / scale) ** 2)
        sums[0, row, column] += weight * r.nx[i] * r.nx[i]
        sums[1, row, column] += weight * r.nx[i] * r.ny[i]
        sums[2, row, column] += weight * r.ny[i] * r.ny[i]
        sums[3, row, column] += weight * r.nx[i] * r.offset[i]
        sums[4, row, column] += weight * r.ny[i] * r.offset[i]


@kernel
def displacement(sheet: Sheet, x: float, y: float) -> tuple[float, float]:
    """Read a sheet at one place, between the middles of its cells; the edge value outside."""
    rows, columns = sheet.dx.shape
    if rows == 0:
        return 0.0, 0.0
    u = min(max((x - sheet.west) / sheet.cell_m - 0.5, 0.0), columns - 1.0)
    v = min(max((y - sheet.south) / sheet.cell_m - 0.5, 0.0), rows - 1.0)
    i, j = int(u), int(v)
    i1, j1 = min(i + 1, columns - 1), min(j + 1, rows - 1)
    fu, fv = u - i, v - j
    w00, w01, w10, w11 = (1 - fu) * (1 - fv), fu * (1 - fv), (1 - fu) * fv, fu * fv
    dx, dy = sheet.dx, sheet.dy
    return (
        w00 * dx[j, i] + w01 * dx[j, i1] + w10 * dx[j1, i] + w11 * dx[j1, i1],
        w00 * dy[j, i] + w01 * dy[j, i1] + w10 * dy[j1, i] + w11 * dy[j1, i1],
    )


@kernel
def displacements(sheet: Sheet, x: FloatArray, y: FloatArray) -> FloatArray:
    """Read a sheet at many places.

    Args:
        sheet: the field.
        x: (n,) metres east.
        y: (n,) metres north.

    Returns:
        (n, 2) metres to add.
    """
    out = np.empty((len(x), 2))
    for i in range(len(x)):
        out[i, 0], out[i, 1] = displacement(sheet, x[i], y[i])
    return out
