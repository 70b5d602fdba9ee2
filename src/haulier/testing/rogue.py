"""A family for tests of child processes: each part does one wrong thing, named by its step."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from haulier.core.family import Context, JobResult, Kind, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan

LOOK_S: Final = 0.01


class Nothing(msgspec.Struct):
    """No parameters."""


def works(params: Mapping[str, Any], context: Context) -> None:
    """Do all as it should be."""
    context.report(0.5, "half", {"rows": 5})
    context.part_file("rows.txt").write_text(params.get("text", "rows"), "utf-8")


def spins_in_c(params: Mapping[str, Any], context: Context) -> None:
    """Hold the interpreter's lock in C for an hour: no Python code runs, signals included."""
    _announce(params)
    ctypes.PyDLL(None).usleep(0)
    ctypes.PyDLL(None).sleep(3600)
    context.check()


def starts_daemons(params: Mapping[str, Any], context: Context) -> None:
    """Start a process in its own session, below one that ends at once."""
    code = "import time; time.sleep(3600)"
    again = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {code!r}], "
    subprocess.run([sys.executable, "-c", again + "start_new_session=True)"], check=True)  # noqa: S603 -- constants
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)  # noqa: S603 -- constants
    _announce(params)
    context.report(0.1, "started")
    time.sleep(3600)


def forks(params: Mapping[str, Any], context: Context) -> None:
    """Leave a copy of this process behind, which holds the channel open, and crash."""
    if os.fork() == 0:
        time.sleep(3600)
    ctypes.string_at(0)
    del params, context


def hoards(params: Mapping[str, Any], context: Context) -> None:
    """Fill memory in a process of its own."""
    code = "import time; x = b'x' * 300_000_000; time.sleep(3600)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 -- constants
    del params, context


def wants_too_much(params: Mapping[str, Any], context: Context) -> None:
    """Ask for more memory than any machine has."""
    del params, context
    bytearray(1 << 60)


def segfaults(params: Mapping[str, Any], context: Context) -> None:
    """Crash with files half written."""
    _note(params)
    context.part_file("half.txt").write_text("half", "utf-8")
    Path(context.scratch(), "junk").write_text("junk", "utf-8")
    ctypes.string_at(0)


def segfaults_once(params: Mapping[str, Any], context: Context) -> None:
    """Crash the first time; the second time tell what was left in the scratch folder."""
    if _note(params) == 1:
        segfaults({}, context)
    context.part_file("found.txt").write_text(str(sorted(_left(context))), "utf-8")


def exits(params: Mapping[str, Any], context: Context) -> None:
    """Leave without a word."""
    del params, context
    sys.exit(7)


def is_silent(params: Mapping[str, Any], context: Context) -> None:
    """Report nothing for an hour."""
    del params, context
    time.sleep(3600)


def prints(params: Mapping[str, Any], context: Context) -> None:
    """Write to standard output as libraries do, in Python and in C."""
    del params, context
    print("from Python")  # noqa: T201 -- what the test is about
    os.write(1, b"from C\n")
    sys.stdin.read()


def breaks_channel(params: Mapping[str, Any], context: Context) -> None:
    """Write to every descriptor that there is: one of them is the channel."""
    del params, context
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(3600)


def waits_politely(params: Mapping[str, Any], context: Context) -> None:
    """Work until cancelled."""
    _announce(params)
    while True:
        context.check()
        time.sleep(LOOK_S)


def raises_problem(params: Mapping[str, Any], context: Context) -> None:
    """Raise what a caller can mend."""
    del params, context
    raise Problem(Code.INVALID, "sill must be positive, got -2.0", at="variogram.sill")


def raises_anything(params: Mapping[str, Any], context: Context) -> None:
    """Raise what nobody foresaw."""
    del params, context
    raise KeyError("two\nlines")


