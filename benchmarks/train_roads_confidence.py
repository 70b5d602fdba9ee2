"""Train the confidence model of road matching and write it into the package.

    python benchmarks/train_roads_confidence.py REGION... [--check REGION...] [--out FILE]

A region is a folder with `overture_segments.parquet`. If it also has `customer_L0..L3.parquet` and
`truth.parquet`, those are used; `--made` adds roads that the truth protocol (`method/truth.py`)
makes from the segments, which is all there is for a folder without customer files.

The model is boosted trees whose answer may only fall with distance and claims, and only rise with
margin and coverage: where the training regions are silent, that is what keeps it sensible. Each
case is also matched with a tenth of its roads alone, since a customer who sends the main roads
only has no neighbours to meet and no competition.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
import shapely
from numba import njit
from numpy.typing import NDArray

from haulier.families.roads.method import confidence, match, score, truth
from haulier.families.roads.method.lines import Lines
from haulier.families.roads.method.matches import FEATURES
from haulier.families.roads.method.network import Customer, Reference
from haulier.families.roads.method.settings import Settings

FloatArray = NDArray[np.float64]

VERSION: Final = "roads-confidence-1"
BINS: Final = 48
DEPTH: Final = 4
TREES: Final = 120
RATE: Final = 0.12
RIDGE: Final = 5.0  # of a leaf, in units of the sum of second derivatives
LEAST_WEIGHT: Final = 8.0  # second derivatives in a leaf
NEVER: Final = 1e30  # a threshold that sends every row to the left
SPARSE: Final = 0.1
SEEDS: Final = (11, 12)
LEVELS: Final = ("L0", "L1", "L2", "L3")

# How the answer may change with a feature: -1 only fall, 1 only rise. The gaps at ends are free,
# since -1 stands there for "not known".
MONOTONE: Final = {
    "offset_m": -1,
    "offset_sigmas": -1,
    "largest_sigmas": -1,
    "signed_sigmas": -1,
    "turn": 1,
    "margin": 1,
    "log_stretch": -1,
    "coverage": 1,
    "claimed": -1,
    "claimed_by_sigmas": -1,
}
SIGNS: Final = [MONOTONE.get(name, 0) for name in FEATURES]


@dataclass(frozen=True, slots=True)
class Rows:
    """Matches with what is known of them: features (r, f) and the true share of each (r,)."""

    features: NDArray[np.float32]
    right: FloatArray


def read_lines(wkb: NDArray[np.object_]) -> Lines:
    """Turn WKB line strings into flat arrays."""
    geometry = shapely.from_wkb(wkb)
    coordinates, owner = shapely.get_coordinates(geometry, return_index=True)
    return Lines(coordinates, np.searchsorted(owner, np.arange(len(geometry) + 1)).astype(np.int64))


def read_reference(folder: Path) -> tuple[Reference, list[str]]:
    """Read the segments of a region and their ids."""
    table = pq.read_table(folder / "overture_segments.parquet")
    connectors = table["connectors"].combine_chunks()
    offsets = np.asarray(connectors.offsets, dtype=np.int64)
    flat = connectors.flatten()
    codes = flat.field("connector_id").dictionary_encode().indices.to_numpy().astype(np.int64)
    at = flat.field("at").to_numpy(zero_copy_only=False)
    lines = read_lines(table["geometry"].to_numpy(zero_copy_only=False))
    return Reference(lines, at, codes, offsets - offsets[0]), table["id"].to_pylist()


def read_worlds(folder: Path, *, made: bool) -> list[truth.World]:
    """Read the customer files of a region, or make some, or both."""
    reference, ids = read_reference(folder)
    worlds = []
    if (folder / "truth.parquet").exists():
        worlds = [read_world(folder, level, reference, ids) for level in LEVELS]
    if made or not worlds:
        worlds += [
            truth.make_truth(reference, truth.LEVELS[level], seed=seed)
            for seed in SEEDS
            for level in LEVELS
        ]
    return worlds + [thinned(world) for world in worlds]


def read_world(folder: Path, level: str, reference: Reference, ids: list[str]) -> truth.World:
    """Read one customer file with its truth."""
    known = pq.read_table(folder / "truth.parquet")
    table = pq.read_table(folder / f"customer_{level}.parquet")
    road = {name: i for i, name in enumerate(table["id"].to_pylist())}
    row = {name: i for i, name in enumerate(ids)}
    lines = read_lines(table["geometry"].to_numpy(zero_copy_only=False))
    pieces = truth.Truth(
        np.array([road[i] for i in known["id"].to_pylist()], dtype=np.int32),
        np.array([row[g] for g in known["gers"].to_pylist()], dtype=np.int32),
        known["gers_start"].to_numpy(),
        known["gers_end"].to_numpy(),
        np.array(known["same_direction"].to_pylist(), dtype=np.bool_),
    )
    customer = Customer(lines, np.ones(len(lines), np.bool_))
    return truth.World(customer, reference, pieces, np.arange(len(ids)))


def thinned(world: truth.World) -> truth.World:
    """Leave a tenth of a customer's roads, the same tenth every time."""
    n = len(world.customer.lines)
    chosen = np.random.default_rng(7).random(n) < SPARSE
    return truth.only_roads(world, np.flatnonzero(chosen))


