"""Block lists are read whole or refused."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.problem import Problem
from haulier.wire.blobs.blocks import block_name, parse_block_list

HEAD = '<?xml version="1.0" encoding="utf-8"?>'
IDS = st.binary(min_size=1, max_size=64).map(lambda raw: base64.b64encode(raw).decode())


@given(st.lists(st.tuples(st.sampled_from(["Latest", "Uncommitted", "Committed"]), IDS)))
def test_a_list_gives_its_blocks_in_order(blocks: list[tuple[str, str]]) -> None:
    inner = "\n".join(f"<{tag}>{block}</{tag}>" for tag, block in blocks)

    names = parse_block_list(f"{HEAD}<BlockList>{inner}</BlockList>".encode())

    assert names == [block_name(block) for _, block in blocks]
    assert all(len(name) <= 64 for name in names)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    with suppress(Problem):
        parse_block_list(body)


def test_an_empty_list_makes_an_empty_blob() -> None:
    assert parse_block_list(b"<BlockList />") == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<BlockList>",
        b"<BlockList><Latest>no base64!</Latest></BlockList>",
        b"<BlockList><Latest>QQ==</Committed></BlockList>",
        b"<BlockList><Oldest>QQ==</Oldest></BlockList>",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><BlockList><Latest>&a;</Latest></BlockList>",
        b"<BlockList>" + b"<Latest>QQ==</Latest>" * 50_001 + b"</BlockList>",
        b"\xff",
    ],
    ids=range(9),
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse_block_list(body)

    assert refused.value.at == "blocklist"


@pytest.mark.parametrize("block_id", ["", "*", "QQ", base64.b64encode(b"x" * 65).decode()])
def test_what_is_no_block_id_is_refused(block_id: str) -> None:
    with pytest.raises(Problem):
        block_name(block_id)
