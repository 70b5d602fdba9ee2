"""Compile the loops of road matching to machine code, and keep it from one process to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Loop = TypeVar("Loop", bound=Callable[..., object])


def kernel(loop: Loop) -> Loop:
    """Compile a function at its first call; it runs without the interpreter's lock.

    The machine code is kept beside the package; where that folder cannot be written to, in
    NUMBA_CACHE_DIR or the user's cache; and where nothing can be written to, for this process
    alone. It is made anew when the function's own file changes, but not when only a file it calls
    into does: whoever edits one kernel of this folder should remove `__pycache__`.
    """
    try:
        compiled = njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # numba found no folder for its cache
        compiled = njit(nogil=True)(loop)
    return cast(Loop, compiled)
