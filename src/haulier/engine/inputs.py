"""The files of storages that a call reads: how they are named, and that they stay as they were."""

from collections.abc import Mapping

import msgspec

from haulier.core.artifact import FileRef
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine import trees
from haulier.engine.messages import Place
from haulier.engine.storage import Storage


def file_ref(value: object) -> FileRef:
    """Give the reference to a file that a family reads.

    Raises:
        Problem: INVALID at "input"; it is none.
    """
    if isinstance(value, FileRef):
        return value
    try:
        return msgspec.convert(value, FileRef)
    except msgspec.ValidationError as error:
        detail = f"an input must be a storage and a filename, got {value!r}: {error}"
        raise Problem(Code.INVALID, detail, at="input") from error


def named_at(step: StepPlan | None, ref: FileRef) -> str:
    """Give the path of the parameter or the slot that names a file; "input" where none does."""
    found = step and (_path(step.params, ref) or _path({"inputs": step.inputs}, ref))
    return found or "input"


def check_unchanged(read: Mapping[Place, str]) -> None:
    """Make sure that files are what they were when the key of the work was made of them.

    A call that looks after it has read, and before it publishes, has read one content: the one
    that the key stands for.

    Args:
        read: each file, and what names it.

    Raises:
        Problem: CONFLICT at the input that was changed.
    """
    for place, at in read.items():
        tag = place.tag and trees.tag(Storage(place.url), place.key, folder=place.folder)
        if tag != place.tag:
            detail = (
                f"{at} must stay as it is while the job reads it, but '{place.filename}' was "
                "changed meanwhile: run the job again"
            )
            raise Problem(Code.CONFLICT, detail, at=at)


def _path(params: object, ref: FileRef) -> str:
    waiting: list[tuple[str, object]] = [("", params)]
    while waiting:
        at, value = waiting.pop()
        if isinstance(value, Mapping):
            if value.get("storage") == ref.storage and value.get("filename") == ref.filename:
                return at
            waiting += [(f"{at}.{name}".lstrip("."), member) for name, member in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(f"{at}[{index}]", member) for index, member in enumerate(value)]
    return ""
