"""The end of a step, and the catalog entries it gives: one transaction, in the attempt's name."""

from collections.abc import Mapping
from typing import Protocol
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.artifact import Artifact
from haulier.core.entry import Publication
from haulier.core.problem import Code, Problem
from haulier.engine import details
from haulier.engine.attempt import Attempt
from haulier.engine.catalog import Catalog, StaleError
from haulier.engine.details import StepEnd, StepProgress
from haulier.engine.files import Files
from haulier.engine.sandbox import to_its_end
from haulier.engine.staging import Check
from haulier.engine.threads import in_thread


class Shelves(Protocol):
    """Where entries and their files are kept."""

    @property
    def catalog(self) -> Catalog:
        """Give the catalog."""
        ...

    @property
    def files(self) -> Files:
        """Give the named storages."""
        ...


async def settle(
    shelves: Shelves, attempt: Attempt, step: str, end: StepEnd, last: StepProgress
) -> bool:
    """Write down how a step ended, with the entries that it gives.

    Returns:
        False, and nothing is written, where an entry is not of the version that it builds on.

    Raises:
        AttemptLostError: another attempt owns the job.
        Problem: an entry or a file of it may not be.
    """
    wanted = end.result.publish if end.result else ()
    if end.result and wanted:
        by_name = {artifact.name: artifact for artifact in end.artifacts}
        await in_thread(lambda check: _deliver(shelves, attempt, wanted, by_name, check))
        end = msgspec.structs.replace(end, result=msgspec.structs.replace(end.result, publish=()))
    stale = False

    def change(connection: sa.Connection, job_id: UUID, number: int) -> None:
        now = attempt.clock.now()
        details.settle_step(connection, job_id, number, step, end, now=now, last=last)
        for each in wanted:
            shelves.catalog.publish(
                connection, attempt.job.organisation, each, by=attempt.job.subject
            )

    async def write() -> None:
        nonlocal stale
        try:
            await attempt.write(change)
        except StaleError:
            stale = True

    await to_its_end(write())
    return not stale


def _deliver(
    shelves: Shelves,
    attempt: Attempt,
    wanted: tuple[Publication, ...],
    by_name: Mapping[str, Artifact],
    check: Check,
) -> None:
    """Put the files that the entries name in their places, before anybody sees the entries."""
    organisation = attempt.job.organisation
    for each in wanted:
        for name, ref in each.files.items():
            if name not in by_name:
                known = ", ".join(by_name) or "none"
                detail = f"{each.type} '{each.name}' names the artifact '{name}'; there are {known}"
                raise Problem(Code.INTERNAL, detail)
            shelves.files.ensure(organisation, ref.storage)
            shelves.files.deliver(organisation, by_name[name], ref, check=check)
