"""What the builders of octrees take: how fine, how large, and within how much memory."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Span = Annotated[
    Literal[32, 64, 128, 256],
    Meta(
        description=(
            "Voxels along a side of a node: a node above others keeps one point of each. More "
            "means fewer, larger nodes."
        )
    ),
]
LeafMax = Annotated[
    int,
    Meta(
        description="A cell with more points than this is divided, and shows a selection of them.",
        ge=1,
        le=10_000_000,
    ),
]
MemoryMb = Annotated[
    float,
    Meta(
        description=(
            "What the points that one process holds may take, in megabytes; the process itself "
            "takes about 200 more. It changes how the work is divided, not the result."
        ),
        gt=0,
        le=65_536,
    ),
]
Extent = Annotated[
    Literal["header", "points"],
    Meta(
        description=(
            "Where the extent of the cloud is taken from. 'points' reads them once more, and is "
            "for files whose header is wrong."
        )
    ),
]
PageNodes = Annotated[
    int, Meta(description="How many nodes one page of the hierarchy lists at most.", ge=9)
]


class Octree(Struct, frozen=True, forbid_unknown_fields=True):
    """What decides an octree, and what its building may take."""

    span: Span = 128
    leaf_max: LeafMax = 100_000
    memory_mb: MemoryMb = 160.0
    extent: Extent = "header"


class BuildEpt(Octree, frozen=True):
    """BUILD_EPT."""

    data_type: Annotated[
        Literal["laszip", "binary", "zstandard"],
        Meta(description="How tiles are encoded: 'laszip' is by far the smallest."),
    ] = "laszip"
    page_nodes: PageNodes = 10_000


class BuildCopc(Octree, frozen=True):
    """BUILD_COPC."""

    page_nodes: PageNodes = 10_000


class BuildPotree(Octree, frozen=True):
    """BUILD_POTREE."""

    encoding: Annotated[
        Literal["DEFAULT", "BROTLI"],
        Meta(description="How nodes are encoded: 'BROTLI' is smaller, and slower to build."),
    ] = "DEFAULT"
