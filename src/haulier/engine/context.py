"""What a family may use in a child process: its files, its progress, and two questions."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from haulier.core.artifact import Artifact, check_filename
from haulier.core.entry import Entry
from haulier.core.family import Cancelled, PartResult
from haulier.core.problem import Code, Problem
from haulier.core.progress import clamp
from haulier.engine import trees
from haulier.engine.inputs import check_unchanged, file_ref, named_at
from haulier.engine.messages import Answer, Ask, Place, Report, Task
from haulier.engine.storage import Storage

#: The file beside a part's files that says they are all there; it holds the PartResult.
FINISHED: Final = ".result.json"
REPORT_EVERY_S: Final = 0.05
UNKNOWN_TYPE: Final = "application/octet-stream"
FOLDER_TYPE: Final = "application/x-tar"  # what a folder is sent as when it is sent whole


class Channel(Protocol):
    """The way to the worker."""

    @property
    def stopped(self) -> bool:
        """Whether the worker asked this process to stop."""
        ...

    def say(self, report: Report) -> None:
        """Send a report."""
        ...

    def ask(self, question: Ask) -> Answer:
        """Send a question and wait for its answer."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """An output that the family announced."""

    path: Path
    media_type: str
    filename: str
    folder: bool = False


class ChildContext:
    """The context of one call, over one task: `Task` says what its files are."""

    def __init__(self, task: Task, channel: Channel) -> None:
        self._task = task
        self._channel = channel
        self._store = Storage(task.store) if task.store else None
        self._written: dict[str, Written] = {}
        self._fetched: dict[tuple[str, str], Path] = {}
        self._read: dict[Place, str] = {}
        self._said_at_s = float("-inf")
        self._unsaid: Report | None = None

    def read(self, value: Any) -> Path:  # noqa: ANN401 -- a FileRef, its JSON form, or a name
        """Give the local path of an input."""
        if isinstance(value, str):
            return self._local(self._input(value))
        ref = file_ref(value)
        where = named_at(self._task.step, ref)
        answer = self._answer(Ask("file", ref.storage, ref.filename), at=where)
        if answer.place is None:
            raise Problem(Code.INTERNAL, f"the worker gave no place for {ref!r}", at=where)
        self._read[answer.place] = where
        try:
            return self._local(answer.place)
        except Problem as problem:
            if problem.code is not Code.NOT_FOUND:
                raise
            detail = f"no file '{ref.filename}' in storage '{ref.storage}'"
            raise Problem(Code.NOT_FOUND, detail, at=where) from None

    def catalog(self, type_: str, name: str) -> Mapping[str, Any]:
        """Give the body of a catalog entry visible to the job's organisation."""
        return self.entry(type_, name=name).body

    def entry(self, type_: str, *, name: str = "", id: str = "", version: int = 0) -> Entry:  # noqa: A002 -- its name
        """Give a version of a catalog entry visible to the job's organisation."""
        answer = self._answer(Ask("entry", type_, name, id, version), at=type_)
        if answer.entry is None:
            detail = f"the worker gave no entry for {type_} '{name or id}'"
            raise Problem(Code.INTERNAL, detail, at=type_)
        return answer.entry

    def write(self, name: str, *, media_type: str = "", filename: str = "") -> Path:
        """Give a path to write the output `name` to; it appears when the step succeeds."""
        written = self._announced(name, media_type or UNKNOWN_TYPE, filename or name)
        self._written[name] = written
        return written.path

    def write_folder(self, name: str, *, filename: str = "") -> Path:
        """Give a folder to write the files of the output `name` to; it appears as `write` says."""
        written = self._announced(name, FOLDER_TYPE, filename or name)
        written.path.mkdir(exist_ok=True)
        self._written[name] = replace(written, folder=True)
        return written.path

    def _announced(self, name: str, media_type: str, filename: str) -> Written:
        if self._task.action not in {"split", "merge"}:
            raise ValueError(f"'{self._task.action}' has no outputs; only split and merge have")
        path = self._below("outputs") / check_filename(name, at="name") / check_filename(filename)
        path.parent.mkdir(exist_ok=True)
        return Written(path, media_type, filename)

    def part_file(self, name: str, part: str | None = None, *, stage: str = "") -> Path:
        """Give the path of a part's file: in `run` its own to write, in `merge` any to read."""
        check_filename(name, at="name")
        if stage:
            return self._stage_file(name, part or "", stage)
        own = self._task.part.key if self._task.part else None
        key = part or own
        if key is None:
            raise ValueError("only a part has files of its own; name the part to read another's")
        if key != own:
            return self._finished_file(name, key)
        if name == FINISHED:
            raise ValueError(f"a part's file cannot be called '{FINISHED}': that is its end mark")
        return self._below("part") / name

    def scratch(self) -> Path:
        """Give a folder that is gone after this call ends."""
        return self._below("tmp")

    def values(self, step: str) -> Mapping[str, Any]:
        """Give the values of the result of an earlier step."""
        result = self._task.steps.get(step)
        if result is None:
            known = ", ".join(self._task.steps) or "none"
            raise ValueError(f"no step '{step}' went before this one; there are: {known}")
        return result.values

    def report(
        self, fraction: float, message: str = "", counters: Mapping[str, float] | None = None
    ) -> None:
        """Say how far the work is; at most 20 a second are sent, of those between the last."""
        said = {name: float(count) for name, count in (counters or {}).items()}
        self._unsaid = Report(clamp(float(fraction)), message, said)
        self._say_when_due()

    def check(self) -> None:
        """Let go here if the work was cancelled."""
        if self._channel.stopped:
            raise Cancelled
        self._say_when_due()

    def flush(self) -> None:
        """Send the last report if it was held back."""
        if self._unsaid is not None:
            self._said_at_s = time.monotonic()
            self._channel.say(self._unsaid)
            self._unsaid = None

    def finished(self) -> PartResult | None:
        """Give what the part gave when somebody has done it whole already."""
        store, prefix = self._own_place()
        found = store.load(prefix + FINISHED)
        return None if found is None else msgspec.json.decode(found, type=PartResult)

    def publish_part(self, encoded: bytes) -> None:
        """Put the part's files in their place, and only then the mark that says so.

        Args:
            encoded: the PartResult as JSON, which the mark holds.

        Raises:
            Problem: CONFLICT; an input was changed while it was read.
        """
        check_unchanged(self._read)
        store, prefix = self._own_place()
        for path in sorted(self._below("part").iterdir()):
            if not path.is_file():
                raise Problem(Code.INTERNAL, f"the part's '{path.name}' is no file but a folder")
            store.adopt(path, prefix + path.name)
        store.save(prefix + FINISHED, encoded)

    def publish_outputs(self) -> tuple[Artifact, ...]:
        """Put the outputs in their place: all, or none when one was not written.

        Raises:
            Problem: CONFLICT; an input was changed while it was read. INTERNAL, naming the output
                that was announced and is not there.
        """
        check_unchanged(self._read)
        for name, output in self._written.items():
            there = any(output.path.iterdir()) if output.folder else output.path.is_file()
            if not there:
                detail = f"the output '{name}' was announced, but no file was written"
                raise Problem(Code.INTERNAL, detail, at=name)
        return tuple(self._publish(name, output) for name, output in self._written.items())

    def _publish(self, name: str, output: Written) -> Artifact:
        key = self._task.publish + name
        adopt = trees.adopt if output.folder else Storage.adopt
        found = adopt(self._engine_store(), output.path, key)
        return Artifact(
            name=name,
            filename=output.filename,
            media_type=output.media_type,
            size_bytes=found.size_bytes,
            sha256=found.sha256,
            key=key,
            step=self._task.step.id if self._task.step else "",
            folder=output.folder,
        )

    def _say_when_due(self) -> None:
        if time.monotonic() - self._said_at_s >= REPORT_EVERY_S:
            self.flush()

    def _answer(self, question: Ask, *, at: str) -> Answer:
        self.flush()
        answer = self._channel.ask(question)
        if answer.problem is not None:
            told = answer.problem
            raise Problem(told.code, told.detail, at=told.at or at, faults=told.faults)
        return answer

    def _input(self, name: str) -> Place:
        place = self._task.inputs.get(name)
        if place is None:
            known = ", ".join(sorted(self._task.inputs)) or "none"
            raise Problem(Code.INVALID, f"no input '{name}'; there are: {known}", at=name)
        return place

    def _local(self, place: Place) -> Path:
        known = self._fetched.get((place.url, place.key))
        if known is None:
            folder = self._below("inputs") / str(len(self._fetched))
            folder.mkdir()
            if place.folder:
                known = trees.fetch(Storage(place.url), place.key, folder)
            else:
                path = Storage(place.url).fetch(place.key, folder)
                known = _named(path, place.filename, folder)
            self._fetched[place.url, place.key] = known
        return known

    def _finished_file(self, name: str, part: str) -> Path:
        return self._fetched_file(name, part, self._task.places)

    def _fetched_file(self, name: str, part: str, places: Mapping[str, str]) -> Path:
        prefix = places.get(part)
        if prefix is None:
            known = ", ".join(list(places)[:20]) or "none"
            raise Problem(Code.NOT_FOUND, f"no part '{part}'; there are: {known}")
        store, key = self._engine_store(), prefix + name
        if (self._task.store, key) not in self._fetched:
            if not store.exists(key):
                raise Problem(Code.NOT_FOUND, f"no file '{name}' of part '{part}'")
            self._fetched[self._task.store, key] = store.fetch(key, self._below("parts"))
        return self._fetched[self._task.store, key]

    def _stage_file(self, name: str, part: str, stage: str) -> Path:
        places = self._task.stages.get(stage)
        if places is None:
            known = ", ".join(self._task.stages) or "none"
            raise ValueError(f"no stage '{stage}' went before this one; there are: {known}")
        return self._fetched_file(name, part, places)

    def _own_place(self) -> tuple[Storage, str]:
        part = self._task.part
        prefix = self._task.places.get(part.key, "") if part else ""
        if not prefix:
            raise ValueError(f"the task names no place for {part!r}")
        return self._engine_store(), prefix

    def _engine_store(self) -> Storage:
        if self._store is None:
            raise ValueError(f"the task '{self._task.action}' names no store")
        return self._store

    def _below(self, name: str) -> Path:
        folder = _checked_folder(self._task.scratch) / name
        folder.mkdir(exist_ok=True)
        return folder


def _checked_folder(scratch: str) -> Path:
    folder = Path(scratch)
    if not scratch or not folder.is_absolute() or not folder.is_dir():
        raise ValueError(f"the scratch folder must be absolute and exist, got {scratch!r}")
    return folder


def _named(path: Path, filename: str, folder: Path) -> Path:
    """Give a path whose suffix tells the format: the file's own, or a link to it."""
    if not filename or path.suffix == Path(filename).suffix:
        return path
    link = folder / check_filename(filename.rpartition("/")[2])
    link.symlink_to(path)
    return link
