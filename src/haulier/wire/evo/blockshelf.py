"""Block models as the catalog keeps them: made, found, changed, and their jobs begun and shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import msgspec

from haulier.core.caller import Caller
from haulier.core.entry import Entry
from haulier.core.job import Job, Submission
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.evo.blockbodies import NewModel, Size, bounds_of
from haulier.wire.evo.data import UPLOADS
from haulier.wire.evo.document import check_path, uuid_or_none
from haulier.wire.evo.listing import every_entry
from haulier.wire.evo.ordering import Key, ordered, orders_of
from haulier.wire.evo.shelf import Shelf
from haulier.wire.evo.tasks import kind_of
from haulier.wire.evo.turning import normal_angles

TYPE: Final = "block-model"
PENDING: Final = "block-model-update"
SCHEMA: Final = "/objects/block-model/1.0.0/block-model.schema.json"
TOPIC: Final = "block-models"
UPDATE: Final = "block-model-update"
QUERY: Final = "block-model-query"
LABEL: Final = "block-model"
FORGOTTEN_AFTER: Final = timedelta(days=7)
#: What the jobs of a block model can go through; the family says the same.
MOST_BLOCKS: Final = 200_000_000
#: What a list can be ordered by.
KEYS: Final[Mapping[str, Key]] = {
    "name": lambda entry: entry.body["name"],
    "created_at": lambda entry: entry.created_at,
    "last_updated_at": lambda entry: entry.updated_at,
}
NEWEST_FIRST: Final = "desc:last_updated_at"


@dataclass(frozen=True, slots=True)
class BlockShelf:
    """The block models in one workspace, as one caller may see and change them."""

    objects: Shelf

    @property
    def services(self) -> Services:
        """Give the engine."""
        return self.objects.services

    @property
    def caller(self) -> Caller:
        """Give who asks."""
        return self.objects.caller

    def get(self, bm_id: str) -> Entry:
        """Give the newest version of a block model.

        Raises:
            Problem: NOT_FOUND.
        """
        name = self.objects.prefix + (uuid_or_none(bm_id) or bm_id)
        entry = self.services.catalog.find(self.caller.organisation, TYPE, name)
        if entry is None:
            detail = f"no block model {bm_id[:100]} in this workspace"
            raise Problem(Code.NOT_FOUND, detail, at="path.bm_id")
        return entry

    def listed(self, order_by: str, *, deleted: bool) -> list[Entry]:
        """Give the block models of the workspace, or those that were put away.

        Raises:
            Problem: INVALID at "query.order_by".
        """
        organisation, prefix = self.caller.organisation, self.objects.prefix
        found = every_entry(self.services.catalog, organisation, TYPE, prefix, deleted=deleted)
        return ordered(found, orders_of(order_by or NEWEST_FIRST, KEYS))

    def version(self, entry: Entry, version_uuid: str) -> Entry:
        """Give a version of a block model by its UUID.

        Raises:
            Problem: NOT_FOUND.
        """
        wanted = uuid_or_none(version_uuid)
        for each in self.services.catalog.versions(entry):
            if version_id(entry.name, each.version) == wanted:
                return each
        detail = f"no version {version_uuid[:100]} of this block model"
        raise Problem(Code.NOT_FOUND, detail, at="path.version_id")

    def make(self, wanted: NewModel) -> Entry:
        """Make a block model without columns, and the object that stands for it.

        Raises:
            ObjectExistsError: the object's path is taken.
            Problem: INVALID; no job could write or read so many blocks.
        """
        _check_size(wanted.size_options.n_blocks)
        name = self.objects.prefix + str(uuid4())
        body = _body(wanted)
        folder = (wanted.object_path or "").strip("/")
        path = check_path(f"{folder}/{wanted.name}.json" if folder else f"{wanted.name}.json")
        stands = self.objects.put(path, _document(wanted, body, name), "")
        body |= {"object_id": stands.id, "created_by": self.caller.subject}
        return self.services.catalog.put(
            self.caller.organisation, TYPE, name, body, by=self.caller.subject, expects=0
        )

    def change(self, entry: Entry, changes: Mapping[str, Any]) -> Entry:
        """Change what a block model says of itself: that is a version, too."""
        return self.services.catalog.put(
            self.caller.organisation,
            TYPE,
            entry.name,
            {**entry.body, **changes},
            by=self.caller.subject,
            expects=entry.version,
        )

    def put_away(self, entry: Entry) -> None:
        """Put a block model away, and the object that stands for it."""
        organisation = self.caller.organisation
        self.services.catalog.put_away(organisation, TYPE, entry.id)
        try:
            self.objects.put_away(self.objects.by_id(entry.body["object_id"]))
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:  # somebody deleted it before
                raise

    def begin(self, entry: Entry, params: Mapping[str, Any]) -> Entry:
        """Remember an update whose table, if it has one, is still to be uploaded."""
        organisation, catalog = self.caller.organisation, self.services.catalog
        self.services.files.ensure(organisation, UPLOADS)
        self._forget()
        name = str(uuid4())
        body = {"model": entry.name, "params": dict(params), "job": ""}
        return catalog.put(organisation, PENDING, name, body, by=self.caller.subject, expects=0)

    def _forget(self) -> None:
        """Forget updates of last week, and what was uploaded for them."""
        organisation, catalog = self.caller.organisation, self.services.catalog
        before = self.services.clock.now() - FORGOTTEN_AFTER
        for old in catalog.list(organisation, PENDING):
            if old.updated_at < before:
                catalog.delete(organisation, PENDING, old.name)

    def pending(self, entry: Entry, job_id: str) -> Entry | None:
        """Give an update of a block model that was begun, if there is one."""
        name = uuid_or_none(job_id) or job_id
        found = self.services.catalog.find(self.caller.organisation, PENDING, name)
        return found if found is not None and found.body["model"] == entry.name else None

    def run(self, entry: Entry, job_id: str) -> None:
        """Start an update; asked again, it is the same one.

        Raises:
            Problem: NOT_FOUND; INVALID.
        """
        pending = self.pending(entry, job_id)
        if pending is None:
            raise _no_job(job_id)
        if pending.body["job"]:
            return
        params = dict(pending.body["params"])
        if params.pop("file"):
            params["file"] = {"storage": UPLOADS, "filename": pending.name}
        job = self._submit(UPDATE, entry, params)
        body = {**pending.body, "job": str(job.id)}
        self.services.catalog.put(
            self.caller.organisation, PENDING, pending.name, body, by=self.caller.subject
        )

    def query(self, entry: Entry, params: Mapping[str, Any]) -> Job:
        """Start a query.

        Raises:
            Problem: INVALID at the member that is wrong.
        """
        return self._submit(QUERY, entry, params)

    def _submit(self, task: str, entry: Entry, params: Mapping[str, Any]) -> Job:
        kind = kind_of(self.services.kinds, TOPIC, task)
        submission = Submission(
            kind=kind.name,
            params={**params, "model": entry.name},
            labels={LABEL: entry.name},
        )
        return self.services.jobs.submit(self.caller, submission)

    def job(self, entry: Entry, job_id: str) -> Job:
        """Give a job of a block model.

        Raises:
            Problem: NOT_FOUND.
        """
        try:
            job = self.services.jobs.get(self.caller, UUID(job_id))
        except ValueError:
            raise _no_job(job_id) from None
        if job.labels.get(LABEL) != entry.name:
            raise _no_job(job_id)
        return job


def version_id(model_name: str, version: int) -> str:
    """Give the UUID of a version of a block model, as the jobs make it, too."""
    return str(uuid5(NAMESPACE_URL, f"{model_name}/{version}"))


def creation_id(model_name: str) -> str:
    """Give the UUID under which the making of a block model is asked after; it ends at once."""
    return str(uuid5(NAMESPACE_URL, f"{model_name}/made"))


def _no_job(job_id: str) -> Problem:
    detail = f"no job {job_id[:100]} of this block model"
    return Problem(Code.NOT_FOUND, detail, at="path.job_id")


def _check_size(size: Size) -> None:
    blocks = size.nx * size.ny * size.nz
    if blocks > MOST_BLOCKS:
        at = "size_options.n_blocks"
        detail = f"{at} must be at most {MOST_BLOCKS:,} blocks, got {size.nx:,} x {size.ny:,} x "
        detail += f"{size.nz:,} = {blocks:,}: make blocks larger, or cut it into several models"
        raise Problem(Code.INVALID, detail, at=at)


def _body(wanted: NewModel) -> dict[str, Any]:
    size = wanted.size_options
    return {
        "name": wanted.name,
        "description": wanted.description,
        "coordinate_reference_system": wanted.coordinate_reference_system,
        "size_unit_id": wanted.size_unit_id,
        "comment": wanted.comment or "",
        "origin": list(msgspec.structs.astuple(wanted.model_origin)),
        "n_blocks": list(msgspec.structs.astuple(size.n_blocks)),
        "block_size": list(msgspec.structs.astuple(size.block_size)),
        "rotations": msgspec.to_builtins(wanted.block_rotation),
        "columns": [],
    }


def _document(wanted: NewModel, body: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give the object that stands for a new block model."""
    bounds = dict(zip("xyz", bounds_of(body), strict=True))
    crs = wanted.coordinate_reference_system
    epsg = (crs or "").upper().removeprefix("EPSG:")
    turned = normal_angles([(turn.axis, turn.angle) for turn in wanted.block_rotation])
    geometry: dict[str, Any] = {
        "model_type": "regular",
        **{member: body[member] for member in ("origin", "n_blocks", "block_size")},
    }
    if any(turned):
        geometry["rotation"] = dict(zip(("dip_azimuth", "dip", "pitch"), turned, strict=True))
    known = {"epsg_code": int(epsg)} if epsg.isdecimal() else {"ogc_wkt": crs}
    return {
        "schema": SCHEMA,
        "uuid": None,
        "name": wanted.name,
        **({"description": wanted.description} if wanted.description else {}),
        "bounding_box": {
            f"{end}_{axis}": pair[number]
            for axis, pair in bounds.items()
            for number, end in enumerate(("min", "max"))
        },
        "coordinate_reference_system": known if crs else "unspecified",
        "block_model_uuid": name.rpartition("/")[2],
        "block_model_version_uuid": version_id(name, 1),
        "geometry": geometry,
        "attributes": [],
    }
