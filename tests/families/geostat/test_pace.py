"""How many locations are worked on between two reports of progress."""

import numpy as np
import pytest

from haulier.families.geostat.method.neighbourhood import Neighbourhood
from haulier.families.geostat.params.pieces import BlockDiscretization
from haulier.families.geostat.steps.pace import LEAST_ROWS, rows_at_once

MOST = 16_384
FINE = BlockDiscretization(nx=9, ny=9, nz=9)


def search(samples: int) -> Neighbourhood:
    return Neighbourhood(np.eye(3), samples)


def test_quick_locations_are_worked_on_together() -> None:
    assert rows_at_once(MOST, search(24), None) == MOST


@pytest.mark.parametrize(
    ("samples", "block", "lines"), [(1000, FINE, 0), (24, FINE, 100_000), (24, None, 100_000)]
)
def test_much_work_a_location_means_few_of_them_at_once(
    samples: int, block: BlockDiscretization | None, lines: int
) -> None:
    assert LEAST_ROWS <= rows_at_once(MOST, search(samples), block, lines) < MOST / 4


def test_points_lines_and_samples_each_make_them_fewer() -> None:
    each = [
        rows_at_once(10**9, search(24), None, 500),
        rows_at_once(10**9, search(100), None, 500),
        rows_at_once(10**9, search(100), FINE, 500),
        rows_at_once(10**9, search(100), FINE, 50_000),
    ]

    assert each == sorted(set(each), reverse=True)
