"""What the simulations take, and what is made of their realisations."""

from typing import Annotated, Final, Literal

from msgspec import Meta

from haulier.families.geostat.params.pieces import (
    DEFAULT_SEED,
    GREATEST_SEED,
    LARGEST,
    LEAST_SEED,
    AttributeOut,
    BlockDiscretization,
    Cutoff,
    Expression,
    Filter,
    Parameters,
    Piece,
    Quantile,
    Reference,
    Seed,
    Source,
    Target,
)
from haulier.families.geostat.params.search import Neighborhood, Search
from haulier.families.geostat.params.transforms import TailExtrapolation

SimulationKriging = Annotated[
    Literal["simple", "ordinary"], Meta(description="The kriging that conditions to the samples.")
]
Lines = Annotated[int, Meta(description="Lines of the turning bands.", ge=1, le=1000)]
Support = Annotated[
    BlockDiscretization, Meta(description="Points whose mean is the value of a block.")
]
TargetFilter = Annotated[
    Filter | None, Meta(description="Where values are made; elsewhere they are missing.")
]
SourceFilter = Annotated[Filter | None, Meta(description="Which samples are used.")]
Price = Annotated[float, Meta(description="Money for a unit.", ge=0.0)]
Cutoffs = (
    Annotated[tuple[Cutoff, ...], Meta(description="Values to be above.", max_length=100)] | None
)
Quantiles = (
    Annotated[
        tuple[Quantile, ...],
        Meta(description="Probabilities of quantiles, 0 to 1.", max_length=100),
    ]
    | None
)


class ConditionalTurningBands(Parameters, frozen=True, kw_only=True):
    """Simulate an attribute by turning bands, conditioned to its samples."""

    source: Reference
    source_attribute: Expression
    target: Reference
    filter: TargetFilter = None
    source_filter: SourceFilter = None
    neighborhood: Search
    distribution: Reference
    variogram_model: Reference
    kriging_method: SimulationKriging = "simple"
    block_discretization: Support = BlockDiscretization()
    number_of_lines: Lines = 500
    realizations: Annotated[int, Meta(description="How many are made.", ge=1, le=100)] = 1
    random_seed: Seed = DEFAULT_SEED


class SimulationDistribution(Piece, frozen=True):
    """How the samples' own distribution is made."""

    weights: Annotated[
        Expression | None, Meta(description="Attribute of the source that weighs its samples.")
    ] = None
    tail_extrapolation: Annotated[
        TailExtrapolation | None, Meta(description="How it goes on beyond the data.")
    ] = None


class ReportItem(Piece, frozen=True):
    """A line at the top of a report."""

    label: Annotated[str, Meta(description="What it is.", max_length=200)]
    value: Annotated[str, Meta(description="What it says.", max_length=2000)]


class ReportContext(Piece, frozen=True):
    """What a report says of itself."""

    title: Annotated[str, Meta(description="Its title.", max_length=500)]
    details: Annotated[
        tuple[ReportItem, ...], Meta(description="Lines at its top.", max_length=10)
    ] = ()


class MeanThresholds(Piece, frozen=True):
    """How far the mean of simulations may be from that of the samples, in the variable's unit."""

    acceptable: Annotated[
        float, Meta(description="Up to here it is acceptable.", ge=0.0, le=LARGEST)
    ]
    marginal: Annotated[float, Meta(description="Up to here it is marginal.", ge=0.0, le=LARGEST)]


class MaterialCategory(Piece, frozen=True):
    """A category of material, by its grade."""

    cutoff_grade: Annotated[float, Meta(description="From this grade on.", ge=0.0)] = 0.0
    metal_price: Price = 0.0
    label: Annotated[str, Meta(description="Its name.", min_length=1, max_length=200)] = "waste"


Categories = Annotated[
    tuple[MaterialCategory, ...],
    Meta(description="From the lowest cutoff grade to the highest.", min_length=1, max_length=50),
]
Recovery = Annotated[float, Meta(description="Share of metal recovered, 0 to 1.", ge=0.0, le=1.0)]


class LossSettings(Piece, frozen=True):
    """The classification of blocks within a simulation."""

    material_categories: Categories
    processing_cost: Price
    mining_waste_cost: Price
    mining_ore_cost: Price
    metal_recovery_fraction: Recovery
    target_attribute: AttributeOut


