"""What colouring takes."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from haulier.families.clouds.params.rasters import FillCells, HeightUnit, Resolution

#: Names of ramps, and lists of #rrggbb.
Palette = Annotated[
    str,
    Meta(
        description="Colours from low to high: the name of a ramp (viridis, terrain, turbo, magma, "
        "grey, bathymetry, rainbow), or colours such as '#0000ff,#ffff00,#ff0000'.",
        examples=["viridis", "#0000ff,#ffff00,#ff0000"],
        min_length=1,
        max_length=1000,
    ),
]


class ColorizeAsDem(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """COLORIZE_AS_DEM."""

    resolution: Resolution = 1.0
    palette: Palette | None = None
    pallete: (
        Annotated[str, Meta(description="The same, as MapPrism spells it.", max_length=1000)] | None
    ) = None
    low: (
        Annotated[float, Meta(description="Height of the first colour; null: that of 2 %.")] | None
    ) = None
    high: (
        Annotated[float, Meta(description="Height of the last colour; null: that of 98 %.")] | None
    ) = None
    shading: Annotated[
        float,
        Meta(description="How much a hillshade darkens the colours, 0 to 1.", ge=0.0, le=1.0),
    ] = 0.5
    fill_cells: FillCells = 64
    height_unit: HeightUnit = "auto"


class ColorizeFromTif(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """COLORIZE_FROM_TIF."""

    sampling: Annotated[
        Literal["nearest", "bilinear"],
        Meta(description="The colour of the cell that a point lies in, or between four of them."),
    ] = "nearest"
    outside: Annotated[
        Literal["keep", "black"],
        Meta(description="What becomes of the colour of points that the picture does not cover."),
    ] = "keep"
