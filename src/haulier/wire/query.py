"""Query parameters that nobody knows: refused, where a dialect wants it so."""

from typing import Final

from litestar.constants import RESERVED_KWARGS

from haulier.core.problem import Code, Fault, Problem
from haulier.wire.dialect import AnyRequest

#: What clients of other servers add by habit, to ask for what is given anyway.
HABITS: Final = {"f": "json"}
MOST_FAULTS: Final = 20  # that are told at once


def refuse_unknown(request: AnyRequest) -> None:
    """Refuse a request with a query parameter that its handler does not take.

    Raises:
        Problem: INVALID, with every one.
    """
    if not request.scope["query_string"]:
        return
    known = known_to(request)
    hint = f"there are: {', '.join(known)}" if known else "there are none here"
    given = dict(request.query_params.items())
    unknown = [name for name in given if name not in known and HABITS.get(name) != given[name]]
    if unknown:
        faults = [
            Fault(f"query.{name}", f"{name} is no query parameter that is known; {hint}")
            for name in unknown[:MOST_FAULTS]
        ]
        raise Problem(Code.INVALID, faults[0].detail, at=faults[0].at, faults=faults)


def known_to(request: AnyRequest) -> list[str]:
    """Give the query parameters that the handler of a request takes, as its document names them."""
    elsewhere = RESERVED_KWARGS | request.path_params.keys()
    return [
        getattr(field.kwarg_definition, "name", None) or name
        for name, field in request.route_handler.parsed_fn_signature.parameters.items()
        if name not in elsewhere
    ]
