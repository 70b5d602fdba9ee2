"""Conditions on points: what they mean, and what is refused, with its column."""

import ast
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.clouds.method.expression import LONGEST, condition_of
from haulier.families.clouds.method.grammar import DEEPEST, ExpressionError

NAMES = ("X", "Z", "Classification", "ReturnNumber", "NumberOfReturns", "Withheld", "my_field")
VALUES = {
    "X": np.array([0.0, 1.0, 2.0, 3.0]),
    "Z": np.array([-1.5, 10.0, np.nan, 30.0]),
    "Classification": np.array([2.0, 2.0, 6.0, 9.0]),
    "ReturnNumber": np.array([1.0, 1.0, 2.0, 3.0]),
    "NumberOfReturns": np.array([1.0, 2.0, 2.0, 3.0]),
    "Withheld": np.array([0.0, 1.0, 0.0, 1.0]),
    "my_field": np.array([4.0, 9.0, 16.0, -1.0]),
}


def kept(text: str) -> list[int]:
    condition = condition_of(text, NAMES)
    held = condition.holds({name: VALUES[name] for name in condition.names})
    return np.flatnonzero(held).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Classification == 2", [0, 1]),
        ("classification==2", [0, 1]),
        ("return_number == numberofreturns", [0, 2, 3]),
        ("Classification in [6, 9]", [2, 3]),
        ("Classification not in (6, 9)", [0, 1]),
        ("0 < X <= 2", [1, 2]),
        ("Z > 5 and X < 3", [1]),
        ("Z > 5 && X < 3", [1]),
        ("Z < 0 || X == 3", [0, 3]),
        ("not Withheld", [0, 2]),
        ("!Withheld", [0, 2]),
        ("Withheld", [1, 3]),
        ("Z != Z", [2]),
        ("isfinite(Z)", [0, 1, 3]),
        ("not Z > 0", [0, 2]),
        ("sqrt(my_field) >= 3", [1, 2]),
        ("X % 2 == 1", [1, 3]),
        ("X / 0 > 0", [1, 2, 3]),
        ("abs(-X - 1) == 2", [1]),
        ("min(X, 1) == 1 and max(X, 2) == 2", [1, 2]),
        ("  X\n> 2", [3]),
        ("X > 1e0 + -.5 * 2 // 1", [1, 2, 3]),
    ],
)
def test_a_condition_means_what_it_says(text: str, expected: list[int]) -> None:
    assert kept(text) == expected


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("", "empty", 1),
        ("   ", "empty", 1),
        ("Z >", "cannot be read", 0),
        ("Z = 2", "equality is '=='", 0),
        ("Z > 2 and Klasse == 2", "no dimension 'Klasse'", 11),
        ("Z > 2 && Klasse == 2", "no dimension 'Klasse'", 10),
        ("Z + 1", "a condition was expected", 1),
        ("Z > (X > 1)", "a number or a dimension was expected", 6),
        ("Z > 1 & X > 1", "a number or a dimension", 5),
        ("(Z > 1) & (X > 1)", "joined with 'and'", 0),
        ("Z > 'a'", "a number was expected", 5),
        ("Z > True", "a number was expected", 5),
        ("Z > 1j", "a number was expected", 5),
        ("Z > 1e999", "larger than any", 5),
        ("Z > 2 ** 9", "a number or a dimension was expected", 5),
        ("Z is 2", "compared with", 6),
        ("Z in 2", "a list of numbers", 6),
        ("Z in []", "a list of numbers", 6),
        ("exit()", "the function 'exit'", 1),
        ("Z > open(1)", "the function 'open'", 5),
        ("Z > X.real", "a '.'", 5),
        ("Z > X[0]", "a '['", 5),
        ("Z > (lambda: 1)()", "the function '?'", 5),
        ("[Z for Z in X] == 2", "ListComp", 1),
        ("Z > abs(1, 2)", "abs takes 1, got 2", 5),
        ("(Z := 2) > 1", "NamedExpr", 2),
        ("2 > 1", "speaks of no dimension", 1),
        ("Z > 1; X > 2", "cannot be read", 6),
        ("Z > 1\x00", "", 0),
        ("(" * 300 + "Z" + ")" * 300, "", 201),
        ("Z > " + "-" * 500 + "1", "nested", 0),
        ("Z > 1" + " + 1" * 450, "", 0),
        ("Z > 1" + " " * LONGEST, "characters", 1),
    ],
)
def test_what_the_language_has_not_is_refused_with_its_column(
    text: str, message: str, column: int
) -> None:
    with pytest.raises(ExpressionError, match="at column") as refusal:
        condition_of(text, NAMES)

    assert message in str(refusal.value)
    assert column in {0, refusal.value.column}


def test_depth_is_limited_before_the_interpreter_suffers() -> None:
    deep = "not " * DEEPEST + "Withheld"

    with pytest.raises(ExpressionError, match="nested deeper"):
        condition_of(deep, NAMES)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_is_refused(text: str) -> None:
    try:
        names = condition_of(text, NAMES).names
        column = 1
    except ExpressionError as error:
        names, column = (), error.column

    assert set(names) <= set(NAMES)
    assert 1 <= column <= len(text) + 1


WORDS = st.sampled_from(
    ["X", "Z", "Withheld", "and", "or", "not", "in", "(", ")", "[", "]", ",", "1", "-", "+", "/",
     "%", "==", "<", ">=", "!=", "abs", "&&", "||", "!", ".", "**", "@", "lambda", ":", "if"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=12).map(" ".join))
def test_what_is_accepted_is_what_python_means(text: str) -> None:
    try:
        condition = condition_of(text, NAMES)
    except ExpressionError:
        return
    values: dict[str, Any] = {name: VALUES[name] for name in condition.names}

    held = condition.holds(values)

    plain = text.replace("&&", " and ").replace("||", " or ")
    plain = plain.replace("!=", "<>").replace("!", " not ").replace("<>", "!=")
    for number in range(4):
        point = {name: float(column[number]) for name, column in values.items()}
        code = compile(ast.parse(plain.strip(), mode="eval"), "", "eval")
        try:
            expected = bool(eval(code, {"abs": abs}, point))  # noqa: S307 -- the reference
        except ZeroDivisionError:
            continue
        assert held[number] == expected
