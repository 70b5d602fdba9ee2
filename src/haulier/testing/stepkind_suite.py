"""The conformance suite of step kinds: subclass it with real samples, and run it with pytest.

class TestMySteps(StepKindSuite):
    family = my_package.FAMILY
    samples = (StepSample("small", "MY_STEP", {"input": [file]}, {...}),)
    refused = (RefusedStep("MY_STEP", {...}, names="size"),)
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import msgspec
import pytest

from haulier.core.artifact import check_filename
from haulier.core.family import Context, Family, Part, StepResult
from haulier.core.recipe import StepPlan
from haulier.core.stepkind import Slot, StepKind
from haulier.engine.recipes.compiling import check_definition
from haulier.engine.recipes.webhook import CALL_WEBHOOK
from haulier.testing.conforming import (
    NAME,
    backward_and_again,
    check_parts,
    difference,
    hash_of,
    hold,
    keys_of,
)
from haulier.testing.context import Order, World, as_split, run_step

STEP = "step"
#: What a reader of the schema learns a parameter from.
WORDS = frozenset({"description", "title", "$ref"})


class Stepping(Family, Protocol):
    """A family with step kinds."""

    step_kinds: Mapping[str, StepKind]
    presets: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class StepSample:
    """A step that a family must be able to do.

    Attributes:
        name: for the reader of a failure.
        kind: name of the step kind.
        inputs: the files or folders of each slot.
        params: its parameters in JSON terms.
    """

    name: str
    kind: str
    inputs: Mapping[str, Sequence[Path]]
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """Parameters that the schema of a step kind must refuse.

    Attributes:
        kind: name of the step kind.
        params: the bad parameters.
        names: a word of the answer: the parameter that is wrong.
    """

    kind: str
    params: Mapping[str, Any]
    names: str


def step_of(family: Stepping, sample: StepSample, world: World) -> StepPlan:
    """Give the plan of a sample as the engine would, its files in storages of the world."""
    kind = family.step_kinds[sample.kind]
    msgspec.convert(sample.params, kind.params, strict=True)
    inputs: dict[str, Any] = {}
    for slot, paths in sample.inputs.items():
        refs = []
        for number, path in enumerate(paths):
            world.storages[f"{slot}-{number}"] = path.parent
            refs.append({"storage": f"{slot}-{number}", "filename": path.name})
        inputs[slot] = refs if kind.accepts[slot].many and len(refs) > 1 else refs[0]
    return StepPlan(STEP, family.name, kind.name, sample.params, inputs=inputs, stages=kind.stages)


def do(
    family: Stepping, sample: StepSample, folder: Path, order: Order = as_split
) -> tuple[StepResult, World]:
    """Do the step of a sample in a new world."""
    world = World(folder)
    return run_step(family, step_of(family, sample, world), world, order=order), world


class StepKindSuite:
    """What every step kind must hold to; each method is a test."""

    family: ClassVar[Stepping]
    samples: ClassVar[Sequence[StepSample]] = ()
    refused: ClassVar[Sequence[RefusedStep]] = ()

    @pytest.fixture(scope="class")
    @classmethod
    def done(cls, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
        """Do every sample once, for the tests that look at what came of it."""
        return {
            sample.name: do(cls.family, sample, tmp_path_factory.mktemp("once"))
            for sample in cls.samples
        }

    def test_every_step_kind_is_well_formed(self) -> None:
        """Names are legal, texts are there, stages are named once, slots make sense."""
        for name, kind in self.family.step_kinds.items():
            hold(name == kind.name, f"step kind {kind.name} stands under the name {name}")
            hold(NAME.fullmatch(name), f"{name} must be capitals, digits and underscores")
            hold(kind.title and kind.description, f"{name} needs a title and a description")
            hold(issubclass(kind.params, msgspec.Struct), f"{name}: params must be a Struct")
            hold(len({*kind.stages}) == len(kind.stages), f"{name} names a stage twice")
            hold(
                kind.version and kind.memory_mb > 0, f"{name} needs a version and a need of memory"
            )
            msgspec.json.encode(msgspec.json.schema(kind.params))
            for slot_name, slot in {**kind.accepts, **kind.produces}.items():
                check_filename(slot_name)
                hold(slot.description, f"{name}.{slot_name} needs a description")
            for slot_name, slot in kind.produces.items():
                _check_produced(f"{name}.{slot_name}", slot)

    def test_every_parameter_is_described(self) -> None:
        """A person who reads the schema learns what each parameter is."""
        for kind in self.family.step_kinds.values():
            defined = msgspec.json.schema(kind.params)["$defs"]
            for type_name, body in defined.items():
                bare = [
                    name
                    for name, said in body.get("properties", {}).items()
                    if not WORDS & set(keys_of(said))
                ]
                hold(not bare, f"{kind.name}: {type_name} does not describe {', '.join(bare)}")

    def test_every_step_kind_has_a_sample(self) -> None:
        """Nothing is offered that this suite does not do."""
        missing = self.family.step_kinds.keys() - {sample.kind for sample in self.samples}
        hold(not missing, f"no sample of {', '.join(sorted(missing))}")

    def test_unknown_parameters_are_refused(self) -> None:
        """A field that nobody reads is a caller's mistake, and must be said."""
        for sample in self.samples:
            params = {**sample.params, "no_such_parameter": 1}
            problem = _refusal(self.family.step_kinds[sample.kind], params)
            hold(
                problem and "no_such_parameter" in problem,
                f"{sample.name}: an unknown parameter must be refused by name, got {problem!r}",
            )

    def test_bad_parameters_are_refused_by_name(self) -> None:
        """Every bad parameter is refused before anything runs, and the answer names it."""
        for bad in self.refused:
            problem = _refusal(self.family.step_kinds[bad.kind], bad.params)
            hold(problem is not None, f"{bad.kind}: {dict(bad.params)} must be refused")
            hold(bad.names in str(problem), f"the refusal must name {bad.names!r}, got {problem!r}")

    def test_presets_hang_together(self) -> None:
        """Every recipe that comes with the family is one that the engine takes."""
        kinds = {**self.family.step_kinds, CALL_WEBHOOK.name: CALL_WEBHOOK}
        for preset in self.family.presets:
            hold(preset["name"] and preset["version"], f"{preset} needs a name and a version")
            check_definition(preset["definition"], kinds)

    def test_split_gives_the_same_parts_again(self, tmp_path: Path) -> None:
        """Parts have legal keys, each once, and a second split gives the same, stage by stage."""
        for sample in self.samples:
            world = World(tmp_path / sample.name)
            step = step_of(self.family, sample, world)
            run_step(_SplitTwice(self.family, sample.name), step, world)
            hold(self.family.version(step), f"{sample.name}: the step has no version")

    def test_a_step_done_twice_gives_the_same_bytes(
        self, done: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """Nothing in an output depends on time, chance or place."""
        for sample in self.samples:
            again = do(self.family, sample, tmp_path / sample.name)
            _compare(sample.name, done[sample.name], again)

    def test_parts_may_run_in_any_order_and_more_than_once(
        self, done: Mapping[str, Any], tmp_path: Path
    ) -> None:
        """Last part first and every part twice: the outputs are the same."""
        for sample in self.samples:
            again = do(self.family, sample, tmp_path / sample.name, backward_and_again)
            _compare(sample.name, done[sample.name], again)

    def test_progress_is_true(self, done: Mapping[str, Any]) -> None:
        """Fractions lie within 0 and 1 and do not fall while a call runs; some call says any."""
        for name, (_, world) in done.items():
            highest: dict[str, float] = {}
            for said in world.said:
                where = f"{name}: {said.call} said {said.fraction} ({said.message!r})"
                hold(0 <= said.fraction <= 1, f"{where}, which is not within 0 and 1")
                hold(said.fraction >= highest.get(said.call, 0), f"{where}, less than before")
                hold(all(n >= 0 for n in said.counters.values()), f"{where}: {said.counters}")
                highest[said.call] = said.fraction
            hold(highest, f"{name}: nobody said how far it was")

    def test_outputs_are_those_that_are_declared(self, done: Mapping[str, Any]) -> None:
        """Every slot is filled, with a file or folder as it says, and no other."""
        for sample in self.samples:
            result, world = done[sample.name]
            produces = self.family.step_kinds[sample.kind].produces
            given = {name.removeprefix(f"step:{STEP}."): o for name, o in world.outputs.items()}
            hold(given.keys() == produces.keys(), f"{sample.name} gave {sorted(given)}")
            for slot_name, slot in produces.items():
                output = given[slot_name]
                where = f"{sample.name}.{slot_name}"
                hold(output.path.is_dir() == slot.folder, f"{where}: folder or file?")
                if not slot.folder:
                    hold(output.media_type == slot.media_type, f"{where} is {output.media_type}")
                    ending = Path(slot.filename).suffix
                    hold(output.filename.endswith(ending), f"{where} is {output.filename}")
            msgspec.json.encode(result)

    def test_warnings_say_what_to_do(self, done: Mapping[str, Any]) -> None:
        """A warning has a code, a message and what to do, and stands there once."""
        for name, (result, _) in done.items():
            for note in result.notes:
                hold(NAME.fullmatch(note.code), f"{name}: {note.code} is no code")
                hold(note.message and note.what_to_do, f"{name}: {note} lacks words")
            once = {(note.code, note.message) for note in result.notes}
            hold(len(once) == len(result.notes), f"{name} warns twice: {result.notes}")

    def test_warming_up_works(self) -> None:
        """What a worker does first does not fail."""
        self.family.warm()


class _SplitTwice:
    """A family that is asked for the parts of each stage twice."""

    def __init__(self, family: Stepping, sample: str) -> None:
        self._family = family
        self._sample = sample

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 -- whatever the family has
        return getattr(self._family, name)

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Ask twice, and compare."""
        first, second = (list(self._family.split(step, context)) for _ in range(2))
        where = f"{self._sample}.{step.stage or step.kind}"
        hold(first == second, f"{where}: split is not deterministic")
        check_parts(first, where)
        return first


def _check_produced(where: str, slot: Slot) -> None:
    if slot.folder:
        hold(not slot.media_type, f"{where} is a folder, and has a media type")
        return
    hold(slot.media_type, f"{where} needs a media type")
    check_filename(slot.filename)


def _compare(name: str, one: tuple[StepResult, World], two: tuple[StepResult, World]) -> None:
    hashes = [dict(_hashes(*each)) for each in (one, two)]
    hold(hashes[0] == hashes[1], f"{name}: {difference(*hashes)}")


def _hashes(result: StepResult, world: World) -> Iterator[tuple[str, str]]:
    for name, output in world.outputs.items():
        yield f"{name} ({output.filename})", hash_of(output.path)
    yield "result", hashlib.sha256(msgspec.json.encode(result, order="sorted")).hexdigest()


def _refusal(kind: StepKind, params: Mapping[str, Any]) -> str | None:
    """Give the words of the refusal; None if the parameters are taken."""
    try:
        msgspec.convert(params, kind.params, strict=True)
    except msgspec.ValidationError as error:
        return str(error)
    return None


__all__ = ["RefusedStep", "StepKindSuite", "StepSample", "do", "step_of"]
