"""Measure ordinary kriging from 24 neighbours: against LAPACK, krigekit, R's gstat and PyKrige.

    python benchmarks/kriging.py [--blocks 1000000] [--rounds 3] [--quick]

Every engine runs in a process of its own, in turns, on the same 10,000 samples and blocks of the
same grid, in coordinates from which anisotropy is taken out already. Speed is counted in estimates
per CPU-second, so that a busy machine changes little; of several rounds the median counts. gstat
comes from Debian: `apt-get install r-cran-gstat`; the others with `pip install --group bench`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
from kriging_data import by_lapack, make_blocks, slab, write

CHECKED = 20_000
MOST_RMS = 1e-12
MOST_MB = 600.0
LEAST_FROM_TWO = 1.8
HERE = Path(__file__).parent


@dataclass
class Engine:
    """An engine: which share of the blocks it gets, and how far we must be ahead.

    Attributes:
        name: of `kriging_engines`.
        share: of the blocks.
        ratio: least ratio of our estimates per CPU-second to its; 0: not compared.
        needs: what says that it is installed: a module, or a command.
        runs: what its runs printed.
    """

    name: str
    share: float
    ratio: float = 0.0
    needs: str = ""
    runs: list[dict[str, float]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Give estimates per CPU-second."""
        return median(run["blocks"] / run["cpu_s"] for run in self.runs)


def engines() -> list[Engine]:
    return [
        Engine("haulier", 1.0),
        Engine("haulier_twice", 1.0),
        Engine("krigekit", 0.5, 5.0, "pip install --group bench"),
        Engine("gstat", 0.1, 9.0, "apt-get install r-cran-gstat"),
        Engine("pykrige", 0.008, 30.0, "pip install --group bench"),
    ]


def run(engine: Engine, folder: Path, blocks: int) -> bool:
    """Run an engine once; gives whether it could be."""
    count = max(1, round(engine.share * blocks))
    command = [sys.executable, str(HERE / "kriging_engines.py"), engine.name, folder, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if not engine.needs:
            sys.exit(f"{engine.name} failed: {done.stderr}")
        print(f"  NOT measured: {engine.name} did not run ({why}); it needs: {engine.needs}")
        return False
    engine.runs.append(json.loads(done.stdout.splitlines()[-1]))
    return True


def check(engine: Engine, folder: Path, blocks: np.ndarray, count: int) -> tuple[float, float]:
    """Give the RMS difference of estimate and variance from LAPACK's, on random blocks."""
    mine = slab(blocks, round(engine.share * len(blocks)))
    some = np.random.default_rng(7).permutation(len(mine))[:count]
    got = np.load(folder / f"{engine.name}.npy")[:, some]
    off = got - np.array(by_lapack(mine[some]))
    estimate, variance = np.sqrt((off**2).mean(axis=1))
    return float(estimate), float(variance)


def show(engine: Engine, errors: tuple[float, float]) -> None:
    last = engine.runs[-1]
    rates = [run["blocks"] / run["cpu_s"] for run in engine.runs]
    print(
        f"  {engine.name:<14} {engine.rate:11,.0f} estimates/CPU-s ({min(rates):,.0f} to "
        f"{max(rates):,.0f})  {last['blocks']:9,} blocks  "
        f"{min(run['wall_s'] for run in engine.runs):7.2f} s wall  "
        f"{max(run['peak_mb'] for run in engine.runs):5.0f} MB  "
        f"RMS to LAPACK {errors[0]:.1e}, {errors[1]:.1e}"
    )


def verdict(name: str, value: float, limit: float, *, least: bool = True) -> bool:
    fine = value >= limit if least else value <= limit
    word = "at least" if least else "at most"
    print(f"  {'ok ' if fine else 'NOT'} {name}: {value:,.3g} ({word} {limit:,.3g})")
    return fine


def judge(by_name: Mapping[str, Engine], errors: Mapping[str, tuple[float, float]]) -> bool:
    ours, twice = by_name["haulier"], by_name["haulier_twice"]
    fine = True
    for engine in by_name.values():
        if engine.ratio and engine.runs:
            fine &= verdict(f"ratio to {engine.name}", ours.rate / engine.rate, engine.ratio)
    fine &= verdict("RMS of estimates", errors["haulier"][0], MOST_RMS, least=False)
    fine &= verdict("RMS of variances", errors["haulier"][1], MOST_RMS, least=False)
    fine &= verdict(
        "peak memory, MB", max(run["peak_mb"] for run in ours.runs), MOST_MB, least=False
    )
    walls = [min(run["wall_s"] for run in engine.runs) for engine in (ours, twice)]
    # Both walls grow when others use the machine: the best of each are compared. Where others take
    # most of it, only CPU-seconds tell whether two hinder each other.
    print(f"  two workers' estimates per CPU-second over one's: {twice.rate / ours.rate:.2f}")
    others = f"; load of the machine {os.getloadavg()[0]:.1f} of {os.cpu_count()} processors"
    return fine & verdict(f"two workers against one{others}", walls[0] / walls[1], LEAST_FROM_TWO)


def measure(choice: argparse.Namespace, folder: Path) -> bool:
    blocks = make_blocks(choice.blocks)
    write(folder, blocks)
    field_of = engines()
    missing = set()
    for _ in range(choice.rounds):
        for engine in field_of:
            if engine.name not in missing and not run(engine, folder, len(blocks)):
                missing.add(engine.name)
    there = {engine.name: engine for engine in field_of if engine.runs}
    errors = {name: check(engine, folder, blocks, choice.checked) for name, engine in there.items()}
    print(
        f"10,000 samples, 24 neighbours, {len(blocks):,} blocks, {choice.rounds} rounds; PyKrige "
        "without its constructor's statistics, which take hours, and its matrix of all samples"
    )
    for name, engine in there.items():
        show(engine, errors[name])
    return judge(there, errors) and not missing


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, default=1_000_000, help="about, in the whole grid")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checked", type=int, default=CHECKED, help="blocks solved by LAPACK too")
    parser.add_argument("--quick", action="store_true", help="200,000 blocks, one round")
    choice = parser.parse_args()
    if choice.quick:
        choice.blocks, choice.rounds, choice.checked = 200_000, 1, 2_000
    folder = Path(tempfile.mkdtemp(prefix="haulier-bench-kriging-"))
    try:
        fine = measure(choice, folder)
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
