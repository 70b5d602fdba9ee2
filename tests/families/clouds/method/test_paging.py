"""Pages of a hierarchy: small, and all nodes on them once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.families.clouds.method.morton import key_of
from haulier.families.clouds.method.paging import Key, plan_pages


@st.composite
def hierarchies(draw: st.DrawFn) -> list[Key]:
    """Draw a tree: the root, and children of nodes that are there already."""
    nodes = [(0, 0)]
    for _ in range(draw(st.integers(0, 120))):
        depth, prefix = nodes[draw(st.integers(0, len(nodes) - 1))]
        child = (depth + 1, 8 * prefix + draw(st.integers(0, 7)))
        if depth < 15 and child not in nodes:
            nodes.append(child)
    return [key_of(*node) for node in sorted(nodes)]


@settings(deadline=None)
@given(hierarchies(), st.integers(9, 40))
def test_pages_are_small_and_list_each_node_once(keys: list[Key], most: int) -> None:
    pages = plan_pages(keys, most)

    listed = [node for page in pages for node in page.entries if node not in page.links]
    assert sorted(listed) == list(range(len(keys)))
    assert all(len(page.entries) <= most for page in pages)


@settings(deadline=None)
@given(hierarchies(), st.integers(9, 40))
def test_each_page_but_the_first_is_linked_once_from_one_before(keys: list[Key], most: int) -> None:
    seen: set[int] = {0}
    for page in plan_pages(keys, most):
        assert page.root in seen
        assert page.entries[0] == page.root
        assert not page.links & seen
        seen |= page.links


def test_a_small_hierarchy_is_one_page() -> None:
    keys = [key_of(0, 0), *(key_of(1, octant) for octant in range(8))]

    (page,) = plan_pages(keys, 9)

    assert page.entries == tuple(np.arange(9))


def test_a_node_without_a_parent_is_refused() -> None:
    with pytest.raises(ValueError, match="node 2-0-0-0 must come behind its parent"):
        plan_pages([key_of(0, 0), key_of(2, 0)], 9)


def test_a_page_without_room_for_children_is_refused() -> None:
    with pytest.raises(ValueError, match="must have room for 9 nodes, got 8"):
        plan_pages([key_of(0, 0)], 8)
