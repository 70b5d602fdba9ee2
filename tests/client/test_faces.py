"""Both faces over real sockets: the same calls, the same words, the same endurance."""

import asyncio
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.client.conftest import FaultyServer, artifact_of, hang_up, say, send_piece

from haulier.client import (
    AsyncClient,
    Client,
    Flows,
    IntegrityError,
    NotFoundError,
    ProtocolError,
    RetryPolicy,
    UnreachableError,
)
from haulier.client.headers import repr_digest

CONTENT = bytes(range(256)) * 4000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
HASTY = Flows(policy=RetryPolicy(first_s=0.001), patient=RetryPolicy(first_s=0.001))
LISTED = msgspec.json.encode({"artifacts": [artifact_of(CONTENT)]})
JOB = "0195d3a0-0000-7000-8000-000000000001"

Make = Callable[..., FaultyServer]
Call = Callable[..., Any]


def blocking(url: str, name: str, *args: object, **options: object) -> Any:
    with Client(url, key="hlr_k", flows=HASTY) as client:
        return getattr(client, name)(*args, **options)


def awaited(url: str, name: str, *args: object, **options: object) -> Any:
    async def run() -> Any:
        async with AsyncClient(url, key="hlr_k", flows=HASTY) as client:
            return await getattr(client, name)(*args, **options)

    return asyncio.run(run())


@pytest.fixture(params=[blocking, awaited])
def call(request: pytest.FixtureRequest) -> Call:
    face: Call = request.param
    return face


def public(face: type) -> dict[str, Any]:
    found = inspect.getmembers(face, inspect.isfunction)
    return {name: one for name, one in found if not name.startswith("_")}


def test_both_faces_have_the_same_calls_with_the_same_words() -> None:
    renamed = {"close": "aclose"}
    blocked, waited = public(Client), public(AsyncClient)

    assert {renamed.get(name, name) for name in blocked} == set(waited)
    for name, one in blocked.items():
        other = waited[renamed.get(name, name)]
        ours, theirs = inspect.signature(one), inspect.signature(other)
        assert list(ours.parameters.values()) == list(theirs.parameters.values()), name
        assert inspect.getdoc(one) == inspect.getdoc(other), name


def test_nobody_there_is_said_with_the_address(call: Call, nowhere: str) -> None:
    with pytest.raises(UnreachableError, match=f"no answer from {nowhere}: "):
        call(nowhere, "processes")


def test_the_key_goes_with_every_request(call: Call, faulty: Make) -> None:
    server = faulty(say(200, b'{"processes":[]}'))

    assert call(server.url, "processes") == []
    assert server.seen[0][2]["Authorization"] == "Bearer hlr_k"


def test_a_server_under_a_path_is_asked_under_that_path(call: Call, faulty: Make) -> None:
    server = faulty(say(200, b'{"storages":[]}'))

    call(f"{server.url}/haulier/", "storages")

    assert server.seen[0][1] == "/haulier/storages"


def test_a_read_survives_a_server_that_hangs_up(call: Call, faulty: Make) -> None:
    server = faulty(hang_up, say(503), say(200, b'{"processes":[{"id":"p"}]}'))

    assert [one.id for one in call(server.url, "processes")] == ["p"]


def test_a_submission_that_may_have_arrived_is_not_sent_twice(call: Call, faulty: Make) -> None:
    server = faulty(hang_up)

    with pytest.raises(UnreachableError):
        call(server.url, "submit", "TROUBLE", {})

    assert len(server.seen) == 1


def test_a_page_of_another_service_is_no_answer(call: Call, faulty: Make) -> None:
    server = faulty(say(200, b"<html>hello</html>"))

    with pytest.raises(ProtocolError, match="not what a Haulier server gives"):
        call(server.url, "processes")


