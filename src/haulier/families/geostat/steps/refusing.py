"""What a method refuses, as a problem of the parameter that it came from."""

from collections.abc import Iterator
from contextlib import contextmanager

from haulier.core.problem import Code, Problem


@contextmanager
def refused_at(at: str) -> Iterator[None]:
    """Make what a method refuses a problem of the parameter that it came from.

    Raises:
        Problem: INVALID at the parameter.
    """
    try:
        yield
    except ValueError as error:
        raise Problem(Code.INVALID, f"{at}: {error}", at=at) from error
