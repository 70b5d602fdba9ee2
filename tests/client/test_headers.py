"""Header fields: what is written well is read, and nothing that comes breaks the reader."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.client.headers import (
    ContentRange,
    Link,
    parse_content_range,
    parse_links,
    parse_repr_digest,
    parse_retry_after,
    repr_digest,
)

NOW = datetime(2026, 1, 21, 12, 0, tzinfo=UTC)
HREFS = st.text(st.characters(codec="ascii", exclude_characters="<>", min_codepoint=33))
TEXTS = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126))


@given(st.lists(st.tuples(HREFS, TEXTS, TEXTS), max_size=4))
def test_links_that_were_written_are_read(links: list[tuple[str, str, str]]) -> None:
    def quoted(text: str) -> str:
        return text.replace("\\", r"\\").replace('"', r"\"")

    field = ", ".join(
        f'<{href}>; rel="{quoted(rel)}"; title="{quoted(title)}"' for href, rel, title in links
    )

    assert parse_links(field) == [Link(href, rel, title) for href, rel, title in links]


@given(st.text())
def test_no_text_breaks_the_reader_of_links(text: str) -> None:
    assert all(isinstance(link, Link) for link in parse_links(text))


def test_a_link_reads_tokens_spaces_and_the_first_of_two_rels() -> None:
    field = '<a>;rel=next , <b> ; REL = prev; rel="self" ; type="text/html", oops'

    assert parse_links(field) == [Link("a", "next"), Link("b", "prev", type="text/html")]


@given(st.integers(0, 10**9))
def test_seconds_are_read(seconds: int) -> None:
    assert parse_retry_after(f" {seconds} ", NOW) == seconds


@given(st.integers(-(10**7), 10**7))
def test_a_date_is_read_as_the_time_until_it_and_never_less_than_none(seconds: int) -> None:
    field = format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)

    assert parse_retry_after(field, NOW) == max(seconds, 0)


@given(st.text())
def test_no_text_breaks_the_reader_of_retry_after(text: str) -> None:
    found = parse_retry_after(text, NOW)

    assert found is None or found >= 0


@pytest.mark.parametrize("field", ["", "soon", "-1", "1.5", "²", "9" * 400, "Wed, 99 Jan 2026"])
def test_a_retry_after_that_says_nothing_is_none(field: str) -> None:
    assert parse_retry_after(field, NOW) is None


@given(st.integers(0, 10**12), st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_content_range_is_read(start: int, length: int, rest: int) -> None:
    end = start + length
    total = end + 1 + rest

    assert parse_content_range(f"bytes {start}-{end}/{total}") == ContentRange(start, end, total)
    assert parse_content_range(f"bytes {start}-{end}/*") == ContentRange(start, end, -1)


@pytest.mark.parametrize(
    "field", ["", "bytes */10", "bytes 5-4/10", "bytes 0-10/10", "rows 0-1/2", "bytes 0-1/²"]
)
def test_a_range_that_cannot_be_is_none(field: str) -> None:
    assert parse_content_range(field) is None


@given(st.binary(min_size=32, max_size=32))
def test_a_digest_survives_the_way_there_and_back(digest: bytes) -> None:
    field = repr_digest(digest.hex())

    assert parse_repr_digest(field) == digest.hex()
    assert parse_repr_digest(f"md5=:AAAA:, {field}") == digest.hex()


@given(st.text())
def test_no_text_breaks_the_reader_of_digests(text: str) -> None:
    assert len(parse_repr_digest(text)) in {0, 64}


def test_a_digest_of_another_length_is_none() -> None:
    assert parse_repr_digest("sha-256=:QUJD:") == ""
