"""A block model as the catalog keeps it: its lattice, its columns, and the files of these.

The catalog has it under the type `block-model`. A wire makes it and the object that stands for it
among geoscience objects; jobs write new versions of both together.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.families.blocks.method.lattice import Lattice
from haulier.families.blocks.params import DataType

TYPE: Final = "block-model"
OBJECT: Final = "geoscience-object"
STORAGE: Final = "geoscience-data"
#: Blocks of a model: what one job goes through.
MOST_BLOCKS: Final = 200_000_000


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column: `data` names its file by the SHA-256 of the content."""

    col_id: str
    title: str
    data_type: DataType
    data: str
    unit_id: str | None = None


class Rotation(msgspec.Struct, frozen=True):
    """A clockwise rotation around an axis, in degrees."""

    axis: str
    angle: float


class BlockModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a version of a block model is.

    Attributes:
        object_id: of the geoscience object that stands for it.
        comment: said of this version.
    """

    name: str
    object_id: str
    origin: tuple[float, float, float]
    n_blocks: tuple[int, int, int]
    block_size: tuple[float, float, float]
    rotations: tuple[Rotation, ...] = ()
    description: str | None = None
    coordinate_reference_system: str | None = None
    size_unit_id: str | None = None
    comment: str = ""
    created_by: str = ""
    columns: tuple[Column, ...] = ()

    @property
    def lattice(self) -> Lattice:
        """Give where its blocks are."""
        turned = tuple((rotation.axis, rotation.angle) for rotation in self.rotations)
        return Lattice(self.origin, self.n_blocks, self.block_size, turned)

    def column(self, name: str) -> Column:
        """Give a column by its title or its id.

        Raises:
            Problem: INVALID, with the titles that there are.
        """
        for column in self.columns:
            if name in {column.title, column.col_id}:
                return column
        known = ", ".join(column.title for column in self.columns) or "none"
        raise Problem(Code.INVALID, f"no column '{name}'; there are: {known}", at="columns")


def model_of(entry: Entry) -> BlockModel:
    """Give the block model that an entry is.

    Raises:
        Problem: TOO_LARGE at "model"; it has more blocks than a job can take.
    """
    model = msgspec.convert(entry.body, BlockModel)
    if model.lattice.size > MOST_BLOCKS:
        detail = f"model must have at most {MOST_BLOCKS:,} blocks, '{model.name}' has "
        detail += f"{model.lattice.size:,}: make its blocks larger, or cut it into several models"
        raise Problem(Code.TOO_LARGE, detail, at="model")
    return model


def column_id(model_name: str, title: str, version: int) -> str:
    """Give the id of a column that a version makes."""
    return str(uuid5(NAMESPACE_URL, f"{model_name}/{version}/{title}"))


def version_id(model_name: str, version: int) -> str:
    """Give the UUID of a version."""
    return str(uuid5(NAMESPACE_URL, f"{model_name}/{version}"))


def document_of(
    document: Mapping[str, Any], model: BlockModel, model_name: str, version: int
) -> dict[str, Any]:
    """Give the document of the object that stands for a version of a block model."""
    return {
        **document,
        "block_model_version_uuid": version_id(model_name, version),
        "attributes": [
            {
                "name": column.title,
                "key": column.col_id,
                "attribute_type": column.data_type,
                "block_model_column_uuid": column.col_id,
                **({"unit": column.unit_id} if column.unit_id else {}),
            }
            for column in model.columns
        ],
    }
