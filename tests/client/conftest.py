"""A small real HTTP server that misbehaves on order: what a good server cannot show."""

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

Reply = Callable[[BaseHTTPRequestHandler], None]


class FaultyServer:
    """Answers each request by the next reply of its script; the last one stays.

    Attributes:
        seen: method, path and headers of each request, in order.
    """

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                owner.seen.append((self.command, self.path, dict(self.headers.items())))
                owner.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
                reply = owner.replies.pop(0) if len(owner.replies) > 1 else owner.replies[0]
                reply(self)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 -- its names

            def log_message(self, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def faulty() -> Iterator[Callable[..., FaultyServer]]:
    """Give a maker of servers, which are gone after the test."""
    servers: list[FaultyServer] = []

    def make(*replies: Reply) -> FaultyServer:
        servers.append(FaultyServer(*replies))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def nowhere() -> Iterator[str]:
    """Give an address where nobody listens; it is kept, so that nobody begins to."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{probe.getsockname()[1]}"


def say(status: int, body: bytes = b"", **headers: str) -> Reply:
    """Give a reply with a body."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return reply


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


def send_piece(content: bytes, length: int) -> Reply:
    """Give a reply that honours Range, promises all, sends `length` bytes and hangs up."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range", "bytes=0-")
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        rest = content[start:]
        handler.send_response(206 if start else 200)
        if start:
            field = f"bytes {start}-{len(content) - 1}/{len(content)}"
            handler.send_header("Content-Range", field)
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[:length])
        if length < len(rest):
            handler.wfile.flush()
            hang_up(handler)

    return reply


def artifact_of(content: bytes) -> dict[str, object]:
    """Give how a server describes an artifact of this content."""
    return {
        "name": "results",
        "filename": "roads.results.parquet",
        "media_type": "application/vnd.apache.parquet",
        "size_bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
