"""Has the kernels compiled by one process, while the others that need them wait."""

from functools import cache
from pathlib import Path

from haulier.families.kernels import alone_in
from haulier.families.roads.method import warm


@cache
def make_ready() -> None:
    """Load every kernel, or compile it where no process of this machine has done so before."""
    with alone_in(Path(warm.__file__).parent):
        warm.warm()
