"""Make the kernels of clouds ready, once a process, compiled once on a machine."""

from functools import cache
from pathlib import Path

from haulier.families.clouds import method
from haulier.families.kernels import alone_in


@cache
def make_ready() -> None:
    """Load every kernel, compiling where no process has before."""
    from haulier.families.clouds.method import overview, thinning  # noqa: PLC0415 -- they load numba
    from haulier.families.clouds.steps import moving, passes, warmth  # noqa: PLC0415

    with alone_in(Path(method.__file__).parent):
        moving.warm()
        passes.warm()
        overview.warm()
        thinning.warm()
        warmth.warm()
