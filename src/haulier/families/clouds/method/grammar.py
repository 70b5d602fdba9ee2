"""What a condition on points may be made of, and whether one is made of that alone."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

DEEPEST: Final = 30
MOST_NODES: Final = 400
LARGEST: Final = 1e300

COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[..., Any]]] = {
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}
MEMBERSHIP: Final = (ast.In, ast.NotIn)
SUMS: Final[Mapping[type[ast.operator], Callable[..., Any]]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
}
SIGNS: Final[Mapping[type[ast.unaryop], Callable[..., Any]]] = {
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}
#: Functions by name, with how many numbers each takes.
FUNCTIONS: Final[Mapping[str, tuple[Callable[..., Any], int]]] = {
    "abs": (np.abs, 1),
    "sqrt": (np.sqrt, 1),
    "floor": (np.floor, 1),
    "ceil": (np.ceil, 1),
    "round": (np.rint, 1),
    "min": (np.minimum, 2),
    "max": (np.maximum, 2),
}
#: What a function gives that is a condition.
CONDITIONS: Final[Mapping[str, Callable[..., Any]]] = {"isfinite": np.isfinite}
BITS: Final = (ast.BitAnd, ast.BitOr, ast.BitXor)


class ExpressionError(ValueError):
    """A condition that cannot be understood; says where.

    Attributes:
        column: of the text, from 1.
    """

    def __init__(self, message: str, column: int) -> None:
        super().__init__(f"{message}, at column {column}")
        self.column = column


class Checker:
    """Goes through a tree, and refuses what the language has not.

    Attributes:
        spelled: the names that it met, as they are written, to the dimensions they mean.
    """

    def __init__(self, known: Mapping[str, str], columns: Sequence[int]) -> None:
        self.spelled: dict[str, str] = {}
        self._known = known
        self._columns = columns
        self._nodes = 0

    def truth(self, node: ast.expr, depth: int) -> None:
        """Check what must be true or false; a dimension alone means that it is not zero."""
        self._count(node, depth)
        if isinstance(node, ast.BoolOp):
            for each in node.values:
                self.truth(each, depth + 1)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.truth(node.operand, depth + 1)
        elif isinstance(node, ast.Compare):
            self._compare(node, depth)
        elif isinstance(node, ast.Call) and called(node) in CONDITIONS:
            self._call(node, 1, depth)
        elif isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, BITS):
            raise self._wrong(node, "conditions are joined with 'and' and 'or', not with & and |")
        else:
            raise self._wrong(node, f"a condition was expected, got {_what(node)}")

    def number(self, node: ast.expr, depth: int) -> None:
        """Check what must be a number."""
        self._count(node, depth)
        if isinstance(node, ast.Constant):
            self._constant(node)
        elif isinstance(node, ast.Name):
            self._name(node)
        elif isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
            self.number(node.operand, depth + 1)
        elif isinstance(node, ast.BinOp) and type(node.op) in SUMS:
            self.number(node.left, depth + 1)
            self.number(node.right, depth + 1)
        elif isinstance(node, ast.Call) and called(node) in FUNCTIONS:
            self._call(node, FUNCTIONS[called(node)][1], depth)
        else:
            raise self._wrong(node, f"a number or a dimension was expected, got {_what(node)}")

    def _compare(self, node: ast.Compare, depth: int) -> None:
        self.number(node.left, depth + 1)
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if not isinstance(operator, MEMBERSHIP):
                if type(operator) not in COMPARISONS:
                    raise self._wrong(right, "numbers are compared with == != < <= > >= and in")
                self.number(right, depth + 1)
            elif isinstance(right, ast.List | ast.Tuple | ast.Set) and right.elts:
                for each in right.elts:
                    self.number(each, depth + 1)
            else:
                raise self._wrong(right, "behind 'in' a list of numbers was expected, like [2, 9]")

    def _call(self, node: ast.Call, takes: int, depth: int) -> None:
        if len(node.args) != takes or node.keywords:
            detail = f"{called(node)} takes {takes}, got {len(node.args) + len(node.keywords)}"
            raise self._wrong(node, detail)
        for each in node.args:
            self.number(each, depth + 1)

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            raise self._wrong(node, f"a number was expected, got {node.value!r:.40}")
        if not abs(node.value) < LARGEST:
            raise self._wrong(node, "a number is larger than any could be")

    def _name(self, node: ast.Name) -> None:
        found = self._known.get(bare(node.id))
        if found is None:
            there = ", ".join(self._known.values())
            raise self._wrong(node, f"there is no dimension '{node.id:.40}'; there are: {there}")
        self.spelled[node.id] = found

    def _count(self, node: ast.expr, depth: int) -> None:
        self._nodes += 1
        if depth > DEEPEST or self._nodes > MOST_NODES:
            raise self._wrong(node, f"it is too long, or nested deeper than {DEEPEST}")

    def _wrong(self, node: ast.expr, message: str) -> ExpressionError:
        return ExpressionError(message, self._columns[min(node.col_offset, len(self._columns) - 1)])


def bare(name: str) -> str:
    """Give a name without what does not matter in it."""
    return name.replace("_", "").lower()


def called(node: ast.Call) -> str:
    """Give the name of a function that is called; empty if it has none."""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _what(node: ast.expr) -> str:
    """Name what stands there, in words of the language where it has some."""
    if isinstance(node, ast.Call):
        return f"the function '{called(node) or '?'}'; there are: " + ", ".join(
            [*FUNCTIONS, *CONDITIONS]
        )
    names = {ast.Constant: "a constant", ast.Attribute: "a '.'", ast.Subscript: "a '['"}
    return names.get(type(node), type(node).__name__)
