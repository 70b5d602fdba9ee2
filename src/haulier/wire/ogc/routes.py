"""Every route of the native wire."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from haulier.engine.services import Services
from haulier.wire.ogc import (
    catalog,
    executors,
    files,
    jobs,
    landing,
    outputs,
    processes,
    recipes,
)


def routes(_services: Services) -> Sequence[ControllerRouterHandler]:
    """Give the handlers of the native wire."""
    return [
        landing.landing,
        landing.conformance,
        processes.list_processes,
        processes.describe_process,
        processes.execute,
        jobs.list_jobs,
        jobs.get_job,
        jobs.dismiss,
        jobs.cancel,
        jobs.retry,
        jobs.list_steps,
        jobs.get_timeline,
        outputs.list_artifacts,
        outputs.get_artifact,
        outputs.get_artifact_file,
        outputs.get_results,
        outputs.get_result,
        files.list_storages,
        files.get_storage,
        files.list_files,
        files.put_file,
        files.get_file,
        files.delete_file,
        executors.list_executors,
        executors.get_executor,
        recipes.list_recipes,
        recipes.get_schema,
        recipes.get_recipe,
        recipes.create_recipe,
        recipes.validate_recipe,
        recipes.plan_recipe,
        catalog.list_entries,
        catalog.get_entry,
        catalog.put_entry,
        catalog.delete_entry,
    ]