def test_a_download_that_breaks_goes_on_where_it_stopped(
    call: Call, faulty: Make, tmp_path: Path
) -> None:
    server = faulty(
        say(200, LISTED),
        send_piece(CONTENT, 300_000),
        say(503),
        send_piece(CONTENT, 300_000),
        send_piece(CONTENT, len(CONTENT)),
    )

    path = call(server.url, "download", JOB, "results", tmp_path)

    assert path == tmp_path / "roads.results.parquet"
    assert path.read_bytes() == CONTENT
    ranges = [headers.get("Range", "") for _, _, headers in server.seen[1:]]
    assert ranges[0] == ""
    assert len(set(ranges)) >= 3  # it never asked twice for what it had
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_download_of_other_bytes_is_not_put_in_place(
    call: Call, faulty: Make, tmp_path: Path
) -> None:
    server = faulty(say(200, LISTED), send_piece(CONTENT[::-1], len(CONTENT)))

    with pytest.raises(IntegrityError, match="expected SHA-256"):
        call(server.url, "download", JOB, "results", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_server_that_gives_up_leaves_the_bytes_for_the_next_call(
    call: Call, faulty: Make, tmp_path: Path
) -> None:
    broken = faulty(say(200, LISTED), send_piece(CONTENT, 300_000), say(500))
    with pytest.raises(Exception, match="HTTP 500"):
        call(broken.url, "download", JOB, "results", tmp_path)

    healthy = faulty(say(200, LISTED), send_piece(CONTENT, len(CONTENT)))
    path = call(healthy.url, "download", JOB, "results", tmp_path)

    assert path.read_bytes() == CONTENT
    assert healthy.seen[1][2]["Range"].startswith("bytes=")


def test_no_artifact_of_the_name_is_the_server_s_to_say(
    call: Call, faulty: Make, tmp_path: Path
) -> None:
    refusal = b'{"code":"not_found","detail":"no artifact x; there are: results"}'
    server = faulty(say(200, LISTED), say(404, refusal))

    with pytest.raises(NotFoundError, match="no artifact x"):
        call(server.url, "download", JOB, "x", tmp_path)

    assert list(tmp_path.iterdir()) == []


def upload(server: FaultyServer, call: Call, path: Path, **options: object) -> Any:
    return call(server.url, "upload", path, "storage-001", **options)


@pytest.fixture
def roads(tmp_path: Path) -> Path:
    path = tmp_path / "roads.parquet"
    path.write_bytes(CONTENT)
    return path


STORED = msgspec.json.encode({"filename": "x", "size_bytes": len(CONTENT), "sha256": SHA256})


def test_an_upload_is_sent_whole_with_its_digest_and_again_when_it_breaks(
    call: Call, faulty: Make, roads: Path
) -> None:
    server = faulty(say(404), say(503), say(201, STORED))

    stored = upload(server, call, roads)

    assert stored.ref == {"storage": "storage-001", "filename": "roads.parquet"}
    assert server.bodies[1] == server.bodies[2] == CONTENT
    assert server.seen[2][2]["Repr-Digest"] == repr_digest(SHA256)
    assert "Transfer-Encoding" not in server.seen[2][2]


def test_a_file_that_is_there_already_is_not_sent(call: Call, faulty: Make, roads: Path) -> None:
    server = faulty(say(200, Repr_Digest=repr_digest(SHA256)))

    stored = upload(server, call, roads)

    assert stored.sha256 == SHA256
    assert [method for method, _, _ in server.seen] == ["HEAD"]


def test_another_file_of_the_name_keeps_its_name(call: Call, faulty: Make, roads: Path) -> None:
    server = faulty(say(200, Repr_Digest=repr_digest("0" * 64)), say(201, STORED))

    stored = upload(server, call, roads)

    assert stored.filename == f"roads-{SHA256[:8]}.parquet"
    assert server.seen[1][1].endswith(stored.filename)


def test_another_file_of_a_name_that_was_asked_for_is_a_conflict(
    call: Call, faulty: Make, roads: Path
) -> None:
    server = faulty(say(200, Repr_Digest=repr_digest("0" * 64)))

    with pytest.raises(Exception, match="has another file of the name 'r'"):
        upload(server, call, roads, filename="r")

    assert [method for method, _, _ in server.seen] == ["HEAD"]


def test_a_file_is_replaced_when_that_is_asked_for(call: Call, faulty: Make, roads: Path) -> None:
    server = faulty(say(200, Repr_Digest=repr_digest("0" * 64)), say(201, STORED))

    assert upload(server, call, roads, filename="r", replace=True).filename == "r"


def test_a_server_that_stored_other_bytes_is_found_out(
    call: Call, faulty: Make, roads: Path
) -> None:
    other = msgspec.json.encode({"filename": "x", "sha256": "0" * 64})
    server = faulty(say(404), say(201, other))

    with pytest.raises(IntegrityError, match="was stored"):
        upload(server, call, roads)


def test_a_file_that_is_not_there_is_said_before_anything_is_sent(
    call: Call, faulty: Make, tmp_path: Path
) -> None:
    server = faulty(say(500))

    with pytest.raises(FileNotFoundError, match=r"no file .*nothing\.parquet"):
        upload(server, call, tmp_path / "nothing.parquet")

    assert server.seen == []


def test_pages_are_asked_for_when_they_are_needed(faulty: Make) -> None:
    def page(number: int, following: str) -> bytes:
        job = {
            "jobID": JOB,
            "created": "2026-01-21T12:00:00Z",
            "haulier": {"number": number, "state": "queued"},
        }
        links = [{"rel": "next", "href": f"/jobs?cursor={following}"}] if following else []
        return msgspec.json.encode({"jobs": [job], "links": links})

    server = faulty(say(200, page(3, "b")), say(200, page(2, "c")), say(200, page(1, "")))

    with Client(server.url, flows=HASTY) as client:
        jobs = client.jobs()
        first = next(jobs)
        asked_for_one = len(server.seen)
        rest = [job.number for job in jobs]

    assert (first.number, asked_for_one, rest) == (3, 1, [2, 1])


def test_an_async_client_goes_over_pages_too(faulty: Make) -> None:
    async def numbers(url: str) -> list[int]:
        async with AsyncClient(url, flows=HASTY) as client:
            return [job.number async for job in client.jobs()]

    server = faulty(say(200, b'{"jobs":[],"links":[]}'))

    assert asyncio.run(numbers(server.url)) == []


@pytest.mark.parametrize("url", ["", "ftp://host", "localhost:8080", "http://"])
@pytest.mark.parametrize("face", [Client, AsyncClient])
def test_an_address_that_is_none_is_refused(url: str, face: Callable[[str], object]) -> None:
    with pytest.raises(ValueError, match="base_url must begin with http"):
        face(url)
