"""Geoscience objects in a local world: documents and tables as a client uploads them, for tests."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

from haulier.core.entry import Entry, Publication
from haulier.testing.context import World

ORGANISATION: Final = "00000000-0000-0000-0000-0000000000a1"
WORKSPACE: Final = "00000000-0000-0000-0000-0000000000b2"
SPACE: Final = f"{ORGANISATION}/{WORKSPACE}/"
HOST: Final = "https://hub.test"
ENTRY: Final = "geoscience-object"
STORAGE: Final = "geoscience-data"
BASE: Final = f"{HOST}/geoscience-object/orgs/{ORGANISATION}/workspaces/{WORKSPACE}/objects"
TYPES: Final = {"double": "float64", "int32": "int32", "int64": "int64", "uint64": "uint64"}


@dataclass(frozen=True, slots=True)
class Gallery:
    """Makes objects in a world, and looks at them.

    Attributes:
        world: where they are.
    """

    world: World
    _made: dict[str, str] = field(default_factory=dict)

    def table(self, columns: Mapping[str, ArrayLike] | pa.Table) -> dict[str, Any]:
        """Upload a table, and say what a document says of it."""
        table = columns if isinstance(columns, pa.Table) else _table(columns)
        folder = self.world.storages.setdefault(STORAGE, self.world.folder / STORAGE)
        folder.mkdir(parents=True, exist_ok=True)
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, version="2.4", compression="gzip")
        content = sink.getvalue().to_pybytes()
        name = hashlib.sha256(content).hexdigest()
        (folder / name).write_bytes(content)
        types = [TYPES.get(str(type_), str(type_)) for type_ in table.schema.types]
        return {
            "data": name,
            "length": table.num_rows,
            "width": table.num_columns,
            "data_type": types[0] if len(set(types)) == 1 else "/".join(types),
        }

    def scalar(self, name: str, values: ArrayLike, missing: Sequence[float] = ()) -> dict[str, Any]:
        """Give an attribute of numbers; NaN is uploaded as null."""
        array = np.asarray(values, dtype=np.float64)
        column = pa.array(array, mask=np.isnan(array))
        return self._attribute(name, "scalar", pa.table({name: column}), missing)

    def integer(self, name: str, values: ArrayLike) -> dict[str, Any]:
        """Give an attribute of whole numbers."""
        table = pa.table({name: pa.array(np.asarray(values, dtype=np.int64))})
        return self._attribute(name, "integer", table, ())

    def truths(self, name: str, values: ArrayLike) -> dict[str, Any]:
        """Give an attribute of truths."""
        table = pa.table({name: pa.array(np.asarray(values, dtype=bool))})
        return self._attribute(name, "bool", table, None)

    def words(self, name: str, values: Sequence[str | None]) -> dict[str, Any]:
        """Give an attribute of texts."""
        table = pa.table({name: pa.array(values, pa.string())})
        return self._attribute(name, "string", table, None)

    def ensemble(self, name: str, values: ArrayLike) -> dict[str, Any]:
        """Give an attribute of realisations: (n, r)."""
        matrix = np.asarray(values, dtype=np.float64)
        columns = {str(n): pa.array(col, mask=np.isnan(col)) for n, col in enumerate(matrix.T)}
        return self._attribute(name, "ensemble_continuous", pa.table(columns), ())

    def category(
        self, name: str, words: Sequence[str | None], first_key: int = 0
    ) -> dict[str, Any]:
        """Give an attribute of categories, whose keys begin with a number."""
        names = sorted({word for word in words if word is not None})
        keys = {word: first_key + n for n, word in enumerate(names)}
        values = pa.array([None if word is None else keys[word] for word in words], pa.int32())
        attribute = self._attribute(name, "category", pa.table({name: values}), ())
        lookup = pa.table({"key": pa.array(keys.values(), pa.int32()), "value": pa.array(names)})
        info = self.table(lookup)
        attribute["table"] = {
            "data": info["data"],
            "length": info["length"],
            "keys_data_type": "int32",
            "values_data_type": "string",
        }
        return attribute

    def _attribute(
        self, name: str, type_: str, table: pa.Table, missing: Sequence[float] | None
    ) -> dict[str, Any]:
        attribute: dict[str, Any] = {
            "name": name,
            "key": str(uuid5(NAMESPACE_URL, name)),
            "attribute_type": type_,
            "values": self.table(table),
        }
        return attribute | ({} if missing is None else {"nan_description": {"values": [*missing]}})

    def put(self, path: str, document: Mapping[str, Any]) -> str:
        """Make an object, or its next version, and give the reference of that version."""
        there = self.world.shelf.find(ENTRY, SPACE + path, "", 0)
        entry = self.world.shelf.put(
            Publication(
                type=ENTRY,
                name=SPACE + path,
                body={"object": document, "created_by": "tests"},
                expects=there.version if there else 0,
                id=there.id if there else str(uuid5(NAMESPACE_URL, path)),
            )
        )
        return f"{BASE}/{entry.id}?version={entry.version}"

    def get(self, path: str) -> Entry:
        """Give the newest version of an object."""
        entry = self.world.shelf.find(ENTRY, SPACE + path, "", 0)
        if entry is None:
            raise KeyError(path)
        return entry

    def values(self, info: Mapping[str, Any]) -> pa.Table:
        """Read a table that a document names."""
        return pq.read_table(self.world.storages[STORAGE] / info["data"])

    def attribute(self, path: str, name: str) -> dict[str, Any]:
        """Give the document of an attribute of the newest version of an object."""
        document = self.get(path).body["object"]
        holders = [document, document.get("locations", {})]
        lists = [each.get(key, ()) for each in holders for key in ("attributes", "cell_attributes")]
        return next(dict(item) for items in lists for item in items if item["name"] == name)

    def column(self, path: str, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Give the values of an attribute of numbers: (n,), NaN where they are missing."""
        table = self.values(self.attribute(path, name)["values"])
        return np.asarray(table.column(0).cast(pa.float64()).to_numpy())

    def pointset(self, path: str, places: ArrayLike, *attributes: Mapping[str, Any]) -> str:
        """Make a pointset."""
        locations = {
            "coordinates": self.coordinates(places),
            "attributes": list(attributes),
        }
        return self.put(path, {**head_of(path, "pointset", "1.2.0"), "locations": locations})

    def grid(
        self,
        path: str,
        size: Sequence[int],
        *attributes: Mapping[str, Any],
        origin: Sequence[float] = (0.0, 0.0, 0.0),
        cell: Sequence[float] = (10.0, 10.0, 5.0),
        rotation: Sequence[float] = (0.0, 0.0, 0.0),
        mask: ArrayLike | None = None,
    ) -> str:
        """Make a regular grid, or a masked one; attributes are of its (active) cells."""
        turn = dict(zip(("dip_azimuth", "dip", "pitch"), rotation, strict=True))
        kind = "regular-3d-grid" if mask is None else "regular-masked-3d-grid"
        document: dict[str, Any] = {
            **head_of(path, kind, "1.3.0"),
            "origin": list(origin),
            "size": list(size),
            "cell_size": list(cell),
            "rotation": turn,
            "cell_attributes": list(attributes),
        }
        if mask is not None:
            truths = np.asarray(mask, dtype=bool)
            document["mask"] = {"name": "mask", **self.truths("mask", truths)}
            document["number_of_active_cells"] = int(truths.sum())
        return self.put(path, document)

    def tensor(self, path: str, sides: Sequence[Sequence[float]], origin: Sequence[float]) -> str:
        """Make a grid whose cells have sizes of their own."""
        document = {
            **head_of(path, "tensor-3d-grid", "1.3.0"),
            "origin": list(origin),
            "size": [len(side) for side in sides],
            "grid_cells_3d": {
                f"cell_sizes_{axis}": list(side) for axis, side in zip("xyz", sides, strict=True)
            },
        }
        return self.put(path, document)

    def variogram(
        self, path: str, *structures: Mapping[str, Any], nugget: float = 0.0, **more: object
    ) -> str:
        """Make a variogram whose sill is what its parts add up to."""
        sill = nugget + sum(each["contribution"] for each in structures)
        document = {
            **head_of(path, "variogram", "1.1.0"),
            "sill": sill,
            "nugget": nugget,
            "is_rotation_fixed": True,
            "structures": list(structures),
        }
        return self.put(path, {**document, **more})

    def distribution(self, path: str, values: ArrayLike, probabilities: ArrayLike) -> str:
        """Make a distribution without tails."""
        kind = "non-parametric-continuous-cumulative-distribution"
        tails = ("lower_tail_extrapolation", "upper_tail_extrapolation")
        document = {
            **head_of(path, kind, "1.2.1"),
            "cdf": {
                "values": self.table({"values": values, "probabilities": probabilities}),
                **dict.fromkeys(tails, "no_extrapolation"),
            },
            "is_declustered": False,
            "support": "point",
        }
        return self.put(path, document)

    def coordinates(self, places: ArrayLike) -> dict[str, Any]:
        """Upload (n, 3) places as a table of x, y and z."""
        x, y, z = np.asarray(places, dtype=np.float64).reshape(-1, 3).T
        return self.table({"x": x, "y": y, "z": z})


