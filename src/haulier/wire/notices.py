"""What a webhook says of a job: what its caller would be told, asking for it."""

from typing import Final

import msgspec

from haulier.core.job import Job
from haulier.engine.services import Services
from haulier.wire.dialect import View, installed

NATIVE: Final = "ogc"
LABEL: Final = "dialect"  # under which a dialect may name itself in a job's labels


def describe_job(services: Services, job: Job) -> bytes:
    """Give the JSON of a job, in the dialect by which it came."""
    dialects = {dialect.name: dialect for dialect in installed()}
    dialect = dialects.get(str(job.labels.get(LABEL, ""))) or dialects[NATIVE]
    if dialect.notice is not None:
        return msgspec.json.encode(dialect.notice(services, job))
    return msgspec.json.encode(dialect.render(job, View(services.public_url, services.kinds)))
