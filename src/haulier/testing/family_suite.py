"""The conformance suite of families: subclass it with real samples, and run it with pytest.

class TestMyFamily(FamilySuite):
    family = my_package.FAMILY
    samples = (Sample("small", "MY_KIND", {...}, prepare=put_files),)
    refused = (Refused("MY_KIND", {...}, names="sill"),)
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final

import msgspec

from haulier.core.artifact import check_filename
from haulier.core.family import Family, JobResult, Kind
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe
from haulier.testing.conforming import (
    NAME,
    NotConformingError,
    backward_and_again,
    check_parts,
    difference,
    hash_of,
    hold,
    keys_of,
)
from haulier.testing.context import LocalContext, Order, World, as_split, run_step

__all__ = ["FamilySuite", "NotConformingError", "Refused", "Sample", "hold", "no_files"]

SLUG: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def no_files(world: World) -> None:
    """Prepare nothing: a sample whose parameters are all it needs."""
    del world


@dataclass(frozen=True, slots=True)
class Sample:
    """A job that a family must be able to do.

    Attributes:
        name: for the reader of a failure.
        kind: name of the kind.
        params: its parameters in JSON terms.
        prepare: puts the files and catalog entries that the parameters name into a new world.
    """

    name: str
    kind: str
    params: Mapping[str, Any]
    prepare: Callable[[World], None] = no_files


@dataclass(frozen=True, slots=True)
class Refused:
    """Parameters that a family must refuse where the job is submitted.

    Attributes:
        kind: name of the kind.
        params: the bad parameters.
        names: a word of the answer: the field that is wrong.
    """

    kind: str
    params: Mapping[str, Any]
    names: str


class FamilySuite:
    """What every family must hold to; each method is a test."""

    family: ClassVar[Family]
    samples: ClassVar[Sequence[Sample]] = ()
    refused: ClassVar[Sequence[Refused]] = ()

    def test_every_kind_is_well_formed(self) -> None:
        """Names are legal, the schema of the parameters can be made, outputs are named once."""
        for name, kind in self.family.kinds.items():
            hold(name == kind.name, f"kind {kind.name} stands under the name {name}")
            hold(NAME.fullmatch(name), f"{name} must be capitals, digits and underscores")
            hold(SLUG.fullmatch(kind.slug), f"{kind.slug} must be lower case with hyphens")
            hold(kind.title and kind.description, f"{name} needs a title and a description")
            hold(issubclass(kind.params, msgspec.Struct), f"{name}: params must be a Struct")
            msgspec.json.encode(msgspec.json.schema(kind.params))
            outputs = [output.name for output in kind.outputs]
            hold(len(set(outputs)) == len(outputs), f"{name} names an output twice: {outputs}")
            for output in outputs:
                check_filename(output)

    def test_every_parameter_is_described(self) -> None:
        """A person who reads the schema learns what each parameter is."""
        for kind in self.family.kinds.values():
            (schema,), _ = msgspec.json.schema_components([kind.params])
            defined = msgspec.json.schema(kind.params).get("$defs", {})
            top = defined.get(kind.params.__name__, schema)
            bare = [
                field
                for field, body in top.get("properties", {}).items()
                if not ({"description", "title"} & set(keys_of(body)))
            ]
            hold(not bare, f"{kind.name} does not describe {', '.join(bare)}")

    def test_every_sample_gives_a_valid_recipe(self) -> None:
        """The recipe has no fault, its steps are the family's own, and it has a JSON form."""
        for sample in self.samples:
            recipe = self._plan(sample)
            recipe.levels()
            again = msgspec.json.decode(msgspec.json.encode(recipe), type=Recipe)
            hold(again == recipe, f"{sample.name}: the recipe changes on its way through JSON")
            for step in recipe.steps:
                hold(self.family.version(step), f"{sample.name}: step {step.id} has no version")

    def test_unknown_parameters_are_refused(self) -> None:
        """A field that nobody reads is a caller's mistake, and must be said."""
        for sample in self.samples:
            params = {**sample.params, "no_such_parameter": 1}
            problem = _refusal(self.family, sample.kind, params)
            hold(
                problem and "no_such_parameter" in problem,
                f"{sample.name}: an unknown parameter must be refused by name, got {problem!r}",
            )

    def test_bad_parameters_are_refused_by_name(self) -> None:
        """Every bad parameter is refused before anything runs, and the answer names it."""
        for bad in self.refused:
            problem = _refusal(self.family, bad.kind, bad.params)
            hold(problem is not None, f"{dict(bad.params)} must be refused")
            hold(bad.names in str(problem), f"the refusal must name {bad.names!r}, got {problem!r}")

    def test_split_gives_the_same_parts_again(self, tmp_path: Path) -> None:
        """Parts have legal keys, each once, and a second split gives the same."""
        for sample in self.samples:
            world = self._world(sample, tmp_path / sample.name)
            for step in _in_order(self._plan(sample)):
                first = list(self.family.split(step, LocalContext(world, step, "split")))
                second = list(self.family.split(step, LocalContext(world, step, "split")))
                hold(first == second, f"{sample.name}.{step.id}: split is not deterministic")
                check_parts(first, f"{sample.name}.{step.id}")
                run_step(self.family, step, world)

    def test_a_job_done_twice_gives_the_same_bytes(self, tmp_path: Path) -> None:
        """Nothing in an output depends on time, chance or place."""
        for sample in self.samples:
            one = self._done(sample, tmp_path / f"{sample.name}-one")
            two = self._done(sample, tmp_path / f"{sample.name}-two")
            hold(one == two, f"{sample.name}: {difference(one, two)}")

    def test_parts_may_run_in_any_order_and_more_than_once(self, tmp_path: Path) -> None:
        """Last part first and every part twice: the outputs are the same."""
        for sample in self.samples:
            one = self._done(sample, tmp_path / f"{sample.name}-one")
            two = self._done(sample, tmp_path / f"{sample.name}-two", order=backward_and_again)
            hold(one == two, f"{sample.name}: {difference(one, two)}")

    def test_progress_is_true(self, tmp_path: Path) -> None:
        """Fractions lie within 0 and 1 and do not fall while a call runs."""
        for sample in self.samples:
            world = self._world(sample, tmp_path / sample.name)
            self._run(sample, world)
            highest: dict[str, float] = {}
            for said in world.said:
                where = f"{sample.name}: {said.call} said {said.fraction} ({said.message!r})"
                hold(0 <= said.fraction <= 1, f"{where}, which is not within 0 and 1")
                hold(said.fraction >= highest.get(said.call, 0), f"{where}, less than before")
                hold(all(n >= 0 for n in said.counters.values()), f"{where}: {said.counters}")
                highest[said.call] = said.fraction

    def test_outputs_are_those_that_are_declared(self, tmp_path: Path) -> None:
        """Every output is declared with its kind, and those that are not optional are there."""
        for sample in self.samples:
            kind: Kind = self.family.kinds[sample.kind]
            world = self._world(sample, tmp_path / sample.name)
            result = self._run(sample, world)
            given = {name.rpartition(".")[2] for name in world.outputs}
            declared = {output.name for output in kind.outputs}
            hold(given <= declared, f"{sample.name}: not declared: {sorted(given - declared)}")
            needed = {output.name for output in kind.outputs if not output.optional}
            hold(needed <= given, f"{sample.name}: not given: {sorted(needed - given)}")
            msgspec.json.encode(result)

    def test_warming_up_works(self) -> None:
        """What a worker does first does not fail."""
        self.family.warm()

    def _plan(self, sample: Sample) -> Recipe:
        params = msgspec.convert(sample.params, self.family.kinds[sample.kind].params, strict=True)
        return self.family.plan(sample.kind, params)

    def _world(self, sample: Sample, folder: Path) -> World:
        world = World(folder)
        sample.prepare(world)
        return world

    def _run(self, sample: Sample, world: World, order: Order = as_split) -> JobResult:
        for step in _in_order(self._plan(sample)):
            run_step(self.family, step, world, order=order)
        return self.family.summarise(sample.kind, world.results)

    def _done(self, sample: Sample, folder: Path, order: Order = as_split) -> dict[str, str]:
        """Do a job, and give the hash of each output and of the result."""
        world = self._world(sample, folder)
        result = self._run(sample, world, order)
        hashes = {
            f"{name} ({output.filename})": hash_of(output.path)
            for name, output in world.outputs.items()
        }
        hashes["result"] = hashlib.sha256(msgspec.json.encode(result, order="sorted")).hexdigest()
        return hashes


def _in_order(recipe: Recipe) -> Iterator[Any]:
    for layer in recipe.levels():
        yield from layer


def _refusal(family: Family, kind: str, params: Mapping[str, Any]) -> str | None:
    """Give the words of the refusal; None if the parameters are taken."""
    try:
        family.plan(kind, msgspec.convert(params, family.kinds[kind].params, strict=True))
    except msgspec.ValidationError as error:
        return str(error)
    except Problem as problem:
        hold(problem.code is Code.INVALID, f"a refusal must be INVALID, got {problem.code}")
        return f"{problem.at}: {problem.detail}"
    return None
