"""Warnings and errors about clouds: each has a code, says what is wrong and what to do."""

import msgspec

from haulier.core.problem import Code, Problem


class Note(msgspec.Struct, frozen=True):
    """A warning that a result carries.

    Attributes:
        code: in capitals, the same for the same trap wherever it is met.
        message: what was found, with the values.
        what_to_do: what a person would change.
    """

    code: str
    message: str
    what_to_do: str


def trap(code: str, message: str, what_to_do: str, *, at: str) -> Problem:
    """Give the error for something that would end in a wrong result without a word."""
    return Problem(Code.INVALID, f"{code}: {message}; {what_to_do}", at=at)


def broken(code: str, message: str, what_to_do: str = "", *, at: str) -> Problem:
    """Give the error for a file that is not what it claims to be."""
    hint = what_to_do or "copy the file again from where it came, or write it anew"
    return Problem(Code.INVALID, f"{code}: {message}; {hint}", at=at)
