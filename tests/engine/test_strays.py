"""Jobs that a worker took and that nobody knows any more."""

import sqlalchemy as sa

from haulier.core.lifecycle import State
from haulier.testing.installation import Installation


def test_a_job_that_a_buried_worker_took_is_done_by_another(here: Installation) -> None:
    """A worker that was frozen, declared dead and thawed takes jobs before it learns of it."""
    job = here.submit()
    engine = here.services.engine
    table = "dbos.workflow_status" if engine.name == "postgresql" else "workflow_status"
    with engine.begin() as connection:
        change = f"UPDATE {table} SET status = 'PENDING', executor_id = 'ghost'"  # noqa: S608 -- ours
        assert connection.execute(sa.text(change)).rowcount == 1
    here.start()
    assert here.ended(job).state is State.SUCCEEDED
