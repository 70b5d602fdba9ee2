"""Ordo's wire: jobs of recipes over files in a store, and the recipes themselves."""

from typing import Final

from haulier.wire.dialect import Dialect
from haulier.wire.ordo.bodies import render
from haulier.wire.ordo.errors import ErrorBody, render_problem
from haulier.wire.ordo.jobs import notice
from haulier.wire.ordo.paths import BASE, DOCUMENT, NAME
from haulier.wire.ordo.routes import routes
from haulier.wire.ordo.status import WORDS
from haulier.wire.statuses import REPLIES

DIALECT: Final = Dialect(
    name=NAME,
    title="Haulier: MapPrism Ordo recipe jobs",
    prefixes=(BASE,),
    words=WORDS,
    replies=REPLIES,
    document_path=DOCUMENT,
    problem_type=ErrorBody,
    render=render,
    render_problem=render_problem,
    routes=routes,
    notice=notice,
)