def asks(params: Mapping[str, Any], context: Context) -> None:
    """Ask both questions."""
    said = context.read(params["input"]).read_text("utf-8")
    body = context.catalog("model", "wheat")
    context.part_file("said.txt").write_text(f"{said} {body['kind']}", "utf-8")


def is_unavailable(params: Mapping[str, Any], context: Context) -> None:
    """Miss something the first time that is there the second time."""
    del context
    if _note(params) == 1:
        raise Problem(Code.UNAVAILABLE, "the store is away")


def reports_often(params: Mapping[str, Any], context: Context) -> None:
    """Report far more often than anybody looks."""
    for number in range(2000):
        context.report(number / 2000)
    context.report(1.0, "last", {"rows": 2000})
    del params


def tells_pid(params: Mapping[str, Any], context: Context) -> None:
    """Tell which process this is."""
    del params
    context.part_file("pid.txt").write_text(str(os.getpid()), "utf-8")


def tells_environment(params: Mapping[str, Any], context: Context) -> None:
    """Tell what this process sees of its environment."""
    del params
    told = "\n".join(f"{name}={value}" for name, value in os.environ.items())
    context.part_file("environment.txt").write_text(told, "utf-8")


def fills_the_disk(params: Mapping[str, Any], context: Context) -> None:
    """Write to where there is never space."""
    del params, context
    with Path("/dev/full").open("wb", buffering=0) as file:
        file.write(b"x")


DEEDS = {
    deed.__name__: deed
    for deed in (
        works,
        spins_in_c,
        starts_daemons,
        forks,
        hoards,
        wants_too_much,
        segfaults,
        segfaults_once,
        exits,
        is_silent,
        prints,
        breaks_channel,
        waits_politely,
        raises_problem,
        raises_anything,
        asks,
        is_unavailable,
        reports_often,
        tells_pid,
        tells_environment,
        fills_the_disk,
    )
}


class Rogue:
    """Does what its step is called."""

    name = "rogue"
    kinds: Mapping[str, Kind] = {"ROGUE": Kind("ROGUE", "Rogue", "Misbehaves", Nothing)}

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give one step."""
        del kind, params
        return Recipe((StepPlan("only", self.name, "works"),))

    def version(self, step: StepPlan) -> str:
        """Name the deed."""
        return step.kind

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Give the parts that the parameters name."""
        if step.params.get("announce"):
            context.write("never", media_type="text/plain")
        return [Part(key) for key in step.params.get("keys", ["a", "b"])]

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Do the deed."""
        DEEDS[step.kind](step.params, context)
        return PartResult({"part": part.key, "not a number": float("nan")}, {"rows": 1})

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Join what the parts wrote."""
        texts = [context.part_file("rows.txt", key).read_text("utf-8") for key in results]
        path = context.write("all", media_type="text/plain", filename="all.txt")
        path.write_text("\n".join(texts), "utf-8")
        return StepResult({"parts": list(results), "step": step.id})

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Name the steps."""
        return JobResult({"kind": kind}, {"steps": list(steps)})

    def warm(self) -> None:
        """Wait for the gate, if there is one, and note that this process is warm."""
        while (gate := os.environ.get("ROGUE_GATE")) and not Path(gate).exists():
            time.sleep(LOOK_S)
        if place := os.environ.get("ROGUE_WARMED"):
            with Path(place).open("a", encoding="utf-8") as file:
                file.write(f"{os.getpid()}\n")


FAMILY = Rogue()


def _announce(params: Mapping[str, Any]) -> None:
    Path(params["started"]).write_text(str(os.getpid()), "utf-8")


def _note(params: Mapping[str, Any]) -> int:
    """Write a line into the diary that the parameters name; give how many there are."""
    if "diary" not in params:
        return 0
    path = Path(params["diary"])
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")
    return len(path.read_text("utf-8").splitlines())


def _left(context: Context) -> list[str]:
    folder = context.scratch()
    return [path.name for path in folder.rglob("*") if path.is_file()]
