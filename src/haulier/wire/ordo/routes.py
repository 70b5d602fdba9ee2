"""Every route of this wire."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from haulier.engine.services import Services
from haulier.wire.ordo import jobs, recipes


def routes(_services: Services) -> Sequence[ControllerRouterHandler]:
    """Give the handlers of this wire."""
    return [
        jobs.create_job,
        jobs.list_jobs,
        jobs.get_job,
        recipes.health,
        recipes.create_recipe,
        recipes.validate_recipe,
    ]
