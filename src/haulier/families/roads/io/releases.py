"""An Overture release: its files, and which of their row groups lie where the roads are."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import shapely

from haulier.core.identity import fingerprint
from haulier.core.problem import Code, Problem
from haulier.families.roads.method.lines import BoolArray, FloatArray
from haulier.families.roads.method.network import NOT_FOR_VEHICLES
from haulier.families.roads.tiles import KeyArray, finest_keys, meets, middles

AT: Final = "overture_release"
REQUIRED: Final = ("id", "geometry", "connectors")
SIDES: Final = ("xmin", "ymin", "xmax", "ymax")
WORLD: Final = (-180.0, -90.0, 180.0, 90.0)
BATCH_ROWS: Final = 32_768
SHORTEST_SECRET: Final = 4  # a shorter one would be found in words that say nothing of it

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it was registered, and the files found there.

    Attributes:
        name: such as 2026-01-21.0.
        url: a folder or file, local or in an object store.
        files: paths within its file system, sorted.
        version: a hash of names and sizes, so that other files mean other work.
    """

    name: str
    url: str
    files: tuple[str, ...]
    version: str


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group with segments near the roads.

    Attributes:
        file: place in the release's files.
        group: number within the file.
        box: bounds of its usable segments near the roads.
    """

    file: int
    group: int
    box: Box


@dataclass(slots=True)
class Survey:
    """What a release has near the roads; keys and row groups arrive while it is read."""

    groups: list[RowGroup] = field(default_factory=list)
    keys: list[KeyArray] = field(default_factory=list)
    bounds: Box | None = None

    @property
    def segments(self) -> int:
        """Count the segments near the roads."""
        return sum(len(keys) for keys in self.keys)


def open_release(name: str, body: Mapping[str, Any]) -> Release:
    """Find the files of a registered release.

    Args:
        name: of the catalog entry.
        body: of the catalog entry; `url` names a folder or file of transportation segments.

    Raises:
        Problem: INVALID; the entry has no url, or no Parquet file is there.
    """
    url = str(body.get("url") or "")
    if not url:
        detail = f"the catalog entry of release {name!r} must have a 'url', it has {sorted(body)}"
        raise Problem(Code.INVALID, detail, at=AT)
    try:
        system, root = _file_system(url)
        found = _listed(system, root)
    except (OSError, ValueError, pa.ArrowException) as error:
        detail = f"release {name!r} cannot be read: {_reason(error, url)}"
        raise Problem(Code.INVALID, detail, at=AT) from error
    if not found:
        detail = f"release {name!r} has no .parquet file of segments"
        raise Problem(Code.INVALID, detail, at=AT)
    sizes = [[info.path, info.size, info.mtime_ns] for info in found]
    return Release(name, url, tuple(info.path for info in found), fingerprint(sizes))


def _reason(error: Exception, url: str) -> str:
    """Give what an error says, without the place: its URL may hold a user and a password."""
    said = str(error) or type(error).__name__
    user = url.partition("://")[2].rpartition("@")[0]
    secrets = [url, user, *user.split(":")]
    for secret in [*secrets, *map(unquote, secrets)]:
        if len(secret) >= SHORTEST_SECRET:
            said = said.replace(secret, "…")
    return said


def _file_system(url: str) -> tuple[pafs.FileSystem, str]:
    if url.startswith("/"):
        return pafs.LocalFileSystem(), str(Path(url))
    system, path = pafs.FileSystem.from_uri(url)
    return system, path


def _listed(system: pafs.FileSystem, root: str) -> list[pafs.FileInfo]:
    """List the Parquet files; of a hive-partitioned release only those of segments."""
    info = system.get_file_info(root)
    if info.type == pafs.FileType.NotFound:
        missing = "there is nothing"
        raise ValueError(missing)
    if info.is_file:
        return [info]
    found = [
        each
        for each in system.get_file_info(pafs.FileSelector(root, recursive=True))
        if each.is_file and each.path.endswith(".parquet")
    ]
    partitioned = [each for each in found if "/type=" in each.path]
    if partitioned:
        found = [each for each in partitioned if "/type=segment/" in each.path]
    return sorted(found, key=lambda each: each.path)


@contextmanager
def opened(release: Release, file: int) -> Iterator[pq.ParquetFile]:
    """Open a file of the release.

    Raises:
        Problem: INVALID; the file is no Parquet, is damaged, or lacks a column.
    """
    path = release.files[file]
    shown = path
    try:
        system, root = _file_system(release.url)
        shown = path.removeprefix(root).lstrip("/") or path.rpartition("/")[2]
        with pq.ParquetFile(path, filesystem=system, pre_buffer=False) as parquet:
            _check_columns(release, shown, parquet.schema_arrow)
            yield parquet
    except (pa.ArrowException, OSError) as error:
        reason = _reason(error, release.url).replace(path, shown)
        detail = f"release {release.name!r}: file {shown!r} cannot be read: {reason}"
        raise Problem(Code.INVALID, detail, at=AT) from error


def _check_columns(release: Release, shown: str, schema: pa.Schema) -> None:
    missing = [name for name in REQUIRED if name not in schema.names]
    if missing:
        raise Problem(
            Code.INVALID,
            f"release {release.name!r}: file {shown!r} lacks the column {missing[0]!r} of Overture "
            f"segments; it has {', '.join(schema.names)}",
            at=AT,
        )


def survey(release: Release, areas: FloatArray) -> Iterator[Survey]:
    """Find which row groups have usable segments near the roads.

    Args:
        release: what to look through.
        areas: (k, 4) where the roads are, halo included.

    Yields:
        The same survey, fuller after each file.
    """
    seen = Survey()
    for file in range(len(release.files)):
        with opened(release, file) as parquet:
            for group in range(parquet.metadata.num_row_groups):
                box = _promised_box(parquet.metadata.row_group(group))
                seen.bounds = _union(seen.bounds, box)
                if meets(np.array([box]), areas).any():
                    _survey_group(parquet, (file, group), areas, seen)
        yield seen


def _survey_group(
    parquet: pq.ParquetFile, place: tuple[int, int], areas: FloatArray, seen: Survey
) -> None:
    """Read where the segments of one row group lie, and nothing else of them."""
    names = parquet.schema_arrow.names
    where = "bbox" if "bbox" in names else "geometry"
    columns = [where, *(name for name in ("subtype", "class") if name in names)]
    boxes = []
    for batch in parquet.iter_batches(BATCH_ROWS, row_groups=[place[1]], columns=columns):
        near = segment_boxes(batch)[usable(batch)]
        near = near[meets(near, areas)]
        if len(near):
            boxes.append(near)
            seen.keys.append(finest_keys(middles(near)))
    if boxes:
        together = np.concatenate(boxes)
        low, high = together[:, :2].min(axis=0), together[:, 2:].max(axis=0)
        seen.groups.append(RowGroup(*place, _box([*low, *high])))


def segment_boxes(batch: pa.RecordBatch) -> FloatArray:
    """Give the bounds of each segment, (n, 4) west, south, east, north."""
    if "bbox" in batch.schema.names:
        box = batch["bbox"]
        sides = [pc.struct_field(box, side).to_numpy(zero_copy_only=False) for side in SIDES]
        return np.column_stack(sides).astype(np.float64)
    geometries = shapely.from_wkb(batch["geometry"].to_numpy(zero_copy_only=False))
    return np.asarray(shapely.bounds(geometries), dtype=np.float64)


def usable(batch: pa.RecordBatch) -> BoolArray:
    """Say which segments a vehicle can use: subtype road, and no class of paths."""
    good = np.ones(batch.num_rows, dtype=bool)
    if "subtype" in batch.schema.names:
        roads = pc.fill_null(pc.equal(batch["subtype"], "road"), fill_value=False)
        good &= roads.to_numpy(zero_copy_only=False)
    if "class" in batch.schema.names:
        paths = pc.is_in(batch["class"], pa.array(sorted(NOT_FOR_VEHICLES)))
        good &= ~paths.to_numpy(zero_copy_only=False)
    return good


def _promised_box(group: pq.RowGroupMetaData) -> Box:
    """Give the bounds that the statistics of a row group promise, or the world."""
    found: dict[str, float] = {}
    for i in range(group.num_columns):
        column = group.column(i)
        side = column.path_in_schema.removeprefix("bbox.")
        if side in SIDES and column.is_stats_set and column.statistics.has_min_max:
            lowest = side in {"xmin", "ymin"}
            found[side] = column.statistics.min if lowest else column.statistics.max
    if len(found) < len(SIDES):
        return WORLD
    return _box([found[side] for side in SIDES])


def _box(sides: Sequence[float]) -> Box:
    west, south, east, north = (float(side) for side in sides)
    return (west, south, east, north)


def _union(one: Box | None, other: Box) -> Box:
    if one is None:
        return other
    low, high = np.minimum(one, other), np.maximum(one, other)
    return _box([*low[:2], *high[2:]])
