"""Child processes that misbehave: each ends, with everything it started, and is named."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import psutil
import pytest

from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.engine.context import FINISHED
from haulier.engine.messages import Done, Task
from haulier.engine.parts import child_environment
from haulier.engine.processes import OWNER, SCRATCH, marked, until
from haulier.engine.sandbox import Child, Limits, end_orphans
from haulier.testing.bench import ROGUE, Bench, opened

T = TypeVar("T")
PATIENT = Limits(silent_s=60)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as bench:
        yield bench


async def with_child(bench: Bench, act: Callable[[Child], Awaitable[T]]) -> T:
    """Start a child, act, and end it."""
    child = Child()
    home = bench.folder / "home"
    home.mkdir(exist_ok=True)
    await child.start(child_environment("tests", bench.folder, ROGUE), home)
    try:
        return await act(child)
    finally:
        await child.end()


def perform(bench: Bench, task: Task, limits: Limits = PATIENT) -> Done:
    """Have one task done by a new child."""

    async def act(child: Child) -> Done:
        return await child.perform(task, bench.on_report, bench.on_ask, limits)

    return asyncio.run(with_child(bench, act))


def problem_of(bench: Bench, deed: str, limits: Limits = PATIENT) -> Problem:
    """Give the problem that a deed ends with; by then nothing it started may live."""

    async def act(child: Child) -> Problem:
        with pytest.raises(Problem) as caught:
            await child.perform(bench.task(deed), bench.on_report, bench.on_ask, limits)
        living = bench.processes() - {child.pid}
        assert living == set()
        return caught.value

    return asyncio.run(with_child(bench, act))


async def cancel_when_begun(child: Child, bench: Bench, deed: str) -> None:
    """Cancel a deed once it says it has begun; no process may live when the cancel returns."""
    doing = asyncio.ensure_future(
        child.perform(bench.task(deed), bench.on_report, bench.on_ask, PATIENT)
    )
    await bench.begun()
    assert len(bench.processes()) >= 1

    doing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await doing

    assert bench.processes() == set()
    assert not child.alive


def test_a_part_gives_its_result_its_files_and_its_last_report(bench: Bench) -> None:
    done = perform(bench, bench.task("works"))

    result = msgspec.msgpack.decode(done.result, type=PartResult)
    assert result == PartResult({"part": "a", "not a number": None}, {"rows": 1})
    assert bench.store.load("work/key/a-1/rows.txt") == b"rows"
    mark = bench.store.load("work/key/a-1/" + FINISHED)
    assert mark is not None
    assert msgspec.json.decode(mark, type=PartResult) == result
    assert [report.message for report in bench.said] == ["half"]


def test_one_child_does_one_task_after_another(bench: Bench) -> None:
    async def act(child: Child) -> list[bytes]:
        pids = []
        for call in ("1", "2"):
            task = bench.task("tells_pid", call=call)
            task = msgspec.structs.replace(task, places={"a": f"work/{call}/a/"})
            await child.perform(task, bench.on_report, bench.on_ask, PATIENT)
            pids.append(bench.store.load(f"work/{call}/a/pid.txt") or b"")
        assert pids[0] == str(child.pid).encode()
        return pids

    first, second = asyncio.run(with_child(bench, act))

    assert first == second


def test_a_family_that_raises_keeps_its_child(bench: Bench) -> None:
    async def act(child: Child) -> None:
        for deed in ("raises_problem", "raises_anything"):
            with pytest.raises(Problem):
                await child.perform(bench.task(deed), bench.on_report, bench.on_ask, PATIENT)
        await child.perform(bench.task("works"), bench.on_report, bench.on_ask, PATIENT)

    asyncio.run(with_child(bench, act))


@pytest.mark.parametrize(
    ("deed", "code", "said"),
    [
        ("segfaults", Code.CRASHED, "the process was killed by SIGSEGV"),
        ("forks", Code.CRASHED, "the process was killed by SIGSEGV"),
        ("exits", Code.CRASHED, "the process ended with exit code 7"),
        ("breaks_channel", Code.CRASHED, "the process broke its channel: "),
        ("wants_too_much", Code.OUT_OF_MEMORY, "the run asked for more memory than there is"),
        ("fills_the_disk", Code.UNAVAILABLE, "the worker's disk is full: rogue.run raised OSError"),
        ("raises_problem", Code.INVALID, "sill must be positive, got -2.0"),
        ("raises_anything", Code.INTERNAL, "rogue.run raised KeyError: 'two\\nlines'"),
    ],
)
def test_the_end_of_a_deed_is_named(bench: Bench, deed: str, code: Code, said: str) -> None:
    problem = problem_of(bench, deed)

    assert problem.code is code
    assert problem.detail.startswith(said)


def test_the_field_that_a_problem_names_reaches_the_worker(bench: Bench) -> None:
    assert problem_of(bench, "raises_problem").at == "variogram.sill"


def test_silence_ends_a_child(bench: Bench) -> None:
    problem = problem_of(bench, "is_silent", Limits(silent_s=0.5))

    assert problem.code is Code.TIMEOUT
    assert problem.detail == "nothing was reported for 0.5 s"


def test_the_memory_of_what_a_child_started_counts(bench: Bench) -> None:
    problem = problem_of(bench, "hoards", Limits(memory_bytes=250 << 20, silent_s=60))

    assert problem.code is Code.OUT_OF_MEMORY
    assert problem.detail.endswith("and may use 250 MB")
    used_mb = int(problem.detail.removeprefix("the work used ").split(" ")[0])
    assert used_mb > 250


def test_what_a_library_prints_is_no_message(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    perform(bench, bench.task("prints"))

    out, err = capfd.readouterr()
    assert out == ""
    assert "from Python" in err
    assert "from C" in err


def test_reports_are_few_and_the_last_one_arrives(bench: Bench) -> None:
    perform(bench, bench.task("reports_often"))

    assert bench.said[-1].message == "last"
    assert bench.said[-1].counters == {"rows": 2000}
    assert len(bench.said) < 200


@pytest.mark.parametrize("deed", ["spins_in_c", "starts_daemons", "waits_politely"])
def test_a_cancel_returns_when_nothing_lives_any_more(bench: Bench, deed: str) -> None:
    async def act(child: Child) -> None:
        await cancel_when_begun(child, bench, deed)

    asyncio.run(with_child(bench, act))
    assert bench.store.look("work/key/a-1/" + FINISHED) is None


def test_a_second_cancel_does_not_cut_the_first_one_short(bench: Bench) -> None:
    async def act(child: Child) -> None:
        task = bench.task("spins_in_c")
        doing = asyncio.ensure_future(child.perform(task, bench.on_report, bench.on_ask, PATIENT))
        await bench.begun()
        while not doing.done():
            doing.cancel()
            await asyncio.sleep(0)

        assert doing.cancelled()
        assert bench.processes() == set()

    asyncio.run(with_child(bench, act))


def test_a_stop_that_we_did_not_ask_for_is_a_crash(bench: Bench) -> None:
    async def act(child: Child) -> Problem:
        doing = asyncio.ensure_future(
            child.perform(bench.task("waits_politely"), bench.on_report, bench.on_ask, PATIENT)
        )
        await bench.begun()
        os.kill(child.pid, signal.SIGTERM)
        with pytest.raises(Problem) as caught:
            await doing
        return caught.value

    problem = asyncio.run(with_child(bench, act))
    assert problem.code is Code.CRASHED
    assert problem.detail == "the process was told to stop by somebody else"


def test_an_idle_child_leaves_when_it_is_asked_to(bench: Bench) -> None:
    async def act(child: Child) -> None:
        await child.perform(bench.task("works"), bench.on_report, bench.on_ask, PATIENT)
        os.kill(child.pid, signal.SIGTERM)
        assert await until(lambda: not child.alive, 10)

    asyncio.run(with_child(bench, act))


WORKER = """
import asyncio, sys
from pathlib import Path
from haulier.engine.parts import child_environment
from haulier.engine.sandbox import Child, Limits
from haulier.testing.bench import ROGUE, Bench

