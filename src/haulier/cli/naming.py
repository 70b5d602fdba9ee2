"""Which job a person means: a UUID, a number, or the beginning of a UUID."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from haulier.cli.codes import UsageError

if TYPE_CHECKING:
    from haulier.client import Client, Job

UUID_FORM: Final = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}")
NUMBER_FORM: Final = re.compile(r"#?([1-9][0-9]{0,17})")
PREFIX_FORM: Final = re.compile(r"[0-9a-f]{4}[0-9a-f-]{0,31}")
TIME_DIGITS: Final = 12  # of a UUIDv7: milliseconds since 1970, in hexadecimal
SKEW: Final = timedelta(seconds=5)  # between a job's id and its time of creation
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST_MS: Final = 253_000_000_000_000  # in the year 9987: what `datetime` can hold
PAGE_SIZE: Final = 1000


def find_job(client: "Client", name: str) -> "Job":
    """Give the job that a person named.

    Digits without a leading zero are a number; a UUIDv7 begins with zero until 2527.

    Raises:
        UsageError: the name has none of the three forms, or is the beginning of several.
        NotFoundError: there is no such job.
    """
    text = name.strip().lower()
    if UUID_FORM.fullmatch(text):
        return client.job(UUID(text))
    if (number := NUMBER_FORM.fullmatch(text)) is not None:
        return client.job(number.group(1))
    if PREFIX_FORM.fullmatch(text):
        return _by_prefix(client, text)
    raise UsageError(
        f"a job is named by its number, its UUID, or at least four digits of that, got {name!r}"
    )


def _by_prefix(client: "Client", prefix: str) -> "Job":
    from haulier.client import JobQuery  # noqa: PLC0415 -- httpx costs 0.4 s; --help does not pay
    from haulier.client.errors import NotFoundError, Refusal  # noqa: PLC0415 -- as above

    start, end = created_between(prefix)
    query = JobQuery(created_from=start, created_to=end, page_size=PAGE_SIZE)
    digits = prefix.replace("-", "")
    found: Job | None = None
    for job in client.jobs(query):
        if not job.id.hex.startswith(digits):
            continue
        if found is not None:
            raise UsageError(f"{prefix!r} begins several jobs: {job.id}, {found.id}; give more")
        found = job
    if found is None:
        detail = f"no job's UUID begins with {prefix!r}"
        raise NotFoundError(Refusal(status=404, code="not_found", detail=detail))
    return found


def created_between(prefix: str) -> tuple[datetime, datetime]:
    """Give the times between which a job was made whose UUIDv7 begins so.

    The first 12 digits of a UUIDv7 are a time, so a server need not look at every job.
    """
    digits = prefix.replace("-", "")[:TIME_DIGITS]
    start, end = (
        EPOCH + timedelta(milliseconds=min(int(digits.ljust(TIME_DIGITS, fill), 16), LATEST_MS))
        for fill in "0f"
    )
    return max(start - SKEW, EPOCH), end + SKEW
