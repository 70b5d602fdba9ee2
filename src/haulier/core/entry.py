"""Named things of an organisation, as the catalog keeps them, and those that a step gives."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from haulier.core.artifact import FileRef


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a named thing.

    Attributes:
        id: stays, whatever becomes of name and body.
        number: rises over all entries and never repeats.
        version: rises by one with every change of the body; earlier ones can be read.
        by: who made this version.
        updated_at: when this version was made.
        deleted_at: when it was put away, from where it can be restored.
    """

    id: str
    number: int
    organisation: str
    type: str
    name: str
    version: int
    body: Mapping[str, Any]
    by: str = ""
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None


class Publication(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that a step gives: it is there when the step has succeeded, and not before.

    Attributes:
        expects: the version that it replaces; 0 where there must be none. Where that has
            changed meanwhile, the step's `merge` is called again, to build on what is there.
        id: of the entry that is replaced, or that a new one is to have; empty: of a replaced one
            its name is enough, of a new one the catalog makes one.
        files: what the body names: artifact of the step to the file that it becomes.
    """

    type: str
    name: str
    body: Mapping[str, Any]
    expects: int
    id: str = ""
    files: Mapping[str, FileRef] = {}
