"""What the makers of rasters take: cells, which points, and how voids are filled."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Resolution = Annotated[
    float,
    Meta(description="Side of a cell, in the unit of the cloud's X and Y.", gt=0.0, le=1e6),
]
ClassCode = Annotated[int, Meta(ge=0, le=255)]
Classes = Annotated[
    tuple[ClassCode, ...],
    Meta(description="Only points of these classes count; empty: what the surface is made of."),
]
FillCells = Annotated[
    int,
    Meta(
        description="Voids between cells with points are filled from up to so many cells away; "
        "what lies outside of the cloud's hull never is. 0: nothing is filled.",
        ge=0,
        le=512,
    ),
]
HeightUnit = Annotated[
    Literal["auto", "metre", "foot", "us_survey_foot"],
    Meta(
        description="Unit of Z. 'auto' takes what the vertical system says, or else the unit of "
        "X and Y with a warning."
    ),
]
Returns = Annotated[
    Literal["all", "first", "last"], Meta(description="Which returns of a pulse count.")
]
HeightMethod = Annotated[
    Literal["auto", "mean", "min", "max", "idw", "plane"],
    Meta(
        description="How the height of a cell comes from its points: their 'mean', 'min' or "
        "'max'; 'idw', the mean by the inverse square of distance from the centre, neighbouring "
        "cells among them; 'plane', the mean moved to the centre along the slope. 'auto': 'plane' "
        "for terrain, 'max' for the surface."
    ),
]


class GenerateDem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GENERATE_DEM."""

    resolution: Resolution = 1.0
    method: HeightMethod = "auto"
    surface: Annotated[
        Literal["dtm", "dsm", "chm"],
        Meta(
            description="'dtm': the terrain, of ground points; 'dsm': what is seen from above, "
            "without points of noise; 'chm': the second over the first, never below zero."
        ),
    ] = "dtm"
    ground: Annotated[
        Literal["auto", "class", "smrf", "csf"],
        Meta(
            description="Where terrain comes from: points of class 2, or the lowest points of "
            "cells that a filter finds to be ground. 'auto': class 2 if there are any, else smrf "
            "with a warning."
        ),
    ] = "auto"
    classes: Classes = ()
    returns: Returns = "all"
    fill_cells: FillCells = 64
    height_unit: HeightUnit = "auto"


class Density(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """DENSITY."""

    resolution: Resolution = 1.0
    classes: Classes = ()
    returns: Returns = "all"
    quantity: Annotated[
        Literal["density", "count"],
        Meta(description="Points per square metre on the ground, or points of each cell."),
    ] = "density"


class GenerateHillshade(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GENERATE_HILLSHADE."""

    azimuth: Annotated[
        float,
        Meta(description="Where light comes from: degrees from north, clockwise.", ge=0, le=360),
    ] = 315.0
    altitude: Annotated[
        float, Meta(description="How high the light stands, degrees.", gt=0, le=90)
    ] = 45.0
    z_factor: Annotated[
        float | Literal["auto"],
        Meta(
            description="Heights are multiplied with it before slopes are taken. 'auto': what the "
            "units of Z and of X and Y on the ground ask for, the scale of the map included."
        ),
    ] = "auto"
    height_unit: HeightUnit = "auto"


class GenerateContours(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """GENERATE_CONTOURS."""

    interval: Annotated[
        float, Meta(description="Between two lines, in the unit of the raster's values.", gt=0.0)
    ] = 1.0
    origin: Annotated[float, Meta(description="A height that has a line.")] = 0.0
    coordinates: Annotated[
        Literal["wgs84", "source"],
        Meta(
            description="'wgs84': longitude and latitude, as RFC 7946 demands of GeoJSON; "
            "'source': those of the raster, its system named in the old member 'crs'."
        ),
    ] = "wgs84"


class DiffDem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """DIFF_DEM."""

    align: Annotated[
        Literal["error", "resample"],
        Meta(
            description="Where the cells of the two do not lie on each other: refuse, or "
            "interpolate the earlier one at the centres of the later one's cells."
        ),
    ] = "error"
    threshold: Annotated[
        float,
        Meta(description="Differences up to it count as none, in the unit of the values.", ge=0.0),
    ] = 0.0
    height_unit: HeightUnit = "auto"


class RegridLas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """REGRID_LAS."""

    resolution: Resolution
    method: Annotated[
        Literal["mean", "min", "max"],
        Meta(description="Which height the one point of a cell has."),
    ] = "mean"
