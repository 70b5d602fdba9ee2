"""Pages of a hierarchy: a tree of nodes cut into pieces that a reader fetches one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Key = tuple[int, int, int, int]
#: A page has room for its first node and a link to each of its children.
LEAST_NODES: Final = 9


@dataclass(frozen=True)
class Page:
    """One page.

    Attributes:
        root: the node that it begins with, as a position in the list of nodes.
        entries: all that it lists, in the order of the nodes: with counts, or as links.
        links: those of them that are listed, with all below them, on pages of their own.
    """

    root: int
    entries: tuple[int, ...]
    links: frozenset[int]


def plan_pages(keys: Sequence[Key], nodes_max: int) -> list[Page]:
    """Cut a hierarchy into pages, from the leaves up: each is as full as its subtree lets it be.

    Args:
        keys: depth, x, y, z of each node: the root first, no node before its parent.
        nodes_max: entries on a page at most, links included.

    Returns:
        The pages, each behind the one that links to it.

    Raises:
        ValueError: a page has no room for a node's children, or a node has no parent.
    """
    if nodes_max < LEAST_NODES:
        raise ValueError(f"a page must have room for {LEAST_NODES} nodes, got {nodes_max}")
    children = _children(keys)
    below = [1] * len(keys)  # entries that a node brings to the page it is on
    roots = {0}
    for node in reversed(range(len(keys))):
        size = 1 + sum(below[child] for child in children[node])
        for child in sorted(children[node], key=lambda each: (-below[each], each)):
            if size <= nodes_max:
                break
            roots.add(child)
            size += 1 - below[child]
            below[child] = 1
        below[node] = size
    return [_page(root, children, roots) for root in sorted(roots)]


def _children(keys: Sequence[Key]) -> list[list[int]]:
    at: dict[Key, int] = {}
    children: list[list[int]] = [[] for _ in keys]
    for node, (depth, x, y, z) in enumerate(keys):
        at[depth, x, y, z] = node
        if not node:
            continue
        parent = at.get((depth - 1, x >> 1, y >> 1, z >> 1))
        if parent is None:
            raise ValueError(f"node {depth}-{x}-{y}-{z} must come behind its parent")
        children[parent].append(node)
    return children


def _page(root: int, children: Sequence[Sequence[int]], roots: set[int]) -> Page:
    entries = [root]
    links: set[int] = set()
    waiting = [root]
    while waiting:
        for child in children[waiting.pop()]:
            entries.append(child)
            if child in roots:
                links.add(child)
            else:
                waiting.append(child)
    return Page(root, tuple(sorted(entries)), frozenset(links))
