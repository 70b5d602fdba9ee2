"""A real server in child processes, a small town to match, and the way to wait for a job."""

import asyncio
import io
import os
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from azure.storage.blob import ContainerClient
from evo.aio import AioTransport
from evo.common import APIConnector, StaticContext
from evo.common.utils import Cache
from evo.oauth import AccessTokenAuthorizer

from haulier.testing.server import Server, running

RELEASE: Final = "2026-01-21.0"
STREETS: Final = 6
BLOCK: Final = 0.001  # degrees: about 111 m, on the equator
BESIDE: Final = 0.00001  # the customer's map lies a metre off
PATIENCE_S: Final = 120.0
LOOK_S: Final = 0.05
STORAGES: Final = "/maps/orbis/platform/private-gateway/storages"
MEGABYTE: Final = 1 << 20

Api = httpx.Client
Until = Callable[[str, Callable[[dict[str, Any]], bool]], dict[str, Any]]


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that knows the town's release, and the family that fails on order."""
    folder = tmp_path_factory.mktemp("server")
    with running(
        folder, environment={"HAULIER_FAMILIES": "haulier.testing.faults:FAMILY"}
    ) as server:
        headers = {"authorization": f"Bearer {server.key}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as api:
            body = {"url": str(write_release(folder / "release"))}
            api.put(f"/catalog/overture_release/{RELEASE}", json=body).raise_for_status()
        yield server


@pytest.fixture
def api(server: Server) -> Iterator[Api]:
    """Give a client with the server's key."""
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
def keyless(server: Server) -> Iterator[Api]:
    """Give a client without a key."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
def until(api: Api) -> Until:
    """Give what looks at a path until its body is as wanted, and gives the body."""

    def look(path: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        ends_at = time.monotonic() + PATIENCE_S
        while True:
            body: dict[str, Any] = api.get(path).raise_for_status().json()
            if wanted(body):
                return body
            assert time.monotonic() < ends_at, f"{path} is still {body}"
            time.sleep(LOOK_S)

    return look


def lines(offset: float = 0.0) -> list[list[tuple[float, float]]]:
    """Draw the streets of the town, block by block: each is two points."""
    rows = [
        [(x * BLOCK, y * BLOCK + offset), ((x + 1) * BLOCK, y * BLOCK + offset)]
        for y in range(STREETS)
        for x in range(STREETS - 1)
    ]
    columns = [
        [(x * BLOCK + offset, y * BLOCK), (x * BLOCK + offset, (y + 1) * BLOCK)]
        for x in range(STREETS)
        for y in range(STREETS - 1)
    ]
    return rows + columns


def write_release(folder: Path) -> Path:
    """Write the streets as Overture publishes them."""
    rows = []
    for number, (start, end) in enumerate(lines()):
        line = shapely.LineString([start, end])
        west, south, east, north = line.bounds
        rows.append(
            {
                "id": str(UUID(int=0x1000 + number)),
                "geometry": line.wkb,
                "bbox": {"xmin": west, "xmax": east, "ymin": south, "ymax": north},
                "subtype": "road",
                "class": "residential",
                "connectors": [
                    {"connector_id": f"{place[0]:.4f} {place[1]:.4f}", "at": at}
                    for at, place in ((0.0, start), (1.0, end))
                ],
            }
        )
    segments = folder / "theme=transportation" / "type=segment"
    segments.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), segments / "part-0.parquet")
    return folder


@pytest.fixture(scope="session")
def roads() -> bytes:
    """Give the customer's roads as TomTom documents its input."""
    drawn = [shapely.LineString(line).wkt for line in lines(BESIDE)]
    table = pa.table({"id": list(range(len(drawn))), "geometry": drawn})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


@pytest.fixture
def container(server: Server, keyless: Api) -> ContainerClient:
    """Give Azure's client for the storage, with credentials as the vendor hands them out."""
    key = {"tomtom-api-key": server.key}
    wrapped = keyless.get(f"{STORAGES}/storage-001/credentials?type=READ_WRITE", headers=key).json()
    unwrapped = keyless.post(
        "/v1/sys/wrapping/unwrap", headers={"X-Vault-Token": wrapped["credentials"]}
    ).json()
    data = unwrapped["data"]
    return ContainerClient.from_container_url(
        data["url"].rstrip("/"),
        credential=data["credentials"]["sasToken"],
        retry_total=0,
        max_block_size=MEGABYTE,
        max_single_put_size=MEGABYTE,
        max_single_get_size=MEGABYTE,
        max_chunk_get_size=MEGABYTE,
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """A workspace of Evo's, and the vendor's own client to work in it.

    Attributes:
        server: answers at https://<address>, as the client's blobs must.
    """

    server: Server
    org_id: UUID
    workspace_id: UUID
    cache: Path

    def do(self, work: Callable[[Any], Awaitable[Any]], *, token: str = "") -> Any:
        """Do work with a context of the vendor's client, within an event loop of its own."""

        async def within() -> Any:
            transport = AioTransport(user_agent="acceptance", verify_ssl=False)
            key = AccessTokenAuthorizer(token or self.server.key)
            connector = APIConnector(self.server.url, transport, key)
            async with connector:
                context = StaticContext(
                    connector=connector,
                    cache=Cache(root=self.cache, mkdir=True),
                    org_id=self.org_id,
                    workspace_id=self.workspace_id,
                )
                return await work(context)

        return asyncio.run(within())


@pytest.fixture(scope="package")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server with TLS on the usual port, of an address that is this run's own."""
    pid = os.getpid()
    address = f"127.77.{pid >> 8 & 255}.{pid & 255 or 1}"
    try:
        with socket.socket() as probe:
            probe.bind((address, 443))
    except OSError as error:
        pytest.skip(f"port 443 of a loopback address cannot be used: {error}")
    arguments = ("--tls", "--host", address, "--port", "443")
    environment = {"HAULIER_FAMILIES": "haulier.testing.faults:FAMILY"}
    folder = tmp_path_factory.mktemp("https")
    with running(folder, arguments=arguments, environment=environment) as server:
        yield server


@pytest.fixture(scope="package")
def open_desk(https: Server) -> Callable[[Path], Desk]:
    """Give what opens an empty workspace; the client's cache goes into the folder."""
    return lambda folder: Desk(https, uuid4(), uuid4(), folder / "cache")


@pytest.fixture
def desk(open_desk: Callable[[Path], Desk], tmp_path: Path) -> Desk:
    """Give an empty workspace."""
    return open_desk(tmp_path)