class ConditionalSimulation(Parameters, frozen=True, kw_only=True):
    """The whole workflow: scores, simulation, back, statistics, classification, validation."""

    source_object: Reference
    source_attribute: Expression
    target_object: Reference
    filter: TargetFilter = None
    source_filter: SourceFilter = None
    neighborhood: Search
    variogram_model: Reference
    block_discretization: Support = BlockDiscretization()
    distribution: Annotated[
        SimulationDistribution | None, Meta(description="How the samples' distribution is made.")
    ] = None
    kriging_method: SimulationKriging = "simple"
    number_of_lines: Lines = 500
    number_of_simulations: Annotated[int, Meta(description="How many are made.", ge=1, le=100)] = 1
    random_seed: Seed = DEFAULT_SEED
    number_of_simulations_to_save: Annotated[
        int, Meta(description="How many are written on the target, at most.", ge=0, le=100)
    ] = 5
    loss_calculation: Annotated[
        LossSettings | None, Meta(description="Classify the blocks by their expected loss.")
    ] = None
    location_wise_quantiles: Quantiles = None
    probability_above_cutoff: Cutoffs = None
    mean_above_cutoff: Cutoffs = None
    perform_validation: Annotated[
        bool, Meta(description="Compare the simulations with the samples and the variogram.")
    ] = False
    report_context: Annotated[
        ReportContext | None, Meta(description="What the report says of itself.")
    ] = None
    report_mean_thresholds: Annotated[
        MeanThresholds | None,
        Meta(description="How near the means must be, where they are compared."),
    ] = None


#: The vendor's clients send it, and the page shows it; nothing is simulated again.
MADE_BY: Final = "that the simulations were made with; the page shows it."


class SimulationReport(Parameters, frozen=True, kw_only=True):
    """Compare simulations with their samples and their variogram."""

    simulation_source: Reference
    source_attribute: Expression
    simulation_target: Reference
    point_simulations: Expression
    point_simulations_normal_score: Expression
    block_simulations: Expression
    block_simulations_normal_score: Expression
    variogram_model: Reference
    neighborhood: Annotated[Neighborhood, Meta(description=f"The search {MADE_BY}")]
    block_discretization: Annotated[
        BlockDiscretization, Meta(description=f"The points of a block {MADE_BY}")
    ] = BlockDiscretization()
    distribution: Annotated[
        SimulationDistribution | None, Meta(description="How the samples' distribution was made.")
    ] = None
    number_of_simulations: Annotated[
        int, Meta(description="How many are compared; each attribute has as many.", ge=1, le=1000)
    ]
    random_seed: Annotated[
        int, Meta(description=f"The seed {MADE_BY}", ge=LEAST_SEED, le=GREATEST_SEED)
    ] = DEFAULT_SEED
    kriging_method: Annotated[
        Literal["simple", "ordinary"], Meta(description=f"The kriging {MADE_BY}")
    ] = "simple"
    number_of_lines: Annotated[
        int, Meta(description=f"The lines of the turning bands {MADE_BY}", ge=1, le=100_000)
    ] = 500
    report_context: Annotated[
        ReportContext | None, Meta(description="What the report says of itself.")
    ] = None
    report_mean_thresholds: Annotated[
        MeanThresholds | None,
        Meta(description="How near the means must be, where they are compared."),
    ] = None


class CutoffList(Piece, frozen=True):
    """Values to be above."""

    cutoffs: Annotated[
        tuple[Cutoff, ...], Meta(description="The cutoffs.", min_length=1, max_length=100)
    ]


class LocationWiseTarget(Piece, frozen=True):
    """The object that gets the statistics."""

    object: Reference


class LocationWise(Parameters, frozen=True, kw_only=True):
    """Statistics over the realisations at each location; one kind of them or more."""

    source: Annotated[Source, Meta(description="The realisations.")]
    target: Annotated[LocationWiseTarget, Meta(description="What gets the statistics.")]
    summary: Annotated[bool | None, Meta(description="Mean, variance, minimum and maximum.")] = None
    quantiles: Quantiles = None
    probability_above_cutoff: Annotated[
        CutoffList | None, Meta(description="The share of realisations above each cutoff.")
    ] = None
    mean_above_cutoff: Annotated[
        CutoffList | None, Meta(description="The mean of those above each cutoff.")
    ] = None


class GradeCalculation(Parameters, frozen=True, kw_only=True):
    """Classify blocks by what mining and processing them is expected to cost and to give."""

    source: Annotated[Source, Meta(description="The realisations, or one grade a block.")]
    target: Annotated[Target, Meta(description="Where the categories go.")]
    material_categories: Categories
    processing_cost: Price
    mining_waste_cost: Price
    mining_ore_cost: Price
    metal_recovery_fraction: Recovery


class LossCalculation(GradeCalculation, frozen=True, kw_only=True):
    """Give each block the last category that loses less with the block in it than without."""


class ProfitCalculation(GradeCalculation, frozen=True, kw_only=True):
    """Give each block the last category that earns more with the block in it than without."""
