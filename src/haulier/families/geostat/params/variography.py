"""What variography takes: which pairs of samples count, and models fitted to what they say."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from haulier.families.geostat.params.pieces import (
    Expression,
    FilteredSource,
    ObjectTarget,
    Parameters,
    Piece,
    Reference,
)
from haulier.families.geostat.params.search import Ellipsoid

Estimator = Annotated[
    Literal["matheron", "cressie", "madogram", "covariance", "correlogram"],
    Meta(description="What is computed of each lag; `matheron` is the semivariance."),
]


#: Models that have a shape of their own.
SHAPED: Final = ("spheroidal", "generalisedcauchy")
#: What says along which direction pairs must lie.
ALONG: Final = (
    "azimuth",
    "dip",
    "azimuth_tolerance",
    "dip_tolerance",
    "bandwidth",
    "bandheight",
)


class LagSettings(Piece, frozen=True):
    """Classes of distance of one size, or of the edges that are given."""

    size: Annotated[
        float | None,
        Meta(description="From the middle of one lag to the next, metres; null: by the data."),
    ] = None
    count: Annotated[int, Meta(description="How many of one size.", ge=1, le=1000)] = 15
    tolerance: Annotated[
        float | None, Meta(description="Half the width of a lag, metres; null: half its size.")
    ] = None
    edges: (
        Annotated[
            tuple[float, ...],
            Meta(
                description="Edges of adjoining lags, metres; instead of a size.", max_length=1001
            ),
        ]
        | None
    ) = None


class VariogramDirection(Piece, frozen=True):
    """Which pairs count: those within the tolerances of a direction."""

    type: Annotated[
        Literal["omnidirectional", "directional", "downhole"],
        Meta(description="All pairs, those along a direction, or those within a drillhole."),
    ] = "omnidirectional"
    azimuth: Annotated[
        float, Meta(description="Clockwise from North (+Y), degrees.", ge=0.0, le=360.0)
    ] = 0.0
    dip: Annotated[float, Meta(description="Below the horizon, degrees.", ge=-90.0, le=90.0)] = 0.0
    azimuth_tolerance: Annotated[
        float, Meta(description="Deviation of the azimuth, degrees.", ge=0.0, le=90.0)
    ] = 22.5
    dip_tolerance: (
        Annotated[
            float,
            Meta(
                description="Deviation of the dip, degrees; null: a cone of the azimuth's.",
                ge=0.0,
                le=90.0,
            ),
        ]
        | None
    ) = 22.5
    bandwidth: (
        Annotated[float, Meta(description="Deviation sideways, metres; null: any.", ge=0.0)] | None
    ) = None
    bandheight: (
        Annotated[float, Meta(description="Deviation up and down, metres; null: any.", ge=0.0)]
        | None
    ) = None
    lags: Annotated[
        LagSettings | None, Meta(description="Lags of this direction; null: those of all.")
    ] = None


class Experiment(Piece, frozen=True):
    """Samples, and which pairs of them make an experimental variogram."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    weights: Annotated[
        Expression | None, Meta(description="Attribute of the source that weighs its samples.")
    ] = None
    directions: Annotated[
        tuple[VariogramDirection, ...],
        Meta(description="The directions.", min_length=1, max_length=50),
    ] = (VariogramDirection(),)
    lags: Annotated[LagSettings, Meta(description="The classes of distance.")] = LagSettings()
    estimator: Estimator = "matheron"


class ExperimentalVariogram(Parameters, frozen=True, kw_only=True):
    """Compute an experimental variogram, and keep it as an object."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    weights: Annotated[
        Expression | None, Meta(description="Attribute of the source that weighs its samples.")
    ] = None
    directions: Annotated[
        tuple[VariogramDirection, ...],
        Meta(description="The directions.", min_length=1, max_length=50),
    ] = (VariogramDirection(),)
    lags: Annotated[LagSettings, Meta(description="The classes of distance.")] = LagSettings()
    estimator: Estimator = "matheron"
    target: Annotated[ObjectTarget, Meta(description="The object that is made.")]

    @property
    def experiment(self) -> Experiment:
        """Give what says which pairs count."""
        return Experiment(self.source, self.weights, self.directions, self.lags, self.estimator)


class StructureToFit(Piece, frozen=True):
    """A structure of the model: its type, and what is known of it."""

    variogram_type: Annotated[
        Literal[
            "spherical",
            "exponential",
            "gaussian",
            "cubic",
            "spheroidal",
            "generalisedcauchy",
            "linear",
        ],
        Meta(description="The model."),
    ]
    contribution: (
        Annotated[float, Meta(description="Its share of the sill, where it is known.", ge=0.0)]
        | None
    ) = None
    anisotropy: Annotated[
        Ellipsoid | None,
        Meta(description="How it lies, and where its ranges are looked for; null: anywhere."),
    ] = None
    hold_ranges: Annotated[
        bool, Meta(description="Its ranges are those of its ellipsoid, and are not fitted.")
    ] = False
    isotropic: Annotated[
        bool,
        Meta(description="Its three ranges are one, and no direction; false: directional lags."),
    ] = True
    alpha: Annotated[
        Literal[3, 5, 7, 9] | None,
        Meta(description="Shape of spheroidal and generalisedcauchy; null: 3."),
    ] = None


class VariogramFit(Parameters, frozen=True, kw_only=True):
    """Fit a model of nested structures to an experimental variogram, and keep it as an object."""

    experimental_variogram: Annotated[
        Reference | None, Meta(description="An experimental variogram that is there.")
    ] = None
    experiment: Annotated[
        Experiment | None, Meta(description="Or samples to compute one from.")
    ] = None
    structures: Annotated[
        tuple[StructureToFit, ...],
        Meta(description="The structures of the model.", min_length=1, max_length=5),
    ] = (StructureToFit("spherical"),)
    nugget: (
        Annotated[
            float, Meta(description="The nugget, where it is known; null: it is fitted.", ge=0.0)
        ]
        | None
    ) = None
    sill: (
        Annotated[
            float, Meta(description="The sill, where it is known; null: it is fitted.", gt=0.0)
        ]
        | None
    ) = None
    fit_rotation: Annotated[bool, Meta(description="Fit the directions of the ellipsoids too.")] = (
        False
    )
    weights: Annotated[
        Literal["equal", "pairs", "pairs_over_distance", "cressie"],
        Meta(description="How much each lag counts."),
    ] = "pairs_over_distance"
    least_pairs: Annotated[int, Meta(description="Lags with fewer pairs are left out.", ge=1)] = 1
    target: Annotated[ObjectTarget, Meta(description="The variogram that is made.")]
