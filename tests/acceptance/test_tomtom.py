"""The TomTom page, run: its curl lines as written, Azure's own client, and a job to its end."""

import io
import json
import subprocess
from typing import Any, Final

import pyarrow.parquet as pq
import pytest
from azure.storage.blob import ContainerClient

from haulier.testing.server import Server

GEM: Final = "/maps/orbis/platform/gem/jobs"
STORAGES: Final = "/maps/orbis/platform/private-gateway/storages"
#: The page's command, line by line; host, number and key are put in below.
PAGE: Final = """curl -X GET "https://api.tomtom.com/maps/orbis/platform/gem/jobs/123456789" \\
 -H "tomtom-api-key: YOUR_API_KEY" \\
 -H "Authorization: Bearer YOUR_AUTH_TOKEN"
"""
STATISTICS: Final = [
    "confidence_threshold",
    "execution_time_sec",
    "kms_processed",
    "num_roads_processed",
    "roads_fully_matched_ratio",
    "roads_matched_ratio",
    "roads_partially_matched_ratio",
    "roads_unmatched_ratio",
]
MEGABYTE: Final = 1 << 20


def curl(server: Server, command: str, number: int | str = 1, key: str = "") -> Any:
    """Run a command of the page by real curl, and give the JSON that it prints."""
    said = (
        command.replace("https://api.tomtom.com", server.url)
        .replace("123456789", str(number))
        .replace("YOUR_API_KEY", key or server.key)
    )
    done = subprocess.run(
        ["bash", "-c", said], check=True, capture_output=True, timeout=60, cwd=server.folder
    )
    return json.loads(done.stdout)


def test_a_road_network_is_matched_by_the_vendor_s_own_steps(
    server: Server, container: ContainerClient, roads: bytes, until: Any
) -> None:
    container.upload_blob("test_data.parquet", roads)
    create = f"""curl -s -X POST "https://api.tomtom.com{GEM}" \\
 -H "tomtom-api-key: YOUR_API_KEY" -H "Authorization: Bearer YOUR_AUTH_TOKEN" \\
 -H "Content-Type: application/json" -H "X-Version: 1" \\
 -d '{{"storage_id":"storage-001","filename":"test_data.parquet",
      "job_type":"ROAD_MATCHING","overture_release":"2026-01-21.0"}}'"""

    created = curl(server, create)
    until(f"{GEM}/{created['job_id']}", lambda job: job["status"] in {"SUCCESS", "FAILED"})
    shown = curl(server, PAGE, created["job_id"])

    assert (created["status"], created["statistics"]) == ("REQUESTED", None)
    assert shown | {"statistics": None} == created | {
        "status": "SUCCESS",
        "result_filename": "test_data.results.parquet",
    }
    assert list(shown["statistics"]) == STATISTICS
    assert shown["statistics"]["num_roads_processed"] == 60
    assert shown["statistics"]["roads_matched_ratio"] > 0.95
    results = container.download_blob("test_data.results.parquet").readall()
    assert {"id", "gers", "confidence"} <= set(pq.read_table(io.BytesIO(results)).column_names)


def test_a_bad_file_fails_the_job_and_says_why(
    container: ContainerClient, api: Any, until: Any
) -> None:
    container.upload_blob("bad.parquet", b"this is no parquet", overwrite=True)
    request = {
        "storage_id": "storage-001",
        "filename": "bad.parquet",
        "job_type": "ROAD_MATCHING",
        "overture_release": "2026-01-21.0",
    }

    created = api.post(GEM, json=request)
    ended = until(
        f"{GEM}/{created.json()['job_id']}", lambda job: job["status"] in {"SUCCESS", "FAILED"}
    )

    assert created.status_code == 201
    assert created.headers["location"].endswith(f"{GEM}/{ended['job_id']}")
    assert (ended["status"], ended["statistics"]) == ("FAILED", None)
    assert "bad.parquet" in ended["message"] or "parquet" in ended["message"].lower()


