"""What the steps take that look at a cloud and leave it as it is."""

from typing import Annotated

from msgspec import Meta, Struct


class DatasetInfo(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """DATASET_INFO."""

    histogram_bins: Annotated[
        int,
        Meta(
            description="How many bins a histogram has at most; their width is the smallest that "
            "allows it, twice, four times and so on the step of the stored numbers.",
            ge=8,
            le=1024,
        ),
    ] = 256
    outline_cells: Annotated[
        int,
        Meta(
            description="How many cells the outline has at most along X and along Y; more are "
            "finer, and show holes between flight lines.",
            ge=8,
            le=512,
        ),
    ] = 128


class ValidateLas(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VALIDATE_LAS."""

    read_points: Annotated[
        bool,
        Meta(
            description="Read every point; without, only header, records and the table of chunks "
            "are looked at."
        ),
    ] = True
