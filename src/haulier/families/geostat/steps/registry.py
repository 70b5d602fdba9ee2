"""Which task does which kind; imported where work is done, never where jobs are planned."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from haulier.families.geostat.steps.kriging import KrigingTask
from haulier.families.geostat.steps.task import Task


@cache
def tasks() -> Mapping[str, Task[Any]]:
    """Give the task of each kind."""
    return {
        "KRIGING": KrigingTask(),
    }
