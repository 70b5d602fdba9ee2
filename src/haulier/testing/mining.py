"""Downhole objects and block models in a gallery of geoscience objects, for tests."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from haulier.core.entry import Publication
from haulier.testing.geoscience import SPACE, Gallery, head_of


def intervals(
    gallery: Gallery,
    path: str,
    holes: Sequence[str],
    middles: ArrayLike,
    *attributes: Mapping[str, Any],
) -> str:
    """Make downhole intervals of one metre, upright, around their middles."""
    mid = np.asarray(middles, dtype=np.float64).reshape(-1, 3)
    half = np.array([0.0, 0.0, 0.5])
    ids = gallery.category("hole_id", holes)
    depth = -mid[:, 2]
    document = {
        **head_of(path, "downhole-intervals", "1.3.0"),
        "is_composited": False,
        "start": {"coordinates": gallery.coordinates(mid + half)},
        "end": {"coordinates": gallery.coordinates(mid - half)},
        "mid_points": {"coordinates": gallery.coordinates(mid)},
        "from_to": {
            "intervals": {"start_and_end": gallery.table({"from": depth - 0.5, "to": depth + 0.5})}
        },
        "hole_id": {"values": ids["values"], "table": ids["table"]},
        "attributes": list(attributes),
    }
    return gallery.put(path, document)


def collection(
    gallery: Gallery,
    path: str,
    collars: ArrayLike,
    paths: Sequence[ArrayLike],
    intervals: Sequence[ArrayLike],
    *attributes: Mapping[str, Any],
    desurvey: str = "minimum_curvature",
) -> str:
    """Make a downhole collection with one table of intervals.

    Args:
        gallery: where it goes.
        path: of the object.
        collars: (h, 3) metres.
        paths: of each hole, rows of distance, azimuth and dip.
        intervals: of each hole, rows of from and to.
        attributes: of the intervals of all holes, one hole after the other.
        desurvey: how stations are joined.
    """
    ids = gallery.category("hole_id", [f"H{n:03d}" for n in range(len(paths))])
    document = {
        **head_of(path, "downhole-collection", "1.3.1"),
        "type": "downhole",
        "desurvey": desurvey,
        "location": {
            "coordinates": gallery.coordinates(collars),
            "hole_id": {"values": ids["values"], "table": ids["table"]},
            "path": _rows(gallery, paths, ("distance", "azimuth", "dip")),
            "holes": _chunks(gallery, paths),
            "attributes": [],
        },
        "collections": [
            {
                "name": "assays",
                "collection_type": "interval",
                "from_to": {
                    "intervals": {"start_and_end": _rows(gallery, intervals, ("from", "to"))},
                    "attributes": list(attributes),
                },
                "holes": _chunks(gallery, intervals),
            }
        ],
    }
    return gallery.put(path, document)


def block_model(
    gallery: Gallery, path: str, size: Sequence[int], columns: Mapping[str, tuple[str, pa.Array]]
) -> str:
    """Make a block model of cubes of ten metres, and the object that stands for it.

    Args:
        gallery: where it goes.
        path: of the object.
        size: blocks along each axis.
        columns: of each title, its type and its values.
    """
    model = str(uuid5(NAMESPACE_URL, f"model {path}"))
    listed = [
        {
            "col_id": str(uuid5(NAMESPACE_URL, f"{path}/{title}")),
            "title": title,
            "data_type": type_,
            "unit_id": None,
            "data": gallery.table(pa.table({"values": values}))["data"],
        }
        for title, (type_, values) in columns.items()
    ]
    geometry = {
        "model_type": "regular",
        "origin": [0.0, 0.0, 0.0],
        "n_blocks": list(size),
        "block_size": [10.0, 10.0, 10.0],
    }
    name = SPACE + model
    reference = gallery.put(
        path,
        {
            **head_of(path, "block-model", "1.0.0"),
            "block_model_uuid": model,
            "block_model_version_uuid": str(uuid5(NAMESPACE_URL, f"{name}/1")),
            "geometry": geometry,
            "attributes": [
                {
                    "name": each["title"],
                    "key": each["col_id"],
                    "attribute_type": each["data_type"],
                    "block_model_column_uuid": each["col_id"],
                }
                for each in listed
            ],
        },
    )
    body = {**geometry, "object_id": gallery.get(path).id, "columns": listed}
    gallery.world.shelf.put(Publication(type="block-model", name=name, body=body, expects=0))
    return reference


def _rows(gallery: Gallery, tables: Sequence[ArrayLike], names: Sequence[str]) -> dict[str, Any]:
    parts = [np.asarray(each, dtype=np.float64).reshape(-1, len(names)) for each in tables]
    return gallery.table(dict(zip(names, np.concatenate(parts).T, strict=True)))


def _chunks(gallery: Gallery, tables: Sequence[ArrayLike]) -> dict[str, Any]:
    counts = np.array([len(np.asarray(each)) for each in tables])
    columns = {
        "hole_index": pa.array(np.arange(len(counts)), pa.int32()),
        "offset": pa.array(np.cumsum(counts) - counts, pa.uint64()),
        "count": pa.array(counts, pa.uint64()),
    }
    return gallery.table(pa.table(columns))
