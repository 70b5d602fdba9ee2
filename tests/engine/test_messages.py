"""Messages between a worker and its children."""

import msgspec
import pytest

from haulier.core.family import Part, PartResult
from haulier.core.problem import Code, Fault, Problem
from haulier.core.recipe import StepPlan
from haulier.engine.messages import (
    LARGEST_BYTES,
    Answer,
    Ask,
    Done,
    Failed,
    FramingError,
    Message,
    Place,
    Reader,
    Report,
    Task,
    pack,
)

MESSAGES: tuple[Message, ...] = (
    Task(
        action="run",
        family="roads",
        step=StepPlan("match", "roads", "match", {"deep": [{"a": 1}]}, ("prepare",)),
        part=Part("tile-1", {"bbox": [1.5, 2.0]}, 3.0),
        parts={"tile-1": PartResult({"n": 1}, {"rows": 2.0})},
        inputs={"step:prepare.tiles": Place("file:///x", "k", "tiles.json")},
        scratch="/x",
    ),
    Report(0.5, "half", {"rows": 1.0}),
    Ask("file", "inbox", "roads.gpkg"),
    Answer(problem=Problem(Code.INVALID, "no", faults=[Fault("a", "b")]).body()),
    Done(msgspec.Raw(msgspec.msgpack.encode([1, 2]))),
    Failed(Problem(Code.TIMEOUT, "late", at="x").body()),
)


@pytest.mark.parametrize("size", [1, 3, 7, 1 << 20])
def test_messages_come_out_as_they_went_in_whatever_the_pieces(size: int) -> None:
    stream = b"".join(pack(message) for message in MESSAGES)
    reader = Reader()

    pieces = (stream[at : at + size] for at in range(0, len(stream), size))
    came = [message for piece in pieces for message in reader.feed(piece)]

    assert [pack(message) for message in came] == [pack(message) for message in MESSAGES]
    assert [type(message) for message in came] == [type(message) for message in MESSAGES]


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"Traceback (most recent call last)", "bytes"),
        ((LARGEST_BYTES + 1).to_bytes(4, "big"), str(LARGEST_BYTES)),
        (b"\x00\x00\x00\x01\xc1", "not a message"),
        (b"\x00\x00\x00\x01\x80", "type"),
    ],
)
def test_bytes_that_are_no_message_are_refused(data: bytes, named: str) -> None:
    with pytest.raises(FramingError, match=named):
        list(Reader().feed(data))


def test_a_message_that_has_only_begun_is_awaited() -> None:
    whole = pack(MESSAGES[0])
    reader = Reader()

    assert list(reader.feed(whole[:-1])) == []
    assert list(reader.feed(whole[-1:])) == [MESSAGES[0]]
