"""Turn roads into rows of an Overture release, and write them as a release lies on disk."""

import json
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray
from pyproj import Geod

from haulier.families.roads.demo.osm import Ways
from haulier.families.roads.method.lines import BoolArray, FloatArray, Lines
from haulier.families.roads.tiles import bounds, finest_keys, middles

ROW_GROUP: Final = 256  # small, so that a small release has row groups to choose from
FOLDER: Final = "theme=transportation/type=segment"
GEOD: Final = Geod(ellps="WGS84")
GERS_SPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "https://www.openstreetmap.org/way/")
LICENCE: Final = "ODbL-1.0, \N{COPYRIGHT SIGN} OpenStreetMap contributors"
BETWEEN: Final = ("between", pa.list_(pa.float64()))
SEGMENT_SCHEMA: Final = pa.schema(
    [
        ("id", pa.string()),
        ("geometry", pa.binary()),
        ("bbox", pa.struct([(side, pa.float32()) for side in ("xmin", "xmax", "ymin", "ymax")])),
        ("version", pa.int32()),
        (
            "sources",
            pa.list_(pa.struct([("dataset", pa.string()), ("record_id", pa.string())])),
        ),
        ("subtype", pa.string()),
        ("class", pa.string()),
        ("names", pa.struct([("primary", pa.string())])),
        (
            "connectors",
            pa.list_(pa.struct([("connector_id", pa.string()), ("at", pa.float64())])),
        ),
        (
            "access_restrictions",
            pa.list_(
                pa.struct(
                    [
                        ("access_type", pa.string()),
                        ("when", pa.struct([("heading", pa.string())])),
                        BETWEEN,
                    ]
                )
            ),
        ),
        ("level_rules", pa.list_(pa.struct([("value", pa.int32()), BETWEEN]))),
    ]
)


def segment_table(ways: Ways) -> pa.Table:
    """Make one segment of each way, in the columns of Overture's transportation theme.

    Connectors stand where ways share a node, and at both ends; `at` is geodesic, as Overture
    defines it. Ids follow from the way's, so the same extract gives the same release.
    """
    boxes = bounds(ways.lines.coordinates, ways.lines.offsets)
    owner = np.repeat(np.arange(len(ways.lines)), np.diff(ways.lines.offsets))
    geometries = shapely.linestrings(ways.lines.coordinates, indices=owner)
    connectors = _connectors(ways)
    rows = [
        {
            "id": str(uuid.uuid5(GERS_SPACE, str(way))),
            "geometry": wkb,
            "bbox": _outward(box),
            "version": 1,
            "sources": [{"dataset": "OpenStreetMap", "record_id": f"w{way}"}],
            "subtype": "road",
            "class": road_class,
            "names": {"primary": name} if name else None,
            "connectors": joined,
            "access_restrictions": _restrictions(int(one_way)),
            "level_rules": [{"value": int(level)}] if level else None,
        }
        for way, wkb, box, road_class, name, joined, one_way, level in zip(
            ways.id.tolist(),
            shapely.to_wkb(geometries).tolist(),
            boxes,
            ways.road_class,
            ways.name,
            connectors,
            ways.one_way,
            ways.level,
            strict=True,
        )
    ]
    order = np.argsort(finest_keys(middles(boxes)), kind="stable")  # as releases are: by place
    return pa.Table.from_pylist(rows, schema=SEGMENT_SCHEMA).take(pa.array(order))


def _outward(box: FloatArray) -> dict[str, float]:
    """Round a box to 32 bits so that it still holds the segment."""
    low = np.nextafter(box[:2].astype(np.float32), np.float32(-np.inf))
    high = np.nextafter(box[2:].astype(np.float32), np.float32(np.inf))
    return {"xmin": low[0], "xmax": high[0], "ymin": low[1], "ymax": high[1]}


def _restrictions(one_way: int) -> list[dict[str, Any]] | None:
    if one_way == 0:
        return None
    heading = "backward" if one_way > 0 else "forward"
    return [{"access_type": "denied", "when": {"heading": heading}}]


def _connectors(ways: Ways) -> list[list[dict[str, Any]]]:
    at = fractions(ways.lines)
    here = _shared(ways)
    found: list[list[dict[str, Any]]] = []
    for first, last in zip(ways.lines.offsets[:-1], ways.lines.offsets[1:], strict=True):
        rows = first + np.flatnonzero(here[first:last])
        found.append(
            [{"connector_id": f"n{ways.node[row]}", "at": float(at[row])} for row in rows.tolist()]
        )
    return found


def _shared(ways: Ways) -> BoolArray:
    """Say of each vertex whether a connector stands there."""
    _, place, count = np.unique(ways.node, return_inverse=True, return_counts=True)
    here: BoolArray = count[place] > 1
    here[ways.lines.offsets[:-1]] = True
    here[ways.lines.offsets[1:] - 1] = True
    return here


def fractions(lines: Lines) -> FloatArray:
    """Measure where on its line each vertex stands, geodesic; (n,) 0 to 1."""
    x, y = lines.coordinates[:, 0], lines.coordinates[:, 1]
    _, _, step_m = GEOD.inv(x[:-1], y[:-1], x[1:], y[1:])
    along = np.concatenate([[0.0], np.cumsum(step_m)])
    first, last = lines.offsets[:-1], lines.offsets[1:] - 1
    counts = np.diff(lines.offsets)
    start = np.repeat(along[first], counts)
    whole = np.repeat(along[last] - along[first], counts)
    share: FloatArray = (along - start) / np.maximum(whole, 1e-9)
    share[last] = 1.0  # without the last digit's error of the sums
    return np.clip(share, 0.0, 1.0)


def write_release(folder: Path, segments: pa.Table) -> Path:
    """Write segments as GeoParquet where Overture's releases have them; gives the folder."""
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    geometries: NDArray[np.object_] = shapely.from_wkb(segments["geometry"].to_numpy())
    corners = [["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")]
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        "columns": {
            "geometry": {
                "encoding": "WKB",
                "geometry_types": ["LineString"],
                "bbox": [float(side) for side in shapely.total_bounds(geometries)],
                "covering": {
                    "bbox": dict(zip(("xmin", "ymin", "xmax", "ymax"), corners, strict=True))
                },
            }
        },
    }
    described = segments.replace_schema_metadata({"geo": json.dumps(geo), "license": LICENCE})
    path = place / "part-00000.zstd.parquet"
    pq.write_table(described, path, compression="zstd", row_group_size=ROW_GROUP)
    return folder
