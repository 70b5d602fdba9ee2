"""`haulier watch`: a progress bar that follows a job to its end."""

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from haulier.cli import output
from haulier.cli.codes import Exit
from haulier.cli.connection import HERE, Server
from haulier.cli.naming import find_job

if TYPE_CHECKING:
    from rich.progress import TaskID

    from haulier.client import Client, Happening, Job, Step

#: How often to look, however seldom the server suggests: an unchanged job is a 304.
LOOK_EVERY_S: Final = 1.0


def watch(job: str, /, *, timeout: float | None = None, server: Server = HERE) -> Exit:
    """Follow a job to its end; Ctrl-C stops the watching, not the job.

    Args:
        job: Number, UUID, or the beginning of the UUID.
        timeout: Stop watching after so many seconds.
        server: The server.
    """
    with server.connect() as client:
        return follow(client, find_job(client, job), json=server.json, timeout_s=timeout)


def follow(
    client: "Client", job: "Job", *, json: bool = False, timeout_s: float | None = None
) -> Exit:
    """Show a job until it has ended, and give the exit code of its end."""
    view = Silence() if json else Bars() if sys.stderr.isatty() else Lines()
    try:
        with view:
            ended = client.wait(
                job, on_progress=view.show, timeout_s=timeout_s, poll_s=LOOK_EVERY_S
            )
    except KeyboardInterrupt:
        output.say(f"\njob {job.number} goes on; watch it again: haulier watch {job.number}")
        output.say(f"to stop it: haulier cancel {job.number}")
        return Exit.INTERRUPTED
    if json:
        output.write_json(ended)
    else:
        conclude(client, ended)
    return Exit.OK if ended.successful else Exit.FAILED


def conclude(client: "Client", job: "Job") -> None:
    """Say how a job ended, and what its steps warned of."""
    took = ""
    if job.started_at and job.finished_at:
        took = f" after {output.span((job.finished_at - job.started_at).total_seconds())}"
    output.write(f"job {job.number} {job.state}{took}")
    if job.problem is not None:
        output.say(f"{job.problem.code}: {job.problem.detail}")
        for fault in job.problem.faults:
            output.say(f"  {fault.at}: {fault.detail}")
    if job.statistics:
        output.pairs("\nStatistics", output.flat(job.statistics))
    warn(client.timeline(job))
    if job.successful:
        output.say(f"get its files with: haulier results {job.number} -o FOLDER")


def warn(timeline: Iterable["Happening"]) -> None:
    """Say what the steps of a job warned of: a thing that several met stands there once."""
    met: dict[tuple[str, str, str], list[str]] = {}
    for line in timeline:
        if line.type == "step.warning":
            said = line.data
            steps = met.setdefault((said["code"], said["message"], said["what_to_do"]), [])
            steps.append(said["step"])
    if met:
        output.write("\nWarnings")
    for (code, message, what_to_do), steps in met.items():
        output.write(f"{code} in {', '.join(dict.fromkeys(steps))}: {message}")
        output.write(f"  {what_to_do}")


class Silence:
    """Shows nothing: for machines. The other views begin here."""

    def __enter__(self) -> Self:
        """Begin to show."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop showing."""

    def show(self, job: "Job") -> None:
        """Show how the job stands now."""


class Lines(Silence):
    """One line on standard error for each percent or new phase: for logs."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._said = ("", "", -1)

    def show(self, job: "Job") -> None:
        """Say how the job stands, if that differs from what was said."""
        now = (str(job.state), job.phase, int(job.fraction * 100))
        if now != self._said:
            self._said = now
            output.say(f"{job.state} {job.fraction:4.0%}  {sentence(job)}".rstrip())


class Bars(Silence):
    """Bars on the terminal: one for the job, one for each of its steps that has begun."""

    def __init__(self) -> None:
        """Make bars that are not drawn yet."""
        from rich.markup import escape  # noqa: PLC0415 -- as below
        from rich.progress import (  # noqa: PLC0415 -- rich costs 0.1 s; --help does not pay
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        self._progress = Progress(
            TextColumn("{task.fields[name]}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
            console=output.console(error=True),
            refresh_per_second=4,
        )
        self._tasks: dict[str, TaskID] = {}
        self._escape = escape

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the last picture and stop drawing."""
        self._progress.stop()

    def show(self, job: "Job") -> None:
        """Draw how the job stands, and how its steps do."""
        now = job.updated_at or datetime.now(UTC)
        text = "" if job.steps else sentence(job)
        self._draw("", f"job {job.number} {job.state}", job, text, now)
        for step in job.steps:
            if step.started_at is not None or step.skipped or step.reused:
                self._draw(step.id, f"  {step.id}", step, step_sentence(step), now)

    def _draw(self, key: str, name: str, row: "Job | Step", text: str, now: datetime) -> None:
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task("", start=False, total=1.0, name="")
        task = self._tasks[key]
        if row.started_at is not None:
            self._time(task, ((row.finished_at or now) - row.started_at).total_seconds())
        if row.finished_at is not None:
            self._progress.stop_task(task)
        shown = self._escape(name)
        self._progress.update(
            task,
            completed=row.fraction,
            description=text,
            name=f"[{output.STYLES[row.state]}]{shown}[/]",
        )

    def _time(self, task: "TaskID", took_s: float) -> None:
        """Let the clock of a row show the work's time, not how long it was watched."""
        row = next(one for one in self._progress.tasks if one.id == task)
        if row.stop_time is None:
            row.start_time = self._progress.get_time() - took_s


def sentence(job: "Job") -> str:
    """Give phase, message and counters in one line."""
    said = ": ".join(filter(None, (job.phase, job.message)))
    counted = output.counters(job.counters)
    return f"{said} ({counted})" if said and counted else said or counted


def step_sentence(step: "Step") -> str:
    """Give message, parts and counters of a step in one line."""
    if step.skipped or step.reused:
        return "skipped" if step.skipped else "taken over from the job before"
    if step.problem is not None:
        return step.problem.detail
    parts = f"{step.parts_done} of {step.parts} parts" if step.parts > 1 else ""
    return ", ".join(filter(None, (step.message, parts, output.counters(step.counters))))
