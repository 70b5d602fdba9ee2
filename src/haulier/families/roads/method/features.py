"""From runs to matches: fractions of road and segment, and what speaks for each match."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from haulier.families.roads.method import runs as run
from haulier.families.roads.method.gaps import end_gaps
from haulier.families.roads.method.lines import FloatArray, Lines
from haulier.families.roads.method.matches import FEATURES, Matches
from haulier.families.roads.method.sheet import Sheet
from haulier.families.roads.method.topology import Int32Array, Topology

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHORTEST_M: Final = 0.1  # lengths below it are alike to the model
DECIMALS: Final = 4  # the order of a sum changes the rest, and must not change a tree's answer


class Scene(NamedTuple):
    """What a tile's matches are measured against.

    Attributes:
        roads: m roads, degrees.
        roads_xy: the same, metres.
        road_m: (m,) their lengths.
        segments_xy: s segments, metres.
        topology: of the segments.
        sheet: displacement of the roads.
        sigma_m: offset that is left between the maps.
    """

    roads: Lines
    roads_xy: Lines
    road_m: FloatArray
    segments_xy: Lines
    topology: Topology
    sheet: Sheet
    sigma_m: float


def tabulate(owner: Int32Array, runs: FloatArray, scene: Scene) -> Matches:
    """Turn runs into matches, with every feature but those of the competition.

    Args:
        owner: (r,) road of each run, never falling.
        runs: (r, COLUMNS) as `passes.runs_of` gave them.
        scene: the tile.

    Returns:
        r matches; confidence, claims and penalty still 0.
    """
    segment = scene.topology.edges.segment[runs[:, run.EDGE].astype(np.int64)]
    low = np.minimum(runs[:, run.P0], runs[:, run.P1])
    high = np.maximum(runs[:, run.P0], runs[:, run.P1])
    whole = np.maximum(scene.topology.segment_m[segment], 1e-9)
    road_m = scene.road_m[owner]
    count = np.maximum(runs[:, run.COUNT], 1.0)
    nothing = np.zeros(len(owner), np.uint8)
    return Matches(
        road=owner.astype(np.int32),
        segment=segment.astype(np.int32),
        road_from=np.clip(runs[:, run.S0] / road_m, 0.0, 1.0),
        road_to=np.clip(np.maximum(runs[:, run.S0], runs[:, run.S1]) / road_m, 0.0, 1.0),
        segment_from=np.clip(low / whole, 0.0, 1.0),
        segment_to=np.clip(high / whole, 0.0, 1.0),
        forward=runs[:, run.P1] > runs[:, run.P0],
        offset_m=(runs[:, run.ABSOLUTE] / count).astype(np.float32),
        signed_m=(runs[:, run.SIGNED] / count).astype(np.float32),
        sequence=(np.arange(len(owner)) - np.searchsorted(owner, owner)).astype(np.int32),
        confidence=nothing,
        alone=nothing,
        features=_features(owner, runs, segment, high - low, scene),
        penalty=np.zeros(len(owner), np.float32),
    )


def _features(
    owner: Int32Array, runs: FloatArray, segment: Int32Array, way_m: FloatArray, scene: Scene
) -> NDArray[np.float32]:
    """Fill the columns of FEATURES; those of the competition stay 0."""
    sigma_m = scene.sigma_m
    count = np.maximum(runs[:, run.COUNT], 1.0)
    offset = runs[:, run.ABSOLUTE] / count
    road_m = scene.road_m[owner]
    on_road = np.maximum(runs[:, run.S1] - runs[:, run.S0], 0.0)
    covered = np.bincount(owner, weights=on_road, minlength=len(scene.road_m))[owner]
    begins = (segment, runs[:, run.P0])
    stops = (segment, runs[:, run.P1])
    gaps = end_gaps(
        owner, begins, stops, scene.roads, scene.roads_xy, scene.segments_xy, scene.sheet
    )
    columns = {
        "offset_m": offset,
        "offset_sigmas": offset / sigma_m,
        "largest_sigmas": runs[:, run.LARGEST] / sigma_m,
        "signed_sigmas": np.abs(runs[:, run.SIGNED]) / count / sigma_m,
        "turn": np.abs(runs[:, run.TURN]) / count,
        "margin": runs[:, run.MARGIN] / count,
        "log_length": np.log(np.maximum(way_m, SHORTEST_M)),
        "log_stretch": np.abs(np.log(np.maximum(way_m, 1.0) / np.maximum(on_road, 1.0))),
        "share": on_road / road_m,
        "coverage": covered / road_m,
        "log_road": np.log(road_m),
        "links": runs[:, run.LINKED] + np.append(runs[1:, run.LINKED], 0.0)[: len(runs)],
        "loose_end_sigmas": gaps.loose(sigma_m),
        "junction_sigmas": gaps.worse(sigma_m),
        "junction_best_sigmas": gaps.better(sigma_m),
        "sigma_m": np.full(len(owner), sigma_m),
    }
    features = np.zeros((len(owner), len(FEATURES)), np.float32)
    for name, column in columns.items():
        features[:, FEATURES.index(name)] = np.round(column, DECIMALS)
    return features
