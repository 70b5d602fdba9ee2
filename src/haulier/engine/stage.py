"""One pass of a step: split it, run the parts that are missing, merge what they gave."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from haulier.core.artifact import Artifact, FileRef, check_filename
from haulier.core.family import Part, PartResult, StepResult
from haulier.core.identity import fingerprint
from haulier.core.job import Job
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine.bench import Bench, all_or_none
from haulier.engine.context import FINISHED
from haulier.engine.messages import Answer, Ask, Done, Place, Report, Task
from haulier.engine.prefixes import WORK
from haulier.engine.tracking import StepTrack

LOADS_AT_ONCE: Final = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge gave."""

    result: StepResult
    artifacts: Sequence[Artifact]


@dataclass(slots=True)
class StageRun:
    """The work of one pass.

    Attributes:
        step: as planned, its `stage` set.
        key: of the step's work: what its finished parts lie below.
        publish: prefix of the keys of its outputs.
        earlier: what the steps before it gave, and its own earlier stages as "stage:NAME".
        artifacts: what the steps before it published.
        tags: of the files in storages that decided the key: other content is none of this work.
        stages: of each earlier stage: part key to the prefix of its files.
    """

    bench: Bench
    job: Job
    step: StepPlan
    track: StepTrack
    key: str
    publish: str
    earlier: Mapping[str, StepResult]
    artifacts: Sequence[Artifact]
    tags: Mapping[FileRef, str]
    stages: Mapping[str, Mapping[str, str]]

    async def split(self) -> Sequence[Part]:
        """Have the family say which parts there are."""
        done = await self._perform(
            Task(action="split", publish=self.publish),
            on_report=lambda said: self.track.splitting(said.fraction, said.message, said.counters),
        )
        parts = _decode(done, list[Part])
        _check(parts, self.step)
        self.track.parted(parts)
        return parts

    async def run(self, parts: Sequence[Part]) -> Mapping[str, PartResult]:
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

        runner = self.bench.runner_of(self.job.kind)
        await all_or_none([take() for _ in range(min(runner.size, len(parts) - len(found)))])
        return {part.key: results[part.key] for part in parts}

    async def merge(self, parts: Sequence[Part], results: Mapping[str, PartResult]) -> Merged:
        """Have the family make one result of the parts."""
        done = await self._perform(
            Task(action="merge", parts=results, places=self.places(parts), publish=self.publish),
            on_report=lambda said: self.track.merging(said.fraction, said.message, said.counters),
        )
        return Merged(_decode(done, StepResult), done.artifacts)

    def places(self, parts: Sequence[Part]) -> dict[str, str]:
        """Give where the files of each part are."""
        return {part.key: self._place(part) for part in parts}

    def _place(self, part: Part) -> str:
        stage = f"{self.step.stage}." if self.step.stage else ""
        return f"{WORK}/{self.key}/{stage}{part.key}-{fingerprint(part.params)[:16]}/"

    async def _finished(self, parts: Sequence[Part]) -> dict[str, PartResult]:
        """Find the parts that somebody has finished, by one list and a look at each mark."""
        storage = self.bench.storage
        there = {blob.key for blob in await storage.list(f"{WORK}/{self.key}")}
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

        task = Task(action="run", part=part, places=self.places([part]))
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
                stages=self.stages,
                inputs=inputs,
                store=storage.url,
                scratch=scratch,
            )
            runner = self.bench.runner_of(self.job.kind)
            return await runner.perform(whole, on_report=on_report, on_ask=self._answer)

    async def _answer(self, ask: Ask) -> Answer:
        return await asyncio.to_thread(self._look_up, ask)

    def _look_up(self, ask: Ask) -> Answer:
        organisation = self.job.organisation
        try:
            if ask.what == "entry":
                find = self.bench.catalog.version
                return Answer(
                    entry=find(organisation, ask.a, name=ask.b, id=ask.id, version=ask.version)
                )
            ref = FileRef(ask.a, ask.b)
            found = self.bench.files.place(organisation, ref)
        except Problem as problem:
            return Answer(problem=problem.body())
        tag = self.tags.get(ref, "")
        return Answer(place=Place(found.store.url, found.key, ask.b, found.folder, tag))


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
