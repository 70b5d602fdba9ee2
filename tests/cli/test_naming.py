"""Which job a person means: number, UUID or the beginning of one."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.cli.codes import UsageError
from haulier.cli.naming import NUMBER_FORM, PREFIX_FORM, UUID_FORM, created_between, find_job
from haulier.client import Client
from haulier.core.identity import new_job_id


@given(st.integers(1, 10**17))
def test_a_number_is_a_number_with_or_without_its_sign(number: int) -> None:
    for text in (str(number), f"#{number}"):
        found = NUMBER_FORM.fullmatch(text)
        assert found is not None
        assert int(found.group(1)) == number


@given(st.integers(0, 4_000_000_000_000), st.integers(4, 35))
def test_the_beginning_of_a_job_s_uuid_is_never_a_number_and_says_when_it_was_made(
    made_ms: int, length: int
) -> None:
    job_id = new_job_id(made_ms)
    prefix = str(job_id)[:length]

    start, end = created_between(prefix)

    assert NUMBER_FORM.fullmatch(prefix) is None
    assert PREFIX_FORM.fullmatch(prefix) is not None
    made_at = datetime.fromtimestamp(made_ms / 1000, UTC)
    assert start <= made_at <= end


def test_a_long_beginning_says_it_to_the_second() -> None:
    start, end = created_between(str(new_job_id())[:13])

    assert (end - start).total_seconds() < 11


@pytest.mark.parametrize("prefix", ["0000", "ffff", "ffff-ffff", "ffffffffffffffff"])
def test_no_beginning_is_out_of_time(prefix: str) -> None:
    start, end = created_between(prefix)

    assert start < end


@given(st.uuids())
def test_a_uuid_is_a_uuid_with_or_without_its_hyphens(value: UUID) -> None:
    assert UUID_FORM.fullmatch(str(value))
    assert UUID_FORM.fullmatch(value.hex)


@pytest.mark.parametrize("name", ["", "x", "-1", "abc", "0", "../1", "1 2"])
def test_a_name_that_is_none_is_refused_before_anything_is_sent(name: str) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(UsageError, match="a job is named"):
        find_job(client, name)
