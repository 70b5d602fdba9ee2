"""Measure point clouds: REPROJECT_LAS against a plain loop of laspy and pyproj.

    python benchmarks/clouds.py [--data FOLDER] [--rounds 3]

CPU-seconds are of the work, added up over processes that have loaded their libraries, as a
server's workers have; those of whole processes are printed too. Ours and theirs run in turns, so
that what else the machine does meets both; ratios are of medians, the speed of two workers is of
the shortest runs.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import laspy
import numpy as np

HERE = Path(__file__).parent
BESIDE = HERE.parents[1] / "shared" / "data"
CLOUD = "piney_2271_pf7.laz"
PARAMS = {"source_epsg": "EPSG:2271", "target_epsg": "EPSG:3857", "vertical": "keep"}
MOST_OF_PEER = 0.75
LEAST_SPEED_UP = 1.7
MOST_MB = 500.0


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
    began = time.perf_counter()
    command = [sys.executable, str(HERE / script), *arguments]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child.stdout as stream:
        text = stream.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{script} ended with {child.returncode}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Used(cpu_s, time.perf_counter() - began, usage.ru_maxrss / 1e3, json.loads(text))


def reproject(cloud: Path, folder: Path, rounds: int) -> bool:
    """Compare with the plain loop, and two workers with one."""
    peers, ones, twos = [], [], []
    for number in range(rounds):
        peers.append(peer(cloud, folder / "peer.laz"))
        ones.append(ours(cloud, folder / f"one-{number}", workers=1))
        twos.append(ours(cloud, folder / f"two-{number}", workers=2))
        for name, used in (("laspy", peers[-1]), ("one", ones[-1]), ("two", twos[-1])):
            print(f"  round {number + 1} {name:<6} {used}")
    outputs = [Path(used.said["output"]) for used in (*ones, *twos)]
    fine = same_points(folder / "peer.laz", outputs[0])
    equal = len({path.read_bytes() for path in outputs}) == 1
    print(f"  {'ok ' if equal else 'NOT'} every run of ours wrote the same bytes")
    theirs = median(used.said["cpu_s"] for used in peers)
    for name, each in (("one worker", ones), ("two workers", twos)):
        ratio = median(used.said["cpu_s"] for used in each) / theirs
        fine &= verdict(f"CPU-seconds of the plain loop's, {name}", ratio, MOST_OF_PEER)
    fine &= speed_up(ones, twos)
    peak = max(used.peak_mb for used in (*ones, *twos))
    return fine & equal & verdict("peak memory of any process, MB", peak, MOST_MB)


def speed_up(ones: list[Used], twos: list[Used]) -> bool:
    """Compare two workers with one: on the wall, and by the work of the one that took longest."""
    wall = min(used.said["wall_s"] for used in ones) / min(used.said["wall_s"] for used in twos)
    work = median(used.said["cpu_s"] for used in ones) / median(
        used.said["longest_s"] for used in twos
    )
    print(f"  two workers over one by the longer one's CPU-seconds: {work:.2f}")
    return verdict("speed of two workers over one, on the wall", wall, LEAST_SPEED_UP, most=False)


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


def same_points(theirs: Path, our: Path) -> bool:
    """Compare every point: X and Y to a quantum, everything else to the bit."""
    far, other, number = [0, 0], 0, 0
    with laspy.open(theirs) as one, laspy.open(our) as two:
        shift = (one.header.offsets - two.header.offsets) / two.header.scales
        for a, b in zip(one.chunk_iterator(500_000), two.chunk_iterator(500_000), strict=True):
            for axis, name in enumerate("XY"):
                distance = np.abs(
                    np.asarray(a[name], np.int64)
                    + round(float(shift[axis]))
                    - np.asarray(b[name], np.int64)
                )
                far[0] = max(far[0], int(distance.max()))
                far[1] += int(np.count_nonzero(distance))
            for name in a.point_format.dimension_names:
                if name not in {"X", "Y"}:
                    other += int(np.count_nonzero(np.asarray(a[name]) != np.asarray(b[name])))
            number += len(a)
    fine = far[0] <= 1 and not other
    print(
        f"  {'ok ' if fine else 'NOT'} {number:,} points: {far[1]} of X and Y differ, by at most "
        f"{far[0]} quantum; {other} of the other fields differ"
    )
    return fine


def verdict(name: str, value: float, limit: float, *, most: bool = True) -> bool:
    fine = value <= limit if most else value >= limit
    word = "at most" if most else "at least"
    print(f"  {'ok ' if fine else 'NOT'} {name}: {value:,.2f} ({word} {limit:,.2f})")
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("HAULIER_TEST_DATA", BESIDE))
    parser.add_argument("--data", type=Path, default=data / "clouds", help="folder of the clouds")
    parser.add_argument("--rounds", type=int, default=3)
    choice = parser.parse_args()
    cloud = choice.data / CLOUD
    if not cloud.is_file():
        parser.error(f"there is no {cloud}; --data or HAULIER_TEST_DATA names its folder")
    folder = Path(tempfile.mkdtemp(prefix="haulier-bench-clouds-"))
    try:
        print(f"REPROJECT_LAS of {CLOUD}, {choice.rounds} rounds")
        fine = reproject(cloud, folder, choice.rounds)
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
