"""What callers see of an ended job: the result as the vendor's client reads it, and figures."""

from collections.abc import Mapping

from haulier.core.family import JobResult, StepResult

PUBLISH = "publish"


def job_result(steps: Mapping[str, StepResult]) -> JobResult:
    """Give what the step `publish` said."""
    said = steps[PUBLISH].values
    return JobResult(said["statistics"], said["result"])
