"""Small networks drawn in metres, with Overture-style connectors where their streets meet."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from haulier.families.roads.method.lines import FloatArray, Lines, measures
from haulier.families.roads.method.network import Customer, Reference
from haulier.families.roads.method.projection import Projection
from haulier.families.roads.method.warm import warm

HERE = Projection(5.57, 50.63)

Path = Sequence[tuple[float, float]]
Draw = Callable[[Sequence[Path]], Lines]
MakeReference = Callable[..., Reference]
MakeCustomer = Callable[..., Customer]


def lines_of(paths: Sequence[Path]) -> Lines:
    """Turn paths in metres into lines in metres."""
    rows = [np.asarray(path, dtype=np.float64).reshape(-1, 2) for path in paths]
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return Lines(np.concatenate([*rows, np.zeros((0, 2))]), offsets)


def degrees_of(paths: Sequence[Path]) -> Lines:
    """Turn paths in metres into lines in degrees."""
    lines = lines_of(paths)
    return Lines(HERE.inverse(lines.coordinates), lines.offsets)


def connected(paths: Sequence[Path], **columns: Any) -> Reference:
    """Make a reference whose connectors are the ends of its paths and the vertices they share."""
    metres = lines_of(paths)
    along = measures(metres)
    seen = Counter(place for path in paths for place in {tuple(p) for p in path})
    codes: dict[tuple[float, ...], int] = {}
    at, ids, offsets = [], [], [0]
    for line, path in enumerate(paths):
        first = int(metres.offsets[line])
        total = along[first + len(path) - 1]
        for i, place in enumerate(path):
            if i in (0, len(path) - 1) or seen[tuple(place)] > 1:
                at.append(along[first + i] / total)
                ids.append(codes.setdefault(tuple(place), len(codes)))
        offsets.append(len(at))
    return Reference(
        degrees_of(paths), np.array(at), np.array(ids, dtype=np.int64), np.array(offsets), **columns
    )


def driven(paths: Sequence[Path], **columns: Any) -> Customer:
    """Make a customer whose roads may all be matched."""
    return Customer(degrees_of(paths), np.ones(len(paths), np.bool_), **columns)


def make_town(size: int, seed: int) -> list[Path]:
    """Draw an irregular town: bent streets between jittered crossings, lanes beside some."""
    random = np.random.default_rng(seed)
    spread = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1) * 110.0
    at: FloatArray = np.round(spread + random.normal(0, 14, spread.shape), 2)
    paths: list[Path] = []
    for i in range(size):
        for j in range(size):
            for k, m in ((i + 1, j), (i, j + 1)):
                if k >= size or m >= size or random.random() < 0.12:
                    continue
                a, b = at[i, j], at[k, m]
                side = np.array([a[1] - b[1], b[0] - a[0]]) / np.hypot(*(b - a))
                middle = (a + b) / 2 + side * random.normal(0, 6)
                paths.append([tuple(a), tuple(np.round(middle, 2)), tuple(b)])
                if random.random() < 0.08:
                    beside = side * random.uniform(9, 16)
                    paths.append([tuple(a + beside), tuple(b + beside)])
    return paths


@pytest.fixture(scope="session", autouse=True)
def _compiled() -> None:
    """Compile the kernels before hypothesis times its first example."""
    warm()


@pytest.fixture
def draw() -> Draw:
    """Give the maker of lines in degrees."""
    return degrees_of


@pytest.fixture
def reference_of() -> MakeReference:
    """Give the maker of references."""
    return connected


@pytest.fixture
def customer_of() -> MakeCustomer:
    """Give the maker of customers."""
    return driven


@pytest.fixture(scope="session")
def town() -> Reference:
    """Give a town of about 700 streets."""
    return connected(make_town(19, seed=5))
