"""What the estimators take: kriging in its four forms, inverse distance, nearest samples."""

from typing import Annotated, Literal

from msgspec import Meta

from haulier.families.geostat.params.pieces import (
    DEFAULT_SEED,
    AttributeOut,
    BlockDiscretization,
    Cutoff,
    Expression,
    Filter,
    FilteredSource,
    FilteredTarget,
    OptionalAttributeOut,
    Parameters,
    Piece,
    Reference,
    Seed,
)
from haulier.families.geostat.params.search import KrigingMethod, OrdinaryKriging, SectorSearch

Discretization = Annotated[
    BlockDiscretization | None,
    Meta(description="Estimate the mean of each block by points within it; null: its centre."),
]


class KrigingDiagnostics(Piece, frozen=True):
    """What is written beside the estimate, each into an attribute of its own."""

    valid: OptionalAttributeOut = None
    kriging_variance: OptionalAttributeOut = None
    slope_of_regression: OptionalAttributeOut = None
    kriging_efficiency: OptionalAttributeOut = None
    kriging_mean: OptionalAttributeOut = None
    num_samples: OptionalAttributeOut = None
    num_drillholes: OptionalAttributeOut = None
    num_duplicates: OptionalAttributeOut = None
    num_equidistant: OptionalAttributeOut = None
    sum_weights: OptionalAttributeOut = None
    sum_positive_weights: OptionalAttributeOut = None
    sum_negative_weights: OptionalAttributeOut = None
    min_distance: OptionalAttributeOut = None
    mean_distance: OptionalAttributeOut = None
    aniso_min_distance: OptionalAttributeOut = None
    aniso_mean_distance: OptionalAttributeOut = None


class KrigingTarget(Piece, frozen=True):
    """Where the estimate and its diagnostics are written, and where they are made."""

    object: Reference
    attribute: AttributeOut
    filter: Annotated[
        Filter | None, Meta(description="Where values are made; elsewhere they are missing.")
    ] = None
    diagnostics: Annotated[
        KrigingDiagnostics | None, Meta(description="What is written beside the estimate.")
    ] = None


class Kriging(Parameters, frozen=True, kw_only=True):
    """Estimate an attribute by ordinary or simple kriging."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    target: Annotated[KrigingTarget, Meta(description="The locations, and where values go.")]
    variogram: Reference
    neighborhood: SectorSearch
    kriging_method: KrigingMethod = OrdinaryKriging()
    block_discretization: Discretization = None


class DriftTerm(Piece, frozen=True):
    """A variable that is known at the samples and at the locations alike."""

    source: Expression
    target: Expression


class Drift(Piece, frozen=True):
    """How the mean changes from place to place."""

    order: Annotated[
        int,
        Meta(description="Degree of the polynomial in x, y and z: 0, 1 or 2.", ge=0, le=2),
    ] = 1
    dimensions: Annotated[
        Literal["xy", "xyz"], Meta(description="The coordinates of the polynomial.")
    ] = "xyz"
    external: Annotated[
        tuple[DriftTerm, ...],
        Meta(description="Attributes of source and target that the mean follows.", max_length=8),
    ] = ()


class UniversalKriging(Parameters, frozen=True, kw_only=True):
    """Estimate an attribute whose mean follows a drift."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    target: Annotated[KrigingTarget, Meta(description="The locations, and where values go.")]
    variogram: Reference
    neighborhood: SectorSearch
    drift: Annotated[Drift, Meta(description="How the mean changes.")] = Drift()
    block_discretization: Discretization = None


class InverseDistance(Parameters, frozen=True, kw_only=True):
    """Estimate an attribute by weights that fall with the distance in the ellipsoid's space."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    target: Annotated[FilteredTarget, Meta(description="The locations, and where values go.")]
    neighborhood: SectorSearch
    power: Annotated[
        float, Meta(description="Weights are distance to the minus this.", gt=0.0, le=100.0)
    ]


class NearestNeighbours(Parameters, frozen=True, kw_only=True):
    """Estimate an attribute by the mean of the samples that a location sees."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    target: Annotated[FilteredTarget, Meta(description="The locations, and where values go.")]
    neighborhood: SectorSearch


class IndicatorCutoff(Piece, frozen=True):
    """A cutoff, and the variogram of its indicator."""

    cutoff: Cutoff
    variogram: Annotated[
        Reference | None, Meta(description="Of this indicator; null: the median one.")
    ] = None


class IndicatorTarget(Piece, frozen=True):
    """The locations, and where probabilities and the expected value go."""

    object: Reference
    probabilities: Annotated[
        tuple[AttributeOut, ...],
        Meta(description="One attribute a cutoff: the probability to be above it.", max_length=50),
    ]
    e_type: OptionalAttributeOut = None
    filter: Annotated[
        Filter | None, Meta(description="Where values are made; elsewhere they are missing.")
    ] = None


class IndicatorKriging(Parameters, frozen=True, kw_only=True):
    """Estimate the distribution of an attribute at each location, by its indicators."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    target: Annotated[IndicatorTarget, Meta(description="The locations, and where values go.")]
    cutoffs: Annotated[
        tuple[IndicatorCutoff, ...],
        Meta(description="From low to high.", min_length=1, max_length=50),
    ]
    variogram: Annotated[
        Reference | None,
        Meta(description="The variogram of every cutoff without one of its own (median IK)."),
    ] = None
    neighborhood: SectorSearch
    kriging_method: Annotated[
        Literal["ordinary", "simple"],
        Meta(description="Simple takes the share of samples below a cutoff as its mean."),
    ] = "ordinary"
    block_discretization: Discretization = None


class CrossValidationOutputs(Piece, frozen=True):
    """What is written on the samples, each into an attribute of its own."""

    estimate: OptionalAttributeOut = None
    variance: OptionalAttributeOut = None
    residual: OptionalAttributeOut = None
    standardised_residual: OptionalAttributeOut = None
    fold: OptionalAttributeOut = None


class CrossValidation(Parameters, frozen=True, kw_only=True):
    """Estimate each sample from the others, and compare."""

    source: Annotated[FilteredSource, Meta(description="The samples.")]
    variogram: Reference
    neighborhood: SectorSearch
    kriging_method: KrigingMethod = OrdinaryKriging()
    folds: (
        Annotated[
            int,
            Meta(description="Leave out one of so many parts at a time; null: one sample.", ge=2),
        ]
        | None
    ) = None
    by_drillhole: Annotated[
        bool, Meta(description="Leave out whole drillholes; the source must have them.")
    ] = False
    random_seed: Seed = DEFAULT_SEED
    outputs: Annotated[
        CrossValidationOutputs, Meta(description="What is written on the samples.")
    ] = CrossValidationOutputs()
