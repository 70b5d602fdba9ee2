"""TomTom's wire: matching jobs, storages, the vault, and blob containers for the files."""

from typing import Final

from haulier.wire.dialect import Dialect
from haulier.wire.statuses import REPLIES
from haulier.wire.tomtom.bodies import parse, render
from haulier.wire.tomtom.errors import ErrorBody, render_problem
from haulier.wire.tomtom.paths import DOCUMENT, PREFIXES
from haulier.wire.tomtom.routes import routes
from haulier.wire.tomtom.status import WORDS

DIALECT: Final = Dialect(
    name="tomtom",
    title="Haulier: TomTom GEM matching jobs",
    prefixes=PREFIXES,
    key_headers=("tomtom-api-key",),
    words=WORDS,
    replies=REPLIES,
    document_path=DOCUMENT,
    problem_type=ErrorBody,
    render=render,
    render_problem=render_problem,
    routes=routes,
    parse=parse,
)
