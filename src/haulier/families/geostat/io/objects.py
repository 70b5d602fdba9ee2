"""Geoscience objects: documents of the catalog, of a known version, and of a type that will do."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from haulier.core.entry import Entry
from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.blockmodels import widened
from haulier.families.geostat.io.shapes import check_shape
from haulier.families.geostat.params.references import Reference, parse_reference

ENTRY: Final = "geoscience-object"
STORAGE: Final = "geoscience-data"
_SCHEMA: Final = re.compile(r"/objects/(?P<type>[a-z0-9-]+)/(?P<version>\d+\.\d+\.\d+)/.*")

POINTSET: Final = "pointset"
REGULAR: Final = "regular-3d-grid"
MASKED: Final = "regular-masked-3d-grid"
TENSOR: Final = "tensor-3d-grid"
INTERVALS: Final = "downhole-intervals"
COLLECTION: Final = "downhole-collection"
VARIOGRAM: Final = "variogram"
EXPERIMENTAL: Final = "experimental-variogram"
DISTRIBUTION: Final = "non-parametric-continuous-cumulative-distribution"
BLOCK_MODEL: Final = "block-model"
GRIDS: Final = (REGULAR, MASKED, TENSOR, BLOCK_MODEL)
POINTS: Final = (POINTSET, INTERVALS, COLLECTION)
PLACED: Final = (*POINTS, *GRIDS)


@dataclass(frozen=True, slots=True)
class GeoObject:
    """One version of an object.

    Attributes:
        reference: how the caller named it.
        at: the parameter that names it.
        id: a UUID.
        entry: its name in the catalog.
        version: rises from 1.
        document: what the caller once sent, without a `uuid`; a block model has its geometry and
            its values where grids have theirs.
        body: of the catalog's entry: the document, and what the wire keeps beside it.
    """

    reference: Reference
    at: str
    id: str
    entry: str
    version: int
    document: Mapping[str, Any]
    body: Mapping[str, Any]

    @property
    def schema(self) -> str:
        """Give the id of its schema."""
        return str(self.document.get("schema", ""))

    @property
    def type(self) -> str:
        """Give the type that its schema names; empty if it names none."""
        found = _SCHEMA.fullmatch(self.schema)
        return found["type"] if found else ""

    @property
    def title(self) -> str:
        """Give its name for people."""
        return str(self.document.get("name") or self.entry.rpartition("/")[2])

    def url(self, version: int | None = None) -> str:
        """Give a reference to it, at this or another version, on the caller's own host."""
        return self.reference.url(self.id, self.version if version is None else version)


def load_object(
    context: Context, text: str, *, at: str, allowed: Collection[str], version: int | None = None
) -> GeoObject:
    """Load the object that a reference names.

    Args:
        context: where objects are.
        text: the reference.
        at: the parameter.
        allowed: types that will do.
        version: of which version, instead of the one that the reference names; 0: the newest.

    Raises:
        Problem: NOT_FOUND at the parameter. INVALID; it is of another type, or its document
            cannot be read.
    """
    reference = parse_reference(text, at=at)
    found = _found(context, reference, reference.version if version is None else version, at)
    document = found.body.get("object")
    if not isinstance(document, Mapping):
        raise Problem(Code.INVALID, f"{at} names an object without a document: {text}", at=at)
    object_ = GeoObject(reference, at, found.id, found.name, found.version, document, found.body)
    if object_.type == BLOCK_MODEL and BLOCK_MODEL in allowed:
        object_ = replace(object_, document=widened(context, document, reference.space, at=at))
    if object_.type not in allowed:
        is_ = f"a {object_.type}" if object_.type else f"of schema {object_.schema!r}"
        raise Problem(
            Code.INVALID,
            f"{at} must be a {' or a '.join(sorted(allowed))}; '{object_.title}' is {is_}",
            at=at,
        )
    check_shape(object_.document, object_.type, at=at)
    return object_


def find_entry(context: Context, reference: Reference, *, at: str) -> Entry | None:
    """Give the newest version of what a reference names by its path, if there is anything."""
    try:
        return _found(context, reference, 0, at)
    except Problem as problem:
        if problem.code is Code.NOT_FOUND:
            return None
        raise


def _found(context: Context, reference: Reference, version: int, at: str) -> Entry:
    name = "" if reference.object_id else reference.space + reference.path
    try:
        found = context.entry(ENTRY, name=name, id=reference.object_id, version=version)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        raise _missing(reference, version, at) from None
    if not found.name.startswith(reference.space):
        raise _missing(reference, version, at)
    return found


def _missing(reference: Reference, version: int, at: str) -> Problem:
    """Say what there is not, without the names of others' objects."""
    what = f"object '{reference.path or reference.object_id}'"
    which = f"version {version} of {what}" if version else what
    where = f"workspace {reference.workspace} of organisation {reference.organisation}"
    return Problem(Code.NOT_FOUND, f"{at} names {which}, which is not in {where}", at=at)
