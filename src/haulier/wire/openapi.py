"""The OpenAPI document of a dialect, made from its handlers, and a page to read it with."""

import base64
import hashlib
import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.types import Method

import haulier
from haulier.core.caller import Caller
from haulier.engine.services import Services
from haulier.wire.dialect import Dialect, ProblemShape, base_url

MEDIA_TYPE: Final = "application/vnd.oai.openapi+json;version=3.1"
METHODS: Final = frozenset({"get", "put", "post", "delete", "patch", "head"})
SILENT: Final = ("deprecated", "allowEmptyValue", "allowReserved")

Asked = Request[Caller, None, State]


def document(dialect: Dialect, services: Services) -> dict[str, Any]:
    """Give the OpenAPI 3.1 document of a dialect."""
    app = Litestar(
        route_handlers=[Router("/", route_handlers=dialect.routes(services))],
        openapi_config=OpenAPIConfig(
            title=dialect.title,
            version=haulier.__version__,
            operation_id_creator=_operation_id,
            create_examples=False,
            use_handler_docstrings=True,
        ),
        logging_config=None,
    )
    made: dict[str, Any] = msgspec.to_builtins(app.openapi_schema.to_schema())
    _add_problems(made, dialect, app)
    _add_security(made, dialect, app)
    _tidy(made)
    return made


def routes(dialect: Dialect, services: Services) -> list[HTTPRouteHandler]:
    """Give the handlers of a dialect's document and of its page for people."""
    once = cache(lambda: document(dialect, services))

    @get(dialect.document_path, opt={"public": True}, include_in_schema=False)
    async def openapi_document(request: Asked) -> Response[bytes]:
        made = once() | {"servers": [{"url": base_url(request)}]}
        headers = {"content-type": MEDIA_TYPE, "cache-control": "no-cache"}
        return Response(msgspec.json.encode(made), headers=headers)

    @get(page_path(dialect), opt={"public": True}, include_in_schema=False)
    async def openapi_page() -> Response[bytes]:
        return Response(_page(dialect), headers=_page_headers())

    return [openapi_document, openapi_page]


def page_path(dialect: Dialect) -> str:
    """Give where the page for people stands, beside the document."""
    return f"{dialect.document_path.removesuffix('.json')}.html"


def _operation_id(handler: HTTPRouteHandler, method: Method, _path: list[Any]) -> str:
    name = handler.handler_name.rpartition(".")[2]
    return name if len(handler.http_methods) == 1 else f"{method.lower()}_{name}"


def _operations(made: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in made.get("paths", {}).items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def _add_problems(made: dict[str, Any], dialect: Dialect, app: Litestar) -> None:
    """Say of every operation that it may answer with a problem, and in which shape."""
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    usual = ProblemShape(dialect.problem_media_type, dialect.problem_type)
    own = {place: handler.opt.get("problem") for place, handler in _handlers(app)}
    for path, method, operation in _operations(made):
        content = _problem_content(own.get((path, method)) or usual, schemas)
        responses = operation["responses"]
        responses.pop("400", None)  # litestar's own shape, which nobody sees
        body = {} if method == "head" else {"content": content}
        responses.setdefault("4XX", {"description": "A problem that the caller can mend.", **body})
        responses.setdefault("5XX", {"description": "A problem on the server's side.", **body})


def _problem_content(shape: ProblemShape, schemas: dict[str, Any]) -> dict[str, Any]:
    if shape.body is None:
        return {shape.media_type: {"schema": {"type": "string"}}}
    (schema,), found = msgspec.json.schema_components(
        [shape.body], ref_template="#/components/schemas/{name}"
    )
    schemas.update(found)
    return {shape.media_type: {"schema": schema}}


def _add_security(made: dict[str, Any], dialect: Dialect, app: Litestar) -> None:
    """Say which operations need a key, and the ways to send it."""
    schemes: dict[str, Any] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "basic": {"type": "http", "scheme": "basic"},
    }
    for header in dialect.key_headers:
        schemes[header] = {"type": "apiKey", "in": "header", "name": header}
    made["components"]["securitySchemes"] = schemes
    made["security"] = [{name: []} for name in schemes]
    public = {place for place, handler in _handlers(app) if handler.opt.get("public")}
    for path, method, operation in _operations(made):
        if (path, method) in public:
            operation["security"] = []


def _handlers(app: Litestar) -> Iterator[tuple[tuple[str, str], HTTPRouteHandler]]:
    """Give every handler with its path and method, as the document writes them."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            for method in handler.http_methods:
                yield (re.sub(r":\w+}", "}", route.path), method.lower()), handler


def _tidy(made: dict[str, Any]) -> None:
    """Drop what litestar writes at every place although it says nothing."""
    for _, _, operation in _operations(made):
        operation.pop("deprecated", None)
        for parameter in operation.get("parameters", ()):
            for word in SILENT:
                if parameter.get(word) is False:
                    del parameter[word]
        for response in operation["responses"].values():
            if not response.get("headers", True):
                del response["headers"]


@cache
def _template() -> str:
    return files("haulier.wire").joinpath("reader.html").read_text("utf-8")


def _page(dialect: Dialect) -> bytes:
    return (
        _template()
        .replace("{{title}}", html.escape(dialect.title))
        .replace("{{document}}", html.escape(dialect.document_path))
        .encode()
    )


@cache
def _page_headers() -> dict[str, str]:
    """Allow the page its own script and style, and nothing from anywhere else."""
    script, style = (_hash_of(tag) for tag in ("script", "style"))
    policy = (
        f"default-src 'none'; connect-src 'self'; script-src '{script}'; style-src '{style}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {"content-type": "text/html; charset=utf-8", "content-security-policy": policy}


def _hash_of(tag: str) -> str:
    found = re.search(rf"<{tag}>(.*?)</{tag}>", _template(), re.DOTALL)
    content = found[1] if found else ""
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
