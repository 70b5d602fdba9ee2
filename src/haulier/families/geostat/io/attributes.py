"""Attributes of objects: found by an expression, and where in the document they stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from jmespath.exceptions import JMESPathError

from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.objects import (
    BLOCK_MODEL,
    COLLECTION,
    INTERVALS,
    MASKED,
    POINTSET,
    REGULAR,
    TENSOR,
    GeoObject,
)
from haulier.families.geostat.params.expressions import check_expression, compile_expression

SHOWN: Final = 30
SCALAR: Final = "scalar"
INTEGER: Final = "integer"
BOOL: Final = "bool"
CATEGORY: Final = "category"
STRING: Final = "string"
ENSEMBLE: Final = "ensemble_continuous"


@dataclass(frozen=True, slots=True)
class AttributeList:
    """A list of attributes of one document, all of one length.

    Attributes:
        path: of the list in the document, as JMESPath.
        items: the attributes' documents.
        length: how many values each has.
    """

    path: str
    items: Sequence[Mapping[str, Any]]
    length: int


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of an object.

    Attributes:
        document: name, key, attribute_type, values, and what else there is.
        owner: the list it stands in.
        at: the parameter that named it.
    """

    document: Mapping[str, Any]
    owner: AttributeList
    at: str

    @property
    def name(self) -> str:
        """Give its name."""
        return str(self.document.get("name", ""))

    @property
    def key(self) -> str:
        """Give what is unique within its list; old attributes have but their name."""
        return str(self.document.get("key") or self.name)

    @property
    def type(self) -> str:
        """Give what its values are."""
        return str(self.document.get("attribute_type", ""))

    @property
    def reference(self) -> str:
        """Give the expression that finds it."""
        return reference_of(self.owner.path, self.key)


def reference_of(path: str, key: str) -> str:
    """Give the expression that finds the attribute of a key in a list."""
    literal = key.replace("\\", "\\\\").replace("'", "\\'")
    return f"{path}[?key=='{literal}']"


def attribute_lists(object_: GeoObject) -> list[AttributeList]:
    """Give the lists of attributes that an object of a known type has, the main one first."""
    return list(_LISTS[object_.type](object_.document))


def _of_points(document: Mapping[str, Any]) -> Iterator[AttributeList]:
    locations = document["locations"]
    length = int(locations["coordinates"]["length"])
    yield AttributeList("locations.attributes", locations.get("attributes") or (), length)


def _of_grid(document: Mapping[str, Any]) -> Iterator[AttributeList]:
    nx, ny, nz = (int(n) for n in document["size"])
    cells = document.get("cell_attributes") or ()
    yield AttributeList("cell_attributes", cells, nx * ny * nz)
    vertices = (nx + 1) * (ny + 1) * (nz + 1)
    yield AttributeList("vertex_attributes", document.get("vertex_attributes") or (), vertices)


def _of_masked(document: Mapping[str, Any]) -> Iterator[AttributeList]:
    active = int(document["number_of_active_cells"])
    yield AttributeList("cell_attributes", document.get("cell_attributes") or (), active)


def _of_intervals(document: Mapping[str, Any]) -> Iterator[AttributeList]:
    length = int(document["from_to"]["intervals"]["start_and_end"]["length"])
    yield AttributeList("attributes", document.get("attributes") or (), length)


def _of_collection(document: Mapping[str, Any]) -> Iterator[AttributeList]:
    for number, each in enumerate(document.get("collections") or ()):
        if "from_to" in each:
            table = each["from_to"]
            length = int(table["intervals"]["start_and_end"]["length"])
            path = f"collections[{number}].from_to.attributes"
            yield AttributeList(path, table.get("attributes") or (), length)
        elif "distance" in each:
            table = each["distance"]
            path = f"collections[{number}].distance.attributes"
            yield AttributeList(path, table.get("attributes") or (), int(table["values"]["length"]))
    collars = document["location"]
    length = int(collars["coordinates"]["length"])
    yield AttributeList("location.attributes", collars.get("attributes") or (), length)


def _of_block_model(document: Mapping[str, Any]) -> Iterator[AttributeList]:
    nx, ny, nz = (int(n) for n in document["size"])
    yield AttributeList("attributes", document["attributes"], nx * ny * nz)


_LISTS: Final = {
    BLOCK_MODEL: _of_block_model,
    POINTSET: _of_points,
    REGULAR: _of_grid,
    TENSOR: _of_grid,
    MASKED: _of_masked,
    INTERVALS: _of_intervals,
    COLLECTION: _of_collection,
}


def find_attribute(object_: GeoObject, text: str, *, at: str) -> Attribute:
    """Find the one attribute that an expression, a name or a key points at.

    Raises:
        Problem: INVALID at the parameter, with the names that there are; it points at none, or
            at several.
    """
    check_expression(text, at=at)
    lists = attribute_lists(object_)
    found = _by_path(object_, lists, text) or _by_name(lists, text)
    if len(found) == 1:
        document, owner = found[0]
        return Attribute(document, owner, at)
    names = _names(lists)
    if found:
        detail = f"{at} must point at one attribute of '{object_.title}'; {text!r} is {len(found)}"
        raise Problem(Code.INVALID, f"{detail}; there are: {names}", at=at)
    pinned = f" in version {object_.version}" if object_.reference.version else ""
    detail = f"{at} must be an attribute of '{object_.title}', which has none {text!r}{pinned}"
    raise Problem(Code.INVALID, f"{detail}; there are: {names}", at=at)


Found = list[tuple[Mapping[str, Any], AttributeList]]


def _by_path(object_: GeoObject, lists: Sequence[AttributeList], text: str) -> Found:
    """Evaluate the expression on the document; then on each list as if it were all there is."""
    compiled = compile_expression(text)
    if compiled is None:
        return []
    roots = [object_.document, *({"attributes": each.items} for each in lists)]
    for root in roots:
        try:
            given = compiled.search(root)
        except (JMESPathError, TypeError, ValueError, RecursionError):
            continue
        candidates = given if isinstance(given, list) else [given]
        found = [
            (item, each)
            for each in lists
            for item in each.items
            if any(item is candidate for candidate in candidates)
        ]
        if found:
            return found
    return []


def _by_name(lists: Sequence[AttributeList], text: str) -> Found:
    """Find attributes by name or key, in the first list that has one."""
    for each in lists:
        found = [(item, each) for item in each.items if text in {item.get("key"), item.get("name")}]
        if found:
            return found[:1] if all(item.get("key") == text for item, _ in found) else found
    return []


def _names(lists: Sequence[AttributeList]) -> str:
    names = [str(item.get("name", "")) for each in lists for item in each.items]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return (", ".join(names[:SHOWN]) or "none") + more
