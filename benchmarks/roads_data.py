"""Regions to measure road matching on: files with a truth, and many copies of them as one."""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from haulier.families.roads.demo import DemoFiles, make_demo

ENVIRONMENT = "HAULIER_BENCH_ROADS"
DEMO_ROADS = 12_000  # copies of the demo's thousand roads: about as many as a region has
SHIFT_DEG = 0.9  # of longitude, between two copies: lengths and angles stay
SIDES = ("xmin", "xmax", "ymin", "ymax")


@dataclass(frozen=True)
class Region:
    """A place with roads, reference and truth."""

    name: str
    files: DemoFiles


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(ENVIRONMENT),
        help="folder of regions, each with overture_segments, customer_L1 and truth (parquet); "
        f"else {ENVIRONMENT}; else the demo's network",
    )
    parser.add_argument("--regions", nargs="*", help="names of regions; else all")
    parser.add_argument("--level", default="L1", help="which customer's copy")


def find_regions(choice: argparse.Namespace, folder: Path) -> list[Region]:
    if choice.data is None:
        demo = Region("demo", make_demo(folder / "demo", level=choice.level))
        return [Region("demo", replicate([demo], folder / "copies", DEMO_ROADS))]
    found = [
        Region(
            each.name,
            DemoFiles(
                each / "overture_segments.parquet",
                each / f"customer_{choice.level}.parquet",
                each / "truth.parquet",
            ),
        )
        for each in sorted(Path(choice.data).iterdir())
        if (each / "truth.parquet").is_file()
        and (not choice.regions or each.name in choice.regions)
    ]
    if not found:
        sys.exit(f"no region in {choice.data}")
    return found


def replicate(regions: list[Region], folder: Path, roads: int) -> DemoFiles:
    """Write at least `roads` roads as one customer's file: copies of the regions, side by side."""
    release = folder / "release"
    release.mkdir(parents=True)
    files = DemoFiles(release, folder / "customer.parquet", folder / "truth.parquet")
    first, copies = 0, []
    for copy in _copies(regions, roads):
        copies.append(_copied(*copy, first, release))
        first += copies[-1][0].num_rows
    pq.write_table(pa.concat_tables([c for c, _ in copies]), files.customer, row_group_size=50_000)
    pq.write_table(pa.concat_tables([t for _, t in copies]), files.truth)
    return files


def _copies(regions: list[Region], roads: int) -> Iterator[tuple[int, Region]]:
    sizes = [pq.ParquetFile(region.files.customer).metadata.num_rows for region in regions]
    for number in range(-(-roads // sum(sizes))):
        for region in regions:
            yield number, region


def _copied(number: int, region: Region, first: int, release: Path) -> tuple[pa.Table, pa.Table]:
    """Write the segments of a copy; gives its roads and its truth."""
    shift = SHIFT_DEG * number
    for path in segment_files(region.files):
        segments = pq.read_table(path, partitioning=None).replace_schema_metadata(None)
        geometries = moved(segments["geometry"], shift)
        boxes = shapely.bounds(geometries).astype(np.float32)[:, [0, 2, 1, 3]]
        bbox = pa.StructArray.from_arrays([pa.array(side) for side in boxes.T], list(SIDES))
        segments = _with(segments, "id", renamed(segments["id"], number))
        segments = _with(segments, "geometry", pa.array(shapely.to_wkb(geometries)))
        segments = _with(segments, "connectors", joined(segments["connectors"], number))
        pq.write_table(_with(segments, "bbox", bbox), release / f"{region.name}-{number}.parquet")
    customer = pq.read_table(region.files.customer)
    text = shapely.to_wkt(moved(customer["geometry"], shift), rounding_precision=7)
    ids = first + np.arange(len(text))
    truth = pq.read_table(region.files.truth)
    row = pc.index_in(truth["id"], customer["id"].combine_chunks()).to_numpy()
    truth = _with(truth, "id", pa.array(first + row.astype(np.int64)))
    truth = _with(truth, "gers", renamed(truth["gers"], number))
    columns = {"id": ids, "geometry": text, "is_navigable": customer["is_navigable"]}
    return pa.table(columns), truth


def segment_files(files: DemoFiles) -> list[Path]:
    if files.release.is_file():
        return [files.release]
    return sorted(files.release.rglob("*.parquet"))


def moved(column: pa.ChunkedArray, shift_deg: float) -> np.ndarray:
    values = column.to_numpy()
    wkt = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    lines = shapely.from_wkt(values) if wkt else shapely.from_wkb(values)
    return shapely.transform(lines, lambda places: np.add(places, (shift_deg, 0.0)))


def renamed(gers: pa.ChunkedArray, number: int) -> pa.Array:
    """Give ids of their own to the segments of a copy, as long as they were."""
    rest = pc.utf8_slice_codeunits(gers, 2)
    return pc.binary_join_element_wise(f"{number:02x}", rest, "").combine_chunks()


def joined(connectors: pa.ChunkedArray, number: int) -> pa.Array:
    """Give connectors of their own to a copy: it must not hang together with the others."""
    column = connectors.combine_chunks()
    flat = column.flatten()
    ids = pc.binary_join_element_wise(f"{number:02x}", pc.struct_field(flat, "connector_id"), "-")
    own = pa.StructArray.from_arrays([ids, pc.struct_field(flat, "at")], ["connector_id", "at"])
    return pa.ListArray.from_arrays(column.offsets, own)


def _with(table: pa.Table, name: str, column: pa.Array) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)
