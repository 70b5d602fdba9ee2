"""The list of tiles between the steps: which roads and which row groups each needs."""

from pathlib import Path

import msgspec
import numpy as np

from haulier.families.roads.method.lines import FloatArray


class TileEntry(msgspec.Struct, frozen=True, array_like=True):
    """One tile.

    Attributes:
        quadkey: its name.
        batch: which record batch of the customers holds its roads.
        roads: how many rows that has.
        segments: about how many segments lie within the tile's square.
        areas: one or two boxes round its roads, with a halo: west, south, east, north.
        groups: (file, row group) pairs of the release to look in.
    """

    quadkey: str
    batch: int
    roads: int
    segments: int
    areas: list[list[float]]
    groups: list[list[int]]


class Tilebook(msgspec.Struct, frozen=True):
    """All tiles of a job, in the order of their keys."""

    release: str
    release_version: str
    tiles: list[TileEntry]


def write_tilebook(path: Path, book: Tilebook) -> None:
    """Write the list as JSON."""
    path.write_bytes(msgspec.json.encode(book))


def read_tilebook(path: Path) -> Tilebook:
    """Read the list."""
    return msgspec.json.decode(path.read_bytes(), type=Tilebook)


def box_array(boxes: list[list[float]]) -> FloatArray:
    """Give boxes as an array, (k, 4)."""
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)
