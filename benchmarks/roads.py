"""Measure road matching: against Valhalla's Meili in one thread, and whole jobs on a server.

    python benchmarks/roads.py [--data FOLDER] [--roads 400000] [--only peer|server|local]

Speed is counted in roads per CPU-second, all threads added up, so that a busy machine changes
little. `local` is the job of `server` without a server: the family alone, in this process.
"""

import argparse
import json
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import msgspec
import pyarrow as pa
from roads_data import Region, add_arguments, find_regions, replicate

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.roads import FAMILY
from haulier.families.roads.demo import DemoFiles, judge
from haulier.families.roads.method.score import Score
from haulier.testing.context import World, run_step

T = TypeVar("T")
VENDOR_ROADS_S = 40.8  # TomTom's example: 397,613 roads in 9,751 s
LEAST_RATIO_MEILI = 10.0
LEAST_RATIO_VENDOR = 250.0
TURNS = 3
MOST_MB = 1000.0
KIND = "ROAD_MATCHING"


class Timed:
    """The family, with the CPU time of every call noted by step and action."""

    def __init__(self) -> None:
        self.spent_s: dict[str, float] = {}

    def split(self, step: StepPlan, context: Context) -> list[Part]:
        """Cut a step into parts."""
        return self._noted(f"{step.id} split", FAMILY.split, step, context)

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Do a part."""
        what = f" {part.key}" if step.id == "write" else ""
        return self._noted(f"{step.id} run{what}", FAMILY.run, step, part, context)

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Put the parts together."""
        return self._noted(f"{step.id} merge", FAMILY.merge, step, results, context)

    def _noted(self, name: str, act: Callable[..., T], *arguments: object) -> T:
        began = time.process_time()
        given = act(*arguments)
        self.spent_s[name] = self.spent_s.get(name, 0) + time.process_time() - began
        return given


def run_here(
    files: DemoFiles, folder: Path, *, report: bool
) -> tuple[dict[str, float], dict[str, Any], Path]:
    """Do a job in this process; gives CPU seconds by phase, statistics, and the results."""
    name = files.customer.name
    world = World(
        folder,
        {"here": files.customer.parent},
        {("overture_release", "release"): {"url": str(files.release)}},
    )
    params = {
        "input": {"storage": "here", "filename": name},
        "overture_release": "release",
        "mode": "accurate",
        "outputs": {"report": report},
    }
    decoded = msgspec.convert(params, FAMILY.kinds[KIND].params)
    timed = Timed()
    for step in (step for layer in FAMILY.plan(KIND, decoded).levels() for step in layer):
        run_step(timed, step, world)
    result = FAMILY.summarise(KIND, world.results)
    return timed.spent_s, dict(result.statistics), world.outputs["step:write.results"].path


def show_phases(spent_s: Mapping[str, float]) -> None:
    total = sum(spent_s.values())
    for name, seconds in spent_s.items():
        if seconds >= 0.005 * total:
            print(f"    {name:<22} {seconds:8.2f} s CPU  {seconds / total:6.1%}")


@dataclass
class Race:
    """Roads and CPU seconds, summed over regions, and whether ours was better in each."""

    roads: int = 0
    ours_s: float = 0.0
    theirs_s: float = 0.0
    better: bool = True


def peer(regions: list[Region], folder: Path, most_roads: int) -> bool:
    """Compare with Meili on each region: speed of both, F1 of both on the same roads."""
    race = Race()
    for region in regions:
        _compete(region, folder, most_roads, race)
    ours, theirs = race.roads / race.ours_s, race.roads / race.theirs_s
    print(f"all regions: haulier {ours:,.0f} roads/s, Meili {theirs:,.0f} roads/s")
    fine = verdict("ratio to Meili", ours / theirs, LEAST_RATIO_MEILI)
    print(f"  {'ok ' if race.better else 'NOT'} higher F1 in every region")
    return fine & race.better


