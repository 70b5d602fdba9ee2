"""Eight numbers at once: a vector of doubles as kernels may use it, one number a system.

Compilers find vectors in loops by guessing; here the loops say them. Each lane does what the
others do, in the same order, so that a result does not depend on the lane it was computed in, nor
on what the other lanes hold. Where a processor has narrower vectors, LLVM splits these.
"""

# ruff: noqa: ANN401 -- numba hands over types and values of its own

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.cgutils import get_or_insert_function
from numba.core.datamodel import models
from numba.extending import intrinsic, register_model

#: Numbers in a vector.
WIDTH: Final = 8

_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)


class LanesType(types.Type):
    """The type by which numba knows a vector."""

    def __init__(self) -> None:
        super().__init__(name=f"lanes{WIDTH}")


LANES: Final = LanesType()
#: What type checkers see; outside of kernels there is no such value.
Lanes = Any


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: object, kind: LanesType) -> None:
        super().__init__(manager, kind, _DOUBLES)  # type: ignore[no-untyped-call]


def _operation(typed: Callable[..., Any]) -> Callable[..., Any]:
    """Make an operation of kernels; without the typing context, which numba puts in front."""
    return cast(Callable[..., Any], intrinsic(typed))


def _address(context: Any, builder: Any, kind: types.Array, array: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    place = builder.gep(data, [at], inbounds=True)
    return builder.bitcast(place, _DOUBLES.as_pointer())


@_operation
def load(typing: Any, array: Any, at: Any) -> Any:  # noqa: ARG001 -- numba's protocol
    """Read the eight numbers of a flat array that begin at an index."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature.args[0], *arguments)
        return builder.load(place, align=8)

    return LANES(array, types.intp), generate


@_operation
def store(typing: Any, array: Any, at: Any, value: Any) -> Any:  # noqa: ARG001
    """Write eight numbers into a flat array from an index on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _address(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, LANES), generate


@_operation
def splat(typing: Any, number: Any) -> Any:  # noqa: ARG001
    """Give a vector of one number eight times."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        one = builder.insert_element(
            ir.Constant(_DOUBLES, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0)
        )
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(_DOUBLES, ir.Undefined), zeros)

    return LANES(types.float64), generate


def _lanewise(emit: Callable[..., Any]) -> Callable[[Callable[..., Any]], Any]:
    """Make an operation on vectors alone; `emit` gets the builder and their values."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return emit(builder, *arguments)

    def decorate(declared: Callable[..., Any]) -> Any:
        def typed(typing: Any, *vectors: Any) -> Any:  # noqa: ARG001
            return LANES(*[LANES] * len(vectors)), generate

        named = list(inspect.signature(declared).parameters.values())
        typing = inspect.Parameter("typing", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        typed.__signature__ = inspect.Signature([typing, *named])  # type: ignore[attr-defined]
        typed.__name__ = declared.__name__
        typed.__doc__ = declared.__doc__
        return _operation(typed)

    return decorate


def _call(name: str, count: int) -> Callable[..., Any]:
    """Give what emits a call of one of LLVM's own functions."""

    def emit(builder: Any, *vectors: Any) -> Any:
        kind = ir.FunctionType(_DOUBLES, [_DOUBLES] * count)
        function = get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, kind, f"{name}.v{WIDTH}f64"
        )
        return builder.call(function, vectors)

    return emit


def _where(builder: Any, number: Any, limit: Any, above: Any, otherwise: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", number, limit), above, otherwise)


@_lanewise(lambda builder, a, b: builder.fmul(a, b))
def product(a: Lanes, b: Lanes) -> Lanes:
    """Give a * b."""


@_lanewise(lambda builder, a, b: builder.fdiv(a, b))
def quotient(a: Lanes, b: Lanes) -> Lanes:
    """Give a / b."""


@_lanewise(_call("llvm.fma", 3))
def plus_product(a: Lanes, b: Lanes, c: Lanes) -> Lanes:
    """Give a * b + c, rounded once."""


@_lanewise(lambda builder, a: builder.fneg(a))
def negative(a: Lanes) -> Lanes:
    """Give -a."""


@_lanewise(_call("llvm.sqrt", 1))
def root(a: Lanes) -> Lanes:
    """Give the square root; NaN of what is negative."""


@_lanewise(_where)
def where_above(number: Lanes, limit: Lanes, above: Lanes, otherwise: Lanes) -> Lanes:
    """Give `above` in each lane where number > limit, and `otherwise` where not, or where NaN."""
