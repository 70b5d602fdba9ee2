"""The vault: wraps the right to a storage into a token, and changes a token into credentials."""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Final, Literal
from urllib.parse import urlencode
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec
from litestar import HttpMethod, Request, route
from litestar.datastructures import State
from litestar.params import HeaderParameter

from haulier.core.caller import Caller, Scope
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.auth import subject_for_storage
from haulier.wire.dialect import ProblemShape, base_url, services_of
from haulier.wire.tomtom.paths import UNWRAP, container_url

WRAPPED: Final = "private_wrapped"  # a type of the catalog that the native wire hides
TOKEN_MARK: Final = "hvs.CAESI"  # noqa: S105 -- how the vendor's wrapped tokens begin
NOISE_BYTES: Final = 32
WRAPPED_FOR: Final = timedelta(hours=1)
KEY_FOR: Final = timedelta(hours=8)
SAS_VERSION: Final = "2024-11-04"

Asked = Request[Caller, None, State]
Access = Literal["READ", "READ_WRITE"]

# fmt: off
SCOPES: Final[Mapping[Access, tuple[Scope, ...]]] = {
    "READ":       (Scope.READ,),
    "READ_WRITE": (Scope.READ, Scope.WRITE),
}
PERMISSIONS: Final[Mapping[Access, str]] = {"READ": "rl", "READ_WRITE": "rcwdl"}
# fmt: on


class VaultErrors(msgspec.Struct, frozen=True):
    """An error of the vault."""

    errors: tuple[str, ...]


class Secrets(
    msgspec.Struct,
    frozen=True,
    rename={"client_id": "clientId", "client_secret": "clientSecret", "sas_token": "sasToken"},
):
    """Credentials of a container. `sasToken` is ours: what Azure's clients take over HTTP."""

    client_id: str
    client_secret: str
    sas_token: str


class UnwrappedData(msgspec.Struct, frozen=True):
    """What was wrapped."""

    credentials: Secrets
    id: str
    tenant_id: str
    url: str


class Unwrapped(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of the vault."""

    request_id: str
    lease_id: str = ""
    renewable: bool = False
    lease_duration: int = 0
    data: UnwrappedData
    wrap_info: None = None
    warnings: None = None
    auth: None = None
    mount_type: str = "ns_system"


class Wrapped(msgspec.Struct, frozen=True, kw_only=True):
    """What a token is worth, as the catalog keeps it; the token itself is kept by nobody."""

    storage: str
    access: Access
    expires_at_s: float


@route(
    UNWRAP,
    http_method=[HttpMethod.POST, HttpMethod.PUT],
    status_code=200,
    opt={"public": True, "problem": ProblemShape("application/json", VaultErrors)},
)
async def unwrap(
    request: Asked,
    token: Annotated[str, HeaderParameter(name="x-vault-token", description="The wrapped token.")],
) -> Unwrapped:
    """Change a wrapped token into credentials of a container."""
    services = services_of(request)
    organisation, wrapped = await services.write(_take, services, token)
    ends_at = services.clock.now() + KEY_FOR
    info, secret = await services.write(
        services.keys.create,
        organisation,
        subject=subject_for_storage(wrapped.storage),
        scopes=SCOPES[wrapped.access],
        expires_at=ends_at,
    )
    signed = {
        "sv": SAS_VERSION,
        "se": ends_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sr": "c",
        "sp": PERMISSIONS[wrapped.access],
        "spr": "https,http",
        "sig": secret,
    }
    return Unwrapped(
        request_id=str(uuid4()),
        data=UnwrappedData(
            credentials=Secrets(str(info.id), secret, urlencode(signed)),
            id=wrapped.storage,
            tenant_id=str(uuid5(NAMESPACE_URL, f"haulier:{organisation}")),
            url=container_url(base_url(request), wrapped.storage),
        ),
    )


def wrap(services: Services, caller: Caller, storage: str, access: Access) -> str:
    """Give a new token and remember what it is worth; forget those that nobody came for."""
    now, organisation = services.clock.now(), caller.organisation
    for entry in services.catalog.list(organisation, WRAPPED):
        if msgspec.convert(entry.body, Wrapped).expires_at_s <= now.timestamp():
            services.catalog.delete(organisation, WRAPPED, entry.name)
    token, ends_at_s = _new_token(organisation), (now + WRAPPED_FOR).timestamp()
    wrapped = Wrapped(storage=storage, access=access, expires_at_s=ends_at_s)
    services.catalog.put(organisation, WRAPPED, _name(token), msgspec.to_builtins(wrapped))
    return token


def _new_token(organisation: str) -> str:
    """Make a token that says whose it is, so that it can be looked up without a caller."""
    content = secrets.token_bytes(NOISE_BYTES) + organisation.encode()
    return TOKEN_MARK + urlsafe_b64encode(content).decode().rstrip("=")


def _name(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _organisation(token: str) -> str:
    """Give the organisation that a token names.

    Raises:
        ValueError: it is none of ours.
    """
    encoded = token.removeprefix(TOKEN_MARK)
    content = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    organisation = content[NOISE_BYTES:].decode()
    if not organisation.isprintable():
        raise ValueError(organisation)
    return organisation


def _take(services: Services, token: str) -> tuple[str, Wrapped]:
    """Take what a token is worth out of the catalog; who comes second finds nothing.

    Raises:
        Problem: INVALID; as the vault says it.
    """
    refusal = Problem(
        Code.INVALID, "wrapping token is not valid or does not exist", at="header.x-vault-token"
    )
    try:
        organisation = _organisation(token)
        entry = services.catalog.get(organisation, WRAPPED, _name(token))
        services.catalog.delete(organisation, WRAPPED, entry.name)
    except (ValueError, Problem):
        raise refusal from None
    wrapped = msgspec.convert(entry.body, Wrapped)
    if wrapped.expires_at_s <= services.clock.now().timestamp():
        raise refusal
    return organisation, wrapped
