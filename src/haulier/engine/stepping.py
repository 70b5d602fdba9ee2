"""One step of one attempt: split it, run the parts that are missing, merge, settle."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from haulier.core.artifact import Artifact, FileRef, check_filename
from haulier.core.family import Part, PartResult, StepResult
from haulier.core.identity import fingerprint
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine import details
from haulier.engine.attempt import Attempt
from haulier.engine.catalog import Catalog
from haulier.engine.context import FINISHED
from haulier.engine.details import StepEnd
from haulier.engine.files import Files
from haulier.engine.messages import Answer, Ask, Done, Place, Report, Task
from haulier.engine.parts import PartRunner
from haulier.engine.prefixes import OUTPUTS, WORK
from haulier.engine.registry import Kinds
from haulier.engine.sandbox import to_its_end
from haulier.engine.settling import settle
from haulier.engine.storage import Storage
from haulier.engine.store import AttemptLostError
from haulier.engine.tracking import StepTrack

LOADS_AT_ONCE: Final = 16
MERGES: Final = 100  # of one step, while others change what it builds on

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bench:
    """What steps are done with.

    Attributes:
        scratch: a folder on this machine that belongs to this worker alone.
    """

    runner: PartRunner
    interactive: PartRunner
    storage: Storage
    files: Files
    catalog: Catalog
    kinds: Kinds
    scratch: Path

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


@dataclass(slots=True)
class StepRun:
    """The work of one step in one attempt.

    Attributes:
        earlier: what the steps before it gave.
        artifacts: what they published.
    """

    bench: Bench
    attempt: Attempt
    step: StepPlan
    track: StepTrack
    earlier: Mapping[str, StepResult]
    artifacts: Sequence[Artifact]
    _key: str = field(default="", init=False)
    _settled: bool = field(default=False, init=False)

    async def run(self) -> str:
        """Do the step, write down how it ended, and give its state."""
        write, now = self.attempt.write, self.attempt.clock.now
        self._key = await asyncio.to_thread(self._fingerprint)
        await write(details.start_step, self.step.id, work=self._key, now=now())
        self.track.running = True
        try:
            return str(await self._to_its_end())
        except (asyncio.CancelledError, AttemptLostError):
            if not self._settled:
                await self._drop_outputs()
            raise
        finally:
            self.track.running = False

    async def _to_its_end(self) -> State:
        try:
            parts = await self._split()
            results = await self._run(parts)
            for _ in range(MERGES):
                if await self._settle(await self._merge(parts, results)):
                    return State.SUCCEEDED
            raise _restless(self.step)
        except Problem as problem:
            await self._settle(StepEnd(state=State.FAILED, problem=problem.body()))
            return State.FAILED

    async def _settle(self, end: StepEnd) -> bool:
        """Write down how the step ended; False where it must be merged again."""
        settled = await settle(self.bench, self.attempt, self.step.id, end, self.track.now())
        self._settled = settled
        return settled

    async def _drop_outputs(self) -> None:
        """Remove what became no artifact: the attempt that ends the job may have looked already."""
        prefix = self._publish().rstrip("/")
        await to_its_end(asyncio.to_thread(self._clear, prefix))

    def _clear(self, prefix: str) -> None:
        self.bench.storage.clear(prefix)

    async def _merge(self, parts: Sequence[Part], results: Mapping[str, PartResult]) -> StepEnd:
        done = await self._perform(
            Task(
                action="merge",
                parts={part.key: results[part.key] for part in parts},
                places={part.key: self._place(part) for part in parts},
                publish=self._publish(),
            ),
            on_report=lambda said: self.track.merging(said.fraction, said.message, said.counters),
        )
        result = _decode(done, StepResult)
        self.track.finish(result.counters)
        return StepEnd(state=State.SUCCEEDED, result=result, artifacts=done.artifacts)

    def _publish(self) -> str:
        job = self.attempt.job
        return f"{OUTPUTS}/{job.id}/{job.attempt}/{self.step.id}/"

    def _fingerprint(self) -> str:
        """Hash all that decides what the parts of this step give."""
        step = self.step
        family = self.bench.kinds.family(step.family)
        needed = {
            need: {
                "values": self.earlier[need].values,
                "files": {one.name: one.sha256 for one in self.artifacts if one.step == need},
            }
            for need in step.needs
        }
        files = [self._etag(ref) for ref in _file_refs(step.params)]
        organisation = self.attempt.job.organisation
        said = [organisation, step.family, step.kind, step.params, family.version(step)]
        return fingerprint([*said, files, needed])

    def _etag(self, ref: FileRef) -> str:
        try:
            return self.bench.files.place(self.attempt.job.organisation, ref).etag
        except Problem:
            return "missing"  # whoever reads it says so

    async def _split(self) -> Sequence[Part]:
        done = await self._perform(
            Task(action="split", publish=self._publish()),
            on_report=lambda said: self.track.splitting(said.fraction, said.message, said.counters),
        )
        parts = _decode(done, list[Part])
        _check(parts, self.step)
        self.track.parted(parts)
        return parts

    def _place(self, part: Part) -> str:
        return f"{WORK}/{self._key}/{part.key}-{fingerprint(part.params)[:16]}/"

    async def _run(self, parts: Sequence[Part]) -> Mapping[str, PartResult]:
        """Do the parts that nobody has done yet, as many at once as the runner takes."""
        found = await self._finished(parts)
        for part in parts:
            if part.key in found:
                self.track.part_done(part, found[part.key].counters)
        results = dict(found)
        waiting = iter([part for part in parts if part.key not in found])

        async def take() -> None:
            for part in waiting:
                self.track.part_begins(part)
                results[part.key] = await self._run_part(part)
                self.track.part_done(part, results[part.key].counters)

        runner = self.bench.runner_of(self.attempt.job.kind)
        await all_or_none([take() for _ in range(min(runner.size, len(parts) - len(found)))])
        return results

    async def _finished(self, parts: Sequence[Part]) -> dict[str, PartResult]:
        """Find the parts that somebody has finished, by one list and a look at each mark."""
        storage = self.bench.storage
        there = {blob.key for blob in await storage.list(f"{WORK}/{self._key}")}
        marks = {part.key: self._place(part) + FINISHED for part in parts}
        keys = [key for key, mark in marks.items() if mark in there]

        def load() -> dict[str, PartResult]:
            with ThreadPoolExecutor(LOADS_AT_ONCE) as pool:
                loaded = zip(
                    keys, pool.map(lambda key: storage.load(marks[key]), keys), strict=True
                )
                return {
                    key: msgspec.json.decode(mark, type=PartResult)
                    for key, mark in loaded
                    if mark is not None
                }

        return await asyncio.to_thread(load)

    async def _run_part(self, part: Part) -> PartResult:
        def report(said: Report) -> None:
            self.track.part(part, said.fraction, said.message, said.counters)

        place = self._place(part)
        task = Task(action="run", part=part, places={part.key: place})
        return _decode(await self._perform(task, on_report=report), PartResult)

    async def _perform(self, task: Task, *, on_report: Any) -> Done:  # noqa: ANN401 -- PartRunner's
        """Have one call done, in a folder of its own."""
        storage = self.bench.storage
        inputs = {
            f"step:{one.step}.{one.name}": Place(storage.url, one.key, one.filename, one.folder)
            for one in self.artifacts
        }
        async with self.bench.folder() as scratch:
            whole = msgspec.structs.replace(
                task,
                family=self.step.family,
                step=self.step,
                steps=self.earlier,
                inputs=inputs,
                store=storage.url,
                scratch=scratch,
            )
            runner = self.bench.runner_of(self.attempt.job.kind)
            return await runner.perform(whole, on_report=on_report, on_ask=self._answer)

    async def _answer(self, ask: Ask) -> Answer:
        return await asyncio.to_thread(self._look_up, ask)

    def _look_up(self, ask: Ask) -> Answer:
        organisation = self.attempt.job.organisation
        try:
            if ask.what == "entry":
                find = self.bench.catalog.version
                return Answer(
                    entry=find(organisation, ask.a, name=ask.b, id=ask.id, version=ask.version)
                )
            found = self.bench.files.place(organisation, FileRef(ask.a, ask.b))
        except Problem as problem:
            return Answer(problem=problem.body())
        return Answer(place=Place(found.store.url, found.key, ask.b, found.folder))


def _restless(step: StepPlan) -> Problem:
    detail = f"what step '{step.id}' changes was changed by others {MERGES} times meanwhile"
    return Problem(Code.CONFLICT, detail)


async def all_or_none(calls: Sequence[Any]) -> None:
    """Wait for every call; when one fails, stop the others and raise what it raised."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _decode(done: Done, type_: type[T]) -> T:
    return msgspec.msgpack.decode(done.result, type=type_)


def _check(parts: Sequence[Part], step: StepPlan) -> None:
    """Make sure that a family split a step into parts that can be told apart."""
    keys = [part.key for part in parts]
    if not keys or len(set(keys)) != len(keys):
        detail = f"step '{step.id}' must split into one or more parts with keys of their own"
        raise Problem(Code.INTERNAL, f"{detail}, got {keys[:10]}")
    for key in keys:
        check_filename(key, at=f"steps.{step.id}.parts")


def _file_refs(value: Any) -> Iterator[FileRef]:  # noqa: ANN401 -- JSON
    """Find every file that parameters name, however deep."""
    if isinstance(value, Mapping):
        if set(value) == {"storage", "filename"}:
            yield FileRef(str(value["storage"]), str(value["filename"]))
        else:
            for _, inner in sorted(value.items()):
                yield from _file_refs(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _file_refs(inner)
