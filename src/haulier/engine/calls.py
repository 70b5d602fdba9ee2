"""Does one task: calls the family, checks what it gave, and publishes its files."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.artifact import check_filename
from haulier.core.family import Family, JobResult, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine.context import ChildContext
from haulier.engine.messages import Done, Task, plain

Find = Callable[[str], Family]


def do(task: Task, context: ChildContext, find: Find) -> Done:
    """Do the task and give what goes back to the worker.

    Raises:
        Problem: whatever the family raised, or INTERNAL when what it gave breaks the contract.
        Cancelled: the worker asked to stop, and the family listened.
    """
    call = CALLS.get(task.action)
    if call is None:
        raise ValueError(f"an action must be one of {', '.join(CALLS)}, got {task.action!r}")
    return call(task, context, find)


def encoded(value: object) -> bytes:
    """Give the JSON of a result, NumPy's scalars and arrays included.

    Raises:
        Problem: INTERNAL, naming what has no JSON form.
    """
    try:
        return msgspec.json.encode(value, enc_hook=plain)
    except (TypeError, ValueError, NotImplementedError, OverflowError) as error:
        detail = f"the {type(value).__name__} has no JSON form: {error}"
        raise Problem(Code.INTERNAL, detail) from error


def checked_parts(parts: Sequence[Part]) -> list[Part]:
    """Give the parts back if each key is a file name, and none is there twice.

    Raises:
        Problem: INTERNAL, naming the key: the family is at fault, not the caller.
    """
    seen: set[str] = set()
    for part in parts:
        _check(part, Part, "each part that split gives")
        try:
            check_filename(part.key, at="a part's key")
        except Problem as problem:
            raise Problem(Code.INTERNAL, problem.detail) from problem
        if part.key in seen:
            raise Problem(Code.INTERNAL, f"split gave two parts with the key {part.key!r}")
        seen.add(part.key)
    return list(parts)


def _warm(task: Task, context: ChildContext, find: Find) -> Done:
    del context  # it has no files
    for name in (task.family,) if task.family else task.families:
        find(name).warm()
    return Done(_packed(None))


def _split(task: Task, context: ChildContext, find: Find) -> Done:
    parts = checked_parts(find(task.family).split(_step(task), context))
    result = _as_read_back(parts, list[Part])
    return Done(_packed(result), context.publish_outputs())


def _run(task: Task, context: ChildContext, find: Find) -> Done:
    done = context.finished()
    if done is None:
        given = find(task.family).run(_step(task), _part(task), context)
        _check(given, PartResult, f"{task.family}.run")
        done = _as_read_back(given, PartResult)
        context.publish_part(encoded(done))
    return Done(_packed(done))


def _merge(task: Task, context: ChildContext, find: Find) -> Done:
    given = find(task.family).merge(_step(task), task.parts, context)
    _check(given, StepResult, f"{task.family}.merge")
    result = _as_read_back(given, StepResult)
    return Done(_packed(result), context.publish_outputs())


def _summarise(task: Task, context: ChildContext, find: Find) -> Done:
    del context  # it has no files
    given = find(task.family).summarise(task.kind, task.steps)
    _check(given, JobResult, f"{task.family}.summarise")
    return Done(_packed(_as_read_back(given, JobResult)))


CALLS: Final[Mapping[str, Callable[[Task, ChildContext, Find], Done]]] = {
    "warm": _warm,
    "split": _split,
    "run": _run,
    "merge": _merge,
    "summarise": _summarise,
}


def _check(value: object, type_: type, what: str) -> None:
    if not isinstance(value, type_):
        detail = f"{what} must be a {type_.__name__}, got {type(value).__name__}"
        raise Problem(Code.INTERNAL, detail)


def _as_read_back(value: object, type_: Any) -> Any:  # noqa: ANN401 -- list[Part] is no class
    """Give the value as it is after storage: a first run and a reused one see the same."""
    return msgspec.json.decode(encoded(value), type=type_)


def _packed(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(value))


def _step(task: Task) -> StepPlan:
    if task.step is None:
        raise ValueError(f"the task '{task.action}' names no step")
    return task.step


def _part(task: Task) -> Part:
    if task.part is None:
        raise ValueError(f"the task '{task.action}' names no part")
    return task.part
