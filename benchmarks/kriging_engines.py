"""Run one engine of `kriging.py` in a process of its own, so that its memory is its own.

    python benchmarks/kriging_engines.py ENGINE FOLDER BLOCKS

Reads the problem from a folder, writes estimates and variances there, and prints a line of JSON:
CPU and wall seconds, and the largest memory in MB.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from kriging_data import NEIGHBOURS, NUGGET, RANGE, REACH, SILL, FloatArray, slab

CHUNK = 65_536
Spent = dict[str, float]
Answer = tuple[FloatArray, FloatArray]

GSTAT = """
suppressMessages(library(gstat))
folder <- commandArgs(TRUE)[1]
numbers <- function(name, columns) {
  size <- file.info(file.path(folder, name))$size / 8
  matrix(readBin(file.path(folder, name), "double", size), ncol = columns, byrow = TRUE)
}
samples <- as.data.frame(numbers("samples.bin", 4)); names(samples) <- c("x", "y", "z", "v")
blocks <- as.data.frame(numbers("blocks.bin", 3)); names(blocks) <- c("x", "y", "z")
model <- vgm(%(sill)r, "Sph", %(range)r, %(nugget)r)
g <- gstat(formula = v ~ 1, locations = ~ x + y + z, data = samples, model = model,
           nmax = %(neighbours)d)
began <- proc.time()
out <- predict(g, blocks, debug.level = 0)
spent <- proc.time() - began
writeBin(c(out$var1.pred, out$var1.var), file.path(folder, "gstat.bin"))
cat(spent[["user.self"]] + spent[["sys.self"]], spent[["elapsed"]], "\\n")
"""


@contextmanager
def timed() -> Iterator[Spent]:
    """Count the CPU and wall seconds of all threads."""
    spent: Spent = {}
    cpu, wall = time.process_time(), time.perf_counter()
    yield spent
    spent.update(cpu_s=time.process_time() - cpu, wall_s=time.perf_counter() - wall)


def haulier(places: FloatArray, values: FloatArray, blocks: FloatArray) -> tuple[Answer, Spent]:
    """Krige by this package, kernels loaded; its index of samples counts."""
    return _haulier(places, values, blocks, threads=1)


def haulier_twice(
    places: FloatArray, values: FloatArray, blocks: FloatArray
) -> tuple[Answer, Spent]:
    """The same in two threads, chunk by chunk."""
    return _haulier(places, values, blocks, threads=2)


def _haulier(
    places: FloatArray, values: FloatArray, blocks: FloatArray, threads: int
) -> tuple[Answer, Spent]:
    from haulier.families.geostat.method.kriging import (  # noqa: PLC0415 -- engines are apart
        Kriging,
        Targets,
        krige,
    )
    from haulier.families.geostat.method.neighbourhood import Neighbourhood  # noqa: PLC0415
    from haulier.families.geostat.method.samples import Samples  # noqa: PLC0415
    from haulier.families.geostat.method.variogram import Structure, Variogram  # noqa: PLC0415
    from haulier.families.geostat.method.warm import warm_estimation  # noqa: PLC0415

    model = Variogram(NUGGET, (Structure("spherical", SILL, (RANGE, RANGE, RANGE)),))
    area = Neighbourhood(np.eye(3) / REACH, NEIGHBOURS)
    out = np.empty((2, len(blocks)))
    warm_estimation()
    with timed() as spent:
        kriging = Kriging(Samples(places, values), model, area)
        krige(kriging, Targets(blocks[:8]))  # makes the index

        def work(begin: int) -> None:
            part = slice(begin, begin + CHUNK)
            got = krige(kriging, Targets(blocks[part]), ["kriging_variance"])
            out[0, part], out[1, part] = got.values, got.diagnostics["kriging_variance"]

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(0, len(blocks), CHUNK)))
    return (out[0], out[1]), spent


def krigekit(places: FloatArray, values: FloatArray, blocks: FloatArray) -> tuple[Answer, Spent]:
    """Krige by krigekit in one thread."""
    from krigekit import Kriging  # noqa: PLC0415 -- engines are apart

    with timed() as spent:
        kriging = Kriging(ndim=3, nvar=1)
        kriging.set_obs(ivar=1, coord=places, value=values)
        kriging.set_grid(coord=blocks)
        kriging.set_vgm(1, 1, "sph", nugget=NUGGET, sill=SILL, a_major=RANGE)
        kriging.set_search(ivar=1, nmax=NEIGHBOURS)
        kriging.solve(nthread=1)
        estimates, variances = kriging.get_results(copy=True, squeeze=True)
    return (np.asarray(estimates), np.asarray(variances)), spent


def pykrige(places: FloatArray, values: FloatArray, blocks: FloatArray) -> tuple[Answer, Spent]:
    """Krige by PyKrige's moving window; only `execute` counts.

    Its constructor would fit statistics of the whole data first, which grows by the number of
    samples to the third power and takes hours: that is taken out. So is the matrix of all samples
    that `execute` makes first: it is made before.
    """
    from pykrige import ok3d  # noqa: PLC0415 -- engines are apart

    ok3d._find_statistics = lambda *_a, **_k: (np.zeros(1), np.ones(1), np.zeros(1))  # noqa: SLF001
    ok3d.core = SimpleNamespace(
        **{**vars(ok3d.core), **{f"calc{q}": lambda *_: 0.0 for q in ("Q1", "Q2", "cR")}}
    )
    kriging = ok3d.OrdinaryKriging3D(
        *places.T,
        values,
        variogram_model="spherical",
        variogram_parameters={"psill": SILL, "range": RANGE, "nugget": NUGGET},
    )
    matrix = kriging._get_kriging_matrix(len(values))  # noqa: SLF001
    kriging._get_kriging_matrix = lambda _: matrix  # noqa: SLF001
    with timed() as spent:
        estimates, variances = kriging.execute(
            "points", *blocks.T, backend="loop", n_closest_points=NEIGHBOURS
        )
    return (np.asarray(estimates), np.asarray(variances)), spent


def gstat(places: FloatArray, values: FloatArray, blocks: FloatArray) -> tuple[Answer, Spent]:
    """Krige by R's gstat; only `predict` counts."""
    folder = Path(sys.argv[2])
    np.column_stack([places, values]).tofile(folder / "samples.bin")
    blocks.tofile(folder / "blocks.bin")
    numbers = {"sill": SILL, "range": RANGE, "nugget": NUGGET, "neighbours": NEIGHBOURS}
    (folder / "gstat.R").write_text(GSTAT % numbers)
    command = ["Rscript", str(folder / "gstat.R"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu_s, wall_s = (float(word) for word in done.stdout.split()[-2:])
    out = np.fromfile(folder / "gstat.bin").reshape(2, -1)
    return (out[0], out[1]), {"cpu_s": cpu_s, "wall_s": wall_s}


ENGINES: dict[str, Callable[[FloatArray, FloatArray, FloatArray], tuple[Answer, Spent]]] = {
    engine.__name__: engine for engine in (haulier, haulier_twice, krigekit, gstat, pykrige)
}


def main() -> None:
    name, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    places, values = np.load(folder / "places.npy"), np.load(folder / "values.npy")
    blocks = slab(np.load(folder / "blocks.npy"), count)
    before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    answer, spent = ENGINES[name](places, values, np.ascontiguousarray(blocks))
    np.save(folder / f"{name}.npy", np.array(answer))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(json.dumps({**spent, "peak_mb": peak_mb, "before_mb": before_mb, "blocks": len(blocks)}))


if __name__ == "__main__":
    main()
