"""Step work: ranges of rows, each in a part, and their columns put together."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.family import Context, Part, PartResult, StepResult
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.tables import CHUNK_ROWS
from haulier.families.geostat.ready import make_ready
from haulier.families.geostat.steps.job import Job
from haulier.families.geostat.steps.outputs import MADE, batch_of, one_batch, part_writer
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.task import MOST_PARTS, Task
from haulier.families.kernels import LOADING

#: Rows that are much work are cut into parts of so many reports, for more workers than one.
STEPS: Final = 40


def split(step: StepPlan, context: Context) -> Sequence[Part]:
    """Cut the rows into ranges: of a size that is told by their number alone."""
    context.report(0.0, LOADING)
    make_ready()
    job: Job[Any] = Job(step, context)
    task: Task[Any] = tasks()[job.kind]
    rows = int(job.said["rows"])
    size = part_size(rows, min(task.part_rows, STEPS * task.rows_at_once(job)))
    return [
        Part(f"rows-{first:010d}", {"first": first, "last": min(first + size, rows)}, weight)
        for first in range(0, max(rows, 1), size)
        if (weight := max(min(size, rows - first), 1))
    ]


def part_size(rows: int, wanted: int) -> int:
    """Give the rows of a part: whole row groups or even pieces of one, and not too many parts."""
    least = max(wanted, -(-rows // MOST_PARTS), 1)
    if least > CHUNK_ROWS // 2:
        return -(-least // CHUNK_ROWS) * CHUNK_ROWS
    return 1 << (least - 1).bit_length()


def run(step: StepPlan, part: Part, context: Context) -> PartResult:
    """Make the columns of one range of rows."""
    make_ready()
    job: Job[Any] = Job(step, context)
    task: Task[Any] = tasks()[job.kind]
    tally: dict[str, float] = {}
    work = task.start(job)
    first, last = int(part.params["first"]), int(part.params["last"])
    if not task.gives_columns:
        work(first, last)
        return PartResult({"tally": tally}, {"rows": last - first})
    outputs, step_rows = task.outputs(job), task.rows_at_once(job)
    with part_writer(context.part_file(MADE), outputs) as writer:
        for begin in range(first, last, CHUNK_ROWS):
            end = min(begin + CHUNK_ROWS, last)
            batches = []
            for low in range(begin, end, step_rows):
                done = min(low + step_rows, end)
                columns = work(low, done)
                task.tally(job, columns, tally)
                batches.append(batch_of(outputs, columns))
                _report(task, job, (first, done, last))
            writer.write_batch(one_batch(batches))
    return PartResult({"tally": tally}, {"rows": last - first})


def _report(task: Task[Any], job: Job[Any], at: tuple[int, int, int]) -> None:
    """Say how far the range is, and let go if the job was cancelled."""
    first, done, last = at
    total = int(job.said["rows"])
    noun = job.said.get("noun", task.noun)
    message = f"{task.verb} {done:,} of {total:,} {noun}"
    fraction = (done - first) / max(last - first, 1)
    job.context.report(fraction, message, {"rows": done - first})
    job.context.check()


def merge(step: StepPlan, results: Mapping[str, PartResult], context: Context) -> StepResult:
    """Put the ranges together."""
    job: Job[Any] = Job(step, context)
    finished = tasks()[job.kind].finish(job, results)
    blobs = {name: msgspec.to_builtins(list(given)) for name, given in finished.blobs.items()}
    rows = sum(each.counters.get("rows", 0) for each in results.values())
    return StepResult({**finished.values, "blobs": blobs}, {"rows": rows}, notes=finished.notes)