def gather(folders: list[Path], *, made: bool) -> Rows:
    """Match every world of some regions and label the matches with their true share."""
    features, right = [], []
    for folder in folders:
        for world in read_worlds(folder, made=made):
            found = match.match_tile(world.customer, world.reference, Settings())
            way = np.maximum(found.segment_to - found.segment_from, 1e-9)
            features.append(found.features)
            right.append(np.clip(score.shared_fraction(found, world.truth) / way, 0.0, 1.0))
        print(f"{folder.name}: {sum(map(len, right))} matches so far")
    return Rows(np.concatenate(features), np.concatenate(right))


@njit(cache=True)
def sums_by_bin(
    bins: NDArray[np.uint8], node: NDArray[np.int64], pull: FloatArray, shape: tuple[int, int]
) -> FloatArray:
    """Add up the derivatives, pull (r, 2), by node, feature and bin."""
    out = np.zeros((shape[0], bins.shape[1], shape[1], 2))
    for i in range(len(node)):
        for f in range(bins.shape[1]):
            out[node[i], f, bins[i, f], 0] += pull[i, 0]
            out[node[i], f, bins[i, f], 1] += pull[i, 1]
    return out


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut of one node: feature, last bin of the left side, and the value of both sides."""

    feature: int
    bin: int
    left: float
    right: float


def best_cut(sums: FloatArray, low: float, high: float) -> Cut | None:
    """Choose the cut of one node that lowers the loss most, within bounds on its values."""
    left = np.cumsum(sums, axis=1)[:, :-1]
    right = sums.sum(axis=1, keepdims=True) - left
    values = [np.clip(-s[..., 0] / (s[..., 1] + RIDGE), low, high) for s in (left, right)]
    gain = sum(
        -(s[..., 0] * v + 0.5 * (s[..., 1] + RIDGE) * v**2)
        for s, v in zip((left, right), values, strict=True)
    )
    whole = sums[0].sum(axis=0)
    value = float(np.clip(-whole[0] / (whole[1] + RIDGE), low, high))
    gain = gain + whole[0] * value + 0.5 * (whole[1] + RIDGE) * value**2
    allowed = np.array(SIGNS)[:, None] * (values[1] - values[0]) >= 0
    allowed &= (left[..., 1] >= LEAST_WEIGHT) & (right[..., 1] >= LEAST_WEIGHT)
    gain = np.where(allowed, gain, -np.inf)
    f, b = (int(i) for i in np.unravel_index(int(np.argmax(gain)), gain.shape))
    if gain[f, b] <= 1e-6:
        return None
    return Cut(f, b, float(values[0][f, b]), float(values[1][f, b]))


def bounds_below(cut: Cut, low: float, high: float) -> list[tuple[float, float]]:
    """Bound the values of both children, so that no grandchild breaks the order of the cut."""
    middle = (cut.left + cut.right) / 2
    if SIGNS[cut.feature] > 0:
        return [(low, middle), (middle, high)]
    if SIGNS[cut.feature] < 0:
        return [(middle, high), (low, middle)]
    return [(low, high), (low, high)]


def grow(bins: NDArray[np.uint8], pull: FloatArray) -> tuple[list[Cut | None], FloatArray, Any]:
    """Grow one complete tree; returns its cuts level by level, its leaves, each row's leaf."""
    node = np.zeros(len(bins), np.int64)
    whole = pull.sum(axis=0)
    bounds, values = [(-math.inf, math.inf)], [float(-whole[0] / (whole[1] + RIDGE))]
    cuts: list[Cut | None] = []
    for level in range(DEPTH):
        sums = sums_by_bin(bins, node, pull, (2**level, BINS + 1))
        here = [best_cut(sums[k], *bounds[k]) for k in range(2**level)]
        # Where no cut helps, every row goes left and the right child is never reached.
        feature = np.array([cut.feature if cut else 0 for cut in here])
        last = np.array([cut.bin if cut else BINS for cut in here])
        node = 2 * node + (bins[np.arange(len(bins)), feature[node]] > last[node])
        bounds = [
            pair
            for cut, b in zip(here, bounds, strict=True)
            for pair in (bounds_below(cut, *b) if cut else [b, b])
        ]
        values = [
            value
            for cut, v in zip(here, values, strict=True)
            for value in ((cut.left, cut.right) if cut else (v, v))
        ]
        cuts += here
    return cuts, np.array(values), node


