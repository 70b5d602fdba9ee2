"""Make the kernels of geostatistics ready, once a process, compiled once on a machine."""

from functools import cache
from pathlib import Path

from haulier.families.geostat import method
from haulier.families.kernels import alone_in


@cache
def make_ready() -> None:
    """Load every kernel, compiling where no process has before."""
    from haulier.families.geostat.method.warm import warm  # noqa: PLC0415 -- loads numba

    with alone_in(Path(method.__file__).parent):
        warm()
