"""Which page belongs to which kind; imported where reports are made, for it loads matplotlib."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from haulier.families.geostat.io.report import Report
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.pages.estimation import estimation_page

Page = Callable[[Job[Any]], Report]


@cache
def pages() -> Mapping[str, Page]:
    """Give the page of each kind."""
    return {
        "KRIGING": estimation_page,
        "UNIVERSAL_KRIGING": estimation_page,
        "IDW": estimation_page,
        "KNN": estimation_page,
    }
