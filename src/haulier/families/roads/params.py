"""What a ROAD_MATCHING job takes: the customer's file, a release, and a few choices."""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from haulier.core.artifact import FileRef, check_filename
from haulier.core.problem import Code, Problem

RESULTS_SUFFIX: Final = ".results.parquet"


class Mode(StrEnum):
    """How much work a match is worth."""

    FAST = "fast"  # one pass at the expected accuracy
    ACCURATE = "accurate"  # three passes that learn shift and accuracy from the data


class OnBadRow(StrEnum):
    """What to do about a row that cannot be a road."""

    FAIL = "fail"
    SKIP = "skip"


class View(StrEnum):
    """A file to look at in a GIS."""

    NONE = "none"
    GEOJSON = "geojson"
    FLATGEOBUF = "flatgeobuf"


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"class_": "class"}):
    """Which column of the customer's file holds what; an empty name means: not used."""

    id: Annotated[
        str, Meta(description="Column of unique road ids, int32, int64 or string.", min_length=1)
    ] = "id"
    geometry: Annotated[
        str,
        Meta(
            description="Column of LINESTRINGs in WGS 84, longitude first: WKT text or WKB. "
            "Empty: the file's primary geometry column, else 'geometry'."
        ),
    ] = ""
    is_navigable: Annotated[
        str,
        Meta(
            description="Column of booleans; false or null roads are not matched. "
            "A file without this column has navigable roads only."
        ),
    ] = "is_navigable"
    name: Annotated[
        str, Meta(description="Column of road names; they help where roads run side by side.")
    ] = ""
    class_: Annotated[
        str, Meta(description="Column of road classes in the words of Overture or OpenStreetMap.")
    ] = ""
    one_way: Annotated[
        str,
        Meta(description="Column of booleans: true where traffic runs along the line only."),
    ] = ""
    level: Annotated[
        str, Meta(description="Column of integers: the grade level, 0 on the ground.")
    ] = ""


class Outputs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which files to make besides the matches and the status of each road."""

    bridge: Annotated[
        bool, Meta(description="Write an Overture bridge file (customer id to GERS id).")
    ] = False
    view: Annotated[
        View, Meta(description="Write the roads with their status for a GIS, in this format.")
    ] = View.NONE
    report: Annotated[
        bool, Meta(description="Write one HTML page with a map and the statistics.")
    ] = True


class RoadMatching(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Match a customer's road network to Overture segments and their GERS ids."""

    input: Annotated[
        FileRef,
        Meta(
            description="The customer's roads: Parquet (WKT or WKB), GeoParquet, FlatGeobuf, "
            "GeoPackage or GeoJSON, in a named storage."
        ),
    ]
    overture_release: Annotated[
        str,
        Meta(
            description="Name of a registered Overture release.",
            examples=["2026-01-21.0"],
            min_length=1,
            max_length=200,
        ),
    ]
    mode: Annotated[Mode, Meta(description="'accurate' makes three passes, 'fast' makes one.")] = (
        Mode.ACCURATE
    )
    confidence_threshold: Annotated[
        int,
        Meta(
            description="Matches of at least this confidence (0-100) count as matched.",
            ge=0,
            le=100,
        ),
    ] = 60
    on_bad_row: Annotated[
        OnBadRow,
        Meta(
            description="'fail' ends the job at the first bad row; 'skip' leaves bad rows out "
            "and lists them, with the reason, in the status of roads."
        ),
    ] = OnBadRow.FAIL
    columns: Annotated[
        Columns, Meta(description="Names of the columns in the customer's file.")
    ] = Columns()
    outputs: Annotated[Outputs, Meta(description="Which further files to make.")] = Outputs()


def check_params(params: RoadMatching) -> RoadMatching:
    """Give the parameters back if they can be right, without looking at any file.

    Raises:
        Problem: INVALID; the file's name is no name, or two columns share one.
    """
    check_filename(params.input.filename, at="input.filename")
    used: dict[str, str] = {}
    for role, column in msgspec.to_builtins(params.columns).items():
        if column and column in used:
            raise Problem(
                Code.INVALID,
                f"columns.{role} and columns.{used[column]} must name two columns, "
                f"both name {column!r}",
                at=f"columns.{role}",
            )
        used[column] = role
    return params


def results_filename(input_filename: str) -> str:
    """Name the results after the input: test_data.parquet gives test_data.results.parquet."""
    return stem(input_filename) + RESULTS_SUFFIX


def stem(filename: str) -> str:
    """Cut the last extension off a file name."""
    head, dot, _ = filename.rpartition(".")
    return head if dot and head else filename
