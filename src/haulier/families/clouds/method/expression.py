"""Conditions on the dimensions of points, as people write them: a small, safe language."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haulier.families.clouds.method.grammar import (
    COMPARISONS,
    CONDITIONS,
    FUNCTIONS,
    MEMBERSHIP,
    SIGNS,
    SUMS,
    Checker,
    ExpressionError,
    bare,
    called,
)

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LONGEST: Final = 2000


@dataclass(frozen=True)
class Condition:
    """A condition that was understood.

    Attributes:
        names: the dimensions that it speaks of, as `known` names them, each once.
    """

    tree: ast.expr
    spelled: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """Give the dimensions that it speaks of."""
        return tuple(dict.fromkeys(self.spelled.values()))

    def holds(self, values: Mapping[str, FloatArray]) -> BoolArray:
        """Say of which points it is true.

        Args:
            values: dimension to its values (n,), in the unit that the condition means.

        Returns:
            (n,); a comparison with what is not a number is never true, but `!=` is.
        """
        with np.errstate(all="ignore"):
            return np.asarray(_truth(self.tree, _Reader(values, self.spelled)))


@dataclass(frozen=True)
class _Reader:
    values: Mapping[str, FloatArray]
    spelled: Mapping[str, str]

    def of(self, name: str) -> FloatArray:
        return self.values[self.spelled[name]]


def condition_of(text: str, known: Sequence[str]) -> Condition:
    """Understand a condition.

    Args:
        text: such as "Classification in [2, 9] and Z > 10", with and, or, not (or &&, ||, !),
            comparisons, + - * / // %, and the functions of `grammar`.
        known: the names of dimensions; case and underscores do not matter in the text.

    Raises:
        ExpressionError: it is empty, too long or too deep, has what the language has not, or
            names what is no dimension.
    """
    if not text.strip():
        raise ExpressionError("the expression is empty", 1)
    if len(text) > LONGEST:
        raise ExpressionError(f"it has {len(text):,} characters, at most {LONGEST:,} may be", 1)
    plain, columns = _in_python(text)
    try:
        tree = ast.parse(plain, mode="eval").body
    except SyntaxError as error:
        at = columns[min(error.offset or len(columns), len(columns)) - 1]
        hint = "; equality is '=='" if "=" in text and "==" not in text else ""
        raise ExpressionError(f"it cannot be read: {error.msg}{hint}", at) from None
    except (ValueError, RecursionError, MemoryError):
        raise ExpressionError("it is nested too deeply, or has letters that are none", 1) from None
    checker = Checker({bare(name): name for name in known}, columns)
    checker.truth(tree, 1)
    if not checker.spelled:
        raise ExpressionError("it speaks of no dimension", 1)
    return Condition(tree, checker.spelled)


def _in_python(text: str) -> tuple[str, list[int]]:
    """Put Python's words for &&, || and !; give the column of the text for each letter too."""
    words = {"&&": " and ", "||": " or "}
    plain, columns, at = "", [], 0
    while at < len(text):
        taken = text[at : at + 2]
        if taken in words:
            said, step = words[taken], 2
        elif text[at] == "!" and taken != "!=":
            said, step = " not ", 1
        else:
            said, step = " " if text[at].isspace() else text[at], 1
        plain += said
        columns += [at + 1] * len(said)
        at += step
    left = len(plain) - len(plain.lstrip())
    return plain[left:], [*columns[left:], len(text) + 1]


def _truth(node: ast.expr, read: _Reader) -> Any:  # noqa: ANN401 -- an array of bool
    if isinstance(node, ast.BoolOp):
        join = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
        held = _truth(node.values[0], read)
        for each in node.values[1:]:
            held = join(held, _truth(each, read))
        return held
    if isinstance(node, ast.UnaryOp):
        return np.logical_not(_truth(node.operand, read))
    if isinstance(node, ast.Compare):
        return _compared(node, read)
    if isinstance(node, ast.Call):
        return CONDITIONS[called(node)](_number(node.args[0], read))
    return _number(node, read) != 0


def _compared(node: ast.Compare, read: _Reader) -> Any:  # noqa: ANN401 -- an array of bool
    held: Any = True
    left = _number(node.left, read)
    for operator, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, MEMBERSHIP):
            assert isinstance(right, ast.List | ast.Tuple | ast.Set)  # noqa: S101 -- was checked
            among = [np.equal(left, _number(each, read)) for each in right.elts]
            one = np.logical_or.reduce(np.broadcast_arrays(*among))
            held = np.logical_and(held, one if isinstance(operator, ast.In) else ~one)
            continue
        value = _number(right, read)
        held = np.logical_and(held, COMPARISONS[type(operator)](left, value))
        left = value
    return held


def _number(node: ast.expr, read: _Reader) -> Any:  # noqa: ANN401 -- an array or a number
    if isinstance(node, ast.Constant):
        assert isinstance(node.value, int | float)  # noqa: S101 -- was checked
        return float(node.value)
    if isinstance(node, ast.Name):
        return read.of(node.id)
    if isinstance(node, ast.UnaryOp):
        return SIGNS[type(node.op)](_number(node.operand, read))
    if isinstance(node, ast.BinOp):
        return SUMS[type(node.op)](_number(node.left, read), _number(node.right, read))
    assert isinstance(node, ast.Call)  # noqa: S101 -- was checked
    return FUNCTIONS[called(node)][0](*(_number(each, read) for each in node.args))