def train(rows: Rows) -> confidence.Model:
    """Boost trees on the logistic loss of the right share of each match."""
    quantiles = np.linspace(0, 1, BINS + 1)[1:-1]
    columns = rows.features.astype(np.float64).T
    edges = [np.unique(np.quantile(column, quantiles)) for column in columns]
    bins = np.stack(
        [np.searchsorted(e, c, side="left") for e, c in zip(edges, columns, strict=True)], axis=1
    ).astype(np.uint8)
    mean = float(np.clip(rows.right.mean(), 1e-3, 1 - 1e-3))
    base = math.log(mean / (1 - mean))
    logit = np.full(len(bins), base)
    feature, threshold, leaves = [], [], []
    for _ in range(TREES):
        p = 1 / (1 + np.exp(-logit))
        cuts, value, leaf = grow(bins, np.stack([p - rows.right, p * (1 - p)], axis=1))
        feature.append([cut.feature if cut else 0 for cut in cuts])
        threshold.append([float(edges[cut.feature][cut.bin]) if cut else NEVER for cut in cuts])
        leaves.append(RATE * value)
        logit += RATE * value[leaf]
    return confidence.Model(np.array(feature), np.array(threshold), np.array(leaves), base, VERSION)


def report_on(model: confidence.Model, rows: Rows) -> dict[str, float]:
    """Measure calibration and sharpness on rows that the model may not have seen."""
    p = 1 / (1 + np.exp(-confidence.logits(model, rows.features)))
    tenth = np.minimum((p * 10).astype(int), 9)
    error = sum(
        abs(float(p[tenth == b].sum() - rows.right[tenth == b].sum())) / len(p) for b in range(10)
    )
    counted = p >= 0.6
    return {
        "matches": len(p),
        "expected_calibration_error": round(error, 4),
        "right_among_counted": round(float(rows.right[counted].mean()), 4),
        "counted_among_right": round(float(rows.right[counted].sum() / rows.right.sum()), 4),
        "brier": round(float(np.mean((p - rows.right) ** 2)), 5),
    }


def write(model: confidence.Model, provenance: dict[str, Any], out: Path) -> None:
    """Write the model as JSON, with where it comes from."""
    body = {
        "version": model.version,
        "provenance": provenance,
        "features": list(FEATURES),
        "base": round(model.base, 5),
        "feature": model.feature.tolist(),
        "threshold": [[float(f"{v:.7g}") for v in tree] for tree in model.threshold.tolist()],
        "value": [[round(v, 5) for v in tree] for tree in model.value.tolist()],
    }
    out.write_text(json.dumps(body, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    """Train on the regions given and report on those held back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("regions", nargs="+", type=Path)
    parser.add_argument("--check", nargs="*", type=Path, default=[])
    parser.add_argument("--made", action="store_true", help="add roads made from the segments")
    package = Path(confidence.__file__).parent
    parser.add_argument("--out", type=Path, default=package / confidence.MODEL_FILE)
    choice = parser.parse_args()
    rows = gather(choice.regions, made=choice.made)
    model = train(rows)
    provenance = {
        "method": f"{TREES} boosted trees of depth {DEPTH}, rate {RATE}, monotone",
        "trained_on": [folder.name for folder in choice.regions],
        "made_seeds": list(SEEDS) if choice.made else [],
        "licence_of_data": "OpenStreetMap contributors, Overture Maps Foundation (ODbL)",
        "seen": report_on(model, rows),
        "held_back": {
            folder.name: report_on(model, gather([folder], made=False)) for folder in choice.check
        },
    }
    write(model, provenance, choice.out)
    print(json.dumps(provenance, indent=2))


if __name__ == "__main__":
    main()
