"""A family that fails in every way that work can fail, for tests of what carries it."""

import ctypes
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.entry import Publication
from haulier.core.family import Context, JobResult, Kind, Output, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan

Act = Literal[
    "add", "crash", "exit", "hang", "hoard", "linger", "refuse", "spawn", "spin", "stumble", "wait"
]
LOOK_S: Final = 0.01
LEDGER: Final = "ledger"


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Adds numbers, and does something else on the way.

    Attributes:
        act: what the parts do before they add.
        numbers: what is added up, by each part its share.
        input: a file of numbers, one a line, that are added as well.
        parts: how many parts a step has.
        steps: how many steps, one after the other.
        only: the part that misbehaves; None: every one.
        diary: a file to which each part appends a line when it begins and when it ends.
        gate: what "wait" waits for: a file that comes to exist; "linger" waits in the summary.
        ledger: a catalog entry to whose total the sum is added at the end of each step; one that
            is called "at:" and a place names that place.
    """

    act: Act = "add"
    numbers: tuple[float, ...] = (1, 2, 3)
    input: FileRef | None = None
    parts: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1
    steps: Annotated[int, msgspec.Meta(ge=1, le=100)] = 1
    only: int | None = None
    diary: str = ""
    gate: str = ""
    ledger: str = ""


_OUTPUTS: Final = (Output("sum", "text/plain", "The sum", "sum.txt"),)

TROUBLE: Final = Kind(
    name="TROUBLE",
    title="Add numbers, with trouble",
    description="Adds numbers and fails on the way as it is told.",
    params=Trouble,
    outputs=_OUTPUTS,
)
QUICK: Final = Kind(
    name="QUICK",
    title="Add numbers quickly",
    description="As TROUBLE, for somebody who waits for it.",
    params=Trouble,
    outputs=_OUTPUTS,
    interactive=True,
)


class Faults:
    """Adds numbers, and fails as it is told."""

    name = "faults"
    kinds: Mapping[str, Kind] = {TROUBLE.name: TROUBLE, QUICK.name: QUICK}

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give a chain of steps that all do the same."""
        del kind
        if not isinstance(params, Trouble):
            raise TypeError(f"expected Trouble, got {params!r}")
        said: dict[str, Any] = msgspec.to_builtins(params)
        count = said.pop("steps")
        ids = [f"add-{number}" for number in range(count)]
        return Recipe(
            tuple(
                StepPlan(id_, self.name, "add", said, tuple(ids[max(index - 1, 0) : index]))
                for index, id_ in enumerate(ids)
            )
        )

    def version(self, step: StepPlan) -> str:
        """Name the code that decides what a step gives."""
        del step
        return "1"

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Deal the numbers out, like cards."""
        trouble = _trouble(step)
        numbers = list(trouble.numbers)
        if trouble.input is not None:
            numbers += _numbers(context.read(trouble.input))
        context.report(1.0, "dealt")
        return [
            Part(f"p{index}", {"index": index, "numbers": numbers[index :: trouble.parts]})
            for index in range(trouble.parts)
        ]

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Add up the numbers of a part, after the trouble."""
        trouble = _trouble(step)
        _write_diary(trouble, f"begin {step.id} {part.key}")
        if trouble.only in {None, part.params["index"]}:
            ACTS[trouble.act](trouble, context)
        total = sum(part.params["numbers"])
        context.part_file("total.txt").write_text(str(total))
        context.report(1.0, "added", {"numbers": len(part.params["numbers"])})
        _write_diary(trouble, f"end {step.id} {part.key}")
        return PartResult({"total": total}, {"numbers": len(part.params["numbers"])})

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Add up the parts, from their files."""
        total = sum(float(context.part_file("total.txt", key).read_text()) for key in results)
        total += sum(context.values(need)["sum"] for need in step.needs)
        context.write("sum", media_type="text/plain", filename="sum.txt").write_text(f"{total:g}\n")
        trouble = _trouble(step)
        linger = {"gate": trouble.gate} if trouble.act == "linger" else {}
        entries = (_entered(trouble.ledger, total, context),) if trouble.ledger else ()
        return StepResult({"sum": total, "parts": len(results), **linger}, publish=entries)

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give the last sum."""
        del kind
        values = dict(list(steps.values())[-1].values)
        gate = values.pop("gate", "")
        while gate and not Path(gate).exists():
            time.sleep(LOOK_S)
        return JobResult({"steps": len(steps), "parts": values["parts"]}, values)

    def warm(self) -> None:
        """Have nothing to load."""


