"""Which page belongs to which kind; imported where reports are made, for it loads matplotlib."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haulier.families.geostat.io.report import Report
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.ensembles import (
    location_wise_page,
    simulation_page,
    simulation_report_page,
)
from haulier.families.geostat.steps.pages.estimation import estimation_page
from haulier.families.geostat.steps.pages.indicators import indicator_page
from haulier.families.geostat.steps.pages.material import material_page
from haulier.families.geostat.steps.pages.transforms import (
    break_ties_page,
    declustering_page,
    distribution_page,
    normal_score_page,
)
from haulier.families.geostat.steps.pages.validation import validation_page
from haulier.families.geostat.steps.pages.variography import experimental_page, fit_page

Page = Callable[[Job[Any]], Report]


@cache
def pages() -> Mapping[str, Page]:
    """Give the page of each kind."""
    return {
        "KRIGING": estimation_page,
        "UNIVERSAL_KRIGING": estimation_page,
        "INDICATOR_KRIGING": indicator_page,
        "CROSS_VALIDATION": validation_page,
        "IDW": estimation_page,
        "KNN": estimation_page,
        "BREAK_TIES": break_ties_page,
        "DECLUSTERING": declustering_page,
        "CONTINUOUS_DISTRIBUTION": distribution_page,
        "NORMAL_SCORE": normal_score_page,
        "CONDITIONAL_TURNING_BANDS": simulation_page,
        "CONSIM": simulation_page,
        "LOCATION_WISE": location_wise_page,
        "LOSS_CALCULATION": material_page,
        "PROFIT_CALCULATION": material_page,
        "SIMULATION_REPORT": simulation_report_page,
        "EXPERIMENTAL_VARIOGRAM": experimental_page,
        "VARIOGRAM_FIT": fit_page,
    }
