"""The order of a list, as a query says it: fields, each with its direction before it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem

DESCENDING: Final = {"asc": False, "desc": True}

Key = Callable[[Entry], Any]
Order = tuple[Key, bool]


def orders_of(text: str, keys: Mapping[str, Key]) -> list[Order]:
    """Read an order such as `desc:created_at,object_name`.

    Raises:
        Problem: INVALID at "query.order_by".
    """
    orders = []
    for part in filter(None, text.split(",")):
        word, colon, field = part.partition(":")
        direction, name = (word, field) if colon else ("asc", word)
        if name not in keys or direction not in DESCENDING:
            known = ", ".join(keys)
            detail = f"order_by must be of {known}, with asc: or desc: before each, got {part!r}"
            raise Problem(Code.INVALID, detail, at="query.order_by")
        orders.append((keys[name], DESCENDING[direction]))
    return orders


def ordered(entries: Iterable[Entry], orders: list[Order]) -> list[Entry]:
    """Give entries in an order; what none of it tells apart stays as it was."""
    sorted_ = list(entries)
    for key, reverse in reversed(orders):  # the sort is stable: the first order is the strongest
        sorted_.sort(key=key, reverse=reverse)
    return sorted_
