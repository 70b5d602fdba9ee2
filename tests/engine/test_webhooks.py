"""Which addresses a webhook may have, and that the one that was checked is the one called."""

import asyncio
import socket
from typing import Any

import httpx
import pytest

from haulier.core.problem import Code, Problem
from haulier.engine import webhooks

PUBLIC = "93.184.216.34"


def leading(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have every name lead to these addresses."""
    found = [(0, 0, 0, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1"),  # noqa: S104 -- refused
        *("::1", "fe80::1", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "::127.0.0.1"),
        *("64:ff9b::a9fe:a9fe", "2002:7f00:1::"),
    ],
)
def test_no_name_leads_into_the_servers_own_network(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    leading(monkeypatch, PUBLIC, address)

    with pytest.raises(Problem) as caught:
        webhooks.check("https://example.com/x", (), at="url")

    assert caught.value.code is Code.FORBIDDEN
    assert webhooks.check("https://example.com/x", ("example.com",), at="url") == ""


@pytest.mark.parametrize("url", ["ftp://x", "https://", "https://a:secret@example.com/", "//x"])
def test_what_is_no_address_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Problem, match="http or https") as caught:
        webhooks.check(url, (), at="url")

    assert "secret" not in caught.value.detail


def test_a_name_that_nobody_knows_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    with pytest.raises(Problem) as caught:
        webhooks.check("https://example.com/x", (), at="url")

    assert caught.value.code is Code.UNAVAILABLE


def test_the_address_that_was_checked_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[httpx.Request] = []

    async def send(_: object, request: httpx.Request, **__: Any) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    monkeypatch.setattr(httpx.AsyncClient, "send", send)
    url = "https://example.com:8443/x?y=1"

    said = asyncio.run(webhooks.call(url, b"{}", to=PUBLIC, secret="s", delivery="d"))  # noqa: S106 -- none

    (request,) = asked
    assert said.taken
    assert str(request.url) == f"https://{PUBLIC}:8443/x?y=1"
    assert request.headers["host"] == "example.com:8443"
    assert request.extensions["sni_hostname"] == "example.com"
