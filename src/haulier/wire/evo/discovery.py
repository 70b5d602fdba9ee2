"""Discovery: which organisation a key belongs to and where its services are."""

from typing import Annotated, Final

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import Parameter

from haulier.core.caller import Caller
from haulier.wire.auth import caller_of
from haulier.wire.dialect import base_url
from haulier.wire.evo.paths import DISCOVERY, org_of

PLACE: Final = f"{DISCOVERY}/identity/v2/discovery"
HUB: Final = "haulier"
SERVICE: Final = "evo"

Asked = Request[Caller, None, State]


class Organization(msgspec.Struct, frozen=True):
    """An organisation that the key belongs to."""

    id: str
    display_name: str


class Hub(msgspec.Struct, frozen=True):
    """Where services are: this server."""

    code: str
    display_name: str
    url: str


class Access(msgspec.Struct, frozen=True):
    """Which services an organisation has at a hub."""

    org_id: str
    hub_code: str
    services: tuple[str, ...] = (SERVICE,)


class Service(msgspec.Struct, frozen=True):
    """A service."""

    code: str = SERVICE
    display_name: str = "Haulier"


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """What a key can reach."""

    organizations: tuple[Organization, ...]
    hubs: tuple[Hub, ...]
    service_access: tuple[Access, ...]
    services: tuple[Service, ...] = (Service(),)
    has_new_instances: bool = False


class DiscoveryBody(msgspec.Struct, frozen=True):
    """The answer of discovery."""

    discovery: Discovery


@get(PLACE)
async def discover(
    request: Asked,
    service: Annotated[
        list[str] | None, Parameter(description="Codes of services; all are one here.")
    ] = None,
) -> DiscoveryBody:
    """Give the organisation of the key, and this server as its hub."""
    del service
    organisation = caller_of(request).organisation
    org_id, url = org_of(organisation), base_url(request)
    return DiscoveryBody(
        Discovery(
            organizations=(Organization(org_id, organisation),),
            hubs=(Hub(HUB, "Haulier", url),),
            service_access=(Access(org_id, HUB),),
        )
    )
