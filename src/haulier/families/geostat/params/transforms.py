"""What the transforms of samples take: distribution, normal score, ties, declustering."""

from typing import Annotated, Literal

from msgspec import Meta

from haulier.families.geostat.params.pieces import (
    DEFAULT_SEED,
    LARGEST,
    ObjectTarget,
    Parameters,
    Piece,
    Reference,
    Seed,
    Source,
    Target,
)
from haulier.families.geostat.params.search import Search, SectorSearch

Power = Annotated[
    float, Meta(description="Denominator of the exponent of the power model.", gt=0.0, le=1.0)
]


class UpperTail(Piece, frozen=True):
    """How a distribution goes on above its largest value."""

    power: Power
    max: Annotated[
        float, Meta(description="Where the tail ends; above the largest value.", le=LARGEST)
    ]


class LowerTail(Piece, frozen=True):
    """How a distribution goes on below its smallest value."""

    power: Power
    min: Annotated[
        float, Meta(description="Where the tail ends; below the smallest value.", ge=-LARGEST)
    ]


class TailExtrapolation(Piece, frozen=True):
    """How a distribution goes on beyond its data."""

    upper: Annotated[UpperTail, Meta(description="Above the largest value.")]
    lower: Annotated[
        LowerTail | None, Meta(description="Below the smallest value; null: it ends there.")
    ] = None


class ContinuousDistribution(Parameters, frozen=True, kw_only=True):
    """Make a distribution from samples."""

    source: Annotated[Source, Meta(description="The samples.")]
    weights: Annotated[
        Source | None, Meta(description="Their weights, as declustering makes them.")
    ] = None
    tail_extrapolation: Annotated[
        TailExtrapolation | None, Meta(description="How it goes on beyond the data.")
    ] = None
    target: Annotated[ObjectTarget, Meta(description="The distribution that is made.")]


class NormalScore(Parameters, frozen=True, kw_only=True):
    """Transform values to standard normal scores, or back."""

    method: Annotated[
        Literal["forward", "backward"],
        Meta(description="Forward: to scores; backward: from scores to values."),
    ]
    source: Annotated[Source, Meta(description="What is transformed.")]
    target: Annotated[Target, Meta(description="Where it goes.")]
    distribution: Reference


class BreakTies(Parameters, frozen=True, kw_only=True):
    """Order equal values by the means of their neighbours, so that ranks are unique."""

    source: Annotated[Source, Meta(description="The samples.")]
    target: Annotated[Target, Meta(description="Where the values without ties go.")]
    neighborhood: Search
    seed: Seed = DEFAULT_SEED


class ObjectOnly(Piece, frozen=True):
    """An object whose locations alone are read."""

    object: Reference


class Declustering(Parameters, frozen=True, kw_only=True):
    """Weigh samples by how much of a grid each of them influences."""

    source: Annotated[ObjectOnly, Meta(description="The samples.")]
    grid: Annotated[ObjectOnly, Meta(description="The locations that samples influence.")]
    target: Annotated[Target, Meta(description="Where the weights go: on the samples.")]
    neighborhood: SectorSearch
    power: (
        Annotated[
            float,
            Meta(description="Of inverse distance; null: equal shares (KNN).", gt=0.0, le=100.0),
        ]
        | None
    ) = 2.0
