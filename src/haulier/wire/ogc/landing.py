"""The front door: the landing page, and which classes of the standard hold."""

from typing import Final

import msgspec
from litestar import Request, get
from litestar.datastructures import State

from haulier.core.caller import Caller
from haulier.wire.dialect import base_url
from haulier.wire.ogc.bodies import JSON, REL, Link
from haulier.wire.openapi import MEDIA_TYPE

CONF: Final = "http://www.opengis.net/spec/ogcapi-processes-1/{}/conf/{}"
#: Only what holds. The document is OpenAPI 3.1, which 1.0 has no class for.
CLASSES: Final = (
    *(
        CONF.format(version, name)
        for version in ("1.0", "2.0")
        for name in ("core", "ogc-process-description", "json", "job-list", "dismiss")
    ),
    CONF.format("2.0", "oas31"),
)

Asked = Request[Caller, None, State]


class Landing(msgspec.Struct, frozen=True):
    """Where everything begins."""

    title: str
    description: str
    links: tuple[Link, ...]


class Conformance(msgspec.Struct, frozen=True, rename={"conforms_to": "conformsTo"}):
    """The conformance classes that hold."""

    conforms_to: tuple[str, ...]


@get("/", opt={"public": True}, sync_to_thread=False)
def landing(request: Asked) -> Landing:
    """Give the links to everything else."""
    base = base_url(request)
    return Landing(
        "Haulier",
        "Long-running data and geospatial work as jobs.",
        (
            Link(f"{base}/", "self", JSON, "this page"),
            Link(f"{base}/api", "service-desc", MEDIA_TYPE, "OpenAPI document"),
            Link(f"{base}/api.html", "service-doc", "text/html", "the API, for people"),
            Link(f"{base}/conformance", f"{REL}conformance", JSON, "conformance classes"),
            Link(f"{base}/conformance", "conformance", JSON, "conformance classes"),
            Link(f"{base}/processes", f"{REL}processes", JSON, "processes"),
            Link(f"{base}/jobs", f"{REL}job-list", JSON, "jobs"),
            Link(f"{base}/storages", "related", JSON, "storages"),
        ),
    )


@get("/conformance", opt={"public": True}, sync_to_thread=False)
def conformance() -> Conformance:
    """Give the conformance classes that hold."""
    return Conformance(CLASSES)
