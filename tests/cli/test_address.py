"""Where a server listens: loopback or not, a port that is free, and stays so."""

import socket

import pytest

from haulier.cli.address import is_loopback, require_loopback, reserve, url_of
from haulier.cli.codes import UsageError


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_this_machine_alone_is_loopback(host: str) -> None:
    assert is_loopback(host)
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "", "localhost.evil"])  # noqa: S104 -- nothing is bound
def test_a_known_key_is_not_served_to_others(host: str) -> None:
    with pytest.raises(UsageError, match="--host must be 127"):
        require_loopback(host)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104 -- nothing is bound
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("host", "http://host:80"),
    ],
)
def test_an_address_is_one_that_can_be_called(host: str, url: str) -> None:
    assert url_of(host, 80) == url


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("127.0.0.77", 443, "https://127.0.0.77"),
        ("0.0.0.0", 443, "https://127.0.0.1"),  # noqa: S104 -- nothing is bound
        ("::1", 443, "https://[::1]"),
        ("host", 8443, "https://host:8443"),
    ],
)
def test_the_usual_port_of_https_is_left_out(host: str, port: int, url: str) -> None:
    assert url_of(host, port, tls=True) == url


def test_a_reserved_port_is_kept_from_others_and_open_to_the_api_process() -> None:
    with reserve("127.0.0.1", 0) as held:
        port = held.getsockname()[1]
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))
        with socket.socket() as api:
            api.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            api.bind(("127.0.0.1", port))
            api.listen()
            with socket.create_connection(("127.0.0.1", port), timeout=5):
                pass  # it reached the one that listens, not the one that only holds


def test_a_port_that_is_taken_is_refused_even_by_one_that_would_share_it() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1 port {port}: Address"):
            reserve("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.7", "no such host"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match=host):
        reserve(host, 0)
