"""Work in a thread: given on, and at its end before a cancel is."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from haulier.engine.staging import Check
from haulier.engine.threads import in_thread


def test_a_cancel_ends_the_work_and_waits_for_its_end() -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(check: Check) -> None:
        begun.set()
        try:
            while True:
                check()
        finally:
            ended.set()

    async def course() -> None:
        waiting = asyncio.ensure_future(in_thread(work))
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert ended.is_set()

    asyncio.run(course())


def test_a_cancel_does_not_wait_for_what_only_reads() -> None:
    begun, released, ended = threading.Event(), threading.Event(), threading.Event()

    def work(check: Check) -> None:
        begun.set()
        released.wait()
        try:
            check()
        finally:
            ended.set()

    async def course() -> None:
        waiting = asyncio.ensure_future(in_thread(work, writes=False))
        await asyncio.to_thread(begun.wait)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not ended.is_set()
        released.set()
        await asyncio.to_thread(ended.wait)

    asyncio.run(course())


def test_what_work_gives_or_raises_is_given_on() -> None:
    def give(check: Check) -> int:
        check()
        return 3

    def fail(check: Check) -> None:
        check()
        raise ValueError("no")

    assert asyncio.run(in_thread(give)) == 3
    with pytest.raises(ValueError, match="no"):
        asyncio.run(in_thread(fail))


def test_work_leaves_the_loops_threads_to_others() -> None:
    def work(check: Check) -> str:
        check()
        return threading.current_thread().name

    async def course() -> str:
        loops = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loops")
        asyncio.get_running_loop().set_default_executor(loops)
        return await in_thread(work)

    assert not asyncio.run(course()).startswith("loops")
