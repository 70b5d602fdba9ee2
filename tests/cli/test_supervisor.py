"""The supervisor with real children: restarts, clean ends, and giving up."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path

import psutil
import pytest
from tests.cli.conftest import gone

from haulier.cli import supervisor as module
from haulier.cli.codes import Exit
from haulier.cli.supervisor import Child, Supervisor

SLEEPER = "import signal; signal.pause()"
DEAF = """import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
while True:
    signal.pause()
"""
LIMIT_S = 20


def child(code: str, *arguments: str, name: str = "child") -> Child:
    return Child(name, (sys.executable, "-c", code, *arguments))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.01)


class Watch:
    """Lets a test wait for the next start of a child."""

    def __init__(self) -> None:
        self.starts: list[int] = []
        self._news = asyncio.Event()

    def __call__(self, pids: Mapping[str, int]) -> None:
        self.starts.append(pids["child"])
        self._news.set()

    async def until(self, count: int) -> None:
        while len(self.starts) < count:
            self._news.clear()
            await self._news.wait()


def run(supervisor: Supervisor, story: Coroutine[object, object, None]) -> Exit:
    async def both() -> Exit:
        async with asyncio.timeout(LIMIT_S):
            code, _ = await asyncio.gather(supervisor.run(), story)
            return code

    return asyncio.run(both())


def test_a_child_that_is_killed_is_started_again() -> None:
    watch = Watch()
    supervisor = Supervisor((child(SLEEPER),), {}, watch, ready=True)

    async def story() -> None:
        await watch.until(1)
        os.kill(watch.starts[0], signal.SIGKILL)
        await watch.until(2)
        supervisor.stop()

    assert run(supervisor, story()) is Exit.OK
    assert watch.starts[0] != watch.starts[1]
    assert not any(psutil.pid_exists(pid) for pid in watch.starts)


def test_a_server_that_was_never_ready_is_given_up(capfd: pytest.CaptureFixture[str]) -> None:
    watch = Watch()
    supervisor = Supervisor((child("raise SystemExit(9)"),), {}, watch)

    code = run(supervisor, supervisor.stopped())

    assert code is Exit.SERVER
    assert len(watch.starts) == module.GIVE_UP_AFTER
    assert "child ended (exit code 9) and cannot be started" in capfd.readouterr().err


def test_a_child_that_says_usage_is_not_tried_again() -> None:
    watch = Watch()
    supervisor = Supervisor((child("raise SystemExit(2)"),), {}, watch)

    assert run(supervisor, supervisor.stopped()) is Exit.USAGE
    assert len(watch.starts) == 1


def test_one_child_that_cannot_start_ends_the_others_too() -> None:
    watch = Watch()
    broken = child("raise SystemExit(2)", name="broken")
    supervisor = Supervisor((child(SLEEPER), broken), {}, watch)

    run(supervisor, supervisor.stopped())

    assert not any(psutil.pid_exists(pid) for pid in watch.starts if pid)


def test_what_a_dead_child_left_behind_is_ended_before_it_starts_again(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = (
        "import pathlib, subprocess, sys\n"
        f"left = subprocess.Popen([sys.executable, '-c', {SLEEPER!r}])\n"
        "pathlib.Path(sys.argv[1]).write_text(str(left.pid))\n"
        "import os; os._exit(1)"
    )
    watch = Watch()
    supervisor = Supervisor((child(code, str(note)),), {}, watch, ready=True)

    async def story() -> None:
        await watch.until(2)
        supervisor.stop()

    run(supervisor, story())

    assert gone(int(note.read_text()))


def test_asked_twice_a_child_that_does_not_listen_is_killed() -> None:
    watch = Watch()
    supervisor = Supervisor((child(DEAF),), {}, watch, ready=True)

    async def story() -> None:
        await watch.until(1)
        supervisor.stop()
        supervisor.stop()

    run(supervisor, story())

    assert not psutil.pid_exists(watch.starts[0])


def test_children_see_the_environment_and_not_our_output(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    note = tmp_path / "seen"
    code = (
        "import os, pathlib, sys\n"
        "print('chatter')\n"
        "pathlib.Path(sys.argv[1]).write_text(os.environ['HAULIER_PORT'])\n"
        "raise SystemExit(2)"
    )
    supervisor = Supervisor((child(code, str(note)),), {"HAULIER_PORT": "4711"})

    run(supervisor, supervisor.stopped())

    output = capfd.readouterr()
    assert note.read_text() == "4711"
    assert "chatter" not in output.out
    assert "chatter" in output.err
