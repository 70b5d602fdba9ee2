"""Expressions that point at an attribute: JMESPath within limits, or a plain name or key."""

from typing import Any, Final

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from haulier.core.problem import Code, Problem

LONGEST: Final = 500
DEEPEST: Final = 12
#: Functions are not needed to point at something, and some of them cost what they like.
_REFUSED: Final = frozenset({"function_expression"})
EXAMPLE: Final = "locations.attributes[?name=='grade']"


def check_expression(text: str, *, at: str) -> None:
    """Make sure that an expression can be evaluated cheaply, or can be a plain name.

    Raises:
        Problem: INVALID at the field; it is empty, too long or too deep, or calls a function.
    """
    if not text.strip():
        raise Problem(
            Code.INVALID, f"{at} must name an attribute, such as {EXAMPLE}, got {text!r}", at=at
        )
    if len(text) > LONGEST:
        detail = f"{at} must be at most {LONGEST} characters, got {len(text)}"
        raise Problem(Code.INVALID, detail, at=at)
    compiled = compile_expression(text)
    if compiled is not None:
        _check_tree(compiled.parsed, text, at)


def compile_expression(text: str) -> ParsedResult | None:
    """Compile an expression of at most `LONGEST` characters; None where it is no JMESPath.

    A name with blanks or signs in it is none, and stands for itself.
    """
    if text.count("(") + text.count("[") + text.count("{") + text.count("!") > LONGEST // 4:
        return None  # the parser descends once for each of them
    try:
        return jmespath.compile(text)
    except (JMESPathError, RecursionError):
        return None


def _check_tree(tree: dict[str, Any], text: str, at: str) -> None:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEEPEST:
            detail = f"{at} must be nested at most {DEEPEST} deep, got {text!r}"
            raise Problem(Code.INVALID, detail, at=at)
        if node.get("type") in _REFUSED:
            detail = f"{at} must be a path without functions, such as {EXAMPLE}, got {text!r}"
            raise Problem(Code.INVALID, detail, at=at)
        children = [child for child in node.get("children", ()) if isinstance(child, dict)]
        waiting += [(child, depth + 1) for child in children]
