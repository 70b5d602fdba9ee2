"""Geoscience objects as the catalog keeps them: found, made, replaced, moved, put away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from haulier.core.artifact import FileRef
from haulier.core.caller import Caller
from haulier.core.entry import Entry, Publication
from haulier.core.problem import Code, Fault, Problem
from haulier.engine.services import Services
from haulier.wire.evo.document import Document, check_document, named_files, uuid_or_none
from haulier.wire.evo.errors import ObjectExistsError
from haulier.wire.ranges import matches

TYPE: Final = "geoscience-object"
STORAGE: Final = "geoscience-data"
TRIES: Final = 20
COPIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Shelf:
    """The objects in one workspace, as one caller may see and change them.

    Attributes:
        space: organisation and workspace, two UUIDs: a name space of the caller's.
    """

    services: Services
    caller: Caller
    space: tuple[str, str]

    @property
    def prefix(self) -> str:
        """Give how the names of its entries begin."""
        return f"{self.space[0]}/{self.space[1]}/"

    def path_of(self, entry: Entry) -> str:
        """Give the path of an object within the workspace."""
        return entry.name.removeprefix(self.prefix)

    def by_path(self, path: str, version: int = 0) -> Entry:
        """Give a version of the object at a path.

        Raises:
            Problem: NOT_FOUND.
        """
        entry = self._find(path)
        if entry is None:
            detail = f"no object at '{path}' in this workspace"
            raise Problem(Code.NOT_FOUND, detail, at="path.objects_path")
        return self._version(entry, version)

    def by_id(self, object_id: str, version: int = 0, *, deleted: bool = False) -> Entry:
        """Give a version of an object.

        Raises:
            Problem: NOT_FOUND.
        """
        catalog, wanted = self.services.catalog, uuid_or_none(object_id)
        try:
            entry = catalog.version(
                self.caller.organisation, TYPE, id=wanted or object_id, deleted=deleted
            )
        except Problem as problem:
            raise _no_object(object_id) if problem.code is Code.NOT_FOUND else problem from None
        if not entry.name.startswith(self.prefix):
            raise _no_object(object_id)
        return self._version(entry, version)

    def _version(self, entry: Entry, version: int) -> Entry:
        if version in {0, entry.version}:
            return entry
        try:
            return self.services.catalog.version(
                self.caller.organisation, TYPE, id=entry.id, version=version, deleted=True
            )
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:
                raise
            detail = f"the object has versions 1 to {entry.version}, got {version}"
            raise Problem(Code.NOT_FOUND, detail, at="query.version") from None

    def put(self, path: str, document: Document, if_match: str) -> Entry:
        """Make an object at a path; or a new version of the one there, or of one that moves there.

        Raises:
            ObjectExistsError: there is another object.
            Problem: NOT_FOUND, INVALID, PRECONDITION.
        """
        object_id = uuid_or_none(document.get("uuid"))
        if object_id is None:
            return self._create(path, check_document(document, None))
        if self.path_of(self.by_id(object_id)) == path:
            return self.replace(object_id, document, if_match)
        checked = self._checked(check_document(document, object_id))
        return self._changed(object_id, checked, if_match, path=path)

    def replace(self, object_id: str, document: Document, if_match: str) -> Entry:
        """Give an object a new version.

        Raises:
            Problem: NOT_FOUND, INVALID; PRECONDITION: `if_match` is not its newest version.
        """
        entry = self.by_id(object_id)
        checked = self._checked(check_document(document, entry.id))
        return self._changed(entry.id, checked, if_match)

    def put_away(self, entry: Entry) -> None:
        """Put an object away; its path is free again.

        Raises:
            Problem: NOT_FOUND; somebody was faster.
        """
        self.services.catalog.put_away(self.caller.organisation, TYPE, entry.id)

    def restore(self, object_id: str) -> tuple[Entry, bool]:
        """Bring an object back, and say whether its path had to change for it.

        Raises:
            Problem: NOT_FOUND; it is not put away.
        """
        entry = self.by_id(object_id, deleted=True)
        for number in range(COPIES):
            name = _numbered(entry.name, number)
            try:
                restored = self.services.catalog.restore(
                    self.caller.organisation, TYPE, entry.id, name=name
                )
            except Problem as problem:
                if problem.code is Code.CONFLICT:
                    continue
                raise _no_object(object_id) from None
            return restored, number > 0
        raise Problem(Code.CONFLICT, f"'{self.path_of(entry)}' and its copies are all taken")

    def _find(self, path: str) -> Entry | None:
        return self.services.catalog.find(self.caller.organisation, TYPE, self.prefix + path)

    def _create(self, path: str, document: Document) -> Entry:
        body = self._checked(document) | {"created_by": self.caller.subject}
        try:
            return self.services.catalog.put(
                self.caller.organisation,
                TYPE,
                self.prefix + path,
                body,
                by=self.caller.subject,
                expects=0,
            )
        except Problem as problem:
            there = self._find(path) if problem.code is Code.CONFLICT else None
            raise ObjectExistsError(path, there.id) if there else problem from None

    def _changed(
        self, object_id: str, body: Mapping[str, Any], if_match: str, *, path: str = ""
    ) -> Entry:
        """Write a version; without a condition, upon whatever somebody else wrote meanwhile."""
        for _ in range(TRIES):
            entry = self.by_id(object_id)
            if if_match and not matches(if_match, str(entry.version)):
                raise _modified(entry, if_match)
            name = self.prefix + path if path else entry.name
            wanted = Publication(
                type=TYPE,
                name=name,
                body={**entry.body, **body},
                expects=entry.version,
                id=entry.id,
            )
            try:
                return self.services.catalog.move(
                    self.caller.organisation, wanted, by=self.caller.subject
                )
            except Problem as problem:
                if problem.code is not Code.CONFLICT:
                    raise
                there = self._find(path) if path else None
                if there is not None and there.id != entry.id:
                    raise ObjectExistsError(path, there.id) from None
        raise Problem(Code.CONFLICT, "the object is changed by many at once; try again")

    def _checked(self, document: Document) -> dict[str, Any]:
        """Give the body of an entry, if all the files that the document names are there.

        Raises:
            Problem: INVALID, with every file that is not.
        """
        missing = self._missing(named_files(document))
        if missing:
            raise Problem(Code.INVALID, missing[0].detail, at=missing[0].at, faults=missing)
        return {"object": document}

    def _missing(self, named: Mapping[str, str]) -> Sequence[Fault]:
        organisation, files = self.caller.organisation, self.services.files
        files.ensure(organisation, STORAGE)
        return [
            Fault(at, f"{at} names data that was never uploaded: {name}")
            for name, at in named.items()
            if not files.taken(organisation, FileRef(STORAGE, name))
        ]


def _numbered(name: str, number: int) -> str:
    """Give a name with a number before its ending, as people number copies."""
    if not number:
        return name
    head, dot, tail = name.rpartition(".")
    return f"{head} ({number}){dot}{tail}" if dot and "/" not in tail else f"{name} ({number})"


def _no_object(object_id: str) -> Problem:
    detail = f"no object {object_id[:100]} in this workspace"
    return Problem(Code.NOT_FOUND, detail, at="path.object_id")


def _modified(entry: Entry, if_match: str) -> Problem:
    detail = f"the object is of version {entry.version} now, If-Match says {if_match[:100]}"
    return Problem(Code.PRECONDITION, detail, at="header.if-match")
