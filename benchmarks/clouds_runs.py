"""What the benchmarks of clouds share: processes that are measured, the peer, and verdicts."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
PARAMS = {"source_epsg": "EPSG:2271", "target_epsg": "EPSG:3857", "vertical": "keep"}
LEAST_SPEED_UP = 1.7


@dataclass(frozen=True)
class Used:
    """What a process and its children took."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    said: dict[str, Any]

    def __str__(self) -> str:
        """Say it in a line."""
        return (
            f"{self.said['cpu_s']:6.2f} s CPU  {self.said['wall_s']:6.2f} s wall  "
            f"{self.peak_mb:5.0f} MB;  with starting {self.cpu_s:6.2f} s CPU"
        )


def measure(script: str, *arguments: str) -> Used:
    """Run a script of this folder to its end."""
    command = [sys.executable, str(HERE / script), *arguments]
    run = subprocess.run(
        [sys.executable, str(HERE / "clouds_spent.py"), *command],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"{script} ended with {run.returncode}")
    return Used(**json.loads(run.stdout))


def peer(cloud: Path, destination: Path) -> Used:
    return measure(
        "clouds_peer.py",
        str(cloud),
        str(destination),
        PARAMS["source_epsg"],
        PARAMS["target_epsg"],
    )


def ours(cloud: Path, folder: Path, workers: int, **more: str) -> Used:
    return measure(
        "clouds_job.py",
        "REPROJECT_LAS",
        json.dumps(PARAMS | more),
        str(cloud),
        str(folder),
        str(workers),
    )


def speed_up(ones: list[Used], twos: list[Used]) -> bool:
    """Compare two workers with one: on the wall, and by the work of the one that took longest."""
    wall = min(used.said["wall_s"] for used in ones) / min(used.said["wall_s"] for used in twos)
    work = median(used.said["cpu_s"] for used in ones) / median(
        used.said["longest_s"] for used in twos
    )
    print(f"  two workers over one by the longer one's CPU-seconds: {work:.2f}")
    return verdict("speed of two workers over one, on the wall", wall, LEAST_SPEED_UP, most=False)


def verdict(name: str, value: float, limit: float, *, most: bool = True) -> bool:
    fine = value <= limit if most else value >= limit
    word = "at most" if most else "at least"
    print(f"  {'ok ' if fine else 'NOT'} {name}: {value:,.2f} ({word} {limit:,.2f})")
    return fine
