"""The pictures that a job gives beside its page: their names, and which kind has which."""

from collections.abc import Mapping
from typing import Final

from haulier.core.family import Output

PNG: Final = "image/png"
PLOTS: Final[Mapping[str, str]] = {
    "slices": "Slices of the block model",
    "map": "The values where they lie",
    "histograms": "Histograms before and after",
    "probability": "Cumulative distributions on a probability axis",
    "quantiles": "Quantiles against quantiles",
    "swaths": "Swath plots along the axes",
    "grade-tonnage": "Grade and tonnage by cutoff",
    "variogram": "The variogram model",
    "experimental": "The experimental variogram, with the model if there is one",
    "diagnostics": "Histograms of the diagnostics",
    "cross-validation": "Measured against estimated",
    "errors": "Histogram of the standardised errors",
    "residuals": "The errors where they were made",
    "transform": "The transform from values to scores",
    "weights": "Declustering weights",
    "realisations": "Some of the realisations",
    "statistics": "Statistics over realisations, in slices",
    "probabilities": "Probabilities to be above cutoffs, in slices",
    "variance": "Variance over realisations, in slices",
    "means": "The mean of each realisation",
    "reproduced-histogram": "The distribution of the realisations",
    "reproduced-variogram": "The variograms of the realisations",
    "categories": "Slices of the material categories",
    "shares": "Material by category",
}
_ESTIMATE: Final = (
    "slices",
    "map",
    "histograms",
    "probability",
    "quantiles",
    "swaths",
    "grade-tonnage",
)
_KRIGED: Final = (*_ESTIMATE, "variogram", "diagnostics")
_SIMULATED: Final = ("realisations", "map", "histograms", "variogram")
_SUMMARISED: Final = ("statistics", "probabilities", "variance")
_VALIDATED: Final = ("means", "reproduced-histogram", "reproduced-variogram")
BY_KIND: Final[Mapping[str, tuple[str, ...]]] = {
    "KRIGING": _KRIGED,
    "UNIVERSAL_KRIGING": _KRIGED,
    "INDICATOR_KRIGING": (*_ESTIMATE, "probabilities", "variogram"),
    "IDW": _ESTIMATE,
    "KNN": _ESTIMATE,
    "CROSS_VALIDATION": ("cross-validation", "errors", "residuals", "histograms", "variogram"),
    "BREAK_TIES": ("histograms",),
    "DECLUSTERING": ("weights",),
    "CONTINUOUS_DISTRIBUTION": ("histograms", "probability"),
    "NORMAL_SCORE": ("histograms", "transform"),
    "CONDITIONAL_TURNING_BANDS": _SIMULATED,
    "CONSIM": (*_SIMULATED, *_SUMMARISED, *_VALIDATED, "categories", "shares"),
    "LOCATION_WISE": (*_SUMMARISED, "map"),
    "LOSS_CALCULATION": ("categories", "shares"),
    "PROFIT_CALCULATION": ("categories", "shares"),
    "SIMULATION_REPORT": (*_VALIDATED, "realisations", "variogram"),
    "EXPERIMENTAL_VARIOGRAM": ("experimental",),
    "VARIOGRAM_FIT": ("experimental", "variogram"),
}


def output_name(plot: str) -> str:
    """Give the name of the output that holds a plot."""
    return f"plot-{plot}"


def plot_outputs(kind: str) -> tuple[Output, ...]:
    """Give the pictures that a job of a kind may have."""
    return tuple(
        Output(output_name(plot), PNG, PLOTS[plot], filename=f"{plot}.png", optional=True)
        for plot in BY_KIND[kind]
    )
