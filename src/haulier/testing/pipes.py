"""A family of small step kinds, some of which fail as they are told: for tests of recipes."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from haulier.core.family import Context, JobResult, Kind, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan
from haulier.core.stepkind import Cost, Slot, StepKind

LOOK_S: Final = 0.01
LEAVES: Final = 3


class Make(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Make a file of numbers."""

    count: Annotated[int, Meta(description="How many numbers.", ge=1, le=1000)] = 3
    step: Annotated[float, Meta(description="From one to the next.")] = 1.0


class Add(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Add the numbers of files up, with trouble.

    Attributes:
        act: what happens on the way.
        factor: what the sum is multiplied with.
        diary: a file to which each run appends a line.
        gate: a file that "wait" waits for, and that "once" makes when it fails.
    """

    act: Annotated[Literal["add", "refuse", "once", "wait"], Meta(description="Trouble.")] = "add"
    factor: Annotated[float, Meta(description="Multiplies the sum.")] = 1.0
    diary: Annotated[str, Meta(description="Each run appends a line to it.")] = ""
    gate: Annotated[str, Meta(description="A file to wait for.")] = ""


class Grow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Make a folder with a file a number."""

    depth: Annotated[int, Meta(description="How deep.", ge=1, le=3)]


NUMBERS: Final = Slot("numbers", "Numbers, one a line.", media_type="text/plain")

MAKE: Final = StepKind(
    name="MAKE_NUMBERS",
    title="Make numbers",
    description="Writes numbers, one a line.",
    params=Make,
    accepts={},
    produces={"numbers": NUMBERS},
)
ADD: Final = StepKind(
    name="ADD_NUMBERS",
    title="Add numbers",
    description="Adds the numbers of files up.",
    params=Add,
    accepts={"numbers": Slot("numbers", "What is added up.", many=True)},
    produces={"sum": NUMBERS},
    cost=Cost(2.0),
)
GROW: Final = StepKind(
    name="GROW_TREE",
    title="Grow a tree",
    description="Writes a folder with one file a number, in two passes.",
    params=Grow,
    accepts={"numbers": Slot("numbers", "What the tree bears.")},
    produces={"tree": Slot("tree", "A folder.", folder=True)},
    stages=("sow", "reap"),
)


class Pipes:
    """Makes, adds, and grows trees of numbers."""

    name = "pipes"
    kinds: Mapping[str, Kind] = {}
    step_kinds: Mapping[str, StepKind] = {kind.name: kind for kind in (MAKE, ADD, GROW)}
    presets: Sequence[Mapping[str, Any]] = (
        {
            "name": "count-up",
            "version": "1.0.0",
            "definition": {
                "recipe": [
                    {"id": "made", "type": "MAKE_NUMBERS", "inputs": {}, "param_keys": ["count"]},
                    {
                        "id": "total",
                        "type": "ADD_NUMBERS",
                        "inputs": {"numbers": ["step:made.numbers"]},
                    },
                ]
            },
        },
    )

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Refuse: it has no kinds of its own."""
        raise TypeError(f"{self.name} has no kind {kind}, got {params!r}")

    def version(self, step: StepPlan) -> str:
        """Name the code that decides what a step gives."""
        return self.step_kinds[step.kind].version

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Give one part, and of the second pass of a tree one a branch."""
        if step.stage == "reap":
            branches: int = context.values("stage:sow")["branches"]
            return [Part(f"b{number}", {"branch": number}) for number in range(branches)]
        return [Part("all")]

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Do a part."""
        if step.kind == MAKE.name:
            return _make(step, context)
        if step.kind == ADD.name:
            return _add(step, context)
        return _sow(step, context) if step.stage == "sow" else _reap(part, context)

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Make the output of the parts."""
        if step.stage == "sow":
            return StepResult({"branches": results["all"].values["branches"]})
        if step.kind == GROW.name:
            folder = context.write_folder("tree")
            for key in results:
                (folder / key).mkdir()
                (folder / key / "leaf.txt").write_text(context.part_file("leaf", key).read_text())
            (folder / "index.html").write_text("the root")
            return StepResult({"branches": len(results)})
        slot = "numbers" if step.kind == MAKE.name else "sum"
        text = context.part_file("numbers", "all").read_text()
        context.write(slot, media_type="text/plain", filename=f"{slot}.txt").write_text(text)
        return StepResult({"lines": len(text.splitlines())}, {"numbers": len(text.splitlines())})

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Refuse: it has no kinds of its own."""
        raise TypeError(f"{self.name} has no kind {kind}, got {list(steps)}")

    def warm(self) -> None:
        """Have nothing to load."""


def _make(step: StepPlan, context: Context) -> PartResult:
    make = msgspec.convert(step.params, Make)
    lines = [f"{number * make.step:g}\n" for number in range(1, make.count + 1)]
    context.part_file("numbers").write_text("".join(lines))
    return PartResult()


def _add(step: StepPlan, context: Context) -> PartResult:
    add = msgspec.convert(step.params, Add)
    if add.diary:
        with Path(add.diary).open("a") as file:
            file.write(f"{step.id}\n")
    if add.act == "refuse":
        raise Problem(Code.INVALID, "numbers must be even, got 1", at="numbers")
    if add.act == "once" and not Path(add.gate).exists():
        Path(add.gate).touch()
        raise Problem(Code.UNAVAILABLE, "the network was away")
    while add.act == "wait" and not Path(add.gate).exists():
        context.check()
        time.sleep(LOOK_S)
    paths = [context.read(each) for each in step.inputs["numbers"]]
    total = sum(float(line) for path in paths for line in path.read_text().split())
    context.part_file("numbers").write_text(f"{total * add.factor:g}\n")
    return PartResult()


def _sow(step: StepPlan, context: Context) -> PartResult:
    numbers = context.read(step.inputs["numbers"]).read_text().split()
    for number, value in enumerate(numbers):
        context.part_file(f"seed-{number}").write_text(value)
    return PartResult({"branches": len(numbers)})


def _reap(part: Part, context: Context) -> PartResult:
    number = part.params["branch"]
    seed = context.part_file(f"seed-{number}", "all", stage="sow").read_text()
    context.part_file("leaf").write_text(f"leaf of {seed}\n")
    return PartResult()


FAMILY: Final = Pipes()
