"""Nodes of an octree between the passes: encoded ones, and shares of those that other bins share.

A node's file holds one payload behind the other, and its index one row a node. A file of shares
holds raw records with their places in the cloud, for the node is encoded when all shares are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.io.spill import in_order
from haulier.families.clouds.method.measure import RETURNS, measure
from haulier.families.clouds.method.morton import ByteArray
from haulier.families.clouds.method.octree import Int64Array

#: One row of the index of nodes: which, how many points, where its payload is, what it is like.
NODE: Final = np.dtype(
    [
        ("depth", "u1"),
        ("prefix", "<u8"),
        ("points", "<i8"),
        ("offset", "<i8"),
        ("size", "<i8"),
        ("mins", "<i4", (3,)),
        ("maxs", "<i4", (3,)),
        ("returns", "<i8", (RETURNS,)),
    ]
)
#: One row of the index of shares.
SHARE: Final = np.dtype([("depth", "u1"), ("prefix", "<u8"), ("points", "<i8"), ("offset", "<i8")])
PLACE_BYTES: Final = 8

Index = NDArray[np.void]


@dataclass
class _Writer:
    """Writes one thing behind the other, and their index; use it as a context manager."""

    content: Path
    index: Path
    _rows: list[tuple[Any, ...]] = field(default_factory=list)
    #: Of a row of the index.
    dtype: ClassVar[np.dtype[np.void]]

    def __enter__(self) -> Self:
        """Open the file."""
        self._file: IO[bytes] = self.content.open("wb")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the file, and write the index if all went well."""
        self._file.close()
        if kind is None:
            np.save(self.index, np.array(self._rows, dtype=self.dtype))


class NodeWriter(_Writer):
    """Writes the payloads of nodes."""

    dtype = NODE

    def add(self, node: tuple[int, int], records: ByteArray, payload: bytes) -> None:
        """Write one node.

        Args:
            node: its depth and prefix.
            records: (n, r) its points.
            payload: the same, encoded.
        """
        found = measure(records)
        offset = self._file.tell()
        self._file.write(payload)
        self._rows.append(
            (*node, len(records), offset, len(payload), found.mins, found.maxs, found.returns)
        )


class ShareWriter(_Writer):
    """Writes shares of nodes."""

    dtype = SHARE

    def add(self, node: tuple[int, int], records: ByteArray, places: Int64Array) -> None:
        """Write one share.

        Args:
            node: its depth and prefix.
            records: (n, r) the points.
            places: (n,) their places in the cloud.
        """
        self._rows.append((*node, len(records), self._file.tell()))
        self._file.write(np.ascontiguousarray(records).data)
        self._file.write(np.ascontiguousarray(places, dtype="<i8").data)


def read_index(index: Path) -> Index:
    """Read an index."""
    return np.asarray(np.load(index, mmap_mode="r"))


def gather_node(
    shares: Sequence[tuple[Path, Index]], node: tuple[int, int], record_size: int
) -> ByteArray:
    """Give the records of a node from all its shares, in the order of the cloud.

    Args:
        shares: files of shares, each with its index.
        node: its depth and prefix.
        record_size: bytes of a record.
    """
    records: list[ByteArray] = []
    places: list[Int64Array] = []
    for path, rows in shares:
        for row in rows[(rows["depth"] == node[0]) & (rows["prefix"] == node[1])]:
            points = int(row["points"])
            size = points * record_size
            with path.open("rb") as file:
                file.seek(int(row["offset"]))
                content = file.read(points * (record_size + PLACE_BYTES))
            records.append(np.frombuffer(content, np.uint8, size).reshape(points, record_size))
            places.append(np.frombuffer(content, "<i8", points, offset=size))
    order = in_order(np.concatenate(places))
    return np.take(np.concatenate(records), order, axis=0, mode="clip")
