"""Every route of this wire."""

from collections.abc import Sequence

from litestar.types import ControllerRouterHandler

from haulier.engine.services import Services
from haulier.wire.tomtom import blobs, containers, jobs, storages, vault


def routes(_services: Services) -> Sequence[ControllerRouterHandler]:
    """Give the handlers of this wire."""
    return [
        jobs.create_job,
        jobs.list_jobs,
        jobs.get_job,
        storages.list_storages,
        storages.get_storage,
        storages.get_credentials,
        vault.unwrap,
        containers.get_container,
        containers.put_container,
        blobs.put_blob,
        blobs.get_blob,
        blobs.delete_blob,
    ]
