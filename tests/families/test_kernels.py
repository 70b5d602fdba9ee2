"""The compiled loops: kept from one process to the next, wherever there is room to keep them."""

import os
import subprocess
import sys
from pathlib import Path

MEASURE = """
from haulier.families.roads.method import projection
projection._conformal(0.5)
stats = projection._conformal.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()))
"""

# numba keeps no code of a function that has no file, which fails as a read-only disk does
NOWHERE = """
from haulier.families.kernels import kernel
names = {"kernel": kernel}
exec("@kernel\\ndef twice(x):\\n    return 2 * x", names)
print(names["twice"](21))
"""


def hits_and_misses(folder: Path, **more: str) -> list[int]:
    """Call one kernel in a new process and count what it found in the cache."""
    environment = {**os.environ, **more}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return [int(word) for word in done.stdout.split()]


def test_a_second_process_finds_what_the_first_compiled(tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")

    assert hits_and_misses(tmp_path, NUMBA_CACHE_DIR=cache) == [0, 1]
    assert hits_and_misses(tmp_path, NUMBA_CACHE_DIR=cache) == [1, 0]


def test_without_room_for_a_cache_the_kernels_still_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOWHERE], cwd=tmp_path, check=True, capture_output=True, text=True
    )

    assert done.stdout.strip() == "42"
