"""Child processes that misbehave: each ends, with everything it started, and is named."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import psutil
import pytest

from haulier.core.family import PartResult
from haulier.core.problem import Code, Problem
from haulier.engine.context import FINISHED
from haulier.engine.messages import Done, Task
from haulier.engine.parts import child_environment
from haulier.engine.processes import marked, until
from haulier.engine.sandbox import Child, Limits, end_orphans

from .conftest import Work  # noqa: TID252 -- the folder is no package

PATIENT = Limits(silent_s=60)


async def with_child(work: Work, act: Callable[[Child], Awaitable[Done | None]]) -> Done | None:
    """Start a child, act, and end it."""
    child = Child()
    home = work.folder / "home"
    home.mkdir(exist_ok=True)
    await child.start(child_environment("tests", work.folder, "rogue:FAMILY"), home)
    try:
        return await act(child)
    finally:
        await child.end()


def perform(work: Work, task: Task, limits: Limits = PATIENT) -> Done:
    """Have one task done by a new child."""

    async def act(child: Child) -> Done:
        return await child.perform(task, work.on_report, work.on_ask, limits)

    done = asyncio.run(with_child(work, act))
    assert done is not None
    return done
