"""Octrees: a cloud reprojected and built as EPT, against a plain loop that reprojects it.

The plain loop of laspy and pyproj only reprojects. Ours reprojects and builds, step by step, as
a recipe of two steps does. A cloud of twice the points shows that memory stays where it is.
"""

import hashlib
import json
from pathlib import Path
from statistics import median

import laspy
import numpy as np
from clouds_runs import Used, measure, ours, peer, speed_up, verdict

MOST_OF_PEER = 1.8
MOST_MB = 500.0


def octree(cloud: Path, folder: Path, rounds: int) -> bool:
    """Compare the two steps with the plain loop, and two workers with one."""
    peers, moves, ones, twos = [], [], [], []
    for number in range(rounds):
        peers.append(peer(cloud, folder / "peer.laz"))
        moves.append(ours(cloud, folder / f"moved-{number}", workers=1))
        moved = Path(moves[-1].said["output"])
        ones.append(build("BUILD_EPT", moved, folder / f"one-{number}", 1))
        twos.append(build("BUILD_EPT", moved, folder / f"two-{number}", 2))
        for name, used in (("laspy", peers), ("move", moves), ("one", ones), ("two", twos)):
            print(f"  round {number + 1} {name:<6} {used[-1]}  {used[-1].said.get('stages', '')}")
    copc = build("BUILD_COPC", moved, folder / "copc", 1)
    print(f"  COPC           {copc}  {copc.said['stages']}")
    potree = build("BUILD_POTREE", moved, folder / "potree", 1)
    print(f"  Potree         {potree}  {potree.said['stages']}")
    both = [
        (one.said["cpu_s"] + move.said["cpu_s"]) / used.said["cpu_s"]
        for one, move, used in zip(ones, moves, peers, strict=True)
    ]
    fine = verdict("CPU-seconds of the plain loop's, both steps", median(both), MOST_OF_PEER)
    between = ours(cloud, folder / "moved-las", workers=1, out_format="las")
    from_las = build("BUILD_EPT", Path(between.said["output"]), folder / "from-las", 1)
    plain = (between.said["cpu_s"] + from_las.said["cpu_s"]) / median(
        used.said["cpu_s"] for used in peers
    )
    print(f"  with LAS between the steps: {plain:.2f} of the plain loop's CPU-seconds")
    doubled = build("BUILD_EPT", twice(cloud, folder / "twice.laz"), folder / "doubled", 1)
    print(f"  twice as many  {doubled}  {doubled.said['stages']}")
    equal = len({content(Path(used.said["output"])) for used in (*ones, *twos)}) == 1
    print(f"  {'ok ' if equal else 'NOT'} every run wrote the same folder")
    every = holds_every_point(moved, Path(ones[0].said["output"]), Path(copc.said["output"]))
    peak = max(used.peak_mb for used in (*moves, *ones, *twos, copc, potree, from_las, doubled))
    return (
        fine
        & equal
        & every
        & speed_up(ones, twos)
        & verdict("peak memory of any process, MB", peak, MOST_MB)
    )


def build(kind: str, cloud: Path, folder: Path, workers: int) -> Used:
    return measure("clouds_job.py", kind, json.dumps({}), str(cloud), str(folder), str(workers))


def content(folder: Path) -> str:
    """Give the hash of all files of a folder, and of their names."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def holds_every_point(cloud: Path, ept: Path, copc: Path) -> bool:
    """Compare the points as laspy reads them: of the cloud, of all tiles, and of all nodes."""
    expected = digest([cloud])
    tiles = digest(sorted((ept / "ept-data").iterdir()))
    with laspy.CopcReader.open(copc) as reader:
        nodes = digest_of(reader.query().array)
    fine = expected == tiles == nodes
    print(f"  {'ok ' if fine else 'NOT'} EPT and COPC have each of the {expected[0]:,} points once")
    return fine


def digest(paths: list[Path]) -> tuple[int, int, int]:
    """Sum up points so that their order does not matter."""
    number = total = squares = 0
    for path in paths:
        with laspy.open(path) as reader:
            for points in reader.chunk_iterator(1_000_000):
                one = digest_of(points.array)
                number, total, squares = number + one[0], total + one[1], squares + one[2]
    return number, total % 2**64, squares % 2**64


def digest_of(records: np.ndarray) -> tuple[int, int, int]:
    raw = records.view(np.uint8).reshape(len(records), -1)
    words = np.pad(raw, ((0, 0), (0, -raw.shape[1] % 8))).view(np.uint64)
    hashes = np.zeros(len(words), np.uint64)
    for column in words.T:
        hashes = (hashes ^ column) * np.uint64(0x9E3779B97F4A7C15)
        hashes ^= hashes >> np.uint64(29)
    squares = (hashes * hashes).sum(dtype=np.uint64)
    return len(records), int(hashes.sum(dtype=np.uint64)), int(squares)


def twice(cloud: Path, destination: Path) -> Path:
    """Write a cloud beside itself."""
    with laspy.open(cloud) as reader:
        far = round(
            1.01 * (reader.header.maxs[0] - reader.header.mins[0]) / reader.header.scales[0]
        )
        with laspy.open(destination, "w", header=reader.header) as writer:
            for shift in (0, far):
                reader.seek(0)
                for points in reader.chunk_iterator(1_000_000):
                    points.X = points.X + shift
                    writer.write_points(points)
    return destination
