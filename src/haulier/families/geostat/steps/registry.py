"""Which task does which kind; imported where work is done, never where jobs are planned."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from haulier.families.geostat.steps.comparison import SimulationReportTask
from haulier.families.geostat.steps.consim import ConditionalSimulationTask
from haulier.families.geostat.steps.crossvalidation import CrossValidationTask
from haulier.families.geostat.steps.drifts import UniversalTask
from haulier.families.geostat.steps.fitting import FitTask
from haulier.families.geostat.steps.indicators import IndicatorTask
from haulier.families.geostat.steps.kriging import KrigingTask
from haulier.families.geostat.steps.objects import DistributionTask
from haulier.families.geostat.steps.owntargets import BreakTiesTask, DeclusteringTask
from haulier.families.geostat.steps.simulations import TurningBandsTask
from haulier.families.geostat.steps.task import Task
from haulier.families.geostat.steps.values import (
    LocationWiseTask,
    LossTask,
    NormalScoreTask,
    ProfitTask,
)
from haulier.families.geostat.steps.variography import ExperimentalTask
from haulier.families.geostat.steps.weighting import InverseDistanceTask, NearestTask


@cache
def tasks() -> Mapping[str, Task[Any]]:
    """Give the task of each kind."""
    return {
        "KRIGING": KrigingTask(),
        "IDW": InverseDistanceTask(),
        "KNN": NearestTask(),
        "UNIVERSAL_KRIGING": UniversalTask(),
        "INDICATOR_KRIGING": IndicatorTask(),
        "CROSS_VALIDATION": CrossValidationTask(),
        "BREAK_TIES": BreakTiesTask(),
        "DECLUSTERING": DeclusteringTask(),
        "CONTINUOUS_DISTRIBUTION": DistributionTask(),
        "NORMAL_SCORE": NormalScoreTask(),
        "CONDITIONAL_TURNING_BANDS": TurningBandsTask(),
        "CONSIM": ConditionalSimulationTask(),
        "LOCATION_WISE": LocationWiseTask(),
        "LOSS_CALCULATION": LossTask(),
        "PROFIT_CALCULATION": ProfitTask(),
        "EXPERIMENTAL_VARIOGRAM": ExperimentalTask(),
        "VARIOGRAM_FIT": FitTask(),
        "SIMULATION_REPORT": SimulationReportTask(),
    }
