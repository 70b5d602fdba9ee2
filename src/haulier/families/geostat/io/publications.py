"""New versions of objects: documents with attributes added or replaced, and new objects."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import jmespath

from haulier.core.artifact import FileRef
from haulier.core.entry import Publication
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.attributes import (
    CATEGORY,
    ENSEMBLE,
    INTEGER,
    SCALAR,
    Attribute,
    AttributeList,
    attribute_lists,
    find_attribute,
    reference_of,
)
from haulier.families.geostat.io.objects import ENTRY, STORAGE, GeoObject
from haulier.families.geostat.params.pieces import (
    AnyAttribute,
    CreateAttribute,
    UpdateAttribute,
)

#: Types that say which numbers stand for missing values.
WITH_NAN: Final = frozenset({SCALAR, INTEGER, CATEGORY, ENSEMBLE})


#: What a document says besides where its rows are.
WORDS: Final = (
    "name",
    "description",
    "tags",
    "extensions",
    "lineage",
    "schema",
    "uuid",
    "block_model_version_uuid",
)


@dataclass(frozen=True, slots=True)
class Written:
    """The values of an attribute that were written.

    Attributes:
        at: the parameter that says where they go.
        spec: a new attribute, or one that is there.
        type: of the attribute.
        values: what the document says of their table.
        lookup: what it says of the table of categories, if they are some.
        replace: whether an attribute of the new one's name is replaced, as the task named it
            and not the caller.
    """

    at: str
    spec: AnyAttribute
    type: str
    values: Mapping[str, Any]
    lookup: Mapping[str, Any] | None = None
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """An attribute that a publication adds or replaces."""

    name: str
    reference: str


def settled(
    object_: GeoObject, owner: AttributeList, spec: AnyAttribute, type_: str, *, replace: bool
) -> AnyAttribute:
    """Make the creation of an attribute an update, where it may replace one and there is one."""
    if replace and isinstance(spec, CreateAttribute):
        for item in owner.items:
            attribute = Attribute(item, owner, object_.at)
            if attribute.name == spec.name and attribute.type == type_:
                return UpdateAttribute(attribute.reference)
    return spec


def check_spec(
    object_: GeoObject, owner: AttributeList, spec: AnyAttribute, type_: str, at: str
) -> str:
    """Make sure that an attribute can be created or updated.

    Args:
        object_: the newest version of the target.
        owner: the list whose rows are written.
        spec: what is to be done.
        type_: of the values.
        at: the parameter that holds the spec.

    Returns:
        The attribute's name.

    Raises:
        Problem: INVALID; the name is taken, there is no such attribute, or it holds other values.
    """
    if isinstance(spec, CreateAttribute):
        if any(item.get("name") == spec.name for item in owner.items):
            raise Problem(
                Code.INVALID,
                f"{at}.name must be new; '{object_.title}' has an attribute '{spec.name}' already: "
                "choose another name, or update that one by operation 'update'",
                at=f"{at}.name",
            )
        return spec.name
    attribute = find_attribute(object_, spec.reference, at=f"{at}.reference")
    _check_update(attribute, owner, type_, at)
    return attribute.name


def _check_update(attribute: Attribute, owner: AttributeList, type_: str, at: str) -> None:
    where = f"{at}.reference"
    if attribute.owner.path != owner.path:
        detail = f"{where} must be one of {owner.path}, got {attribute.reference}"
        raise Problem(Code.INVALID, detail, at=where)
    if attribute.type != type_:
        raise Problem(
            Code.INVALID,
            f"{where} must be an attribute of type {type_!r} for these values; '{attribute.name}' "
            f"is of type {attribute.type!r}: create a new attribute instead",
            at=where,
        )


def same_rows(one: GeoObject, other: GeoObject, owner: AttributeList) -> bool:
    """Whether two versions of an object have the same rows in the same places."""
    return bool(_shape(one.document, owner.path) == _shape(other.document, owner.path))


def _shape(document: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 -- JSON
    """Give a document without attributes, names and words about it."""
    shape = copy.deepcopy(dict(document))
    for list_ in (path, "cell_attributes", "vertex_attributes", "locations.attributes"):
        holder, _, name = list_.rpartition(".")
        inside = jmespath.search(holder, shape) if holder else shape
        if isinstance(inside, dict):
            inside.pop(name, None)
    for word in WORDS:
        shape.pop(word, None)
    return shape


def new_version(
    object_: GeoObject, path: str, written: Sequence[Written]
) -> tuple[dict[str, Any], list[Placed]]:
    """Give the document of a new version of an object, and the attributes it gained.

    Args:
        object_: the newest version.
        path: of the list of attributes.
        written: what is added or replaced.

    Raises:
        Problem: as `check_spec`.
    """
    document = copy.deepcopy(dict(object_.document))
    placed = []
    for each in written:
        draft = GeoObject(
            object_.reference,
            object_.at,
            object_.id,
            object_.entry,
            object_.version,
            document,
            object_.body,
        )
        owner = next(one for one in attribute_lists(draft) if one.path == path)
        spec = settled(draft, owner, each.spec, each.type, replace=each.replace)
        name = check_spec(draft, owner, spec, each.type, each.at)
        item = _item(draft, each, spec, name)
        _list_at(document, path, item)
        placed.append(Placed(name, reference_of(path, str(item.get("key") or name))))
    return document, placed


def _item(draft: GeoObject, written: Written, spec: AnyAttribute, name: str) -> dict[str, Any]:
    """Give the attribute's document: its old self with new values, or a new one."""
    if isinstance(spec, CreateAttribute):
        said = f"{draft.id}/{draft.version + 1}/{name}/{written.values['data']}"
        item: dict[str, Any] = {"name": name, "key": str(uuid5(NAMESPACE_URL, said))}
    else:
        found = find_attribute(draft, spec.reference, at=f"{written.at}.reference")
        item = found.document  # type: ignore[assignment] # of the draft, which is ours
    item["attribute_type"] = written.type
    item["values"] = dict(written.values)
    if written.lookup is not None:
        item["table"] = dict(written.lookup)
    if written.type in WITH_NAN:
        item["nan_description"] = {"values": []}
    return item


def _list_at(document: dict[str, Any], path: str, item: dict[str, Any]) -> None:
    """Put an attribute into its list, if it does not stand there already."""
    holder, _, name = path.rpartition(".")
    inside = jmespath.search(holder, document) if holder else document
    if inside.get(name) is None:
        inside[name] = []
    if not any(item is each for each in inside[name]):
        inside[name].append(item)


def replacement(
    object_: GeoObject, document: Mapping[str, Any], blobs: Mapping[str, str]
) -> Publication:
    """Give the publication of a new version.

    Args:
        object_: the version that it follows.
        document: of the new version.
        blobs: artifact of the step to the SHA-256 of its bytes.
    """
    return Publication(
        type=ENTRY,
        name=object_.entry,
        body={**object_.body, "object": document},
        expects=object_.version,
        id=object_.id,
        files=files_of(blobs),
    )


def files_of(blobs: Mapping[str, str]) -> dict[str, FileRef]:
    """Give where artifacts go: each under the name of its hash."""
    return {name: FileRef(STORAGE, sha256) for name, sha256 in blobs.items()}