def test_the_page_s_errors_are_told_as_the_page_says(server: Server) -> None:
    assert curl(server, PAGE, "999999")["error"] == "Not Found"
    assert curl(server, PAGE, "abc")["error"] == "Not Found"
    assert curl(server, PAGE, 1, key="hlr_wrong")["error"] == "Unauthorized"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"storage_id": "elsewhere"}, "storage_id"),
        ({"storage_id": None}, "storage_id"),
        ({"filename": "../../etc/passwd"}, "filename"),
        ({"filename": 7}, "filename"),
        ({"filename": "x" * 300}, "filename"),
        ({"job_type": "LANE_LEVEL_MATCHING"}, "job_type"),
        ({"job_type": "road_matching"}, "job_type"),
        ({"overture_release": None}, "overture_release"),
        ({"overture_release": ""}, "overture_release"),
        ({"orbis_version": "1.1"}, "orbis_version"),
        ({"release": "2026"}, "release"),
        ({"options": {"confidence_threshold": 101}}, "options.confidence_threshold"),
        ({"options": {"overture_release": "x"}}, "options.overture_release"),
    ],
    ids=str,
)
def test_a_bad_request_names_the_field(api: Any, change: dict[str, Any], field: str) -> None:
    good = {
        "storage_id": "storage-001",
        "filename": "roads.parquet",
        "job_type": "ROAD_MATCHING",
        "overture_release": "2026-01-21.0",
    }

    answer = api.post(GEM, json=good | change)

    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == "Bad Request"
    assert [fault["field"] for fault in answer.json()["details"]] == [field]
    assert field.rpartition(".")[2] in answer.json()["message"]


def test_jobs_are_listed_by_type_and_page_by_page(api: Any) -> None:
    request = {"storage_id": "storage-001", "filename": "numbers.txt", "job_type": "TROUBLE"}
    numbers = [api.post(GEM, json=request).json()["job_id"] for _ in range(3)]

    first = api.get(GEM, params={"job_type": "TROUBLE", "limit": 2})
    second = api.get(first.links["next"]["url"])

    shown = [job["job_id"] for job in first.json()["jobs"] + second.json()["jobs"]]
    assert shown[:3] == numbers[::-1]
    assert api.get(GEM).status_code == 400
    assert api.get(GEM, params={"job_type": "NOTHING"}).status_code == 400
    assert api.get(GEM, params={"job_type": "LANE_LEVEL_MATCHING"}).json() == {"jobs": []}


def test_storages_are_shown_as_the_vendor_shows_them(api: Any, server: Server) -> None:
    one = {
        "id": "storage-001",
        "url": f"{server.url}/blob/storage-001/default/",
        "type": "AZURE_BLOB_STORAGE",
    }

    assert one in api.get(STORAGES).json()["storages"]
    assert api.get(f"{STORAGES}/storage-001").json() == one
    assert api.get(f"{STORAGES}/storage-999").json()["error"] == "Not Found"


def test_credentials_unwrap_once(api: Any, keyless: Any) -> None:
    path = f"{STORAGES}/storage-001/credentials"
    token = api.get(path, params={"type": "READ"}).json()["credentials"]
    vault: dict[str, Any] = {
        "url": "/v1/sys/wrapping/unwrap",
        "headers": {"X-Vault-Token": token},
    }

    first, second = keyless.post(**vault), keyless.post(**vault)

    assert token.startswith("hvs.CAESI")
    assert set(first.json()) == {
        *("request_id", "lease_id", "renewable", "lease_duration", "data"),
        *("wrap_info", "warnings", "auth", "mount_type"),
    }
    assert first.json()["data"]["id"] == "storage-001"
    assert second.status_code == 400
    assert second.json() == {"errors": ["wrapping token is not valid or does not exist"]}
    assert api.get(path).status_code == 400
    assert api.get(path, params={"type": "WRITE"}).status_code == 400


def test_credentials_open_their_container_and_nothing_else(api: Any, keyless: Any) -> None:
    token = api.get(f"{STORAGES}/storage-001/credentials", params={"type": "READ"}).json()
    vault = {"X-Vault-Token": token["credentials"]}
    data = keyless.post("/v1/sys/wrapping/unwrap", headers=vault).json()["data"]
    secret = {"authorization": f"Bearer {data['credentials']['clientSecret']}"}
    sas = data["credentials"]["sasToken"]

    assert keyless.get(f"{data['url'].rstrip('/')}?comp=list&{sas}").status_code == 200
    assert keyless.put(f"{data['url']}x.txt?{sas}", content=b"x").status_code == 403
    assert keyless.get(f"/blob/storage-2/default?comp=list&{sas}").status_code == 403
    assert keyless.get("/jobs", headers=secret).status_code == 403
    assert keyless.get(STORAGES, headers=secret).status_code == 403
