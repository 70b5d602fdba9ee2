"""What finding the ground takes, and heights above it."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from haulier.families.clouds.params.rasters import (
    FillCells,
    HeightMethod,
    HeightUnit,
    Resolution,
    Returns,
)

CellM = Annotated[
    float,
    Meta(
        description="Side of the cells whose lowest points are looked at, in metres; of sparse "
        "clouds about the distance between points.",
        gt=0.0,
        le=100.0,
    ),
]


class ClassifyGround(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """CLASSIFY_GROUND."""

    method: Annotated[
        Literal["smrf", "csf"],
        Meta(
            description="'smrf': openings with growing windows (Pingel et al. 2013); 'csf': a "
            "cloth let down on the cloud turned over (Zhang et al. 2016), in tiles of 1024 cells a "
            "side that overlap by 32 m."
        ),
    ] = "smrf"
    cell_m: CellM = 1.0
    threshold_m: Annotated[
        float,
        Meta(description="Points up to so far from the terrain are ground, in metres.", gt=0.0),
    ] = 0.5
    scalar_m: Annotated[
        float,
        Meta(description="Metres that the threshold grows by for each unit of slope.", ge=0.0),
    ] = 1.25
    slope: Annotated[
        float,
        Meta(description="smrf: steepest terrain, rise over run.", gt=0.0, le=10.0),
    ] = 0.15
    window_m: Annotated[
        float,
        Meta(
            description="smrf: half the width of the widest building, in metres.",
            gt=0.0,
            le=500.0,
        ),
    ] = 18.0
    window_shape: Annotated[
        Literal["square", "disc"],
        Meta(description="smrf: shape of the windows; 'square' is faster."),
    ] = "square"
    rigidness: Annotated[
        Literal[1, 2, 3],
        Meta(description="csf: how stiff the cloth is: 1 for mountains, 3 for plains."),
    ] = 2
    cloth_m: Annotated[
        float, Meta(description="csf: mesh of the cloth, in metres.", ge=0.1, le=100.0)
    ] = 1.0
    iterations: Annotated[int, Meta(description="csf: steps of falling.", ge=1, le=5000)] = 500
    steep: Annotated[
        bool, Meta(description="csf: let the cloth down onto steep slopes afterwards.")
    ] = True
    returns: Returns = "last"
    others: Annotated[
        Literal["keep", "reset"],
        Meta(
            description="What becomes of the class of other points: 'keep', but ground that is "
            "none becomes 1; 'reset', all become 1, noise excepted."
        ),
    ] = "keep"
    height_unit: HeightUnit = "auto"


class HeightAboveGround(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """HEIGHT_ABOVE_GROUND."""

    resolution: Resolution = 1.0
    method: HeightMethod = "auto"
    fill_cells: FillCells = 128
    write_to: Annotated[
        Literal["dimension", "z"],
        Meta(
            description="'dimension': a field HeightAboveGround, in the unit of Z, NaN where no "
            "ground is near; 'z': instead of Z, and points with no ground near are left out."
        ),
    ] = "dimension"
