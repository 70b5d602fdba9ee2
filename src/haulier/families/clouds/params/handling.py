"""What the steps take that put clouds together and cut them up: MERGE_LAS, TILE_LAS."""

from typing import Annotated, Literal

from msgspec import Meta, Struct


class MergeLas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """MERGE_LAS."""

    crs: Annotated[
        Literal["same", "first"],
        Meta(
            description="'same' refuses clouds that say different coordinate systems; 'first' "
            "takes the numbers as they are, in the system of the first, and warns."
        ),
    ] = "same"
    scale: Annotated[
        Literal["same", "finest", "first"],
        Meta(
            description="'same' refuses clouds whose steps differ; 'finest' stores all in the "
            "finest of them, which changes no coordinate by more than half a step; 'first' rounds "
            "to those of the first. Offsets need not be the same."
        ),
    ] = "same"
    gps_time: Annotated[
        Literal["same", "first"],
        Meta(
            description="'same' refuses to mix seconds of a week with adjusted GPS time; 'first' "
            "leaves the numbers as they are, says what the first says, and warns."
        ),
    ] = "same"
    source_ids: Annotated[
        Literal["keep", "number"],
        Meta(
            description="What becomes of PointSourceId: 'number' makes it the place of the cloud "
            "in the list, from 1."
        ),
    ] = "keep"


class TileLas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """TILE_LAS."""

    size: Annotated[
        float, Meta(description="Side of a tile, in the unit of X and Y.", gt=0.0, le=1e9)
    ]
    origin: (
        Annotated[
            tuple[float, float],
            Meta(
                description="X and Y of a corner of a tile. Null: zero, so that tiles of one size "
                "fit together whatever cloud they are of."
            ),
        ]
        | None
    ) = None
    buffer: Annotated[
        float,
        Meta(
            description="Points of neighbours that a tile gets besides, up to so far from its "
            "edge, in the unit of X and Y; at most `size`.",
            ge=0.0,
            le=1e9,
        ),
    ] = 0.0
    mark_buffer: Annotated[
        Literal["withheld", "none"],
        Meta(
            description="'withheld' sets that flag on points of the buffer, so that nobody counts "
            "them twice."
        ),
    ] = "withheld"