def _trouble(step: StepPlan) -> Trouble:
    return msgspec.convert(step.params, Trouble)


def _entered(name: str, total: float, context: Context) -> Publication:
    """Give the next version of a ledger: its total and, under the sum's name, the file of it."""
    try:
        entry = context.entry(LEDGER, name=name)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        entry = None
    file = f"{total:g}.txt"
    body = {"total": total + (entry.body["total"] if entry else 0), "file": file}
    return Publication(
        type=LEDGER,
        name=name,
        body=body | ({"url": name.removeprefix("at:")} if name.startswith("at:") else {}),
        expects=entry.version if entry else 0,
        files={"sum": FileRef(LEDGER, file)},
    )


def _numbers(path: Path) -> list[float]:
    """Read a file of numbers.

    Raises:
        Problem: INVALID, naming the line that has none.
    """
    found: list[float] = []
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        try:
            found.append(float(line))
        except ValueError:
            detail = f"line {number} must be a number, got {line!r}"
            raise Problem(Code.INVALID, detail, at="input") from None
    return found


def _write_diary(trouble: Trouble, line: str) -> None:
    """Append a line in one write, so that lines of several processes stay whole."""
    if trouble.diary:
        with Path(trouble.diary).open("a") as file:
            file.write(f"{line} {os.getpid()}\n")


def _add(trouble: Trouble, context: Context) -> None:
    del trouble, context  # the one that makes no trouble


def _crash(trouble: Trouble, context: Context) -> None:
    del trouble
    context.report(0.5, "about to crash")
    ctypes.string_at(0)


def _exit(trouble: Trouble, context: Context) -> None:
    del trouble, context
    os._exit(3)


def _hang(trouble: Trouble, context: Context) -> None:
    """Say nothing any more, without end and without using time."""
    del trouble
    context.report(0.5, "about to hang")
    while True:
        time.sleep(3600)


def _hoard(trouble: Trouble, context: Context) -> None:
    """Take memory without end, and touch it so that it counts."""
    del trouble
    hoard: list[bytearray] = []
    while True:
        hoard.append(bytearray(b"\x01") * (16 << 20))
        context.report(0.5, "hoarding", {"blocks": len(hoard)})
        time.sleep(LOOK_S)


def _refuse(trouble: Trouble, context: Context) -> None:
    del trouble, context
    raise Problem(Code.INVALID, "numbers[0] must be even, got 1", at="inputs.numbers[0]")


def _spawn(trouble: Trouble, context: Context) -> None:
    """Start a process in a session of its own, which an end must find all the same."""
    subprocess.Popen(
        [sys.executable, "-c", "import time\nwhile True: time.sleep(1)"], start_new_session=True
    )
    _spin(trouble, context)


def _spin(trouble: Trouble, context: Context) -> None:
    """Loop in C, holding the interpreter's lock, so that no signal handler of Python runs."""
    del trouble
    context.report(0.5, "about to spin")
    re.match(r"(a+)+b", "a" * 64)


def _stumble(trouble: Trouble, context: Context) -> None:
    del trouble, context
    raise RuntimeError("a mistake in the family's code")


def _wait(trouble: Trouble, context: Context) -> None:
    """Wait for the gate to open, and let go where the work was cancelled."""
    context.report(0.5, "waiting at the gate")
    while not Path(trouble.gate).exists():
        context.check()
        context.report(0.5, "waiting at the gate")
        time.sleep(LOOK_S)


ACTS: Final[Mapping[str, Callable[[Trouble, Context], None]]] = {
    "add": _add,
    "crash": _crash,
    "exit": _exit,
    "hang": _hang,
    "hoard": _hoard,
    "linger": _add,
    "refuse": _refuse,
    "spawn": _spawn,
    "spin": _spin,
    "stumble": _stumble,
    "wait": _wait,
}

FAMILY: Final = Faults()
