"""The roads with what became of them, as GeoJSON or FlatGeobuf for a GIS."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
import shapely
from numpy.typing import NDArray

from haulier.families.roads.io.outcomes import Outcome
from haulier.families.roads.method.lines import Lines
from haulier.families.roads.params import View

DRIVERS: Final = {View.GEOJSON: "GeoJSON", View.FLATGEOBUF: "FlatGeobuf"}
DECIMALS: Final = 7  # of a degree: about a centimetre
WKB_FIELD: Final = pa.field("geometry", pa.binary(), metadata={b"ARROW:extension:name": b"ogc.wkb"})
VIEW_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("coverage", pa.float64()),
        ("best_confidence", pa.int32()),
        ("gers", pa.string()),
        WKB_FIELD,
    ]
)


def write_view(path: Path, view: View, outcomes: Iterable[Outcome], threshold: int) -> None:
    """Write one line a road, a tile at a time.

    Args:
        path: with the extension of the format.
        view: which format.
        outcomes: what became of the roads.
        threshold: confidence from which a match counts.
    """
    reader = pa.RecordBatchReader.from_batches(VIEW_SCHEMA, _batches(outcomes, threshold))
    options: dict[str, Any] = {}
    if view is View.GEOJSON:
        options = {"RFC7946": "YES", "COORDINATE_PRECISION": str(DECIMALS)}
    pyogrio.write_arrow(
        reader,
        path,
        driver=DRIVERS[view],
        geometry_name="geometry",
        geometry_type="LineString",
        crs="EPSG:4326",
        **options,
    )


def _batches(outcomes: Iterable[Outcome], threshold: int) -> Iterator[pa.RecordBatch]:
    for outcome in outcomes:
        reason = outcome.reasons()
        columns = {
            "id": outcome.id,
            "status": pa.array(outcome.status_words(), pa.string()),
            "reason": pa.array(reason, pa.string(), mask=np.equal(reason, "").astype(bool)),
            "coverage": pa.array(np.round(outcome.status.coverage, 4)),
            "best_confidence": pa.array(outcome.status.best_confidence, pa.int32()),
            "gers": joined_gers(outcome, threshold),
            "geometry": pa.array(shapely.to_wkb(geometries(outcome.lines)), pa.binary()),
        }
        yield pa.RecordBatch.from_pydict(columns, schema=VIEW_SCHEMA)


def geometries(lines: Lines) -> NDArray[np.object_]:
    """Give the lines as geometries; every one has at least two vertices."""
    owner = np.repeat(np.arange(len(lines)), np.diff(lines.offsets))
    return np.asarray(shapely.linestrings(lines.coordinates, indices=owner), dtype=object)


def joined_gers(outcome: Outcome, threshold: int) -> pa.Array:
    """Give each road's GERS ids of the matches that count, in their order, with commas."""
    counts = outcome.matches.confidence >= threshold
    road = outcome.matches.road[counts]
    gers = outcome.gers.filter(pa.array(counts))
    per_road = np.bincount(road, minlength=len(outcome.row))
    offsets = np.concatenate([np.zeros(1), np.cumsum(per_road)]).astype(np.int32)
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), gers), ",")
