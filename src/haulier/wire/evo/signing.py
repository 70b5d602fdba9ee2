"""Signed URLs: the right to read or write one file for an hour, without a key."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import quote, urlencode

import msgspec

from haulier.core.caller import Caller, Scope
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import SHARED
from haulier.engine.services import Services
from haulier.wire.evo.paths import DATA

SECRET: Final = "private_signing"  # noqa: S105 -- a type of the catalog that the native wire hides
NAME: Final = "geoscience-data"
SECRET_BYTES: Final = 32
VALID_FOR: Final = timedelta(hours=1)
SUBJECT: Final = "signed URL"

Permission = Literal["r", "w"]

SCOPES: Final[Mapping[Permission, Scope]] = {"r": Scope.READ, "w": Scope.WRITE}


@dataclass(frozen=True, slots=True)
class Right:
    """What a URL allows: to read or to write one file of an organisation.

    Attributes:
        room: what the file is: data of objects, a table to be taken in, or one that a job gave.
    """

    organisation: str
    room: str
    name: str
    permission: Permission


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes signed URLs, and tells its own from others.

    Attributes:
        secret: of the installation; whoever knows it can read and write every file.
    """

    secret: bytes

    def url(self, base_url: str, right: Right, now: datetime) -> str:
        """Give the URL that has a right until it ends."""
        ends_at_s = int((now + VALID_FOR).timestamp())
        query = urlencode({"se": ends_at_s, "sig": self.signature(right, ends_at_s)})
        place = "/".join(
            quote(part, safe="") for part in (right.organisation, right.room, right.name)
        )
        return f"{base_url}{DATA}/{place}?{query}"

    def caller(self, right: Right, ends_at_s: int, signature: str, now: datetime) -> Caller:
        """Give whom the URL of a request stands for.

        Raises:
            Problem: FORBIDDEN; the URL is none of ours, is for something else, or has ended.
        """
        wanted = self.signature(right, ends_at_s)
        if not hmac.compare_digest(wanted.encode(), signature.encode(errors="replace")):
            detail = "the signature of this URL is not for this file and this method"
            raise Problem(Code.FORBIDDEN, detail, at="query.sig")
        if ends_at_s <= now.timestamp():
            detail = "this URL has ended; ask for the object again, or for the upload"
            raise Problem(Code.FORBIDDEN, detail, at="query.se")
        return Caller(right.organisation, SUBJECT, frozenset({SCOPES[right.permission]}))

    def signature(self, right: Right, ends_at_s: int) -> str:
        """Give what proves that a right was given until then."""
        said = (right.organisation, right.room, right.name, right.permission, ends_at_s)
        digest = hmac.digest(self.secret, msgspec.json.encode(said), hashlib.sha256)
        return urlsafe_b64encode(digest).decode().rstrip("=")


def signer_of(services: Services) -> Signer:
    """Give the installation's signer; its secret is made by whoever first needs it."""
    fresh = {"secret": secrets.token_hex(SECRET_BYTES)}
    entry = services.catalog.ensure(SHARED, SECRET, NAME, fresh)
    return Signer(bytes.fromhex(entry.body["secret"]))
