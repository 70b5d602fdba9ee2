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


@dataclass(frozen=True, slots=True)
class Call:
    """What came of one call: a status, or why there is none."""

    status: int = 0
    error: str = ""

    @property
    def taken(self) -> bool:
        """Whether the other side took it."""
        return 200 <= self.status < 300  # noqa: PLR2004 -- HTTP's own


def check(url: str, hosts: tuple[str, ...], *, at: str) -> None:
    """Refuse an address that is none, or that the operator lets nobody call.

    Without a word of the operator's, addresses of the server's own network are out of bounds: a
    caller could else reach what only the server can.

    Args:
        url: the address.
        hosts: host names that may be called wherever they lead; "*" for every one.
        at: where a fault is.

    Raises:
        Problem: INVALID; it is no address. FORBIDDEN; it may not be called.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in {"http", "https"} or not host or parts.username is not None:
        detail = f"{at} must be an http or https address without a password, got {url[:SHOWN]!r}"
        raise Problem(Code.INVALID, detail, at=at)
    if ANYWHERE in hosts or host.lower() in hosts:
        return
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return  # the call itself will say that there is no such host
    if not all(ipaddress.ip_address(str(each).partition("%")[0]).is_global for each in found):
        detail = (
            f"{at} leads into this server's own network, to '{host}'; its operator allows such "
            "hosts by HAULIER_WEBHOOK_HOSTS"
        )
        raise Problem(Code.FORBIDDEN, detail, at=at)


def secret_of(catalog: Catalog, organisation: str) -> str:
    """Give the secret that signs an organisation's webhooks; the first use makes it."""
    body = {"secret": secrets.token_hex(32)}
    return str(catalog.ensure(organisation, TYPE, NAME, body).body.get("secret", ""))


def signature(secret: str, body: bytes) -> str:
    """Give what the receiver compares: HMAC-SHA-256 of the body, in hexadecimal digits."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def call(url: str, body: bytes, *, secret: str, delivery: str) -> Call:
    """Send a body once; redirects are not followed, for they could lead anywhere.

    Args:
        url: the address, checked.
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
            answer = await client.post(url, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Call(error=f"{type(error).__name__}: {error}"[:SHOWN])
    return Call(answer.status_code)
