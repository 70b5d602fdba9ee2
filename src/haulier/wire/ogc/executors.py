"""Executors: what a step of a recipe can be, with its slots and the schema of its parameters."""

from typing import Annotated, Any

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.params import Parameter

from haulier.core.caller import Caller
from haulier.core.stepkind import Cost, Slot, StepKind
from haulier.wire.dialect import services_of
from haulier.wire.ogc.describe import inlined_schema

Asked = Request[Caller, None, State]


class ExecutorBody(msgspec.Struct, frozen=True, kw_only=True):
    """A step kind; `params_schema` is the JSON Schema of its parameters, with units."""

    type: str
    version: str
    title: str
    description: str
    accepts: dict[str, Slot]
    produces: dict[str, Slot]
    params_schema: dict[str, Any]
    deterministic: bool
    cost: Cost
    memory_mb: int


class ExecutorList(msgspec.Struct, frozen=True):
    """Every step kind that is installed."""

    executors: tuple[ExecutorBody, ...]


@get("/executors", sync_to_thread=False)
def list_executors(request: Asked) -> ExecutorList:
    """Give what the steps of a recipe can be."""
    kinds = services_of(request).kinds.step_kinds
    return ExecutorList(tuple(_body(kinds[name]) for name in sorted(kinds)))


@get("/executors/{type_name:str}", sync_to_thread=False)
def get_executor(
    request: Asked,
    type_name: Annotated[str, Parameter(description="A step kind, such as `CALL_WEBHOOK`.")],
) -> ExecutorBody:
    """Give one of them."""
    return _body(services_of(request).kinds.step_kind(type_name))


def _body(kind: StepKind) -> ExecutorBody:
    return ExecutorBody(
        type=kind.name,
        version=kind.version,
        title=kind.title,
        description=kind.description,
        accepts=dict(kind.accepts),
        produces=dict(kind.produces),
        params_schema=inlined_schema(kind.params),
        deterministic=kind.deterministic,
        cost=kind.cost,
        memory_mb=kind.memory_mb,
    )
