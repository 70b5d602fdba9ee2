"""New objects: where they go, what may be replaced, and what they will be called."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from haulier.core.entry import Publication
from haulier.core.family import Context
from haulier.core.problem import Code, Problem
from haulier.families.geostat.io.objects import ENTRY, find_entry
from haulier.families.geostat.io.publications import files_of
from haulier.families.geostat.params.pieces import ObjectTarget
from haulier.families.geostat.params.references import Reference, parse_reference


@dataclass(frozen=True, slots=True)
class NewObject:
    """A new object, or the next version of one that is replaced.

    Attributes:
        reference: where it goes.
        id: of the object that is replaced; empty where there was none.
        version: which it will be.
        entry: its name in the catalog.
        body: of the entry that is replaced; empty where there was none.
    """

    reference: Reference
    id: str
    version: int
    entry: str
    body: Mapping[str, Any]

    @property
    def url(self) -> str:
        """Give the reference of the version that is made: by path, where its id is yet unknown."""
        if self.id:
            return self.reference.url(self.id, self.version)
        return str(replace(self.reference, version=self.version))

    @property
    def name(self) -> str:
        """Give the name of the object: the last part of its path, without an extension."""
        return self.entry.rpartition("/")[2].removesuffix(".json")

    def publication(self, document: Mapping[str, Any], blobs: Mapping[str, str]) -> Publication:
        """Give the publication of the object."""
        return Publication(
            type=ENTRY,
            name=self.entry,
            body={**self.body, "object": document},
            expects=self.version - 1,
            id=self.id,
            files=files_of(blobs),
        )


def new_object(context: Context, target: ObjectTarget, type_: str, *, at: str) -> NewObject:
    """Find out where a new object goes, and whether it may.

    Raises:
        Problem: CONFLICT at the parameter; something is there, and it may not be replaced.
    """
    where = f"{at}.reference"
    reference = parse_reference(target.reference, at=where)
    path = reference.path if reference.path.endswith(".json") else f"{reference.path}.json"
    entry = reference.space + path
    placed = Reference(reference.origin, reference.organisation, reference.workspace, path=path)
    there = find_entry(context, placed, at=where)
    if there is None:
        return NewObject(placed, "", 1, entry, {})
    schema = str(there.body.get("object", {}).get("schema", ""))
    if not target.overwrite:
        detail = f"{where} must be a path where nothing is; there is '{path}' already"
        raise Problem(Code.CONFLICT, f"{detail}: choose another, or set overwrite", at=where)
    if f"/{type_}/" not in schema:
        detail = f"{where} must not replace an object of another type; '{path}' is {schema}"
        raise Problem(Code.CONFLICT, detail, at=where)
    return NewObject(placed, there.id, there.version + 1, entry, there.body)
