"""Block models on this wire: the model, its versions, and the jobs that write and read it."""

from collections.abc import Mapping
from datetime import datetime
from itertools import product
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from haulier.core.entry import Entry
from haulier.wire.evo.objectbodies import UserBody, creator_of, user
from haulier.wire.evo.paths import user_of
from haulier.wire.evo.turning import normal_angles, rotation_matrix

NAMELESS: Final = "nobody"


class Location(msgspec.Struct, frozen=True):
    """A place in metres."""

    x: float
    y: float
    z: float


class Rotation(msgspec.Struct, frozen=True):
    """A clockwise rotation around an axis, in degrees."""

    axis: Literal["x", "y", "z"]
    angle: Annotated[float, Meta(gt=-360, lt=360)]


class BlockSize(msgspec.Struct, frozen=True):
    """The sides of a block in metres."""

    x: Annotated[float, Meta(gt=0, lt=1e6)]
    y: Annotated[float, Meta(gt=0, lt=1e6)]
    z: Annotated[float, Meta(gt=0, lt=1e6)]


class Size(msgspec.Struct, frozen=True):
    """How many blocks there are along each axis."""

    nx: Annotated[int, Meta(gt=0, le=500_000_000)]
    ny: Annotated[int, Meta(gt=0, le=500_000_000)]
    nz: Annotated[int, Meta(gt=0, le=500_000_000)]


class SizeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The blocks of a regular model, the one kind of model there is here."""

    model_type: Literal["regular"]
    n_blocks: Size
    block_size: BlockSize


class NewModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a new block model is to be. `object_path` is the folder of the object for it."""

    name: Annotated[str, Meta(min_length=3, max_length=100)]
    model_origin: Location
    size_options: SizeOptions
    block_rotation: Annotated[tuple[Rotation, ...], Meta(max_length=3)] = ()
    description: Annotated[str, Meta(max_length=500)] | None = None
    object_path: str | None = None
    coordinate_reference_system: Annotated[str, Meta(max_length=10_000)] | None = None
    size_unit_id: str | None = None
    comment: Annotated[str, Meta(max_length=250)] | None = None
    fill_subblocks: bool = False


class Range(msgspec.Struct, frozen=True):
    """From the least to the most, both included."""

    min: float
    max: float


class BoxXYZ(msgspec.Struct, frozen=True):
    """A box of coordinates."""

    x_minmax: Range
    y_minmax: Range
    z_minmax: Range


class IntRange(msgspec.Struct, frozen=True):
    """From the first to the last, both included."""

    min: int
    max: int


class BoxIJK(msgspec.Struct, frozen=True):
    """A box of blocks."""

    i_minmax: IntRange
    j_minmax: IntRange
    k_minmax: IntRange


class ModelBody(msgspec.Struct, frozen=True, kw_only=True):
    """A block model. `job_url` is of the job that made it, and in that answer alone."""

    bm_uuid: str
    name: str
    description: str | None
    org_uuid: str
    workspace_id: str
    geoscience_object_id: str
    model_origin: Location
    block_rotation: tuple[Rotation, ...]
    normalized_rotation: tuple[float, float, float]
    size_options: SizeOptions
    size_unit_id: str | None
    coordinate_reference_system: str | None
    fill_subblocks: bool = False
    bbox: BoxXYZ
    created_at: datetime
    created_by: UserBody
    last_updated_at: datetime
    last_updated_by: UserBody
    job_url: str | UnsetType = UNSET


class ColumnBody(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a version."""

    col_id: str
    title: str
    data_type: str
    unit_id: str | None = None


class Mapped(msgspec.Struct, frozen=True):
    """The columns of a version."""

    columns: tuple[ColumnBody, ...]
    groups: tuple[str, ...] = ()


class ModelVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a block model."""

    bm_uuid: str
    version_id: int
    version_uuid: str
    parent_version_id: int | None
    base_version_id: int | None
    geoscience_version_id: str | None = None
    bbox: BoxIJK | None = None
    comment: str
    created_at: datetime
    created_by: UserBody
    mapping: Mapped


class JobBody(msgspec.Struct, frozen=True, kw_only=True):
    """How a job of a block model stands, and what it gave."""

    job_status: Literal["PENDING_UPLOAD", "QUEUED", "PROCESSING", "COMPLETE", "FAILED"]
    payload: Mapping[str, Any] | None = None


def model_body(entry: Entry, job_url: str = "") -> ModelBody:
    """Give a block model; with the address of the job that made it where there is one."""
    org_id, workspace_id, model_id = entry.name.split("/")
    body = entry.body
    rotations = msgspec.convert(body.get("rotations", ()), tuple[Rotation, ...])
    return ModelBody(
        bm_uuid=model_id,
        name=body["name"],
        description=body.get("description"),
        org_uuid=org_id,
        workspace_id=workspace_id,
        geoscience_object_id=body["object_id"],
        model_origin=Location(*body["origin"]),
        block_rotation=rotations,
        normalized_rotation=normal_angles([(turn.axis, turn.angle) for turn in rotations]),
        size_options=SizeOptions(
            model_type="regular",
            n_blocks=Size(*body["n_blocks"]),
            block_size=BlockSize(*body["block_size"]),
        ),
        size_unit_id=body.get("size_unit_id"),
        coordinate_reference_system=body.get("coordinate_reference_system"),
        bbox=BoxXYZ(*(Range(*pair) for pair in bounds_of(body))),
        created_at=entry.created_at,
        created_by=creator_of(entry) or _nobody(entry),
        last_updated_at=entry.updated_at,
        last_updated_by=user(entry.organisation, entry.by) or _nobody(entry),
        job_url=job_url or UNSET,
    )


def _nobody(entry: Entry) -> UserBody:
    """Give a user where nobody said who it was: the vendor's client wants one."""
    return UserBody(id=user_of(entry.organisation, NAMELESS), name=NAMELESS)


def bounds_of(body: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Give the least and the most of x, y and z that a block model reaches, in metres."""
    sides = [count * side for count, side in zip(body["n_blocks"], body["block_size"], strict=True)]
    turns = [(turn["axis"], turn["angle"]) for turn in body.get("rotations", ())]
    matrix = rotation_matrix(turns)
    corners = [
        [
            start + sum(row[axis] * corner[axis] * sides[axis] for axis in range(3))
            for start, row in zip(body["origin"], matrix, strict=True)
        ]
        for corner in product((0, 1), repeat=3)
    ]
    return [(min(values), max(values)) for values in zip(*corners, strict=True)]


def version_body(entry: Entry, version_uuid: str) -> ModelVersion:
    """Give a version of a block model."""
    columns = msgspec.convert(entry.body.get("columns", ()), tuple[ColumnBody, ...])
    parent = entry.version - 1 or None
    return ModelVersion(
        bm_uuid=entry.name.rpartition("/")[2],
        version_id=entry.version,
        version_uuid=version_uuid,
        parent_version_id=parent,
        base_version_id=parent,
        comment=entry.body.get("comment", ""),
        created_at=entry.updated_at,
        created_by=user(entry.organisation, entry.by) or _nobody(entry),
        mapping=Mapped(columns),
    )
