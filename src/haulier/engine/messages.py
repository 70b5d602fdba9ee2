"""What a worker and its child processes say to each other, and how it is framed."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from haulier.core.artifact import Artifact
from haulier.core.entry import Entry
from haulier.core.family import Part, PartResult, StepResult
from haulier.core.problem import ProblemBody
from haulier.core.recipe import StepPlan

HEADER_BYTES: Final = 4
LARGEST_BYTES: Final = 1 << 30


class Place(msgspec.Struct, frozen=True):
    """A file or a folder in a store.

    Attributes:
        url: of the store.
        key: of the file in it, or what the keys of the folder's files begin with.
        filename: what it is called for people; a file's suffix tells its format.
        folder: it is a folder.
        tag: of the content that is meant, see `trees.tag`; empty: whatever is there.
    """

    url: str
    key: str
    filename: str
    folder: bool = False
    tag: str = ""


class Task(msgspec.Struct, tag="task", frozen=True, kw_only=True):
    """One call of a family, with all that it needs: plain data that any machine can do.

    Attributes:
        action: "warm", "split", "run", "merge" or "summarise".
        family: whose call it is.
        families: which to warm, where `family` is empty.
        kind: of the job, to summarise it.
        step: which step; not for "warm" and "summarise".
        part: which part to run.
        parts: what the parts gave, in the order of split, to merge them.
        places: part key to the prefix of the keys of its finished files.
        steps: what the earlier steps gave, and the earlier stages of this one as "stage:NAME".
        stages: of each earlier stage: part key to the prefix of the keys of its files.
        inputs: "step:ID.NAME" to where the artifact is.
        publish: prefix of the keys of this call's outputs.
        store: URL of the engine's own storage.
        scratch: absolute path of a folder for this call, made and removed by the worker.
    """

    action: str
    family: str = ""
    families: tuple[str, ...] = ()
    kind: str = ""
    step: StepPlan | None = None
    part: Part | None = None
    parts: Mapping[str, PartResult] = {}
    places: Mapping[str, str] = {}
    steps: Mapping[str, StepResult] = {}
    stages: Mapping[str, Mapping[str, str]] = {}
    inputs: Mapping[str, Place] = {}
    publish: str = ""
    store: str = ""
    scratch: str = ""


class Report(msgspec.Struct, tag="report", frozen=True):
    """How far the call is."""

    fraction: float
    message: str = ""
    counters: Mapping[str, float] = {}


class Ask(msgspec.Struct, tag="ask", frozen=True):
    """A question of the child, which has no access to the database.

    Attributes:
        what: "file" or "entry".
        a: the file's storage, or the entry's type.
        b: the file's name, or the entry's.
        id: of the entry, where it is not asked for by name.
        version: of the entry; 0 means the newest.
    """

    what: str
    a: str
    b: str
    id: str = ""
    version: int = 0


class Answer(msgspec.Struct, tag="answer", frozen=True):
    """What the worker says to a question: one of the three."""

    place: Place | None = None
    entry: Entry | None = None
    problem: ProblemBody | None = None


class Done(msgspec.Struct, tag="done", frozen=True):
    """The call succeeded.

    Attributes:
        result: MessagePack of list[Part], PartResult, StepResult, JobResult or None.
        artifacts: what split or merge published.
    """

    result: msgspec.Raw
    artifacts: tuple[Artifact, ...] = ()


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """The call did not succeed."""

    problem: ProblemBody


Message = Task | Report | Ask | Answer | Done | Failed

_DECODER: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)


class FramingError(ValueError):
    """Bytes that are no message: the other side wrote something else into the channel."""


def plain(value: Any) -> Any:  # noqa: ANN401 -- whatever msgspec does not know
    """Give the Python value of a NumPy scalar or the list of an array.

    Raises:
        NotImplementedError: it is neither.
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    raise NotImplementedError(f"a {type(value).__name__} has no JSON form")


def pack(message: Message) -> bytes:
    """Give the message's bytes: four of length, most significant first, then MessagePack."""
    body = msgspec.msgpack.encode(message, enc_hook=plain)
    if len(body) > LARGEST_BYTES:
        raise FramingError(f"a message may have {LARGEST_BYTES} bytes, got {len(body)}")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


class Reader:
    """Makes messages of bytes as they come, in pieces of any size."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Take some bytes and give each message that they complete.

        Raises:
            FramingError: the bytes are no message.
        """
        self._buffer += data
        while (message := self._next()) is not None:
            yield message

    def _next(self) -> Message | None:
        if len(self._buffer) < HEADER_BYTES:
            return None
        length = int.from_bytes(self._buffer[:HEADER_BYTES], "big")
        if length > LARGEST_BYTES:
            raise FramingError(f"a message may have {LARGEST_BYTES} bytes, this one says {length}")
        end = HEADER_BYTES + length
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[HEADER_BYTES:end])
        del self._buffer[:end]
        try:
            return _DECODER.decode(body)
        except msgspec.MsgspecError as error:
            raise FramingError(f"not a message: {error}") from error
