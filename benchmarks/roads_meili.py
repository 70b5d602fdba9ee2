"""Valhalla's Meili as a peer: tiles from the same segments, one trace a road, in-process."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import osmium
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import valhalla
from osmium.osm.mutable import Node, Way
from roads_data import moved, segment_files
from valhalla.utils import decode_polyline

from haulier.families.roads.demo import DemoFiles
from haulier.families.roads.demo.release import fractions
from haulier.families.roads.io.reference import segments_of
from haulier.families.roads.method.lines import Lines
from haulier.families.roads.method.network import ROAD_CLASSES

# As accurate as Meili can be made: see the sweep of settings beside the design of the family.
OPTIONS = {
    "shape_match": "map_snap",
    "costing": "auto",
    "costing_options": {"auto": {"ignore_oneways": True, "ignore_access": True}},
    "trace_options": {"gps_accuracy": 8, "search_radius": 35},
    "filters": {
        "attributes": ["edge.way_id", "edge.begin_shape_index", "edge.end_shape_index", "shape"],
        "action": "include",
    },
}
STEP_M = 30.0  # vertices of a trace lie no further apart
METRES_A_DEGREE = 111_195.0
SEED = 7


@dataclass(frozen=True)
class MeiliRun:
    """What Meili needed and gave; `ids` are the roads that it was asked for."""

    roads: int
    failed: int
    tiles_wall_s: float
    cpu_s: float
    ids: pa.Array
    results: Path


def run_meili(files: DemoFiles, folder: Path, most_roads: int) -> MeiliRun:
    folder.mkdir(parents=True)
    table = _segments(files)
    segments = segments_of(table)
    lines = segments.reference.lines
    began = time.perf_counter()
    config = _build_tiles(lines, segments.reference, table["class"].to_pylist(), folder)
    tiles_wall_s = time.perf_counter() - began
    customer = pq.read_table(files.customer, columns=["id", "geometry"])
    n = customer.num_rows
    chosen = np.sort(np.random.default_rng(SEED).permutation(n)[:most_roads])
    customer = customer.take(pa.array(chosen))
    ids = customer["id"].cast(pa.string()).combine_chunks()
    requests = [_request(line) for line in moved(customer["geometry"], 0.0)]
    actor = valhalla.Actor(config)
    answers, failed = [], 0
    before = time.process_time()
    for request in requests:
        try:
            answers.append(actor.trace_attributes(request))
        except RuntimeError:
            answers.append("")
            failed += 1
    cpu_s = time.process_time() - before
    results = folder / "meili.parquet"
    _write(answers, ids, segments.gers, lines, results)
    return MeiliRun(len(chosen), failed, tiles_wall_s, cpu_s, ids, results)


def _segments(files: DemoFiles) -> pa.Table:
    names = ["id", "geometry", "bbox", "subtype", "class", "connectors"]
    tables = [pq.read_table(path, columns=names, partitioning=None) for path in segment_files(files)]
    table = pa.concat_tables([t.replace_schema_metadata(None) for t in tables]).combine_chunks()
    return table


def _build_tiles(lines: Lines, reference, classes: list[str | None], folder: Path) -> dict:
    """Write the segments as OpenStreetMap ways that share nodes at connectors; build tiles."""
    pbf = folder / "roads.osm.pbf"
    node = _node_ids(lines, reference)
    writer = osmium.SimpleWriter(str(pbf), overwrite=True)
    _, first = np.unique(node, return_index=True)
    for row in first.tolist():
        writer.add_node(Node(id=int(node[row]), version=1, location=tuple(lines.coordinates[row])))
    for way, (start, stop) in enumerate(zip(lines.offsets[:-1], lines.offsets[1:], strict=True), 1):
        word = classes[way - 1]
        highway = word if word in ROAD_CLASSES and word != "unknown" else "unclassified"
        nodes = node[start:stop].tolist()
        writer.add_way(Way(id=way, version=1, nodes=nodes, tags={"highway": highway}))
    writer.close()
    config = valhalla.get_config(tile_extract=folder / "none.tar", tile_dir=folder / "tiles")
    del config["mjolnir"]["tile_extract"]
    config["mjolnir"]["concurrency"] = 1
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    command = [sys.executable, "-m", "valhalla", "valhalla_build_tiles", "-c", path, pbf]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    return config


def _node_ids(lines: Lines, reference) -> np.ndarray:
    """Number vertices; those of one connector get one number."""
    at = fractions(lines)
    node = 1_000_000_000 + np.arange(len(lines.coordinates))
    offsets = reference.connector_offsets
    for segment in range(len(lines)):
        start, stop = lines.offsets[segment], lines.offsets[segment + 1]
        for row in range(offsets[segment], offsets[segment + 1]):
            nearest = start + np.argmin(np.abs(at[start:stop] - reference.connector_at[row]))
            node[nearest] = reference.connector_id[row] + 1
    return node


def _request(line: shapely.LineString) -> str:
    dense = shapely.segmentize(line, STEP_M / METRES_A_DEGREE)
    shape = [{"lon": x, "lat": y} for x, y in shapely.get_coordinates(dense).tolist()]
    return json.dumps({"shape": shape, **OPTIONS})


def _write(answers: list[str], ids: pa.Array, gers: pa.Array, lines: Lines, path: Path) -> None:
    """Turn edges into stretches of segments; stretches of one road that overlap become one."""
    owner = np.repeat(np.arange(len(lines)), np.diff(lines.offsets))
    flat = shapely.linestrings(_level(lines.coordinates), indices=owner)
    shapely.prepare(flat)
    length = shapely.length(flat)
    spans: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for road, answer in enumerate(answers):
        if not answer:
            continue
        body = json.loads(answer)
        shape = np.array(decode_polyline(body["shape"]))
        for edge in body["edges"]:
            segment = edge["way_id"] - 1
            places = shape[edge["begin_shape_index"] : edge["end_shape_index"] + 1]
            middles = (places[1:] + places[:-1]) / 2
            points = shapely.points(_level(np.concatenate([places, middles])))
            along = shapely.line_locate_point(flat[segment], points) / length[segment]
            spans.setdefault((road, segment), []).append((along.min(), along.max()))
    rows = [
        {
            "id": ids[road].as_py(),
            "gers": gers[segment].as_py(),
            "confidence": 100,
            "lr_gers_start": start,
            "lr_gers_end": stop,
        }
        for (road, segment), some in spans.items()
        for start, stop in _joined(some)
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def _level(places: np.ndarray) -> np.ndarray:
    """Stretch degrees so that both axes have nearly one scale; (n, 2)."""
    return places * [np.cos(np.radians(places[:, 1].mean())), 1.0]


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return out
