"""The socket of families: what a kind of work must be able to do."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from haulier.core.entry import Entry, Publication
from haulier.core.recipe import Recipe, StepPlan


class Output(msgspec.Struct, frozen=True):
    """A file that a kind can give; an `inner` one is for a later step, and no result."""

    name: str
    media_type: str
    title: str = ""
    filename: str = ""  # what a caller sees; empty: the artifact's name
    optional: bool = False
    inner: bool = False


class Kind(msgspec.Struct, frozen=True):
    """One verb of a family.

    Attributes:
        name: unique over all families, such as ROAD_MATCHING.
        params: the msgspec Struct its parameters decode to (strictly).
        outputs: the artifacts a job of this kind may have.
        interactive: short work that must not wait behind long work.
        process_id: its name on the native wire; empty: the name in lower case with hyphens.
        topic: the subject under which wires group kinds; empty: the family's name.
    """

    name: str
    title: str
    description: str
    params: type[msgspec.Struct]
    outputs: tuple[Output, ...] = ()
    interactive: bool = False
    version: str = "1.0.0"
    process_id: str = ""
    keywords: tuple[str, ...] = ()
    topic: str = ""

    @property
    def results(self) -> tuple[Output, ...]:
        """Give the outputs that a caller asks the job for."""
        return tuple(output for output in self.outputs if not output.inner)

    @property
    def slug(self) -> str:
        """Give its name on the native wire."""
        return self.process_id or self.name.lower().replace("_", "-")


class Part(msgspec.Struct, frozen=True):
    """A slice of a step that runs on its own, anywhere, in any order.

    Attributes:
        key: short, unique within the step, and a legal file name.
        params: what makes it this part. With the step's it must decide the output, for a
            finished part is never done again where all of these are equal: name here also
            what it reads besides the step's inputs (a release: its path, size and time).
        weight: its share of the step's work, in any unit.
    """

    key: str
    params: Mapping[str, Any] = {}
    weight: float = 1.0


class PartResult(msgspec.Struct, frozen=True):
    """What a part gave: small values here, files in the context's folder."""

    values: Mapping[str, Any] = {}
    counters: Mapping[str, float] = {}


class Note(msgspec.Struct, frozen=True):
    """A warning: the step succeeded, and a person should know this of what it gave.

    Attributes:
        code: in capitals, the same for the same trap wherever it is met.
        message: what was found, with the values.
        what_to_do: what a person would change.
    """

    code: str
    message: str
    what_to_do: str


class StepResult(msgspec.Struct, frozen=True):
    """What a step gave: small values here, files as the context's artifacts.

    Attributes:
        publish: entries of the catalog that appear together with the end of the step.
        notes: lines of the job's timeline, which also the command line shows at its end.
    """

    values: Mapping[str, Any] = {}
    counters: Mapping[str, float] = {}
    publish: tuple[Publication, ...] = ()
    notes: tuple[Note, ...] = ()


class JobResult(msgspec.Struct, frozen=True):
    """What the dialects show of an ended job."""

    statistics: Mapping[str, Any] = {}
    result: Mapping[str, Any] = {}


class Cancelled(BaseException):
    """The work was asked to stop; raised by `check` so that a family can let go early."""


class Context(Protocol):
    """What a family may use while it works: files, progress, nothing else.

    Paths are local: the engine has fetched what was asked for and publishes what was
    written, and only when the step succeeds.
    """

    def read(self, value: Any) -> Path:  # noqa: ANN401 -- a FileRef, its JSON form, or a name
        """Give the local path of an input: of a file, or of a folder where it is one.

        Args:
            value: a FileRef (or its JSON form) into a named storage of the organisation,
                or "step:ID.NAME" for an artifact of an earlier step.

        Raises:
            Problem: NOT_FOUND or INVALID, naming the input.
        """
        ...

    def catalog(self, type_: str, name: str) -> Mapping[str, Any]:
        """Give the body of a catalog entry visible to the job's organisation.

        Raises:
            Problem: NOT_FOUND, naming type, name and the names that exist.
        """
        ...

    def entry(self, type_: str, *, name: str = "", id: str = "", version: int = 0) -> Entry:  # noqa: A002 -- its name
        """Give a version of a catalog entry visible to the job's organisation.

        Args:
            type_: what it is.
            name: its name, or else
            id: its id.
            version: which; 0 means the newest.

        Raises:
            Problem: NOT_FOUND, naming what there is not.
        """
        ...

    def write(self, name: str, *, media_type: str = "", filename: str = "") -> Path:
        """Give a path to write the output `name` to; it appears when the step succeeds."""
        ...

    def write_folder(self, name: str, *, filename: str = "") -> Path:
        """Give an empty folder for the files of the output `name`; it appears as `write` says."""
        ...

    def part_file(self, name: str, part: str | None = None, *, stage: str = "") -> Path:
        """Give the path of a part's file: in `run` its own to write, in `merge` any to read.

        With `stage`, that of a part of an earlier stage of this step, to read.
        """
        ...

    def scratch(self) -> Path:
        """Give a folder that is gone after this call ends."""
        ...

    def values(self, step: str) -> Mapping[str, Any]:
        """Give the values of the result of an earlier step."""
        ...

    def report(
        self, fraction: float, message: str = "", counters: Mapping[str, float] | None = None
    ) -> None:
        """Say how far the work is; cheap, call it as often as it is true."""
        ...

    def check(self) -> None:
        """Let go here if the work was cancelled.

        Raises:
            Cancelled: it was.
        """
        ...


class Family(Protocol):
    """A kind of work that we know how to do.

    `plan` runs where the job is submitted, and must be quick; everything else runs in a
    child process. `run` may be called twice for one part: only the first whole output counts.
    """

    name: str
    kinds: Mapping[str, Kind]

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give the steps of a job; check what can be checked without reading data."""
        ...

    def version(self, step: StepPlan) -> str:
        """Name the code and data that decide a step's output: another name, no reuse."""
        ...

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Give the parts of a step."""
        ...

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Do one part."""
        ...

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Make one output from the parts; `results` is by part key, in the order of `split`."""
        ...

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give statistics and result from the results of the steps."""
        ...

    def warm(self) -> None:
        """Load and compile what the first part would otherwise wait for."""
        ...
