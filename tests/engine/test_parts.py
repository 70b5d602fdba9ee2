"""The local pool: warm, fair, tried again where that can help, and clean when it ends."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from haulier.core.problem import Code, Problem
from haulier.engine.messages import Done, Task
from haulier.engine.parts import LocalPool, empty
from haulier.engine.sandbox import Limits
from haulier.testing.bench import ROGUE, Bench, opened

T = TypeVar("T")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as bench:
        yield bench


def with_pool(
    bench: Bench,
    act: Callable[[LocalPool], Awaitable[T]],
    *,
    size: int = 1,
    attempts: int = 3,
    folder: Path | None = None,
) -> T:
    """Open a pool, act, and close it."""

    async def acted() -> T:
        pool = LocalPool(
            size,
            limits=Limits(silent_s=60),
            attempts=attempts,
            owner="tests",
            folder=folder or bench.folder,
            extra_families=ROGUE,
        )
        try:
            return await act(pool)
        finally:
            await pool.close()

    return asyncio.run(acted())


async def perform(pool: LocalPool, bench: Bench, task: Task) -> Done:
    return await pool.perform(task, on_report=bench.on_report, on_ask=bench.on_ask)


def tells_pid(bench: Bench, call: str) -> Task:
    """Give a task of its own whose part writes the pid of its process."""
    task = bench.task("tells_pid", call=call)
    return msgspec.structs.replace(task, places={"a": f"work/{call}/"})


def pid_of(bench: Bench, call: str) -> int:
    return int(bench.store.load(f"work/{call}/pid.txt") or b"0")


def lines(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_a_pool_uses_its_processes_again(bench: Bench) -> None:
    async def act(pool: LocalPool) -> None:
        for call in ("1", "2", "3"):
            await perform(pool, bench, tells_pid(bench, call))

    with_pool(bench, act, size=2)

    assert pid_of(bench, "1") == pid_of(bench, "2") == pid_of(bench, "3") != 0


def test_a_pool_never_does_more_at_once_than_its_size(bench: Bench) -> None:
    async def act(pool: LocalPool) -> None:
        calls = [perform(pool, bench, tells_pid(bench, str(call))) for call in range(8)]
        await asyncio.gather(*calls)

    with_pool(bench, act, size=2)

    assert 1 <= len({pid_of(bench, str(call)) for call in range(8)}) <= 2


def test_tasks_are_done_in_the_order_they_came(bench: Bench) -> None:
    diary = bench.folder / "diary"
    order: list[int] = []

    async def act(pool: LocalPool) -> None:
        async def one(number: int) -> None:
            await perform(pool, bench, tells_pid(bench, str(number)))
            order.append(number)

        await asyncio.gather(*(one(number) for number in range(6)))

    with_pool(bench, act)

    assert order == sorted(order)
    assert not diary.exists()


def test_a_part_whose_process_crashed_is_tried_again_from_a_clean_folder(bench: Bench) -> None:
    diary = bench.folder / "diary"

    async def act(pool: LocalPool) -> None:
        await perform(pool, bench, bench.task("segfaults_once", diary=str(diary)))

    with_pool(bench, act)

    assert len(set(lines(diary))) == 2
    assert bench.store.load("work/key/a-1/found.txt") == b"[]"
    assert bench.store.load("work/key/a-1/half.txt") is None


def test_a_part_that_always_crashes_is_tried_so_often_and_not_more(bench: Bench) -> None:
    diary = bench.folder / "diary"

    async def act(pool: LocalPool) -> None:
        with pytest.raises(Problem) as caught:
            await perform(pool, bench, bench.task("segfaults", diary=str(diary)))
        assert caught.value.code is Code.CRASHED
        await perform(pool, bench, bench.task("works"))

    with_pool(bench, act, attempts=3)

    assert len(lines(diary)) == 3


def test_a_part_that_missed_something_is_tried_again_by_the_same_process(bench: Bench) -> None:
    diary = bench.folder / "diary"

    async def act(pool: LocalPool) -> None:
        await perform(pool, bench, bench.task("is_unavailable", diary=str(diary)))

    with_pool(bench, act)

    assert len(lines(diary)) == 2
    assert len(set(lines(diary))) == 1


def test_a_problem_of_the_caller_is_not_tried_again(bench: Bench) -> None:
    async def act(pool: LocalPool) -> None:
        with pytest.raises(Problem) as caught:
            await perform(pool, bench, bench.task("raises_problem"))
        assert caught.value.at == "variogram.sill"

    with_pool(bench, act)


def test_a_cancel_frees_the_place_for_the_next(bench: Bench) -> None:
    async def act(pool: LocalPool) -> None:
        doing = asyncio.ensure_future(perform(pool, bench, bench.task("spins_in_c")))
        waiting = asyncio.ensure_future(perform(pool, bench, bench.task("works", call="2")))
        gone = asyncio.ensure_future(perform(pool, bench, bench.task("works", call="3")))
        await bench.begun()
        gone.cancel()
        doing.cancel()

        ends = await asyncio.gather(doing, gone, return_exceptions=True)
        assert [type(end) for end in ends] == [asyncio.CancelledError] * 2
        await waiting

    with_pool(bench, act)


def test_warming_reaches_every_process_of_the_pool(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    warmed = bench.folder / "warmed"
    monkeypatch.setenv("ROGUE_WARMED", str(warmed))

    async def act(pool: LocalPool) -> None:
        await pool.warm(("rogue",))
        await perform(pool, bench, tells_pid(bench, "1"))

    with_pool(bench, act, size=2)

    assert len(set(lines(warmed))) == 2
    assert str(pid_of(bench, "1")) in lines(warmed)


def test_warming_keeps_no_task_waiting_and_leaves_no_process_too_many(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = bench.folder / "gate"
    monkeypatch.setenv("ROGUE_WARMED", str(bench.folder / "warmed"))
    monkeypatch.setenv("ROGUE_GATE", str(gate))

    async def act(pool: LocalPool) -> None:
        warming = asyncio.ensure_future(pool.warm(("rogue",)))
        await perform(pool, bench, tells_pid(bench, "1"))
        assert not warming.done()
        gate.touch()
        await warming
        assert len(bench.processes()) == 1
        await perform(pool, bench, tells_pid(bench, "2"))

    with_pool(bench, act)

    assert str(pid_of(bench, "1")) not in lines(bench.folder / "warmed")
    assert str(pid_of(bench, "2")) in lines(bench.folder / "warmed")


def test_closing_ends_a_process_that_warms_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROGUE_GATE", str(bench.folder / "never"))

    async def act(pool: LocalPool) -> None:
        warming = asyncio.ensure_future(pool.warm(("rogue",)))
        while not bench.processes():  # noqa: ASYNC110 -- another process is no event of ours
            await asyncio.sleep(0)
        await pool.close()
        assert warming.cancelled()
        assert bench.processes() == set()

    with_pool(bench, act)


def test_a_family_that_cannot_be_warmed_is_told_to_the_log(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    async def act(pool: LocalPool) -> None:
        await pool.warm(("roguish",))
        await perform(pool, bench, bench.task("works"))

    with_pool(bench, act)

    assert "cannot warm roguish: no family 'roguish'" in caplog.text


def test_a_closed_pool_leaves_no_process_and_no_folder(bench: Bench) -> None:
    async def act(pool: LocalPool) -> None:
        await perform(pool, bench, bench.task("works"))
        await pool.close()

        assert bench.processes() == set()
        assert list(bench.folder.glob("child-*")) == []
        with pytest.raises(Problem) as caught:
            await perform(pool, bench, bench.task("works"))
        assert caught.value.code is Code.UNAVAILABLE

    with_pool(bench, act, attempts=1)


def test_a_pool_that_can_start_no_process_says_so_and_leaves_nothing_open(bench: Bench) -> None:
    async def act(pool: LocalPool) -> None:
        (bench.folder / "pool").write_text("a file where the folder should be", "utf-8")
        with pytest.raises(Problem, match="the worker cannot start a process: ") as caught:
            await perform(pool, bench, bench.task("works"))
        assert caught.value.code is Code.UNAVAILABLE

    with_pool(bench, act, attempts=1, folder=bench.folder / "pool")


def test_a_child_sees_no_setting_of_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAULIER_DATABASE_URL", "postgresql://user:secret@host/db")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")

    async def act(pool: LocalPool) -> None:
        await perform(pool, bench, bench.task("tells_environment"))

    with_pool(bench, act)

    told = (bench.store.load("work/key/a-1/environment.txt") or b"").decode()
    assert "secret" not in told
    assert "AWS_REGION=eu-north-1" in told
    assert "NUMBA_NUM_THREADS=1" in told


@pytest.mark.parametrize("path", ["", ".", "relative/folder", "/"])
def test_no_folder_is_emptied_that_a_worker_cannot_have_made(path: str, tmp_path: Path) -> None:
    keep = tmp_path / "keep"
    keep.write_text("x", "utf-8")
    (tmp_path / "link").symlink_to(tmp_path)

    with pytest.raises(ValueError, match="must be absolute"):
        empty(Path(path))
    with pytest.raises(ValueError, match="no link"):
        empty(tmp_path / "link")

    assert keep.exists()


def test_emptying_a_folder_keeps_the_folder_and_what_links_lead_to(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "call"
    for made in (outside, folder, folder / "tmp"):
        made.mkdir()
    (outside / "keep").write_text("x", "utf-8")
    (folder / "tmp" / "file").write_text("x", "utf-8")
    (folder / "link").symlink_to(outside)

    empty(folder)

    assert list(folder.iterdir()) == []
    assert (outside / "keep").exists()
