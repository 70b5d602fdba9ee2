"""Files by Azure's own client, unmodified: what goes up comes down, and conditions hold."""

import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob import BlobBlock, BlobServiceClient, ContainerClient

from haulier.testing.server import Server

MEGABYTE: Final = 1 << 20


@pytest.mark.parametrize("size_bytes", [0, 1, 1000, 5 * MEGABYTE + 3])
def test_a_blob_comes_back_as_it_was_sent(container: ContainerClient, size_bytes: int) -> None:
    content = bytes(i * 7 % 251 for i in range(1000)) * (size_bytes // 1000 + 1)
    content, name = content[:size_bytes], f"blob äöü & {size_bytes}.bin"

    container.upload_blob(name, content, overwrite=True)

    blob = container.get_blob_client(name)
    assert blob.download_blob(max_concurrency=2).readall() == content
    assert blob.get_blob_properties().size == size_bytes
    if size_bytes > 10:
        assert blob.download_blob(offset=5, length=4).readall() == content[5:9]
    assert name in [found.name for found in container.list_blobs(name_starts_with="blob ä")]
    blob.delete_blob()
    assert not blob.exists()


def test_blobs_are_listed_in_pages(container: ContainerClient) -> None:
    names = [f"page-{number}.txt" for number in range(5)]
    for name in names:
        container.upload_blob(name, name.encode(), overwrite=True)

    pages = container.list_blobs(name_starts_with="page-", results_per_page=2).by_page()

    assert [[blob.name for blob in page] for page in pages] == [names[:2], names[2:4], names[4:]]


def test_conditions_of_a_blob_hold(container: ContainerClient, tmp_path: Path) -> None:
    blob = container.get_blob_client("once.txt")
    first = blob.upload_blob(b"one", overwrite=True)
    with pytest.raises(ResourceExistsError):
        container.upload_blob("once.txt", b"two")
    big = tmp_path / "big"
    big.write_bytes(b"x" * (3 * MEGABYTE))
    with pytest.raises(ResourceExistsError), big.open("rb") as stream:
        container.upload_blob("once.txt", stream)
    blob.upload_blob(b"three", overwrite=True)

    with pytest.raises(ResourceModifiedError):
        blob.download_blob(
            etag=first["etag"], match_condition=MatchConditions.IfNotModified
        ).readall()
    with pytest.raises(ResourceNotFoundError):
        container.download_blob("never.txt")
    assert blob.download_blob().readall() == b"three"


def test_a_block_that_was_never_sent_cannot_be_committed(container: ContainerClient) -> None:
    blob = container.get_blob_client("blocks.txt")
    blob.stage_block("b1", b"one ")
    blob.stage_block("b2", b"two")

    with pytest.raises(HttpResponseError) as refused:
        blob.commit_block_list([BlobBlock("b1"), BlobBlock("b3")])

    assert "InvalidBlockList" in str(refused.value)
    blob.commit_block_list([BlobBlock("b1"), BlobBlock("b2")])
    assert blob.download_blob().readall() == b"one two"


def test_an_upload_that_is_not_what_it_says_leaves_the_old_file(
    container: ContainerClient, api: Any
) -> None:
    container.upload_blob("sum.txt", b"old", overwrite=True)

    wrong = {"content-md5": "1B2M2Y8AsgTpgAmY7PhCfg=="}
    answer = api.put("/blob/storage-001/default/sum.txt", content=b"new", headers=wrong)

    assert answer.status_code == 400
    assert answer.headers["x-ms-error-code"] == "Md5Mismatch"
    assert container.download_blob("sum.txt").readall() == b"old"


def test_a_plain_key_and_curl_are_enough_for_a_file(server: Server, roads: bytes) -> None:
    (server.folder / "up.parquet").write_bytes(roads)
    url = f"{server.url}/blob/storage-001/default/up.parquet"
    key = f"tomtom-api-key: {server.key}"

    for command in (["-T", "up.parquet"], ["-o", "down.parquet"]):
        said = ["curl", "-sf", *command, "-H", key, url]
        subprocess.run(said, check=True, timeout=60, cwd=server.folder)

    assert (server.folder / "down.parquet").read_bytes() == roads


def test_the_service_client_finds_the_container(server: Server, container: ContainerClient) -> None:
    account = container.url.partition("/default")[0]
    sas = container.url.partition("?")[2]
    service = BlobServiceClient(account, credential=sas, retry_total=0)

    client = service.get_container_client("default")

    assert client.exists()
    with pytest.raises(ResourceExistsError):
        client.create_container()
    assert server.url in account
