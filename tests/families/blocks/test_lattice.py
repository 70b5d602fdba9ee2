"""Blocks of a lattice: numbers, indices, centres and places agree, however it is turned."""

import numpy as np
import pytest
from evo.objects.typed import Rotation
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.blocks.method.lattice import Lattice, rotation_matrix
from haulier.wire.evo import turning

TURNS = st.lists(st.tuples(st.sampled_from("xyz"), st.floats(-359, 359)), max_size=3)
COUNTS = st.tuples(*[st.integers(1, 6)] * 3)
SIDES = st.tuples(*[st.floats(0.1, 50)] * 3)
ORIGINS = st.tuples(*[st.floats(-1e5, 1e5)] * 3)


@given(ORIGINS, COUNTS, SIDES, TURNS)
def test_every_block_is_found_at_its_centre(
    origin: tuple[float, float, float],
    counts: tuple[int, int, int],
    sides: tuple[float, float, float],
    turns: list[tuple[str, float]],
) -> None:
    lattice = Lattice(origin, counts, sides, tuple(turns))
    numbers = np.arange(lattice.size)

    assert (lattice.numbers(lattice.indices(numbers)) == numbers).all()
    assert (lattice.numbers(lattice.blocks_at(lattice.centres(numbers))) == numbers).all()


def test_i_runs_fastest_and_k_slowest() -> None:
    lattice = Lattice((0.0, 0.0, 0.0), (4, 3, 2), (1.0, 1.0, 1.0))

    assert lattice.numbers(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]])).tolist() == [1, 4, 12]
    assert lattice.centres(np.array([12])).tolist() == [[0.5, 0.5, 1.5]]


@pytest.mark.parametrize("block", [(-1, 0, 0), (4, 0, 0), (0, 3, 0), (0, 0, 2)])
def test_a_block_outside_is_refused_with_its_row(block: tuple[int, int, int]) -> None:
    lattice = Lattice((0.0, 0.0, 0.0), (4, 3, 2), (1.0, 1.0, 1.0))

    with pytest.raises(ValueError, match="row 1, counted from 0, is block"):
        lattice.numbers(np.array([(0, 0, 0), block]))


def test_a_turn_about_x_is_the_one_that_the_vendor_documents() -> None:
    cosine, sine = np.cos(np.radians(15)), np.sin(np.radians(15))

    wanted = [[1, 0, 0], [0, cosine, sine], [0, -sine, cosine]]
    np.testing.assert_allclose(rotation_matrix([("x", 15)]), wanted)


@given(TURNS)
def test_the_wire_turns_as_the_jobs_do_and_as_the_vendor_s_rotation(
    turns: list[tuple[str, float]],
) -> None:
    matrix = rotation_matrix(turns)
    first, middle, last = turning.normal_angles(turns)

    np.testing.assert_allclose(turning.rotation_matrix(turns), matrix, atol=1e-12)
    typed = Rotation(dip_azimuth=first, dip=middle, pitch=last).as_rotation_matrix()
    np.testing.assert_allclose(typed, matrix, atol=1e-6)
