"""Seequent Evo's wire: compute tasks, geoscience objects and their data, workspaces, discovery."""

from typing import Final

from haulier.wire.dialect import Dialect
from haulier.wire.evo.bodies import render
from haulier.wire.evo.errors import MEDIA_TYPE, REPLIES, ErrorBody, render_problem
from haulier.wire.evo.paths import DOCUMENT, PREFIXES
from haulier.wire.evo.routes import routes
from haulier.wire.evo.status import WORDS

DIALECT: Final = Dialect(
    name="evo",
    title="Haulier: Seequent Evo compute tasks and geoscience objects",
    prefixes=PREFIXES,
    words=WORDS,
    replies=REPLIES,
    document_path=DOCUMENT,
    problem_type=ErrorBody,
    problem_media_type=MEDIA_TYPE,
    render=render,
    render_problem=render_problem,
    routes=routes,
    # no parse: a body of a job on this wire does not say which job it is
)
