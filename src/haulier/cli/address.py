"""Where a server listens: loopback or not, free or taken, and a port that stays ours."""

import ipaddress
import socket
from typing import Final

from haulier.cli.codes import UsageError

HTTPS_PORT: Final = 443


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_loopback(host: str) -> None:
    """Refuse to serve a key that everybody knows to other machines.

    Raises:
        UsageError: the host is not loopback.
    """
    if not is_loopback(host):
        raise UsageError(
            f"--dev accepts a key that everybody knows, so it serves this machine alone: "
            f"--host must be 127.0.0.1, ::1 or localhost, got {host!r}"
        )


def url_of(host: str, port: int, *, tls: bool = False) -> str:
    """Give the address that a caller on this machine uses; of HTTPS without the usual port."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 -- read, not bound
    if ":" in shown:
        shown = f"[{shown}]"
    if not tls:
        return f"http://{shown}:{port}"
    return f"https://{shown}" if port == HTTPS_PORT else f"https://{shown}:{port}"


def reserve(host: str, port: int) -> socket.socket:
    """Bind a port without listening, and so keep it while the API process comes and goes.

    Args:
        host: an address or a name of this machine.
        port: 0 for any that is free.

    Raises:
        UsageError: the port is taken, or the host is none of this machine.
    """
    try:
        family, kind, proto, _, place = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise UsageError(f"--host must be an address of this machine, got {host!r}") from error
    held = socket.socket(family, kind, proto)
    try:
        if port:
            _refuse_taken(socket.socket(family, kind, proto), place)
        # the API process listens with the same option, and only so may two hold one port
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(place)
    except OSError as error:
        held.close()
        raise UsageError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return held


def _refuse_taken(probe: socket.socket, place: tuple[object, ...]) -> None:
    """Bind once without sharing: two servers on one port would each get half the requests."""
    with probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(place)
