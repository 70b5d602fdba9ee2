"""Where block models and their jobs are on this wire."""

from typing import Annotated
from urllib.parse import quote

from litestar.params import Parameter

from haulier.core.entry import Entry
from haulier.wire.dialect import AnyRequest, base_url
from haulier.wire.evo.blockbodies import ModelVersion, version_body
from haulier.wire.evo.blockshelf import BlockShelf, version_id
from haulier.wire.evo.objects import shelf_of
from haulier.wire.evo.paths import MODEL

ModelId = Annotated[str, Parameter(description="The block model's UUID.")]


def block_shelf_of(request: AnyRequest, org_id: str, workspace_id: str) -> BlockShelf:
    """Give the block models of the workspace that a request is about."""
    return BlockShelf(shelf_of(request, org_id, workspace_id))


def shown_version(entry: Entry) -> ModelVersion:
    """Give a version as the wire shows it."""
    return version_body(entry, version_id(entry.name, entry.version))


def job_url(request: AnyRequest, entry: Entry, job_id: str) -> str:
    """Give where a job of a block model is asked after."""
    org_id, workspace_id, bm_id = entry.name.split("/")
    place = MODEL.replace(":str", "").format(org_id=org_id, workspace_id=workspace_id, bm_id=bm_id)
    return f"{base_url(request)}{place}/jobs/{quote(job_id, safe='')}"
