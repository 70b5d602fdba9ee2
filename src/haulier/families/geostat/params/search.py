"""The search for samples around a location, and the ways of kriging."""

from typing import Annotated

from msgspec import Meta

from haulier.families.geostat.params.pieces import Piece

MOST_SAMPLES = 1000
MOST_OF_ALL = 2**31 - 1  # more than there are samples: no limit
#: How often the longest semi-axis of an ellipsoid may hold the shortest; beyond, it has no inside
#: that doubles can tell.
LONGEST_TO_SHORTEST = 1e12
Range = Annotated[float, Meta(description="Length of a semi-axis, in metres.", gt=0.0)]


class EllipsoidRanges(Piece, frozen=True):
    """The semi-axes of an ellipsoid."""

    major: Range
    semi_major: Range
    minor: Range


class Rotation(Piece, frozen=True):
    """Clockwise intrinsic rotations about Z, X and Z, in degrees; at zero, major lies along +X."""

    dip_azimuth: Annotated[float, Meta(description="About Z, degrees.", ge=0.0, le=360.0)] = 0.0
    dip: Annotated[float, Meta(description="About X, degrees.", ge=0.0, le=180.0)] = 0.0
    pitch: Annotated[float, Meta(description="About Z again, degrees.", ge=0.0, le=360.0)] = 0.0


class Ellipsoid(Piece, frozen=True):
    """An ellipsoid around a location."""

    ellipsoid_ranges: Annotated[EllipsoidRanges, Meta(description="Its semi-axes.")]
    rotation: Annotated[Rotation | None, Meta(description="How it lies; null: along the axes.")] = (
        None
    )


class Neighborhood(Piece, frozen=True):
    """Which samples a location sees."""

    ellipsoid: Annotated[Ellipsoid, Meta(description="Samples outside of it are not seen.")]
    max_samples: Annotated[
        int, Meta(description="The nearest so many are used.", ge=1, le=MOST_SAMPLES)
    ]
    min_samples: (
        Annotated[
            int, Meta(description="With fewer, the location gets no value.", ge=1, le=MOST_SAMPLES)
        ]
        | None
    ) = None


class SectorNeighborhood(Piece, frozen=True):
    """Which samples a location sees, with limits by sector and by drillhole."""

    ellipsoid: Annotated[Ellipsoid, Meta(description="Samples outside of it are not seen.")]
    max_samples: Annotated[
        int, Meta(description="The nearest so many are used.", ge=1, le=MOST_SAMPLES)
    ]
    min_samples: (
        Annotated[
            int, Meta(description="With fewer, the location gets no value.", ge=1, le=MOST_SAMPLES)
        ]
        | None
    ) = None
    max_empty_octants: (
        Annotated[int, Meta(description="With more empty octants: no value.", ge=0, le=8)] | None
    ) = None
    max_samples_per_octant: (
        Annotated[int, Meta(description="Samples used of each octant.", ge=1, le=MOST_OF_ALL)]
        | None
    ) = None
    max_empty_quadrants: (
        Annotated[
            int,
            Meta(description="With more empty quadrants (by x and y alone): no value.", ge=0, le=4),
        ]
        | None
    ) = None
    max_samples_per_quadrant: (
        Annotated[int, Meta(description="Samples used of each quadrant.", ge=1, le=MOST_OF_ALL)]
        | None
    ) = None
    max_samples_per_drillhole: (
        Annotated[
            int,
            Meta(
                description="Samples used of each drillhole; the source must have them.",
                ge=1,
                le=MOST_OF_ALL,
            ),
        ]
        | None
    ) = None
    max_drillholes_per_estimate: (
        Annotated[
            int,
            Meta(
                description="Drillholes used at most; the source must have them.",
                ge=1,
                le=MOST_OF_ALL,
            ),
        ]
        | None
    ) = None


AnyNeighborhood = Neighborhood | SectorNeighborhood
Search = Annotated[Neighborhood, Meta(description="Which samples a location sees.")]
SectorSearch = Annotated[SectorNeighborhood, Meta(description="Which samples a location sees.")]


class SimpleKriging(Piece, frozen=True, tag_field="type", tag="simple"):
    """Kriging with a known mean."""

    mean: Annotated[float, Meta(description="The mean of the variable, the same everywhere.")]


class OrdinaryKriging(Piece, frozen=True, tag_field="type", tag="ordinary"):
    """Kriging with a mean that is unknown and constant within the neighbourhood."""


AnyKriging = SimpleKriging | OrdinaryKriging
KrigingMethod = Annotated[
    AnyKriging, Meta(description="Ordinary, or simple with the mean that is known.")
]