def structure(
    model: str = "spherical",
    contribution: float = 1.0,
    ranges: Sequence[float] = (100.0, 100.0, 100.0),
    rotation: Sequence[float] = (0.0, 0.0, 0.0),
    **more: object,
) -> dict[str, Any]:
    """Give a structure as the document of a variogram has it."""
    return {
        "variogram_type": model,
        "contribution": contribution,
        "anisotropy": {
            "ellipsoid_ranges": dict(zip(("major", "semi_major", "minor"), ranges, strict=True)),
            "rotation": dict(zip(("dip_azimuth", "dip", "pitch"), rotation, strict=True)),
        },
        **more,
    }


def search(radius: float = 1000.0, max_samples: int = 16, **more: object) -> dict[str, Any]:
    """Give a neighbourhood as requests have it."""
    ranges = {"major": radius, "semi_major": radius, "minor": radius}
    turn = {"dip_azimuth": 0.0, "dip": 0.0, "pitch": 0.0}
    ellipsoid = {"ellipsoid_ranges": ranges, "rotation": turn}
    return {"ellipsoid": ellipsoid, "max_samples": max_samples, **more}


def new(name: str) -> dict[str, str]:
    """Give the specification of an attribute that is created."""
    return {"operation": "create", "name": name}


def head_of(path: str, type_: str, version: str) -> dict[str, Any]:
    """Give what the document of an object of any type begins with."""
    name = path.rpartition("/")[2].removesuffix(".json")
    return {
        "name": name,
        "schema": f"/objects/{type_}/{version}/{type_}.schema.json",
        "coordinate_reference_system": "unspecified",
    }


def _table(columns: Mapping[str, ArrayLike]) -> pa.Table:
    return pa.table({name: pa.array(np.asarray(values)) for name, values in columns.items()})
