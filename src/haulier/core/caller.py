"""Who asks: an organisation, a subject in it, and what the key allows."""

from enum import StrEnum

import msgspec

from haulier.core.problem import Code, Problem


class Scope(StrEnum):
    """What a key allows."""

    READ = "read"  # see jobs, results, storages
    WRITE = "write"  # submit, cancel, retry, upload
    ADMIN = "admin"  # keys, releases and storages of the organisation


class Caller(msgspec.Struct, frozen=True):
    """Whoever made a request, after its key was checked."""

    organisation: str
    subject: str
    scopes: frozenset[Scope]

    def require(self, scope: Scope) -> None:
        """Refuse unless the key allows `scope`.

        Raises:
            Problem: FORBIDDEN, naming the scope that is missing.
        """
        if scope not in self.scopes and Scope.ADMIN not in self.scopes:
            raise Problem(Code.FORBIDDEN, f"this key lacks the scope '{scope}'")
