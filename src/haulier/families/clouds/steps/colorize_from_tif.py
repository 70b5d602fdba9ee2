"""COLORIZE_FROM_TIF: points get the colours of a picture from above."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.clouds.io.cloud import Cloud, coordinates, open_cloud
from haulier.families.clouds.io.crs import crs_of, horizontal, is_same
from haulier.families.clouds.io.layout import Records
from haulier.families.clouds.io.raster import Raster, open_raster
from haulier.families.clouds.method.lattice import Window
from haulier.families.clouds.method.projection import find_operation, transform_of
from haulier.families.clouds.method.sampling import sample
from haulier.families.clouds.notes import Note, trap
from haulier.families.clouds.params.colours import ColorizeFromTif
from haulier.families.clouds.steps import rastersource, rewriting
from haulier.families.clouds.steps.colouring import coloured, paint
from haulier.families.clouds.steps.rewriting import Rewriting, in_json
from haulier.families.clouds.steps.source import INPUT

FloatArray = NDArray[np.float64]
CLOUD_AT, PICTURE_AT = f"inputs.{INPUT}", f"inputs.{rastersource.INPUT}"
#: Squares of the picture that are read at once, and how many of them are held.
BLOCK, HELD = 512, 24
HIGHEST: Final = {"u1": 255.0, "u2": 65535.0}
RGB: Final = 3


@dataclass(frozen=True)
class Job:
    """What a step is to do, and from what.

    Attributes:
        params: what was asked for.
        cloud: to be coloured.
        picture: opens the picture.
        move: makes X and Y of the picture from those of the cloud; None: they are the same.
        notes: warnings.
    """

    params: ColorizeFromTif
    cloud: Cloud
    picture: Callable[[], AbstractContextManager[Raster]]
    move: Callable[..., Any] | None
    notes: tuple[Note, ...]

    @property
    def rewriting(self) -> Rewriting:
        """Give what the cloud becomes."""
        return Rewriting(self.cloud, coloured(self.cloud.layout), "colouring points")


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Cut the cloud into ranges of chunks."""
    return rewriting.split(_job(step, context).cloud)


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Colour a range of points."""
    job = _job(step, context)
    layout = job.rewriting.layout
    outside = 0
    with job.picture() as picture:
        painter = _Painter(picture, smooth=job.params.sampling == "bilinear")

        def change(records: Records) -> Records:
            nonlocal outside
            places = coordinates(records, job.cloud.scales, job.cloud.offsets)
            x, y = places[:, 0], places[:, 1]
            colours = painter.at(*(job.move(x, y) if job.move else (x, y)))
            missing = np.isnan(colours[:, 0])
            outside += int(missing.sum())
            if job.params.outside == "black":
                colours[missing] = 0.0
            return paint(records, layout, colours)

        facts = rewriting.run(job.rewriting, part, context, change)
    number = part.params["last"] - part.params["first"]
    return rewriting.result_of(facts, number, uncoloured_points=outside)


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Write the cloud.

    Raises:
        Problem: INVALID with PICTURE_ELSEWHERE: no point lies in the picture.
    """
    job = _job(step, context)
    counts = rewriting.tallies(results)
    missing, number = counts.get("uncoloured_points", 0), job.cloud.point_count
    notes = list(job.notes)
    if number and missing == number:
        message = f"none of the {number:,} points lies where the picture has colours"
        hint = "check the coordinate systems of both"
        raise trap("PICTURE_ELSEWHERE", message, hint, at=PICTURE_AT)
    if missing:
        message = f"{missing:,} of {number:,} points lie where the picture has no colours"
        what = "they keep the colour they had" if job.params.outside == "keep" else "they are black"
        notes.append(
            Note("PICTURE_TOO_SMALL", message, f"{what}; crop the cloud to be rid of them")
        )
    values = {**rewriting.merge(job.rewriting, results, context), **counts}
    values["warnings"] = in_json(notes)
    return StepResult(values, {"points": float(number)})


