"""What the steps of jobs are done with: who runs their parts, and where their files are."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from haulier.core.job import Job
from haulier.engine.catalog import Catalog
from haulier.engine.files import Files
from haulier.engine.parts import PartRunner
from haulier.engine.registry import Kinds
from haulier.engine.storage import Storage


@dataclass(frozen=True, slots=True)
class Bench:
    """What steps are done with.

    Attributes:
        scratch: a folder on this machine that belongs to this worker alone.
        describe: gives the body that a webhook sends of a job.
        webhook_hosts: which hosts may be called wherever they are.
    """

    runner: PartRunner
    interactive: PartRunner
    storage: Storage
    files: Files
    catalog: Catalog
    kinds: Kinds
    scratch: Path
    describe: Callable[[Job], bytes]
    webhook_hosts: tuple[str, ...] = ()

    def runner_of(self, kind: str) -> PartRunner:
        """Give who does the parts of a kind of job."""
        return self.interactive if self.kinds.get(kind).interactive else self.runner

    @asynccontextmanager
    async def folder(self) -> AsyncIterator[str]:
        """Give an empty folder that is gone afterwards."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=self.scratch))
        try:
            yield str(made)
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, made, ignore_errors=True))


async def all_or_none(calls: Sequence[Any]) -> None:
    """Wait for every call; when one fails, stop the others and raise what it raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
