"""The other pages of a list: their addresses, with all else that the request asked for."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

from haulier.wire.dialect import AnyRequest, base_url

PLACE = frozenset({"limit", "offset"})


def page_urls(request: AnyRequest, limit: int) -> Callable[[int], str]:
    """Give what makes the address of the page that begins at an offset."""
    pairs = parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if name not in PLACE]
    url = f"{base_url(request)}{request.scope['path']}"

    def page_url(offset: int) -> str:
        return f"{url}?{urlencode([*rest, ('limit', limit), ('offset', offset)])}"

    return page_url