async def main():
    bench, child = Bench(Path(sys.argv[1])), Child()
    await child.start(child_environment("lost", bench.folder, ROGUE), bench.folder)
    await child.perform(bench.task(sys.argv[2]), bench.on_report, bench.on_ask, Limits())

asyncio.run(main())
"""


def killed_worker(bench: Bench, deed: str) -> None:
    """Start a worker that does a deed, and kill it without warning when the deed has begun."""
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(bench.folder), deed])
    asyncio.run(asyncio.wait_for(bench.begun(), 60))
    worker.kill()
    worker.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it takes the child half a second")
def test_a_child_dies_with_its_worker_even_in_a_c_loop(bench: Bench) -> None:
    killed_worker(bench, "spins_in_c")

    assert asyncio.run(until(lambda: bench.processes() == set(), 10))


def test_a_new_worker_ends_what_the_last_one_of_its_name_left(bench: Bench) -> None:
    killed_worker(bench, "starts_daemons")
    assert end_orphans("somebody else", bench.folder) == 0
    assert end_orphans("lost", bench.folder / "elsewhere") == 0
    left = marked({OWNER: "lost", SCRATCH: str(bench.folder)})
    assert len(left) >= 2

    end_orphans("lost", bench.folder)

    assert not any(process.is_running() for process in left if not _dead(process))


def test_orphans_never_include_the_one_who_looks_nor_what_it_started(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = f"""
import subprocess, sys
from pathlib import Path
from haulier.engine.processes import end_orphans
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
    stdin=subprocess.PIPE)
print(end_orphans("me", Path({str(bench.folder)!r})), child.poll())
child.communicate()
"""
    monkeypatch.setenv(OWNER, "me")
    monkeypatch.setenv(SCRATCH, str(bench.folder))

    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert found.stdout.split() == ["0", "None"]


def _dead(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
