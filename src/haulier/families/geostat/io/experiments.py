"""Experimental variograms as objects: a table of directions, and one of their lags."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.objects import EXPERIMENTAL, GeoObject, load_object
from haulier.families.geostat.io.tables import numbers, open_table
from haulier.families.geostat.method.experimental import ExperimentalVariogram
from haulier.families.geostat.method.lags import Direction, Form, Lags

SCHEMA: Final = f"/objects/{EXPERIMENTAL}/1.0.0/{EXPERIMENTAL}.schema.json"
DIRECTIONS: Final = "directions"
LAGS: Final = "lags"
#: How each estimator is called in objects.
TYPES: Final[Mapping[str, str]] = {
    "matheron": "semi-variogram",
    "cressie": "robust semi-variogram",
    "madogram": "madogram",
    "covariance": "covariance",
    "correlogram": "correlogram",
}
ESTIMATORS: Final[Mapping[str, str]] = {word: name for name, word in TYPES.items()}
OPTIONAL: Final = ("dip_tolerance", "bandwidth", "bandheight")


def tables_of(found: ExperimentalVariogram) -> tuple[pa.Table, pa.Table]:
    """Give directions and lags as the schema has them; what is not limited is null."""
    columns: dict[str, pa.Array] = {
        "offset": pa.array(found.offset, pa.uint64()),
        "count": pa.array(found.count, pa.uint64()),
        "direction_type": pa.array([str(each.form) for each in found.directions], pa.string()),
    }
    columns |= {
        name: pa.array([_said(each, name) for each in found.directions], pa.float64())
        for name in ("azimuth", "dip", "azimuth_tolerance", *OPTIONAL)
    }
    lags = {
        "start": pa.array(found.start_m),
        "end": pa.array(found.end_m),
        "centroid": pa.array(found.centroid_m, mask=np.isnan(found.centroid_m)),
        "value": pa.array(found.value, mask=np.isnan(found.value)),
        "num_pairs": pa.array(found.num_pairs, pa.uint64()),
    }
    return pa.table(columns), pa.table(lags)


def _said(direction: Direction, name: str) -> float | None:
    unit = "m" if name.startswith("band") else "deg"
    value: float | None = getattr(direction, f"{name}_{unit}")
    return None if value is None or math.isinf(value) else float(value)


def experiment_values(found: ExperimentalVariogram) -> dict[str, Any]:
    """Give an experimental variogram in JSON terms, for later steps."""
    directions, lags = tables_of(found)
    return {
        "estimator": found.estimator,
        "variance": found.variance,
        DIRECTIONS: directions.to_pydict(),
        LAGS: lags.to_pydict(),
    }


def experimental_of(values: Mapping[str, Any]) -> ExperimentalVariogram:
    """Read what `experiment_values` gave.

    Raises:
        ValueError: directions and lags do not fit each other.
    """
    return _assembled(
        str(values["estimator"]), float(values["variance"]), values[DIRECTIONS], values[LAGS]
    )


def experiment_document(
    found: ExperimentalVariogram,
    infos: Mapping[str, Mapping[str, Any]],
    *,
    name: str,
    attribute: str,
) -> dict[str, Any]:
    """Give the document of an experimental variogram whose tables were written.

    Args:
        found: what is in them.
        infos: what a document says of the tables of directions and lags.
        name: of the object.
        attribute: whose variogram it is.
    """
    return {
        "name": name,
        "schema": SCHEMA,
        "attribute": attribute,
        "data_variance": found.variance,
        "variogram_type": TYPES[found.estimator],
        DIRECTIONS: dict(infos[DIRECTIONS]),
        LAGS: dict(infos[LAGS]),
    }


def load_experimental(context: Context, text: str, *, at: str) -> tuple[ExperimentalVariogram, str]:
    """Load the experimental variogram that a reference names, and the attribute it is of.

    Raises:
        Problem: it is not there, it is none, or something in it is wrong.
    """
    object_ = load_object(context, text, at=at, allowed={EXPERIMENTAL})
    document = object_.document
    said = str(document.get("variogram_type", TYPES["matheron"]))
    try:
        found = _assembled(
            ESTIMATORS.get(said, "matheron"),
            float(document["data_variance"]),
            _columns(context, object_, DIRECTIONS),
            _columns(context, object_, LAGS),
        )
    except (ValueError, TypeError, KeyError) as error:
        detail = f"{at} names experimental variogram '{object_.title}', which cannot be used"
        raise Problem(Code.INVALID, f"{detail}: {error}", at=at) from None
    return found, str(document.get("attribute", ""))


def _columns(context: Context, object_: GeoObject, name: str) -> dict[str, list[Any]]:
    """Read a table; its columns are told by their order, as the schema says."""
    names = (
        ("offset", "count", "direction_type", "azimuth", "dip", "azimuth_tolerance", *OPTIONAL)
        if name == DIRECTIONS
        else ("start", "end", "centroid", "value", "num_pairs")
    )
    info = object_.document.get(name)
    with open_table(context, info, at=object_.at, what=f"the {name}") as file:
        table = file.read()
    if table.num_columns != len(names):
        raise ValueError(f"the {name} must have {len(names)} columns, got {table.num_columns}")
    return {column: table.column(index).to_pylist() for index, column in enumerate(names)}


def _assembled(
    estimator: str,
    variance: float,
    directions: Mapping[str, Sequence[Any]],
    lags: Mapping[str, Sequence[Any]],
) -> ExperimentalVariogram:
    columns = {name: numbers(pa.array(values, pa.float64())) for name, values in lags.items()}
    made = [_direction(directions, number, columns) for number in range(len(directions["count"]))]
    counts = [int(count) for count in directions["count"]]
    if sum(counts) != len(columns["start"]):
        raise ValueError(f"directions have {sum(counts)} lags, got {len(columns['start'])}")
    return ExperimentalVariogram(
        tuple(made),
        estimator,
        variance,
        np.repeat(np.arange(len(made), dtype=np.int64), counts),
        columns["start"],
        columns["end"],
        columns["centroid"],
        columns["value"],
        columns["num_pairs"].astype(np.int64),
    )


def _direction(
    directions: Mapping[str, Sequence[Any]], number: int, lags: Mapping[str, Any]
) -> Direction:
    first, count = int(directions["offset"][number]), int(directions["count"][number])
    rows = slice(first, first + count)
    said = {name: directions[name][number] for name in directions}
    return Direction(
        Lags(lags["start"][rows], lags["end"][rows]),
        Form(str(said["direction_type"])),
        float(said["azimuth"] or 0.0),
        float(said["dip"] or 0.0),
        90.0 if said["azimuth_tolerance"] is None else float(said["azimuth_tolerance"]),
        None if said["dip_tolerance"] is None else float(said["dip_tolerance"]),
        math.inf if said["bandwidth"] is None else float(said["bandwidth"]),
        math.inf if said["bandheight"] is None else float(said["bandheight"]),
    )
