"""What DBOS remembers of jobs that ended long ago, found so that it can be dropped."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer

from haulier.engine.durable import APPLICATION, SCHEMA, WORKFLOW


class OldWorkflows:
    """The workflows that have ended; DBOS has an index of when, and asking costs nothing."""

    def __init__(self, engine: sa.Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )

    def find(self, before: datetime, limit: int) -> Sequence[UUID]:
        """Give jobs whose workflow ended before a moment, the oldest first."""
        found = self._client.list_workflows(
            name=WORKFLOW,
            completed_before=before.isoformat(),
            limit=limit,
            load_input=False,
            load_output=False,
        )
        return [UUID(workflow.workflow_id) for workflow in found]
