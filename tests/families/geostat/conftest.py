"""Published data sets and the answers of other programs; they are not ours to ship."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
#: Where the data lie if HAULIER_TEST_DATA does not say: in a folder beside the checkout's.
BESIDE = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Give what finds a file of the data; the test is skipped where there is none."""
    folder = Path(os.environ.get("HAULIER_TEST_DATA", BESIDE)) / "geostat"

    def find(name: str) -> Path:
        path = folder / name
        if not path.exists():
            pytest.skip(f"no {name} here; HAULIER_TEST_DATA may name the folder of geostat/{name}")
        return path

    return find


@pytest.fixture(scope="session")
def table(shared: Callable[[str], Path]) -> Callable[[str], dict[str, FloatArray]]:
    """Give what reads a table: a column of numbers by name, NaN where there is no number."""

    def read(name: str) -> dict[str, FloatArray]:
        with shared(name).open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
        return {column: np.array([number(row[column]) for row in rows]) for column in rows[0]}

    return read


def number(text: str) -> float:
    """Read a number; NaN if it is none."""
    try:
        return float(text)
    except ValueError:
        return float("nan")
