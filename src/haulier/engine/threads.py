"""Blocking work in a thread that stops when whoever waits for it is cancelled."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from haulier.core.family import Cancelled
from haulier.engine.sandbox import to_its_end
from haulier.engine.staging import Check

T = TypeVar("T")


async def in_thread(work: Callable[[Check], T], *, writes: bool = True) -> T:
    """Do work in a thread of its own, and give what it gives.

    The loop's threads are few, and the worker's beats and looks for cancels need them.

    Args:
        work: calls what it is given whenever it can stop; that raises Cancelled when it must.
        writes: a cancel waits for the end of the work, so that nothing is written after it; what
            only reads may hang with its store, and ends by itself.

    Raises:
        CancelledError: we were cancelled.
    """
    stopped = threading.Event()

    def check() -> None:
        if stopped.is_set():
            raise Cancelled

    pool = ThreadPoolExecutor(max_workers=1)
    thread = asyncio.get_running_loop().run_in_executor(pool, work, check)
    pool.shutdown(wait=False)  # it ends with its work
    thread.add_done_callback(_heard)
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stopped.set()
        if writes:
            await to_its_end(_over(thread))
        raise


async def _over(thread: asyncio.Future[T]) -> None:
    await asyncio.gather(thread, return_exceptions=True)


def _heard(thread: asyncio.Future[T]) -> None:
    """Take note of what work raised that nobody waits for any more, which else is a complaint."""
    if not thread.cancelled():
        thread.exception()
