"""Make the terrain, the surface and a hillshade of a cloud, step by step in one process.

python benchmarks/clouds_rasters.py SOURCE FOLDER [RESOLUTION]

Kernels are loaded before, as in a server's workers. Where the cloud has no ground points, as that
of the benchmark, the terrain is found on the way.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import rasterio

from haulier.core.recipe import StepPlan
from haulier.families.clouds.family import FAMILY
from haulier.families.clouds.steps import warmth
from haulier.testing.context import World, run_step

#: About a metre, of clouds in feet.
RESOLUTION = 3.0


def main() -> None:
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    resolution = float(sys.argv[3]) if len(sys.argv) > 3 else RESOLUTION
    warmth.warm()
    world = World(folder, {"source": source.parent})
    cloud = {"input_las": {"storage": "source", "filename": source.name}}
    steps = (
        ("dtm", "GENERATE_DEM", {"resolution": resolution, "surface": "dtm"}, cloud),
        ("dsm", "GENERATE_DEM", {"resolution": resolution, "surface": "dsm"}, cloud),
        ("shade", "GENERATE_HILLSHADE", {}, {"input_tif": "step:dtm.output_tif"}),
    )
    began, wall = time.process_time(), time.perf_counter()
    by_step = {}
    for name, kind, params, inputs in steps:
        start = time.process_time()
        stages = FAMILY.step_kinds[kind].stages
        plan = StepPlan(name, FAMILY.name, kind, params, inputs=inputs, stages=stages)
        run_step(FAMILY, plan, world)
        by_step[name] = round(time.process_time() - start, 2)
    cpu_s, wall_s = time.process_time() - began, time.perf_counter() - wall
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    said = {"cpu_s": cpu_s, "longest_s": cpu_s, "wall_s": wall_s, "peak_mb": peak_mb}
    print(json.dumps({**said, "by_step": by_step, "known": _known(world)}))


def _known(world: World) -> dict[str, float]:
    """Give which share of each raster's cells is not void."""
    shares = {}
    for name in ("dtm", "dsm", "shade"):
        with rasterio.open(world.outputs[f"step:{name}.output_tif"].path) as raster:
            shares[name] = round(float(np.mean(raster.read_masks(1) > 0)), 4)
    return shares


if __name__ == "__main__":
    main()
