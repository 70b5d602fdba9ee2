"""What the steps take that leave points out: FILTER, CROP, THIN, OUTLIER."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from haulier.families.clouds.params.rasters import HeightUnit


class Filter(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """FILTER."""

    expression: Annotated[
        str,
        Meta(
            description="Points of which this is true are kept. Dimensions have PDAL's names; X, "
            "Y, Z and scaled extra dimensions are meant in their units, not as stored. There are "
            "and, or, not, comparisons, in, + - * / // %, and abs, sqrt, floor, ceil, round, min, "
            "max, isfinite.",
            examples=[
                "Classification in [2, 9] and Z > 10",
                "ReturnNumber == NumberOfReturns and not Withheld",
            ],
            min_length=1,
            max_length=2000,
        ),
    ]


class Crop(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """CROP."""

    bbox: (
        Annotated[
            tuple[float, ...],
            Meta(
                description="Least X, Y and greatest X, Y; or least X, Y, Z and greatest X, Y, Z.",
                min_length=4,
                max_length=6,
                examples=[[635000, 848000, 636000, 849000]],
            ),
        ]
        | None
    ) = None
    polygon: (
        Annotated[
            str | dict[str, Any],
            Meta(
                description="A polygon or several: GeoJSON (geometry, feature or collection), or "
                "WKT.",
                examples=["POLYGON ((0 0, 100 0, 100 100, 0 0))"],
            ),
        ]
        | None
    ) = None
    crs: (
        Annotated[
            int | str,
            Meta(
                description="The system that bbox or polygon are in. Null: that of the cloud, also "
                "for GeoJSON.",
                examples=["EPSG:4326"],
            ),
        ]
        | None
    ) = None
    keep: Annotated[
        Literal["inside", "outside"],
        Meta(description="Which points are kept; those on the edge are inside."),
    ] = "inside"


class Thin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """THIN."""

    method: Annotated[
        Literal["voxel_first", "voxel_centre", "poisson", "nth"],
        Meta(
            description="'voxel_first' keeps the first point of each cube, 'voxel_centre' the one "
            "nearest to the mean of the cube's points, 'poisson' points that are nowhere nearer to "
            "each other than `size`, 'nth' every n-th point of the file."
        ),
    ] = "voxel_first"
    size: (
        Annotated[
            float,
            Meta(
                description="Edge of the cubes, or distance, in the unit of X and Y; Z is scaled "
                "to it where its unit is another.",
                gt=0.0,
                le=1e6,
            ),
        ]
        | None
    ) = None
    every: (
        Annotated[int, Meta(description="Which point is kept of how many, for 'nth'.", ge=2)] | None
    ) = None
    height_unit: HeightUnit = "auto"


class Outlier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """OUTLIER."""

    neighbours: Annotated[
        int,
        Meta(description="How many nearest points the mean distance is taken to.", ge=1, le=100),
    ] = 8
    multiplier: Annotated[
        float,
        Meta(
            description="Points are outliers whose mean distance is so many standard deviations "
            "above the mean of all.",
            gt=0.0,
        ),
    ] = 3.0
    action: Annotated[
        Literal["classify", "drop"],
        Meta(
            description="'classify' gives them class 7 (low noise) or 18 (high noise), as they lie "
            "below or above the points around; 'drop' leaves them out."
        ),
    ] = "classify"
    height_unit: HeightUnit = "auto"
