"""One step of one attempt: take its result over from an earlier job, or do it; then settle."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from haulier.core.artifact import Artifact, FileRef
from haulier.core.family import StepResult
from haulier.core.identity import fingerprint
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Reuse, StepPlan
from haulier.engine import details, reuse
from haulier.engine.attempt import Attempt
from haulier.engine.bench import Bench
from haulier.engine.details import StepEnd
from haulier.engine.prefixes import OUTPUTS
from haulier.engine.sandbox import to_its_end
from haulier.engine.settling import settle
from haulier.engine.stage import StageRun
from haulier.engine.staging import Check
from haulier.engine.store import AttemptLostError
from haulier.engine.threads import in_thread
from haulier.engine.tracking import StepTrack

MERGES: Final = 100  # of one step, while others change what it builds on
#: How steps find results that others computed for the same work; others have work of their own.
SHARED: Final = frozenset({Reuse.PARTS, Reuse.USE})


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
    _tags: Mapping[FileRef, str] = field(default_factory=dict, init=False)
    _settled: bool = field(default=False, init=False)

    async def run(self) -> str:
        """Do the step, write down how it ended, and give its state."""
        write, now = self.attempt.write, self.attempt.clock.now
        known = await asyncio.to_thread(self._fingerprint)
        own = [known, str(self.attempt.job.id)]
        self._key = known if self.step.reuse in SHARED else fingerprint(own)
        read = [{**msgspec.to_builtins(ref), "tag": tag} for ref, tag in self._tags.items()]
        await write(details.start_step, self.step.id, work=self._key, now=now(), read=read)
        self.track.running = True
        try:
            if self.step.reuse is Reuse.USE and await self._take_over():
                return str(State.SUCCEEDED)
            work = known if self.step.reuse is Reuse.REFRESH else ""
            return str(await self._to_its_end(work))
        except (asyncio.CancelledError, AttemptLostError):
            if not self._settled:
                await self._drop_outputs()
            raise
        finally:
            self.track.running = False

    async def _take_over(self) -> bool:
        """Give what an earlier job's step gave, if there is such a one and its files are whole."""
        found = await reuse.find(self.bench, self.attempt, self._key)
        self._settled = found is not None and await reuse.take_over(
            self.attempt, self.step.id, found
        )
        if self._settled and found is not None:
            self.track.finish(found.result.counters)
        return self._settled

    async def _to_its_end(self, work: str) -> State:
        try:
            await in_thread(self._check_files, writes=False)
            await self._tried(work)
        except Problem as problem:
            await self._settle(StepEnd(state=State.FAILED, problem=problem.body()))
            return State.FAILED
        return State.SUCCEEDED

    async def _tried(self, work: str) -> None:
        """Do the work, again where the plan says so.

        Raises:
            Problem: what the last try came to.
        """
        retries = self.step.retries
        for number in range(retries.most + 1):
            try:
                async with asyncio.timeout(self.step.timeout_s):
                    return await self._once(work)
            except TimeoutError:
                if self._settled:
                    return None  # the time was up while its success was written
                if self.step.timeout_s is None:
                    raise
                detail = f"step '{self.step.id}' ran longer than {self.step.timeout_s:g} s"
                failed = Problem(Code.TIMEOUT, detail, at=self.step.id)
            except Problem as problem:
                failed = problem
            if failed.code not in retries.codes or number == retries.most:
                raise failed
            await asyncio.sleep(retries.backoff_s * 2**number)
        return None

    async def _once(self, work: str) -> None:
        """Do the stages one after the other, and settle what the last one gives."""
        earlier, stages = dict(self.earlier), dict[str, Mapping[str, str]]()
        names = self.step.stages or ("",)
        for number, name in enumerate(names):
            self.track.stage(number, len(names))
            stage = self._stage(name, earlier, stages)
            parts = await stage.split()
            results = await stage.run(parts)
            if number == len(names) - 1:
                break
            merged = await stage.merge(parts, results)
            earlier[f"stage:{name}"], stages[name] = merged.result, stage.places(parts)
        for _ in range(MERGES):
            merged = await stage.merge(parts, results)
            self.track.finish(merged.result.counters)
            end = StepEnd(
                state=State.SUCCEEDED, result=merged.result, artifacts=merged.artifacts, work=work
            )
            if await self._settle(end):
                return
        detail = (
            f"what step '{self.step.id}' changes was changed by others {MERGES} times meanwhile"
        )
        raise Problem(Code.CONFLICT, detail)

    def _stage(
        self,
        name: str,
        earlier: Mapping[str, StepResult],
        stages: Mapping[str, Mapping[str, str]],
    ) -> StageRun:
        return StageRun(
            bench=self.bench,
            job=self.attempt.job,
            step=msgspec.structs.replace(self.step, stage=name),
            track=self.track,
            key=self._key,
            publish=self._publish(),
            earlier=earlier,
            artifacts=self.artifacts,
            tags=self._tags,
            stages=stages,
        )

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

    def _publish(self) -> str:
        job = self.attempt.job
        return f"{OUTPUTS}/{job.id}/{job.attempt}/{self.step.id}/"

    def _check_files(self, go_on: Check) -> None:
        """Make sure that the caller's files are what the caller said they are.

        Raises:
            Problem: INVALID at the input whose hash is another.
        """
        organisation = self.attempt.job.organisation
        for check in self.step.checks:
            found = self.bench.files.hash_of(organisation, check.file, check=go_on)
            if found != check.sha256:
                detail = (
                    f"{check.at} must be {check.sha256}, but '{check.file.filename}' has the "
                    f"SHA-256 {found}: it is another file than the one that was meant"
                )
                raise Problem(Code.INVALID, detail, at=check.at)

    def _fingerprint(self) -> str:
        """Hash all that decides what the parts give, and keep the tags of the files in it."""
        step = self.step
        family = self.bench.kinds.family(step.family)
        hashes = {f"step:{one.step}.{one.name}": one.sha256 for one in self.artifacts}
        needed = {
            need: {
                "values": self.earlier[need].values,
                "files": {one.name: one.sha256 for one in self.artifacts if one.step == need},
            }
            for need in step.needs
        }
        asked = {"params": step.params, "inputs": step.inputs}
        files = list(_file_refs(asked))
        organisation = self.attempt.job.organisation
        self._tags = {ref: self.bench.files.tag(organisation, ref) for ref in dict.fromkeys(files)}
        tags = [self._tags[ref] for ref in files]
        said = [organisation, step.family, step.kind, step.params]
        if step.inputs:  # which step gave an artifact, and how it is called, decides nothing
            needed = {slot: _content(value, hashes) for slot, value in step.inputs.items()}
        return fingerprint([*said, family.version(step), tags, needed])


def _content(value: Any, hashes: Mapping[str, str]) -> Any:  # noqa: ANN401 -- JSON
    """Give the hash in the place of an artifact's name; files in storages have entity tags."""
    if isinstance(value, str):
        return hashes.get(value, value)
    if isinstance(value, list | tuple):
        return [_content(inner, hashes) for inner in value]
    return None


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
