"""Measure clouds: reprojection, octrees and rasters, against a plain loop of laspy and pyproj.

    python benchmarks/clouds.py [--data FOLDER] [--rounds 3] [--only reprojection|rasters|octree]

All on one survey of 10.65 million points, in one run: REPROJECT_LAS; REPROJECT_LAS and BUILD_EPT,
as a recipe of two steps does it; a terrain, a surface and a hillshade. The plain loop only
reprojects. CPU-seconds are of the work, added up over processes that have loaded their libraries,
as a server's workers have. Rounds are interleaved, so that what else the machine does meets all.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

import laspy
import numpy as np
from clouds_octree import octree
from clouds_runs import measure, ours, peer, speed_up, verdict

BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
CLOUD = "piney_2271_pf7.laz"
MOST_OF_PEER = 0.75
MOST_OF_PEER_RASTERS = 0.8
MOST_MB = 500.0


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


def rasters(cloud: Path, folder: Path, rounds: int) -> bool:
    """Compare a terrain, a surface and a hillshade with the plain loop that only reprojects."""
    peers, made = [], []
    for number in range(rounds):
        peers.append(peer(cloud, folder / "peer.laz"))
        target = str(folder / f"rasters-{number}")
        made.append(measure("clouds_rasters.py", str(cloud), target))
        print(f"  round {number + 1} laspy   {peers[-1]}")
        print(f"  round {number + 1} rasters {made[-1]}  {made[-1].said['by_step']}")
    ratio = median(used.said["cpu_s"] for used in made) / median(
        used.said["cpu_s"] for used in peers
    )
    fine = verdict("CPU-seconds of the plain loop's, all rasters", ratio, MOST_OF_PEER_RASTERS)
    peak = max(used.peak_mb for used in made)
    return fine & verdict("peak memory of any process, MB", peak, MOST_MB)


PARTS = {"reprojection": reproject, "rasters": rasters, "octree": octree}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = Path(os.environ.get("HAULIER_TEST_DATA", BESIDE))
    parser.add_argument("--data", type=Path, default=data / "clouds", help="folder of the clouds")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=PARTS, help="one part of it")
    choice = parser.parse_args()
    cloud = choice.data / CLOUD
    if not cloud.is_file():
        parser.error(f"there is no {cloud}; --data or HAULIER_TEST_DATA names its folder")
    fine = True
    for name, part in PARTS.items():
        if choice.only in {None, name}:
            folder = Path(tempfile.mkdtemp(prefix="haulier-bench-clouds-"))
            try:
                print(f"{name} of {CLOUD}, {choice.rounds} rounds, load {os.getloadavg()[0]:.1f}")
                fine &= part(cloud, folder, choice.rounds)
            finally:
                shutil.rmtree(folder)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
