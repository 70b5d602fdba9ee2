"""A bucket that speaks S3: it holds to the suite, and is asked again when it is busy."""

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug import Request, Response
from werkzeug.serving import make_server

from haulier.engine.storage import Storage
from haulier.testing.storage_suite import StorageSuite
from haulier.testing.storing import LONG, keys, put, read

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Server:
    """S3 in this process.

    Attributes:
        busy: so many requests more are answered with "503 Slow Down".
    """

    def __init__(self) -> None:
        self.busy = 0
        self._app = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.Lock()
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True)
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def _answer(self, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        with self._lock:
            refused = self.busy > 0
            self.busy -= refused
        if refused:
            Request(environ).get_data()
            return Response("<Error><Code>SlowDown</Code></Error>", 503)(environ, start)
        answer: Iterable[bytes] = self._app(environ, start)
        return answer

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


@pytest.fixture
def url(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the URL of an empty place in a bucket that the environment leads to."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "whatever")
    bucket = str(uuid4())
    httpx.put(f"{server.url}/{bucket}").raise_for_status()
    return f"s3://{bucket}/below/a prefix"


class TestS3(StorageSuite):
    url: str

    @pytest.fixture(autouse=True)
    def named(self, url: str) -> None:
        self.url = url

    def open_storage(self, folder: Path) -> Storage:
        del folder
        return Storage(self.url)


def test_a_long_file_goes_up_in_pieces(url: str) -> None:
    storage = Storage(url)

    etag = put(storage, "long", LONG).etag

    assert etag.endswith("-3"), "the bucket put three pieces together"


def test_a_bucket_that_is_busy_for_a_while_is_asked_again(url: str, server: Server) -> None:
    storage = Storage(url)
    acts: tuple[tuple[Callable[[], object], object], ...] = (
        (lambda: put(storage, "a/long", LONG).size_bytes, len(LONG)),
        (lambda: storage.save("a/b", b"0123456789"), None),
        (lambda: storage.copy(storage, "a/b", "a/c").size_bytes, 10),
        (lambda: read(storage, "a/b", 2, 5), b"234"),
        (lambda: read(storage, "a/long") == LONG, True),
        (lambda: storage.remove("a/c"), None),
        (lambda: keys(storage, "a"), ["a/b", "a/long"]),
        (lambda: storage.clear("a"), 2),
    )

    for act, expected in acts:
        server.busy = 2
        assert act() == expected
        assert server.busy == 0
