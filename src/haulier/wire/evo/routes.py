"""Every route of this wire."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from haulier.engine.services import Services
from haulier.wire.evo import (
    blockjobs,
    blockmodels,
    compute,
    data,
    discovery,
    health,
    lists,
    objects,
    versions,
    workspaces,
)


def routes(_services: Services) -> Sequence[ControllerRouterHandler]:
    """Give the handlers of this wire."""
    return [
        compute.execute_task,
        compute.get_job_status,
        compute.get_job_results,
        compute.cancel_job,
        data.put_data,
        data.put_blob,
        data.get_blob,
        objects.post_object,
        objects.update_object,
        objects.get_object,
        objects.get_object_by_id,
        objects.delete_object_by_path,
        objects.delete_object,
        lists.list_objects,
        lists.list_objects_by_org,
        versions.list_latest_versions,
        versions.list_versions,
        versions.update_metadata,
        versions.list_stages,
        workspaces.create_workspace,
        workspaces.list_workspaces,
        workspaces.list_workspaces_summary,
        workspaces.get_workspace,
        workspaces.update_workspace,
        workspaces.restore_workspace,
        workspaces.delete_workspace,
        workspaces.get_current_user_role,
        blockmodels.create_block_model,
        blockmodels.list_block_models,
        blockmodels.get_block_model,
        blockmodels.update_block_model,
        blockmodels.delete_block_model,
        blockmodels.list_block_model_versions,
        blockmodels.get_block_model_version,
        blockjobs.update_blocks,
        blockjobs.query_blocks,
        blockjobs.notify_uploaded,
        blockjobs.get_block_model_job,
        discovery.discover,
        health.check_objects,
        health.check_workspaces,
    ]
