"""Webhooks: which addresses may be called, and how a call is made and signed."""

import hashlib
import hmac
import ipaddress
import secrets
import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx

from haulier.core.problem import Code, Problem
from haulier.engine.catalog import Catalog

TYPE: Final = "webhook"  # of the catalog: its one entry holds the secret that signs
NAME: Final = "default"
SIGNATURE: Final = "haulier-signature"
TIMEOUT_S: Final = 10.0
ANYWHERE: Final = "*"
SHOWN: Final = 200
#: Networks whose addresses end with an IPv4 one: compatible addresses, and translators.
WITH_IPV4: Final = tuple(map(ipaddress.IPv6Network, ("::/96", "64:ff9b::/96", "64:ff9b:1::/48")))


@dataclass(frozen=True, slots=True)
class Call:
    """What came of one call: a status, or why there is none."""

    status: int = 0
    error: str = ""

    @property
    def taken(self) -> bool:
        """Whether the other side took it."""
        return 200 <= self.status < 300  # noqa: PLR2004 -- HTTP's own


def check(url: str, hosts: tuple[str, ...], *, at: str) -> str:
    """Give where to connect to, empty for wherever the name leads; refuse what may not be called.

    Without a word of the operator's, addresses of the server's own network are out of bounds: a
    caller could else reach what only the server can.

    Args:
        url: the address.
        hosts: host names that may be called wherever they lead; "*" for every one.
        at: where a fault is.

    Raises:
        Problem: INVALID; it is no address. FORBIDDEN; it may not be called. UNAVAILABLE; there
            is no such host.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        shown = f"{parts.scheme}://{host}" if host else url[:SHOWN]
        detail = f"{at} must be an http or https address without a password, got {shown!r}"
        raise Problem(Code.INVALID, detail, at=at)
    if ANYWHERE in hosts or host.lower() in hosts:
        return ""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, None)]
    except (OSError, UnicodeError) as error:
        detail = f"{at} names the host '{host}', which nobody knows: {type(error).__name__}"
        raise Problem(Code.UNAVAILABLE, detail, at=at) from None
    if not all(_is_public(each) for each in found):
        detail = (
            f"{at} leads into this server's own network, to '{host}'; its operator allows such "
            "hosts by HAULIER_WEBHOOK_HOSTS"
        )
        raise Problem(Code.FORBIDDEN, detail, at=at)
    return found[0]


def _is_public(text: str) -> bool:
    """Whether an address is anybody's on the internet, and so is every IPv4 one within it."""
    address = ipaddress.ip_address(text.partition("%")[0])
    inner: list[ipaddress.IPv4Address | None] = []
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if any(address in network for network in WITH_IPV4):
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    every = [address, *(each for each in inner if each is not None)]
    return all(each.is_global and not each.is_multicast for each in every)


def secret_of(catalog: Catalog, organisation: str) -> str:
    """Give the secret that signs an organisation's webhooks; the first use makes it."""
    body = {"secret": secrets.token_hex(32)}
    return str(catalog.ensure(organisation, TYPE, NAME, body).body.get("secret", ""))


def signature(secret: str, body: bytes) -> str:
    """Give what the receiver compares: HMAC-SHA-256 of the body, in hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def call(url: str, body: bytes, *, to: str, secret: str, delivery: str) -> Call:
    """Send a body once; redirects are not followed, for they could lead anywhere.

    Args:
        url: the address, checked.
        to: what `check` gave: asked again, the name could lead elsewhere.
        body: JSON.
        secret: what signs it.
        delivery: the same for every try of one delivery, so that a receiver can tell.
    """
    headers = {
        "content-type": "application/json",
        "user-agent": "haulier",
        "idempotency-key": delivery,
        SIGNATURE: signature(secret, body),
    }
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            asked = client.build_request("POST", url, content=body, headers=headers)
            if to:
                asked.extensions["sni_hostname"] = asked.url.host
                asked.url = asked.url.copy_with(host=to)
            answer = await client.send(asked)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Call(error=f"{type(error).__name__}: {error}"[:SHOWN])
    return Call(answer.status_code)
