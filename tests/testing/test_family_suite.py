"""The public suite passes a family that holds to the socket, and says what is wrong with others."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar

import msgspec
import pytest
from msgspec import Meta

from haulier.core.family import (
    Context,
    Family,
    JobResult,
    Kind,
    Output,
    Part,
    PartResult,
    StepResult,
)
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan
from haulier.testing.context import LocalContext, World
from haulier.testing.family_suite import FamilySuite, NotConformingError, Refused, Sample


class Counting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Count the letters of a text, word by word."""

    text: Annotated[str, Meta(description="What to count in.", min_length=1)]


class Letters:
    """A family as small as one can be: a step, a part a word, one output."""

    name = "letters"
    kinds: Mapping[str, Kind] = {
        "COUNTING": Kind(
            "COUNTING", "Count", "Counts letters.", Counting, (Output("counts", "text/plain"),)
        )
    }

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give one step."""
        said = msgspec.to_builtins(params)
        if not said["text"].strip():
            raise Problem(Code.INVALID, "text must have a word, got blanks", at="text")
        return Recipe((StepPlan("count", self.name, kind, said),))

    def version(self, step: StepPlan) -> str:
        """Give the version of the code."""
        del step
        return "1"

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Make each word a part."""
        del context
        return [Part(f"{i:04d}", {"word": w}) for i, w in enumerate(step.params["text"].split())]

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Count one word."""
        del step
        context.report(0.5, "counting", {"words": 1})
        context.part_file("count").write_text(str(len(part.params["word"])))
        context.report(1.0, "counted", {"words": 1})
        return PartResult({}, {"words": 1})

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Write the counts in the order of the words."""
        del step
        counts = [context.part_file("count", key).read_text() for key in results]
        context.write("counts", media_type="text/plain").write_text(" ".join(counts))
        return StepResult({"letters": sum(map(int, counts))})

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give the sum."""
        del kind
        return JobResult({"letters": steps["count"].values["letters"]})

    def warm(self) -> None:
        """Need nothing."""


def suite(of: Family) -> FamilySuite:
    """Give the suite over a family of letters."""

    class Suite(FamilySuite):
        family = of
        samples: ClassVar[Sequence[Sample]] = (Sample("two", "COUNTING", {"text": "to be or"}),)
        refused: ClassVar[Sequence[Refused]] = (
            Refused("COUNTING", {"text": ""}, names="text"),
            Refused("COUNTING", {"text": "  "}, names="text"),
            Refused("COUNTING", {}, names="text"),
        )

    return Suite()


TESTS = [name for name in dir(FamilySuite) if name.startswith("test_")]


def call(of: Family, test: str, folder: Path) -> None:
    """Run one test of the suite as pytest would."""
    method: Callable[..., None] = getattr(suite(of), test)
    method(**({"tmp_path": folder} if "tmp_path" in inspect.signature(method).parameters else {}))


@pytest.mark.parametrize("test", TESTS)
def test_a_family_that_holds_to_the_socket_passes(test: str, tmp_path: Path) -> None:
    call(Letters(), test, tmp_path)


class Timed(Letters):
    """Its output depends on when it was made."""

    made = 0

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Write another number each time."""
        given = super().merge(step, results, context)
        type(self).made += 1
        context.write("counts").write_text(str(self.made))
        return given


class Ordered(Letters):
    """Its parts must run in order."""

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Leave the count of those before in a file of the step."""
        given = super().run(step, part, context)
        before = sum(1 for _ in context.part_file("count").parent.parent.iterdir())
        context.part_file("count").write_text(str(before))
        return given


class Boastful(Letters):
    """It says it is done and then goes back."""

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Report backwards."""
        context.report(0.9, "nearly done")
        return super().run(step, part, context)


class Chatty(Letters):
    """It gives an output that it never announced."""

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Write one more file."""
        context.write("extra").write_text("?")
        return super().merge(step, results, context)


class Twice(Letters):
    """Two of its parts have one key."""

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Give each part the same key."""
        return [Part("same", part.params) for part in super().split(step, context)]


class Pathological(Letters):
    """The key of its part is a path."""

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Put a slash into each key."""
        return [Part(f"a/{p.key}", p.params) for p in super().split(step, context)]


class Lax(Letters):
    """It refuses nothing."""

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give one step, whatever was said."""
        return Recipe((StepPlan("count", self.name, kind, msgspec.to_builtins(params)),))


class Nameless(Letters):
    """Its step has no version."""

    def version(self, step: StepPlan) -> str:
        """Give nothing."""
        del step
        return ""


class Silent(msgspec.Struct, frozen=True):
    """Parameters that nobody described, and of which unknown ones are taken."""

    text: str


class Undescribed(Letters):
    """Its parameters explain nothing."""

    kinds: Mapping[str, Kind] = {
        "COUNTING": Kind("COUNTING", "Count", "Counts.", Silent, (Output("counts", "text/plain"),))
    }


class Misnamed(Letters):
    """Its kind stands under another name."""

    kinds: Mapping[str, Kind] = {"OTHER": Letters.kinds["COUNTING"]}


class Empty(Letters):
    """It announces an output that never comes."""

    kinds: Mapping[str, Kind] = {
        "COUNTING": Kind(
            "COUNTING", "Count", "Counts letters.", Counting,
            (Output("counts", "text/plain"), Output("plot", "image/png")),
        )
    }  # fmt: skip


BROKEN: list[tuple[type[Letters], str, str]] = [
    (Timed, "test_a_job_done_twice_gives_the_same_bytes", "counts"),
    (Ordered, "test_parts_may_run_in_any_order_and_more_than_once", "differ"),
    (Boastful, "test_progress_is_true", "less than before"),
    (Chatty, "test_outputs_are_those_that_are_declared", "extra"),
    (Empty, "test_outputs_are_those_that_are_declared", "plot"),
    (Twice, "test_split_gives_the_same_parts_again", "used twice"),
    (Lax, "test_bad_parameters_are_refused_by_name", "must be refused"),
    (Nameless, "test_every_sample_gives_a_valid_recipe", "no version"),
    (Undescribed, "test_every_parameter_is_described", "text"),
    (Undescribed, "test_unknown_parameters_are_refused", "refused by name"),
    (Misnamed, "test_every_kind_is_well_formed", "OTHER"),
]


@pytest.mark.parametrize(("family", "test", "word"), BROKEN)
def test_a_family_that_does_not_hold_is_told_what_is_wrong(
    family: type[Letters], test: str, word: str, tmp_path: Path
) -> None:
    with pytest.raises(NotConformingError, match=word):
        call(family(), test, tmp_path)


def test_a_part_key_that_is_a_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="one file name"):
        call(Pathological(), "test_split_gives_the_same_parts_again", tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world with one storage."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "here.txt").write_text("x")
    return World(tmp_path / "world", {"s": tmp_path / "store"}, {("release", "a"): {"url": "u"}})


def test_a_context_names_what_is_missing_and_what_there_is(world: World) -> None:
    step = StepPlan("count", "letters", "COUNTING")
    context = LocalContext(world, step, "merge")
    wanted: dict[str, Any] = {"storage": "s", "filename": "gone.txt"}

    with pytest.raises(Problem, match=r"no file 'gone.txt' in storage 's'"):
        context.read(wanted)
    with pytest.raises(Problem, match="no release named 'b'; there are: a"):
        context.catalog("release", "b")
    assert context.read({"storage": "s", "filename": "here.txt"}).read_text() == "x"
