"""Geoscience objects on this wire: an object, its versions, and a line of a list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from haulier.core.entry import Entry
from haulier.wire.evo.document import named_files
from haulier.wire.evo.paths import object_url, user_of
from haulier.wire.evo.signing import Right, Signer
from haulier.wire.evo.stages import StageBody


class UserBody(msgspec.Struct, frozen=True, kw_only=True):
    """Who did something: the subject of a key. We know no e-mail addresses."""

    id: str
    name: str | None = None
    email: str | None = None


class DataLink(msgspec.Struct, frozen=True, kw_only=True):
    """A file that an object names, and where it is for the next hour."""

    id: str
    name: str
    download_url: str | None = None


class DownloadLink(msgspec.Struct, frozen=True):
    """Where a version of an object is."""

    download: str


class ObjectLinks(msgspec.Struct, frozen=True):
    """Where an object and its files are."""

    data: tuple[DataLink, ...]
    download: str


class VersionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an object."""

    version_id: str
    etag: str
    created_at: datetime
    created_by: UserBody | None
    links: DownloadLink
    stage: StageBody | None = None


class ObjectBody(msgspec.Struct, frozen=True, kw_only=True):
    """A version of an object, with its document."""

    object_id: str
    object_path: str
    version_id: str
    etag: str
    created_at: datetime
    created_by: UserBody | None
    modified_at: datetime
    modified_by: UserBody | None
    deleted_at: datetime | None = None
    stage: StageBody | None = None
    links: ObjectLinks
    object: dict[str, Any]
    versions: tuple[VersionBody, ...] | None = None


class ListedObject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a workspace's list: `path` is the folder, `name` the file in it."""

    object_id: str
    name: str
    path: str
    schema: str
    version_id: str
    etag: str
    created_at: datetime
    created_by: UserBody | None
    modified_at: datetime
    modified_by: UserBody | None
    deleted_at: datetime | None = None
    stage: StageBody | None = None
    links: DownloadLink


class OrgListedObject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an organisation's list."""

    object_id: str
    name: str
    schema: str
    workspace_id: str
    workspace_name: str | None = None
    created_at: datetime
    created_by: UserBody | None
    modified_at: datetime
    modified_by: UserBody | None
    deleted_at: datetime | None = None
    stage: StageBody | None = None


@dataclass(frozen=True, slots=True)
class Renderer:
    """Shows entries of the catalog as objects.

    Attributes:
        base_url: scheme and host as the caller sees them.
        now: when it is shown, from where URLs are good for an hour.
    """

    base_url: str
    signer: Signer
    now: datetime

    def object(
        self, entry: Entry, stage: StageBody | None, versions: Sequence[VersionBody] | None = None
    ) -> ObjectBody:
        """Give a version of an object with its document."""
        document: Mapping[str, Any] = entry.body["object"]
        return ObjectBody(
            object_id=entry.id,
            object_path=path_of(entry),
            version_id=str(entry.version),
            etag=str(entry.version),
            created_at=entry.created_at,
            created_by=creator_of(entry),
            modified_at=entry.updated_at,
            modified_by=user(entry.organisation, entry.by),
            deleted_at=entry.deleted_at,
            stage=stage,
            links=ObjectLinks(self._files(entry, document), self._url(entry)),
            object={**document, "uuid": entry.id},
            versions=None if versions is None else tuple(versions),
        )

    def _files(self, entry: Entry, document: Mapping[str, Any]) -> tuple[DataLink, ...]:
        return tuple(
            DataLink(
                id=data_id(name),
                name=name,
                download_url=self.signer.url(
                    self.base_url, Right(entry.organisation, "data", name, "r"), self.now
                ),
            )
            for name in named_files(document)
        )

    def version(self, entry: Entry, stage: StageBody | None) -> VersionBody:
        """Give a version of an object without its document."""
        return VersionBody(
            version_id=str(entry.version),
            etag=str(entry.version),
            created_at=entry.updated_at,
            created_by=user(entry.organisation, entry.by),
            links=DownloadLink(self._url(entry)),
            stage=stage,
        )

    def listed(self, entry: Entry, stage: StageBody | None) -> ListedObject:
        """Give an object as a workspace's list has it."""
        path = PurePosixPath(path_of(entry))
        folder = "" if str(path.parent) == "." else f"{path.parent}/"
        return ListedObject(
            object_id=entry.id,
            name=path.name,
            path=folder,
            schema=entry.body["object"]["schema"],
            version_id=str(entry.version),
            etag=str(entry.version),
            created_at=entry.created_at,
            created_by=creator_of(entry),
            modified_at=entry.updated_at,
            modified_by=user(entry.organisation, entry.by),
            deleted_at=entry.deleted_at,
            stage=stage,
            links=DownloadLink(self._url(entry)),
        )

    def listed_by_org(
        self, entry: Entry, stage: StageBody | None, workspaces: Mapping[str, str]
    ) -> OrgListedObject:
        """Give an object as an organisation's list has it."""
        _, workspace_id, path = entry.name.split("/", 2)
        return OrgListedObject(
            object_id=entry.id,
            name=PurePosixPath(path).name,
            schema=entry.body["object"]["schema"],
            workspace_id=workspace_id,
            workspace_name=workspaces.get(workspace_id),
            created_at=entry.created_at,
            created_by=creator_of(entry),
            modified_at=entry.updated_at,
            modified_by=user(entry.organisation, entry.by),
            deleted_at=entry.deleted_at,
            stage=stage,
        )

    def _url(self, entry: Entry) -> str:
        org_id, workspace_id, _ = entry.name.split("/", 2)
        return object_url(self.base_url, (org_id, workspace_id), entry.id, entry.version)


def path_of(entry: Entry) -> str:
    """Give the path of an object within its workspace."""
    return entry.name.split("/", 2)[2]


def creator_of(entry: Entry) -> UserBody | None:
    """Give who made the first version, where that is known."""
    first = entry.body.get("created_by") or (entry.by if entry.version == 1 else "")
    return user(entry.organisation, str(first))


def user(organisation: str, subject: str) -> UserBody | None:
    """Give the subject of a key as a user; None: nobody said who it was."""
    if not subject:
        return None
    return UserBody(id=user_of(organisation, subject), name=subject)


def data_id(name: str) -> str:
    """Give the id of a file, which its content decides as its name does."""
    return str(uuid5(NAMESPACE_URL, f"sha256:{name}"))
