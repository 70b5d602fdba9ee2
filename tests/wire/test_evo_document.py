"""Documents of geoscience objects: every file that one names is found, whatever it looks like."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.problem import Code, Problem
from haulier.wire.evo.document import check_document, check_path, named_files

HASHES = st.binary(min_size=32, max_size=32).map(bytes.hex)
KEYS = st.text(max_size=6)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
TREES = st.recursive(
    LEAVES | st.builds(lambda name: {"data": name}, HASHES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


def tried(call: Callable[[], Any]) -> tuple[Any, Problem | None]:
    """Give what a call gives, or its refusal."""
    try:
        return call(), None
    except Problem as problem:
        return None, problem


def hashes_in(value: Any) -> set[str]:
    if isinstance(value, list):
        return {found for inner in value for found in hashes_in(inner)}
    if isinstance(value, dict):
        own = {value["data"]} if isinstance(value.get("data"), str) else set()
        inner = {found for each in value.values() for found in hashes_in(each)}
        return {found for found in own if len(found) == 64} | inner
    return set()


@given(TREES)
def test_every_file_that_a_document_names_is_found_once(tree: Any) -> None:
    found = named_files({"root": tree})

    assert list(found) == sorted(hashes_in(tree))
    assert all(at.endswith("data") for at in found.values())


@pytest.mark.parametrize(("levels", "fine"), [(60, True), (70, False), (10_000, False)])
def test_a_document_without_end_is_refused(levels: int, *, fine: bool) -> None:
    tree: Any = {"data": "a" * 64}
    for _ in range(levels):
        tree = [tree]

    if fine:
        assert list(named_files({"root": tree})) == ["a" * 64]
        return
    with pytest.raises(Problem, match="nested") as refused:
        named_files({"root": tree})
    assert refused.value.code is Code.INVALID


@given(st.dictionaries(KEYS | st.sampled_from(["schema", "name", "uuid"]), LEAVES, max_size=5))
def test_a_document_is_taken_without_its_uuid_or_refused_by_member(document: Any) -> None:
    checked, problem = tried(lambda: check_document(document, None))

    if problem is None:
        assert "uuid" not in checked
    else:
        assert {fault.at for fault in problem.faults} <= {"schema", "name", "uuid"}


@given(st.text(max_size=40))
def test_a_path_is_given_plain_or_refused(path: str) -> None:
    plain, problem = tried(lambda: check_path(path))

    if problem is None:
        assert check_path(f"/{plain}/") == plain
        assert ".." not in plain.split("/")
    else:
        assert problem.at == "path.objects_path"
