"""Compile the loops of every family to machine code, and keep it from one process to the next."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar, cast

from numba import njit

#: What a step says while its process makes the kernels ready.
LOADING: Final = "loading the kernels; the first time on a machine compiles them, about a minute"

Loop = TypeVar("Loop", bound=Callable[..., object])


def kernel(loop: Loop) -> Loop:
    """Compile a function at its first call; it runs without the interpreter's lock.

    The machine code is kept beside the package; where that folder cannot be written to, in
    NUMBA_CACHE_DIR or the user's cache; and where nothing can be written to, for this process
    alone. It is made anew when the function's own file changes, but not when only a file it calls
    into does: whoever edits one kernel of a folder should remove its `__pycache__`.
    """
    return _compiled(loop)


def fast_kernel(loop: Loop) -> Loop:
    """Compile as `kernel` does, and let sums be taken in another order, as vectors need it.

    The order is fixed when the code is made, so that results are the same in every process; but
    NaN and infinity must not occur in it.
    """
    return _compiled(loop, fastmath=True)


def _compiled(loop: Loop, *, fastmath: bool = False) -> Loop:
    try:
        compiled = njit(cache=True, nogil=True, fastmath=fastmath)(loop)
    except RuntimeError:  # numba found no folder for its cache
        compiled = njit(nogil=True, fastmath=fastmath)(loop)
    return cast(Loop, compiled)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Wait for the one process that may compile here: a lock on the folder, which no one writes."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
