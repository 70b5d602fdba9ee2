"""A context in a local folder: runs a family without a server, for tests and benchmarks."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from haulier.core.artifact import FileRef, check_filename
from haulier.core.entry import Entry, Publication
from haulier.core.family import Family, JobResult, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan
from haulier.testing.shelf import Shelf, an_entry

T = TypeVar("T")
Order = Callable[[Sequence[Part]], Sequence[Part]]


@dataclass(frozen=True, slots=True)
class Written:
    """An output that a step announced."""

    path: Path
    media_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class Said:
    """One report of progress; `call` is the step, the action, and the part if there is one."""

    call: str
    fraction: float
    message: str
    counters: Mapping[str, float]


@dataclass(slots=True)
class World:
    """What stays from call to call: named storages, the catalog, and what steps gave.

    Attributes:
        folder: everything that is written lies below it.
        storages: name to folder.
        entries: (type, name) to the body of a catalog entry that has one version.
        shelf: the entries that have more, as `put` and the steps of jobs made them.
        results: step id to what it gave.
        outputs: "step:ID.NAME" to the file.
        said: every report of progress, in order.
    """

    folder: Path
    storages: dict[str, Path] = field(default_factory=dict)
    entries: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    shelf: Shelf = field(default_factory=Shelf)
    results: dict[str, StepResult] = field(default_factory=dict)
    outputs: dict[str, Written] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)


class LocalContext:
    """The context of one call, over files of a world."""

    def __init__(self, world: World, step: StepPlan, action: str, part: Part | None = None) -> None:
        self._world = world
        self._step = step
        self._part = part
        self._call = f"{step.id}.{action}" + (f".{part.key}" if part else "")
        self.written: dict[str, Written] = {}

    def read(self, value: Any) -> Path:  # noqa: ANN401 -- a FileRef, its JSON form, or a name
        """Give the local path of an input."""
        if isinstance(value, str):
            output = self._world.outputs.get(value)
            if output is None:
                known = ", ".join(sorted(self._world.outputs)) or "none"
                raise Problem(Code.INVALID, f"no input '{value}'; there are: {known}", at=value)
            return output.path
        ref = value if isinstance(value, FileRef) else msgspec.convert(value, FileRef)
        folder = self._world.storages.get(ref.storage)
        if folder is None or not (folder / ref.filename).exists():
            detail = f"no file '{ref.filename}' in storage '{ref.storage}'"
            raise Problem(Code.NOT_FOUND, detail, at="input")
        return folder / ref.filename

    def catalog(self, type_: str, name: str) -> Mapping[str, Any]:
        """Give the body of a catalog entry."""
        return self.entry(type_, name=name).body

    def entry(self, type_: str, *, name: str = "", id: str = "", version: int = 0) -> Entry:  # noqa: A002 -- its name
        """Give a version of a catalog entry."""
        body = self._world.entries.get((type_, name))
        if body is not None:
            return an_entry(type_, name, body)
        found = self._world.shelf.find(type_, name, id, version)
        if found is None:
            names = [n for kind, n in self._world.entries if kind == type_]
            known = ", ".join(sorted([*names, *self._world.shelf.names(type_)])) or "none"
            wanted = f"'{name or id}'" + (f" of version {version}" if version else "")
            raise Problem(
                Code.NOT_FOUND, f"no {type_} named {wanted}; there are: {known}", at=type_
            )
        return found

    def write(self, name: str, *, media_type: str = "", filename: str = "") -> Path:
        """Give a path to write an output to."""
        shown = check_filename(filename or name)
        path = self._world.folder / self._step.id / "outputs" / check_filename(name) / shown
        path.parent.mkdir(parents=True, exist_ok=True)
        self.written[name] = Written(path, media_type or "application/octet-stream", shown)
        return path

    def write_folder(self, name: str, *, filename: str = "") -> Path:
        """Give an empty folder to write an output's files to."""
        path = self.write(name, media_type="application/x-tar", filename=filename)
        if path.is_dir():
            shutil.rmtree(path)
        path.mkdir()
        return path

    def part_file(self, name: str, part: str | None = None, *, stage: str = "") -> Path:
        """Give the path of a part's file: one's own to write, or any to read."""
        check_filename(name, at="name")
        own = self._part.key if self._part and not stage else None
        key = part or own
        if key is None:
            raise ValueError("only a part has files of its own; name the part to read another's")
        parts = f"parts-{stage or self._step.stage}" if self._step.stages else "parts"
        path = self._world.folder / self._step.id / parts / key / name
        if key != own and not path.is_file():
            raise Problem(Code.NOT_FOUND, f"no file '{name}' of part '{key}'")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def scratch(self) -> Path:
        """Give a folder that is gone after this call."""
        folder = self._world.folder / "scratch" / self._call
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def values(self, step: str) -> Mapping[str, Any]:
        """Give the values of an earlier step's result."""
        return self._world.results[step].values

    def report(
        self, fraction: float, message: str = "", counters: Mapping[str, float] | None = None
    ) -> None:
        """Note how far the work is."""
        self._world.said.append(Said(self._call, fraction, message, counters or {}))

    def check(self) -> None:
        """Let go if the work was cancelled: here it never is."""

    def close(self) -> None:
        """Remove what the call left in its scratch folder."""
        shutil.rmtree(self.scratch())


