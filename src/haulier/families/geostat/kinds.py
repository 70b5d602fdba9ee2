"""The kinds of geostatistics: their names, what each takes, and which files it gives."""

from typing import Final

import msgspec

from haulier.core.artifact import OwnFile
from haulier.core.family import Kind, Output
from haulier.families.geostat.params import estimation, simulation, transforms, variography
from haulier.families.geostat.plots import plot_outputs

TOPIC: Final = "geostatistics"
PARQUET: Final = "application/vnd.apache.parquet"
ARROW: Final = "application/vnd.apache.arrow.file"
#: Columns of one object's new version; beyond that, results should be asked for in several jobs.
MOST_ATTRIBUTES: Final = 320


def blob_names(count: int) -> list[str]:
    """Give the names of the inner outputs that hold the values of attributes and tables."""
    return [f"blob-{number:03d}" for number in range(count)]


REPORT: Final = Output(
    "report", "text/html", "A page with plots and statistics", filename="report.html", optional=True
)
#: The page, as a result names it.
REPORT_FILE: Final = msgspec.to_builtins(OwnFile(REPORT.name))
INNER: Final = (
    Output("setup", "application/json", "What the work stands on", optional=True, inner=True),
    Output("samples", ARROW, "The samples that are used", optional=True, inner=True),
    Output("locations", ARROW, "Where values are made", optional=True, inner=True),
    Output("made", ARROW, "What was made, for the plots", optional=True, inner=True),
    *(
        Output(name, PARQUET, "Values of one attribute", optional=True, inner=True)
        for name in blob_names(MOST_ATTRIBUTES)
    ),
)


def _kind(name: str, title: str, params: type[msgspec.Struct], *keywords: str) -> Kind:
    return Kind(
        name=name,
        title=title,
        description=(params.__doc__ or title).strip(),
        params=params,
        outputs=(REPORT, *plot_outputs(name), *INNER),
        topic=TOPIC,
        keywords=("geostatistics", *keywords),
    )


_ALL: Final = (
    _kind("KRIGING", "Kriging", estimation.Kriging, "ordinary kriging", "simple kriging"),
    _kind("IDW", "Inverse distance weighting", estimation.InverseDistance, "interpolation"),
    _kind("KNN", "Nearest samples", estimation.NearestNeighbours, "interpolation"),
    _kind("UNIVERSAL_KRIGING", "Universal kriging", estimation.UniversalKriging, "drift"),
    _kind("INDICATOR_KRIGING", "Indicator kriging", estimation.IndicatorKriging, "probability"),
    _kind("CROSS_VALIDATION", "Cross-validation", estimation.CrossValidation, "validation"),
    _kind("BREAK_TIES", "Break ties", transforms.BreakTies, "ranks"),
    _kind("DECLUSTERING", "Declustering", transforms.Declustering, "weights"),
    _kind(
        "CONTINUOUS_DISTRIBUTION",
        "Continuous distribution",
        transforms.ContinuousDistribution,
        "distribution",
    ),
    _kind("NORMAL_SCORE", "Normal score transform", transforms.NormalScore, "gaussian"),
    _kind(
        "CONDITIONAL_TURNING_BANDS",
        "Conditional turning bands",
        simulation.ConditionalTurningBands,
        "simulation",
    ),
    _kind("CONSIM", "Conditional simulation", simulation.ConditionalSimulation, "simulation"),
    _kind("LOCATION_WISE", "Location-wise statistics", simulation.LocationWise, "ensembles"),
    _kind("LOSS_CALCULATION", "Loss calculation", simulation.LossCalculation, "economics"),
    _kind("PROFIT_CALCULATION", "Profit calculation", simulation.ProfitCalculation, "economics"),
    _kind("SIMULATION_REPORT", "Simulation report", simulation.SimulationReport, "validation"),
    _kind(
        "EXPERIMENTAL_VARIOGRAM",
        "Experimental variogram",
        variography.ExperimentalVariogram,
        "variogram",
    ),
    _kind("VARIOGRAM_FIT", "Fit a variogram", variography.VariogramFit, "variogram"),
)
KINDS: Final = {kind.name: kind for kind in _ALL}
