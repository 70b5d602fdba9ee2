"""Where this wire stands, and the UUIDs that it is made of."""

from typing import Annotated, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from litestar.params import Parameter

from haulier.core.problem import Code, Problem

COMPUTE: Final = "/compute"
OBJECTS: Final = "/geoscience-object"
DATA: Final = "/geoscience-data"  # at the vendor's, these are the hosts of a cloud's storage
WORKSPACES: Final = "/workspace"
BLOCKS: Final = "/blockmodel"
DISCOVERY: Final = "/evo"
DOCUMENT: Final = f"{DISCOVERY}/openapi.json"
PREFIXES: Final = (COMPUTE, OBJECTS, DATA, WORKSPACES, BLOCKS, DISCOVERY)

TASK: Final = f"{COMPUTE}/orgs/{{org_id:str}}/{{topic:str}}/{{task:str}}"
JOB: Final = f"{TASK}/{{job_id:str}}"
ORG: Final = f"{OBJECTS}/orgs/{{org_id:str}}"
WORKSPACE: Final = f"{ORG}/workspaces/{{workspace_id:str}}"
OBJECT: Final = f"{WORKSPACE}/objects/{{object_id:str}}"
OBJECT_PATH: Final = f"{WORKSPACE}/objects/path/{{objects_path:path}}"
BLOB: Final = f"{DATA}/{{organisation:str}}/{{room:str}}/{{name:str}}"
MODELS: Final = f"{BLOCKS}/orgs/{{org_id:str}}/workspaces/{{workspace_id:str}}/block-models"
MODEL: Final = f"{MODELS}/{{bm_id:str}}"

OrgId = Annotated[str, Parameter(description="A UUID; the name space is the caller's own.")]
WorkspaceId = Annotated[str, Parameter(description="The workspace's UUID.")]


def uuid_of(text: str, name: str) -> str:
    """Give a UUID of a path as its usual text.

    Raises:
        Problem: INVALID at the parameter; it is none.
    """
    try:
        return str(UUID(text))
    except ValueError:
        detail = f"{name} must be a UUID, got {text[:100]!r}"
        raise Problem(Code.INVALID, detail, at=f"path.{name}") from None


def org_of(organisation: str) -> str:
    """Give the UUID under which discovery names an organisation."""
    return str(uuid5(NAMESPACE_URL, f"haulier:{organisation}"))


def user_of(organisation: str, subject: str) -> str:
    """Give the UUID that stands for the subject of a key."""
    return str(uuid5(NAMESPACE_URL, f"haulier:{organisation}:{subject}"))


def job_url(base_url: str, place: tuple[str, str, str], job_id: UUID) -> str:
    """Give the address of a job that was submitted as organisation, topic and task say."""
    org_id, topic, task = (quote(part, safe="") for part in place)
    return f"{base_url}{COMPUTE}/orgs/{org_id}/{topic}/{task}/{job_id}"


def object_url(base_url: str, space: tuple[str, str], object_id: str, version: int) -> str:
    """Give the address of a version of an object in a workspace of an organisation."""
    org_id, workspace_id = space
    place = f"{base_url}{OBJECTS}/orgs/{org_id}/workspaces/{workspace_id}"
    return f"{place}/objects/{object_id}?version={version}"