def as_split(parts: Sequence[Part]) -> Sequence[Part]:
    """Run parts in the order of `split`."""
    return parts


def run_step(
    family: Family, step: StepPlan, world: World, *, order: Order = as_split
) -> StepResult:
    """Do one step as the engine would, stage by stage: split, run each part, merge.

    Every value passes through its encoded form on the way, as it does between processes.
    """
    merged = StepResult()
    for name in step.stages or ("",):
        stage = msgspec.structs.replace(step, stage=name)
        merged = _run_stage(family, stage, world, order)
        world.results[f"stage:{name}"] = merged
    for wanted in merged.publish:
        _publish(world, step, wanted)
    world.results = {
        key: result for key, result in world.results.items() if not key.startswith("stage:")
    }
    world.results[step.id] = msgspec.structs.replace(merged, publish=())
    return merged


def _run_stage(family: Family, step: StepPlan, world: World, order: Order) -> StepResult:
    stage = f".{step.stage}" if step.stage else ""
    parts = _call(world, (step, f"split{stage}"), lambda c: list(family.split(step, c)), list[Part])
    if not parts:
        raise ValueError(f"step '{step.id}'{stage} must split into one or more parts, got none")
    done: dict[str, PartResult] = {}
    for part in order(parts):
        context = LocalContext(world, step, f"run{stage}", part)
        done[part.key] = _through(family.run(step, part, context), PartResult)
        context.close()
    results = {part.key: done[part.key] for part in parts}
    return _call(
        world, (step, f"merge{stage}"), lambda c: family.merge(step, results, c), StepResult
    )


def _publish(world: World, step: StepPlan, wanted: Publication) -> None:
    """Put an entry on the shelf, and the files that it names in their storages."""
    for name, ref in wanted.files.items():
        folder = world.storages.setdefault(ref.storage, world.folder / "storages" / ref.storage)
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(world.outputs[f"step:{step.id}.{name}"].path, folder / ref.filename)
    world.shelf.put(wanted)


def run_recipe(family: Family, recipe: Recipe, world: World) -> dict[str, StepResult]:
    """Do every step of a recipe, layer by layer."""
    return {step.id: run_step(family, step, world) for layer in recipe.levels() for step in layer}


def run_job(family: Family, kind: str, params: Mapping[str, Any], world: World) -> JobResult:
    """Decode the parameters, do the whole job, and give its result.

    Raises:
        Problem: whatever the family raised.
        msgspec.ValidationError: the parameters do not fit.
    """
    decoded = msgspec.convert(params, family.kinds[kind].params, strict=True)
    return family.summarise(kind, run_recipe(family, family.plan(kind, decoded), world))


def _call(
    world: World, what: tuple[StepPlan, str], act: Callable[[LocalContext], T], type_: type[T]
) -> T:
    step, action = what
    context = LocalContext(world, step, action)
    given = _through(act(context), type_)
    for name, output in context.written.items():
        if not output.path.exists():
            raise Problem(Code.INTERNAL, f"the output '{name}' was announced, not written")
        world.outputs[f"step:{step.id}.{name}"] = output
    context.close()
    return given


def _through(value: object, type_: type[T]) -> T:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=type_)
