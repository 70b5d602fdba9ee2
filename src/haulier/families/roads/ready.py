"""Has the kernels compiled by one process, while the others that need them wait."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from haulier.families.roads.method import warm

LOADING: Final = "loading the kernels; the first time on a machine compiles them, about a minute"


@cache
def make_ready() -> None:
    """Load every kernel, or compile it where no process of this machine has done so before."""
    with _alone(Path(warm.__file__).parent):
        warm.warm()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait for the one process that may be here: by a lock on the folder, which no one writes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
