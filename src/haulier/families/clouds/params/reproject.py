"""What REPROJECT_LAS may be asked for."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

SystemName = Annotated[
    int | str,
    Meta(
        description="A coordinate system: 2271, EPSG:2271, ESRI:102729, a compound one such as "
        "EPSG:26915+EPSG:5703, or WKT.",
        examples=["EPSG:2271", "EPSG:26915+EPSG:5703"],
    ),
]
GridPolicy = Literal["require", "known_accuracy", "allow_ballpark"]


class ReprojectLas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of REPROJECT_LAS."""

    source_epsg: SystemName
    target_epsg: SystemName
    vertical: Annotated[
        str,
        Meta(
            description="What becomes of Z: 'keep' leaves the numbers, 'scale_to_m' turns feet "
            "into metres, a vertical system such as EPSG:5703 transforms heights. Empty: allowed "
            "where nothing can be meant but one thing.",
            examples=["keep", "scale_to_m", "EPSG:5703"],
        ),
    ] = ""
    grids: Annotated[
        GridPolicy,
        Meta(
            description="Where the best operation needs grids that are not here: 'require' "
            "refuses, 'known_accuracy' takes the next best of a stated accuracy and warns, "
            "'allow_ballpark' also takes one of unknown accuracy and warns.",
        ),
    ] = "known_accuracy"
    scale: (
        Annotated[
            float,
            Meta(
                description="Step of the stored X and Y, in the unit of the target: metres, feet "
                "or degrees. Null: one millimetre or thousandth of a foot, finer where the "
                "source is; of degrees the finest that fits.",
                gt=0.0,
            ),
        ]
        | None
    ) = None
    tolerance_mm: Annotated[
        float,
        Meta(
            description="How far polynomials may be from PROJ before PROJ itself is used, "
            "in millimetres.",
            ge=0.0,
            le=1000.0,
        ),
    ] = 0.01
    override_source_crs: Annotated[
        bool,
        Meta(description="Believe source_epsg where the file or the places say otherwise."),
    ] = False
    out_format: Annotated[
        Literal["laz", "las"],
        Meta(
            description="What is written. 'las' has seven times the size and halves the work of "
            "this step and the next: for what only later steps of the job read.",
        ),
    ] = "laz"