def _job(step: StepPlan, context: Context) -> Job:
    params = msgspec.convert(dict(step.params), ColorizeFromTif)
    cloud = open_cloud(context.read(step.inputs[INPUT]), CLOUD_AT)
    path = context.read(step.inputs[rastersource.INPUT])
    said = crs_of(cloud)
    with open_raster(path, PICTURE_AT) as picture:
        _check_picture(picture)
        theirs = rastersource.crs_of_raster(picture, PICTURE_AT)
    notes = [*cloud.notes, *said.notes]
    move = None
    if said.crs is None or theirs is None:
        who = "cloud" if said.crs is None else "picture"
        message = f"the {who} says no coordinate system: it is taken as that of the other"
        notes.append(Note("CRS_UNKNOWN", message, "write one into it"))
    elif not is_same(said.crs, theirs):
        operation = find_operation(horizontal(said.crs), horizontal(theirs), None)
        move = transform_of(operation.pipeline)
        message = f"points are moved from '{said.crs.name}' to '{theirs.name}' to be looked up"
        notes.append(Note("CRS_DIFFERS", message, f"nothing; by {operation.name}"))
    return Job(params, cloud, lambda: open_raster(path, PICTURE_AT), move, tuple(notes))


def _check_picture(picture: Raster) -> None:
    kind = picture.dtype.str.lstrip("<>|=")
    if kind in HIGHEST and (picture.palette is None or kind == "u1"):
        return
    message = f"a picture has whole numbers of 8 or 16 bits, this one has {picture.dtype}"
    hint = "make one of colours first; for heights use COLORIZE_AS_DEM"
    raise trap("RASTER_NOT_PICTURE", message, hint, at=PICTURE_AT)


class _Painter:
    """Looks up the colours of a picture at places in any order, in blocks."""

    def __init__(self, picture: Raster, *, smooth: bool) -> None:
        self._picture = picture
        self._smooth = smooth
        self._block = lru_cache(maxsize=HELD)(self._read)

    def at(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Give colours (n, 3) from 0 to 1 of places; NaN where the picture has none."""
        frame = self._picture.frame
        down, right = (frame.north - y) / frame.height, (x - frame.west) / frame.width
        colours = np.full((len(x), RGB), np.nan)
        inside = (down >= 0) & (down < frame.rows) & (right >= 0) & (right < frame.columns)
        points = np.flatnonzero(inside)
        blocks = (down[points] // BLOCK).astype(np.int64) << 32
        blocks |= (right[points] // BLOCK).astype(np.int64)
        for block in np.unique(blocks).tolist():
            here = points[blocks == block]
            window, bands = self._block(block >> 32, block & 0xFFFFFFFF)
            for band, values in enumerate(bands):
                colours[here, band] = self._look(
                    values, down[here] - window.top, right[here] - window.left
                )
        return colours

    def _look(self, values: NDArray[np.float32], down: FloatArray, right: FloatArray) -> FloatArray:
        if self._smooth:
            return sample(values, down, right)
        return values[down.astype(np.int64), right.astype(np.int64)].astype(np.float64)

    def _read(self, row: int, column: int) -> tuple[Window, list[NDArray[np.float32]]]:
        whole = self._picture.frame.window
        tile = Window(row * BLOCK, column * BLOCK, BLOCK, BLOCK).common(whole) or whole
        window = tile.grown(1, whole)
        return window, _rgb(self._picture, window)


def _rgb(picture: Raster, window: Window) -> list[NDArray[np.float32]]:
    """Give red, green and blue from 0 to 1, NaN where the picture has none."""
    bands = [1, 2, 3] if picture.bands >= RGB else [1, 1, 1]
    read = {band: picture.read_raw(window, band) for band in set(bands)}
    valid = np.logical_and.reduce([mask for _, mask in read.values()])
    given = []
    for place, band in enumerate(bands):
        values, _ = read[band]
        if picture.palette is not None:
            table = picture.palette
            values = table[np.minimum(values, len(table) - 1), place]
        share = values / np.float32(HIGHEST[values.dtype.str.lstrip("<>|=")])
        given.append(np.where(valid, share, np.nan).astype(np.float32))
    return given
