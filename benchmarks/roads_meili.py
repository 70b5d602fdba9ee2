"""Valhalla's Meili as a peer: tiles from the same segments, one trace a road, in-process."""

import json
import subprocess
import time
from pathlib import Path

import numpy as np
import osmium
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
import valhalla
from osmium.osm.mutable import Node, Way
from roads_data import moved, segment_files
from valhalla._scripts import PYVALHALLA_BIN_DIR
from valhalla.utils.decode_polyline import decode_polyline

from haulier.families.roads.demo import DemoFiles
from haulier.families.roads.demo.release import fractions
from haulier.families.roads.io.reference import segments_of
from haulier.families.roads.io.releases import usable
from haulier.families.roads.method.lines import Lines
from haulier.families.roads.method.network import ROAD_CLASSES, Reference

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
SPUR_M = 4.0  # shorter stretches are dropped, as ours are
STEP_M = 30.0  # vertices of a trace lie no further apart
METRES_A_DEGREE = 111_195.0
SEED = 7


class Meili:
    """Meili ready for some roads of a customer; `ids` are these roads."""

    def __init__(self, files: DemoFiles, folder: Path, most_roads: int) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        table = _segments(files)
        self._segments = segments_of(table)
        began = time.perf_counter()
        config = _build_tiles(self._segments.reference, table["class"].to_pylist(), folder)
        self.tiles_wall_s = time.perf_counter() - began
        customer = pq.read_table(files.customer, columns=["id", "geometry"])
        some = np.random.default_rng(SEED).permutation(customer.num_rows)[:most_roads]
        self._customer = customer.take(pa.array(np.sort(some)))
        self.ids = self._customer["id"].cast(pa.string()).combine_chunks()
        self._actor = valhalla.Actor(config)
        self.refused = 0

    def requests(self) -> list[str]:
        """Write the roads as Meili wants them."""
        return [_request(line) for line in moved(self._customer["geometry"], 0.0)]

    def trace(self, requests: list[str]) -> list[str]:
        """Match the roads one by one: this alone is Meili's work."""
        answers = [self._traced(request) for request in requests]
        self.refused = answers.count("")
        return answers

    def _traced(self, request: str) -> str:
        try:
            return self._actor.trace_attributes(request)
        except RuntimeError:
            return ""

    def write(self, answers: list[str]) -> Path:
        """Write what Meili answered in the columns of our results."""
        path = self._folder / "meili.parquet"
        _write(answers, self.ids, self._segments.gers, self._segments.reference.lines, path)
        return path


def _segments(files: DemoFiles) -> pa.Table:
    names = ["id", "geometry", "bbox", "subtype", "class", "connectors"]
    tables = [
        pq.read_table(path, columns=names, partitioning=None) for path in segment_files(files)
    ]
    table = pa.concat_tables([t.replace_schema_metadata(None) for t in tables]).combine_chunks()
    return table.filter(pa.array(usable(table.to_batches()[0]))).combine_chunks()


def _build_tiles(reference: Reference, classes: list[str | None], folder: Path) -> dict:
    """Write the segments as OpenStreetMap ways that share nodes at connectors; build tiles."""
    pbf = folder / "roads.osm.pbf"
    lines, node = reference.lines, _node_ids(reference)
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
    tiles = folder / "tiles"
    tiles.mkdir()
    config = valhalla.get_config(tile_extract="", tile_dir=tiles)
    config["mjolnir"]["concurrency"] = 1
    path = folder / "valhalla.json"
    path.write_text(json.dumps(config))
    command = [PYVALHALLA_BIN_DIR / "valhalla_build_tiles", "-c", path, pbf]
    built = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    if built.returncode:
        raise SystemExit(
            f"valhalla_build_tiles failed:\n{built.stdout[-2000:]}{built.stderr[-2000:]}"
        )
    return config


def _node_ids(reference: Reference) -> np.ndarray:
    """Number vertices; those of one connector get one number."""
    lines = reference.lines
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
    scale = [np.cos(np.radians(lines.coordinates[:, 1].mean())), 1.0]  # a metre is one length
    flat = shapely.linestrings(lines.coordinates * scale, indices=owner)
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
            points = shapely.points(np.concatenate([places, middles]) * scale)
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
        if (stop - start) * length[segment] * METRES_A_DEGREE >= SPUR_M
    ]
    pq.write_table(pa.Table.from_pylist(rows), path)


def _joined(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    out: list[tuple[float, float]] = []
    for start, stop in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return out
