"""What callers do by accident or on purpose over a real socket; the server goes on."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

from haulier.testing.server import Server

JSON_LIMIT: Final = 8 << 20
FILES: Final = "/storages/storage-001/files"


def spoken(server: Server, *pieces: bytes, hang_up: bool = False) -> bytes:
    """Say raw bytes to the server, and give all that it says until it closes."""
    place = urlsplit(server.url)
    with socket.create_connection((str(place.hostname), int(place.port or 0)), 30) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except OSError:
            pass  # it has heard enough, and says so below
        if hang_up:
            return b""
        answer = b""
        try:
            while chunk := line.recv(1 << 16):
                answer += chunk
        except OSError:
            pass  # it has closed before we were done
        return answer


def head(server: Server, method: str, path: str, *fields: str) -> bytes:
    """Write the head of a request with the server's key, for one request a connection."""
    said = (
        f"{method} {path} HTTP/1.1",
        "host: here",
        f"authorization: Bearer {server.key}",
        "connection: close",
        *fields,
    )
    return ("\r\n".join(said) + "\r\n\r\n").encode()


def test_an_upload_that_breaks_off_leaves_nothing(server: Server, api: Any) -> None:
    path = f"{FILES}/broken.bin"

    said = head(server, "PUT", path, "content-length: 1000000")
    spoken(server, said, b"x" * 1000, hang_up=True)

    assert api.get(path).status_code == 404
    assert "broken.bin" not in api.get(FILES).text


def test_an_upload_that_breaks_off_leaves_the_old_file(server: Server, api: Any) -> None:
    path = f"{FILES}/kept.bin"
    api.put(path, content=b"old").raise_for_status()

    said = head(server, "PUT", path, "transfer-encoding: chunked")
    spoken(server, said, b"5\r\nhello\r\n", hang_up=True)

    assert api.get(path).content == b"old"


def test_json_without_end_is_cut_off(server: Server, api: Any) -> None:
    path = "/maps/orbis/platform/gem/jobs"
    said = head(
        server, "POST", path, "transfer-encoding: chunked", "content-type: application/json"
    )
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"

    answer = spoken(server, said, *([chunk] * 2 * (JSON_LIMIT >> 20)))

    assert b" 413 " in answer.partition(b"\r\n")[0] or answer == b""
    assert api.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "junk",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
        b"GET /%ff%fe HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nconnection: close\r\n\r\n",
        b"GET /jobs HTTP/1.1\r\nhost: \xff\xff\r\nconnection: close\r\n\r\n",
    ],
    ids=range(7),
)
def test_junk_on_the_line_is_refused(server: Server, api: Any, junk: bytes) -> None:
    answer = spoken(server, junk)

    assert answer == b"" or answer.split(b" ")[1].startswith(b"4"), answer
    assert api.get("/healthz").status_code == 200


def test_of_many_uploads_at_once_one_is_kept_whole(api: Any) -> None:
    contents = [bytes([65 + number]) * 300_000 for number in range(8)]
    url = f"{FILES}/race.bin"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: api.put(url, content=body), contents))

    assert {answer.status_code for answer in answers} == {201}
    assert api.get(url).content in contents


def test_nobody_leaves_the_storage(server: Server, api: Any) -> None:
    for name in ("..", "../x", "..%2f..%2fx", "%2e%2e", "a%00b", "a%5cb", "x" * 300):
        answer = api.put(f"{FILES}/{name}", content=b"x")
        assert answer.status_code in {400, 404, 405}, f"{name}: {answer.status_code}"
        blob = api.put(f"/blob/storage-001/default/{name}", content=b"x")
        assert blob.status_code in {400, 404, 405}, f"{name}: {blob.status_code}"

    outside = [path for path in server.folder.iterdir() if path.name in {"x", "..x"}]
    assert outside == []


def test_no_request_of_these_tests_was_unforeseen(server: Server, api: Any) -> None:
    body = json.dumps({"inputs": {"numbers": ["x"]}}).encode()
    headers = {"content-type": "application/json"}

    assert api.post("/processes/quick/execution", content=body, headers=headers).status_code == 400
    assert "request failed" not in server.log
