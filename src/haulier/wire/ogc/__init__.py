"""The native wire: OGC API - Processes 1.0 and 2.0 from one set of answers, and what it lacks."""

from typing import Final

from haulier.wire.dialect import Dialect
from haulier.wire.ogc.bodies import parse, render
from haulier.wire.ogc.errors import REPLIES, ProblemDocument, render_problem
from haulier.wire.ogc.routes import routes
from haulier.wire.ogc.status import WORDS

DIALECT: Final = Dialect(
    name="ogc",
    title="Haulier: OGC API - Processes",
    prefixes=("/",),
    key_headers=("x-api-key",),
    words=WORDS,
    replies=REPLIES,
    document_path="/api",
    problem_type=ProblemDocument,
    problem_media_type="application/problem+json",
    render=render,
    render_problem=render_problem,
    routes=routes,
    parse=parse,
    strict_query=True,  # OGC API - Common: a name that is not in the API definition is 400
)
