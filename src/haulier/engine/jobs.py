"""What every face calls: submit, get, list, cancel, retry and remove jobs, and look into them."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec
import sqlalchemy as sa

from haulier.core.artifact import Artifact, check_path
from haulier.core.caller import Caller, Scope
from haulier.core.clock import Clock
from haulier.core.job import Happening, Job, Step, Submission
from haulier.core.lifecycle import TERMINAL, Event, State
from haulier.core.problem import Code, Fault, Problem
from haulier.core.recipe import Recipe
from haulier.engine import again, details, store, trees
from haulier.engine.durable import Enqueuer, seconds_until
from haulier.engine.files import DEFAULT, Files
from haulier.engine.listing import JobFilter, Page, list_jobs
from haulier.engine.numbers import check_numbers
from haulier.engine.prefixes import OUTPUTS
from haulier.engine.recipes.binding import storages_of, unknown_storages
from haulier.engine.recipes.documents import RecipeJob
from haulier.engine.recipes.reading import MOST_FAULTS
from haulier.engine.registry import Kinds
from haulier.engine.storage import Storage

RETRIABLE: Final = frozenset({State.FAILED, State.PARTIAL, State.CANCELLED})
LINES: Final = 10_000


class Jobs:
    """The jobs, as one caller after the other may see and change them.

    Every method raises Problem: NOT_FOUND for a job that is not of the caller's organisation,
    and FORBIDDEN where the key's scopes do not allow the method.
    """

    def __init__(
        self,
        engine: sa.Engine,
        *,
        kinds: Kinds,
        files: Files,
        storage: Storage,
        enqueuer: Enqueuer,
        clock: Clock,
        organisation_jobs: int,
    ) -> None:
        self._engine = engine
        self._kinds = kinds
        self._files = files
        self._storage = storage
        self._enqueuer = enqueuer
        self._clock = clock
        self._slots = organisation_jobs

    def submit(self, caller: Caller, submission: Submission) -> Job:
        """Take a job on: its row and its place in the queue exist both, or neither.

        Raises:
            Problem: NOT_FOUND at `kind`; INVALID at the field that is wrong.
        """
        caller.require(Scope.WRITE)
        recipe = self.plan(caller, submission)
        self._check(caller, submission)
        with self._engine.begin() as connection:
            return self._insert(connection, caller, submission, recipe)

    def plan(self, caller: Caller, submission: Submission) -> Recipe:
        """Give the steps that a job would have, and take none on.

        Raises:
            Problem: NOT_FOUND at `kind`; INVALID at the parameter that is wrong, or at the field
                of a recipe's job that names no storage of the caller's.
        """
        kind = self._kinds.get(submission.kind)
        params = self._kinds.decode(kind, submission.params)
        faults = self._unknown_storages(caller, params)
        try:
            recipe = self._plan(kind.name, params)
        except Problem as problem:
            if problem.code is not Code.INVALID or not problem.faults or not faults:
                raise
            every = (*problem.faults, *faults)[:MOST_FAULTS]
            raise Problem(problem.code, problem.detail, at=problem.at, faults=every) from None
        if faults:
            raise Problem(Code.INVALID, faults[0].detail, at=faults[0].at, faults=faults)
        return recipe

    def _plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        check_numbers(params)
        recipe = self._kinds.family_of(kind).plan(kind, params)
        recipe.levels()  # raises where the steps do not hang together
        return recipe

    def _unknown_storages(self, caller: Caller, params: msgspec.Struct) -> list[Fault]:
        """Say where a recipe's job names a storage that would be missed after all the work."""
        named = storages_of(params) if isinstance(params, RecipeJob) else {}
        if set(named.values()) <= {DEFAULT}:
            return []
        known = [entry.name for entry in self._files.storages(caller)]
        return list(islice(unknown_storages(named, known), MOST_FAULTS))

    def _check(self, caller: Caller, submission: Submission) -> None:
        faults = list(_faults(submission, self._kinds))
        for name, ref in submission.deliver.items():
            try:
                self._files.storage(caller, ref.storage)
                check_path(ref.filename)
            except Problem as problem:
                faults.append(Fault(f"deliver.{name}", problem.detail))
        if faults:
            first = faults[0]
            raise Problem(Code.INVALID, first.detail, at=first.at, faults=faults)

    def _insert(
        self,
        connection: sa.Connection,
        caller: Caller,
        submission: Submission,
        recipe: Recipe,
        retry_of: UUID | None = None,
    ) -> Job:
        kind = self._kinds.get(submission.kind)
        now = self._clock.now()
        job = store.insert_job(
            connection,
            caller,
            submission,
            family=self._kinds.family_of(kind.name).name,
            recipe=recipe,
            now=now,
            retry_of=retry_of,
        )
        self._enqueuer.enqueue(
            connection,
            job.id,
            interactive=kind.interactive,
            slot=store.next_slot(connection, job.organisation, self._slots),
            priority=job.priority,
            delay_s=seconds_until(job.not_before, now),
        )
        return job

    def get(self, caller: Caller, job_id: UUID) -> Job:
        """Give a job."""
        with self._engine.connect() as connection:
            return _found(store.find_job(connection, caller.organisation, id=str(job_id)), job_id)

    def get_by_number(self, caller: Caller, number: int) -> Job:
        """Give a job by its serial number."""
        with self._engine.connect() as connection:
            return _found(store.find_job(connection, caller.organisation, number=number), number)

    def look(self, caller: Caller, name: UUID | int) -> tuple[Job, Sequence[Step]]:
        """Give a job by its id or serial number, with its steps, as they stand together."""
        key = {"id": str(name)} if isinstance(name, UUID) else {"number": name}
        with self._engine.connect() as connection:
            job = _found(store.find_job(connection, caller.organisation, **key), name)
            return job, details.read_steps(connection, job.id)

    def list(self, caller: Caller, wanted: JobFilter, *, limit: int = 10, cursor: str = "") -> Page:
        """Give a page of the organisation's jobs, newest first.

        Raises:
            Problem: INVALID at `limit` or `cursor`.
        """
        with self._engine.connect() as connection:
            return list_jobs(
                connection,
                caller.organisation,
                wanted,
                limit=limit,
                cursor=cursor,
                clock=self._clock,
            )

    def cancel(self, caller: Caller, job_id: UUID) -> Job:
        """Ask a job to stop: a waiting one is cancelled at once, a running one soon.

        Raises:
            Problem: CONFLICT; it has ended, and not by a cancel.
        """
        caller.require(Scope.WRITE)
        now = self._clock.now()
        with self._engine.begin() as connection:
            moved = self._own(connection, caller, job_id) and store.move_job(
                connection, job_id, Event.CANCEL, now
            )
            job = store.read_job(connection, job_id)
            ended = moved and job.state is State.CANCELLED
            keys = details.stopped(connection, job_id, now) if ended else []
        if not moved and job.state is not State.CANCELLED:
            raise Problem(Code.CONFLICT, f"job {job.id} has {job.state} already")
        if ended:
            for key in keys:
                trees.discard(self._storage, key)
            self._enqueuer.forget(job_id)
        return job

    def _own(self, connection: sa.Connection, caller: Caller, job_id: UUID) -> Job:
        return _found(store.find_job(connection, caller.organisation, id=str(job_id)), job_id)

    def _check_owner(self, connection: sa.Connection, caller: Caller, job_id: UUID) -> None:
        if not store.check_owner(connection, caller.organisation, job_id):
            raise _missing(job_id)

    def retry(self, caller: Caller, job_id: UUID, *, from_step: str = "") -> Job:
        """Begin a new job like one that has ended, from its first unfinished step.

        Args:
            caller: who asks.
            job_id: the job that has ended.
            from_step: a step that is done again although it succeeded, whatever earlier jobs
                know of it; those that need it follow, where it gives something else.

        Raises:
            Problem: CONFLICT; the job has not ended, or has succeeded and no step is named.
                INVALID at "from"; it has no such step. What `submit` raises; a storage may be gone.
        """
        caller.require(Scope.WRITE)
        old = self.get(caller, job_id)
        if old.state not in (TERMINAL if from_step else RETRIABLE):
            raise Problem(Code.CONFLICT, f"job {old.id} is {old.state}; there is nothing to retry")
        submission = again.submission_like(old)
        recipe = again.redoing(self.plan(caller, submission), from_step)
        self._check(caller, submission)
        with self._engine.connect() as connection:
            read = again.files_read(connection, old)
        # Only now: to look at the files takes connections of its own, and a bucket its time.
        changed = again.changed_since(read, old, self._files)
        with self._engine.begin() as connection:
            if store.hold_job(connection, old.id) is None:
                raise _missing(old.id)  # it was removed in this moment
            job = self._insert(connection, caller, submission, recipe, retry_of=old.id)
            # The outputs of a cancelled job are gone; its finished parts still count.
            if old.state is not State.CANCELLED:
                now = self._clock.now()
                again.take_over(connection, old, job, recipe, changed=changed, now=now)
            return job

    def remove(self, caller: Caller, job_id: UUID) -> Job:
        """Delete an ended job, its artifacts and their files.

        Raises:
            Problem: CONFLICT; it has not ended.
        """
        caller.require(Scope.WRITE)
        with self._engine.begin() as connection:
            job = self._own(connection, caller, job_id)
            keys = [artifact.key for artifact in details.read_artifacts(connection, job_id)]
            store.delete_job(connection, job)
            unused = details.unused_keys(connection, keys)
        for key in unused:
            trees.discard(self._storage, key)
        # What attempts that died have left; files that a retry took over stay.
        self._storage.clear(f"{OUTPUTS}/{job_id}", keep=set(keys) - set(unused))
        self._enqueuer.delete([job_id])
        return job

    def steps(self, caller: Caller, job_id: UUID) -> Sequence[Step]:
        """Give the steps of a job, in the order of its recipe."""
        with self._engine.connect() as connection:
            self._check_owner(connection, caller, job_id)
            return details.read_steps(connection, job_id)

    def artifacts(self, caller: Caller, job_id: UUID) -> Sequence[Artifact]:
        """Give the artifacts of a job, in the order of its recipe."""
        with self._engine.connect() as connection:
            self._check_owner(connection, caller, job_id)
            return details.read_artifacts(connection, job_id)

    def artifact(self, caller: Caller, job_id: UUID, name: str) -> Artifact:
        """Give one artifact of a job, by its name or as "step.name".

        Where several steps gave the name, it is the last one's.

        Raises:
            Problem: NOT_FOUND, with the names that exist.
        """
        found = self.artifacts(caller, job_id)
        for artifact in reversed(found):
            if name in {artifact.name, f"{artifact.step}.{artifact.name}"}:
                return artifact
        known = ", ".join(sorted({artifact.name for artifact in found})) or "none"
        detail = f"job {job_id} has no artifact '{name}'; it has: {known}"
        raise Problem(Code.NOT_FOUND, detail, at="artifact")

    def happenings(
        self, caller: Caller, job_id: UUID, *, after: int = 0, limit: int = 1000
    ) -> Sequence[Happening]:
        """Give the timeline of a job, oldest first, from the line after `after` on."""
        if not 1 <= limit <= LINES:
            raise Problem(Code.INVALID, f"limit must be 1 to {LINES}, got {limit}", at="limit")
        with self._engine.connect() as connection:
            self._check_owner(connection, caller, job_id)
            return details.read_happenings(connection, job_id, after=after, limit=limit)


