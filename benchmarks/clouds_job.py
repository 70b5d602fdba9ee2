"""Run one step of a recipe over a cloud with a number of worker processes, as a server would.

    python benchmarks/clouds_job.py KIND PARAMS SOURCE FOLDER WORKERS

Workers are warm before it begins, as a server's are. It prints seconds of work as JSON: of all
processes, of the one that took longest with what cannot be shared, and on the wall.
"""

import json
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from importlib import import_module
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import msgspec

from haulier.core.family import Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.testing.context import LocalContext, World

STEPS = "haulier.families.clouds.steps."
#: Which module does a kind, which one has its stages, and which one knows its kernels.
DOERS = {
    "REPROJECT_LAS": (STEPS + "reproject", "", STEPS + "moving"),
    "BUILD_EPT": (STEPS + "build_ept", STEPS + "passes", STEPS + "passes"),
    "BUILD_COPC": (STEPS + "build_copc", STEPS + "passes", STEPS + "passes"),
    "BUILD_POTREE": (STEPS + "build_potree", STEPS + "passes", STEPS + "passes"),
}
SLOT = "input_las"
WAIT_S = 300


def main() -> None:
    kind, params, source, folder, workers = sys.argv[1:]
    world = World(Path(folder), {"here": Path(source).parent})
    step = StepPlan(
        "job",
        "clouds",
        kind,
        json.loads(params),
        inputs={SLOT: {"storage": "here", "filename": Path(source).name}},
        stages=import_module(DOERS[kind][1]).STAGES if DOERS[kind][1] else (),
    )
    spawn = multiprocessing.get_context("spawn")
    barrier = spawn.Barrier(int(workers))
    with spawn.Pool(int(workers), initializer=remember, initargs=(world, barrier)) as pool:
        pool.map(warm, [kind] * int(workers), chunksize=1)
        said = do_step(step, world, pool)
        pool.close()
        pool.join()
    print(json.dumps({**said, "output": str(find_output(world))}))


def do_step(step: StepPlan, world: World, pool: Pool) -> dict[str, Any]:
    """Do the stages one after the other; give what they took."""
    wall = time.perf_counter()
    stages = {}
    for name in step.stages or ("",):
        stages[name] = do_stage(msgspec.structs.replace(step, stage=name), world, pool)
    return {
        "cpu_s": sum(stage["cpu_s"] for stage in stages.values()),
        "longest_s": sum(stage["longest_s"] for stage in stages.values()),
        "wall_s": time.perf_counter() - wall,
        "stages": {name: round(stage["cpu_s"], 2) for name, stage in stages.items()},
        "result": dict(world.results[f"stage:{step.stages[-1] if step.stages else ''}"].values),
    }


def do_stage(step: StepPlan, world: World, pool: Pool) -> dict[str, float]:
    """Split here, run the parts in the pool, merge here; give what it took."""
    doer = import_module(DOERS[step.kind][0])
    began = time.process_time()
    parts: Sequence[Part] = doer.split(step, LocalContext(world, step, "split"))
    results, spent_s = {}, defaultdict[int, float](float)
    packed = [msgspec.msgpack.encode((step, part, world.results)) for part in parts]
    for key, given, worker, cpu_s in pool.imap_unordered(run_part, packed):
        results[key] = msgspec.msgpack.decode(given, type=PartResult)
        spent_s[worker] += cpu_s
    ordered = {part.key: results[part.key] for part in parts}
    merged = doer.merge(step, ordered, LocalContext(world, step, "merge"))
    world.results[f"stage:{step.stage}"] = merged
    alone_s = time.process_time() - began
    return {
        "cpu_s": alone_s + sum(spent_s.values()),
        "longest_s": alone_s + max(spent_s.values()),
    }


STATE: dict[str, Any] = {}


def remember(world: World, barrier: Barrier) -> None:
    """Keep what a worker process needs; nothing here may fail, or the pool starts it for ever."""
    STATE.update(world=world, barrier=barrier)


def warm(kind: str) -> None:
    """Load libraries and kernels, and wait until every worker has."""
    module, _, kernels = DOERS[kind]
    prepare: Callable[[], None] = import_module(kernels).warm
    prepare()
    STATE["doer"] = import_module(module)
    STATE["barrier"].wait(WAIT_S)


def run_part(packed: bytes) -> tuple[str, bytes, int, float]:
    """Do one part in a worker process; give its key and result, the worker, and its seconds."""
    began = time.process_time()
    kind = tuple[StepPlan, Part, dict[str, StepResult]]
    step, part, STATE["world"].results = msgspec.msgpack.decode(packed, type=kind)
    context = LocalContext(STATE["world"], step, "run", part)
    given = msgspec.msgpack.encode(STATE["doer"].run(step, part, context))
    return part.key, given, os.getpid(), time.process_time() - began


def find_output(world: World) -> Path:
    """Give the one file or folder that the step wrote."""
    return next((world.folder / "job" / "outputs").glob("*/*"))


if __name__ == "__main__":
    main()
