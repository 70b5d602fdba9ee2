"""Warnings and errors about clouds: each has a code, says what is wrong and what to do."""

from haulier.core.family import Note
from haulier.core.problem import Code, Problem

__all__ = ["Note", "broken", "trap"]


def trap(code: str, message: str, what_to_do: str, *, at: str) -> Problem:
    """Give the error for something that would end in a wrong result without a word."""
    return Problem(Code.INVALID, f"{code}: {message}; {what_to_do}", at=at)


def broken(code: str, message: str, what_to_do: str = "", *, at: str) -> Problem:
    """Give the error for a file that is not what it claims to be."""
    hint = what_to_do or "copy the file again from where it came, or write it anew"
    return Problem(Code.INVALID, f"{code}: {message}; {hint}", at=at)