def _compete(region: Region, folder: Path, most_roads: int, race: Race) -> None:
    """Run both in turns, so that what else the machine does meets both, and take the medians."""
    from roads_meili import Meili  # noqa: PLC0415 -- the other measurements need no Valhalla

    meili = Meili(region.files, folder / f"{region.name}-meili", most_roads)
    ours_s, theirs_s = [], []
    for turn in range(TURNS):
        began = time.process_time()
        requests = meili.requests()
        write_s = time.process_time() - began
        began = time.process_time()
        answers = meili.trace(requests)
        theirs_s.append(time.process_time() - began)
        spent_s, statistics, results = run_here(
            region.files, folder / f"{region.name}-{turn}", report=False
        )
        ours_s.append(sum(spent_s.values()))
    began = time.process_time()
    meili_results = meili.write(answers)
    write_s += time.process_time() - began
    roads, asked = statistics["num_roads_processed"], len(meili.ids)
    ours, theirs = median(ours_s), median(theirs_s)
    race.roads += roads
    race.ours_s += ours
    race.theirs_s += theirs * roads / asked  # as if it had been asked for every road
    good = judge(results, region.files, only=meili.ids)
    other = judge(meili_results, region.files, only=meili.ids)
    race.better &= good.f1 > other.f1
    print(f"{region.name}: {roads:,} roads, medians of {TURNS} turns")
    _show("haulier", roads / ours, good, "Parquet to Parquet, accurate")
    _show(
        "Meili",
        asked / theirs,
        other,
        f"traces alone, of {asked:,} roads; {asked / (theirs + write_s):,.0f} with reading and "
        f"writing Parquet; {meili.refused} refused; tiles {meili.tiles_wall_s:.1f} s more",
    )
    print(f"  ratio    {roads / ours * theirs / asked:9.1f}")
    show_phases(spent_s)


def _show(name: str, rate: float, score: Score, remark: str) -> None:
    print(
        f"  {name:<8} {rate:9,.0f} roads/s  F1 {score.f1:.4f}  P {score.precision:.4f}  "
        f"R {score.recall:.4f}  exact {score.exact:.4f}  absent {score.absent_given_a_match:.3f}"
        f"   {remark}"
    )


def server(files: DemoFiles, regions: list[Region], folder: Path, workers: int) -> bool:
    """Run the whole job on a server; every process's CPU time and memory count."""
    from roads_server import run_server  # noqa: PLC0415 -- the other measurements need no server

    done = run_server(regions[0].files, files, folder / "server", workers)
    print(f"a job of {done.roads:,} roads on `haulier serve`, {workers} workers")
    for name, seconds, parts in done.steps:
        print(f"    {name:<22} {seconds:8.2f} s wall  {parts:4} parts")
    for name, seconds, peak_mb in done.by_process:
        print(f"    {name:<40} {seconds:8.2f} s CPU  {peak_mb:6.0f} MB")
    print(
        f"  wall {done.wall_s:.1f} s, {done.cpu_s:.1f} s CPU in all; an idle server takes "
        f"{done.idle_cores:.2f} cores, {done.idle_cores * done.wall_s:.1f} s of it"
    )
    print(f"  fullest process: {done.peak_mb:.0f} MB ({done.peak_of})")
    print(f"  {judge(done.results, files)}")
    return speed(done.roads, done.cpu_s, done.peak_mb)


def local(files: DemoFiles, folder: Path) -> bool:
    """Run the same job in this process."""
    spent_s, statistics, results = run_here(files, folder / "local", report=True)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"the same job in this process: {json.dumps(statistics)}")
    show_phases(spent_s)
    print(f"  {judge(results, files)}")
    return speed(statistics["num_roads_processed"], sum(spent_s.values()), peak_mb)


def speed(roads: int, cpu_s: float, peak_mb: float) -> bool:
    rate = roads / cpu_s
    print(f"  {rate:,.0f} roads per core-second")
    fine = verdict(f"ratio to {VENDOR_ROADS_S} roads/s", rate / VENDOR_ROADS_S, LEAST_RATIO_VENDOR)
    return fine & verdict("peak memory, MB", peak_mb, MOST_MB, least=False)


def verdict(name: str, value: float, limit: float, *, least: bool = True) -> bool:
    fine = value >= limit if least else value < limit
    word = "at least" if least else "under"
    print(f"  {'ok ' if fine else 'NOT'} {name}: {value:,.1f} ({word} {limit:,.0f})")
    return fine


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_arguments(parser)
    parser.add_argument("--roads", type=int, default=400_000, help="at least, in the big job")
    parser.add_argument("--meili-roads", type=int, default=3_000, help="at most, for Meili")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=("peer", "server", "local"))
    choice = parser.parse_args()
    pa.set_cpu_count(1)
    folder = Path(tempfile.mkdtemp(prefix="haulier-bench-roads-"))
    try:
        fine = measure(choice, folder)
    finally:
        shutil.rmtree(folder)
    sys.exit(0 if fine else 1)


def measure(choice: argparse.Namespace, folder: Path) -> bool:
    regions = find_regions(choice, folder)
    FAMILY.warm()
    fine = True
    if choice.only in {None, "peer"}:
        fine &= peer(regions, folder, choice.meili_roads)
    if choice.only in {None, "server", "local"}:
        big = replicate(regions, folder / "big", choice.roads)
        if choice.only != "local":
            fine &= server(big, regions, folder, choice.workers)
        else:
            fine &= local(big, folder)
    return fine


if __name__ == "__main__":
    main()