def _found(job: Job | None, name: UUID | int) -> Job:
    if job is None:
        raise _missing(name)
    return job


def _missing(name: UUID | int) -> Problem:
    return Problem(Code.NOT_FOUND, f"no job {name}", at="job")


def _faults(submission: Submission, kinds: Kinds) -> Sequence[Fault]:
    faults = []
    if not 1 <= submission.priority <= 9:  # noqa: PLR2004 -- the scale of Submission
        detail = f"priority must be 1 to 9, got {submission.priority}"
        faults.append(Fault("priority", detail))
    if submission.timeout_s is not None and not submission.timeout_s > 0:
        detail = f"timeout_s must be more than 0, got {submission.timeout_s}"
        faults.append(Fault("timeout_s", detail))
    if submission.not_before is not None and submission.not_before.tzinfo is None:
        detail = f"not_before needs a time zone, got {submission.not_before.isoformat()}"
        faults.append(Fault("not_before", detail))
    if "\x00" in submission.title:
        faults.append(Fault("title", f"title may have no NUL, got {submission.title!r}"))
    outputs = _outputs(submission.kind, kinds)
    for name in submission.deliver:
        if name not in outputs:
            known = ", ".join(outputs)
            detail = f"{submission.kind} gives no '{name}'; it gives: {known}"
            faults.append(Fault(f"deliver.{name}", detail))
    return faults


def _outputs(kind: str, kinds: Kinds) -> Mapping[str, str]:
    return {output.name: output.title for output in kinds.get(kind).results}
