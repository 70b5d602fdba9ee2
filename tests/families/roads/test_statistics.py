"""The statistics follow the vendor's example to the digit."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haulier.families.roads.params import results_filename
from haulier.families.roads.result import Counts, statistics, together, truncated

SEED = 397_613  # roads in the vendor's example


def test_the_vendors_example_comes_out_digit_by_digit() -> None:
    fully, partially = 268_400, 68_345  # 0.67503 and 0.17189 of the roads; unmatched 0.15308
    unmatched = SEED - fully - partially
    assert unmatched / SEED == pytest.approx(0.15308, abs=1e-5)
    counts = Counts(roads=SEED, fully=fully, partially=partially, length_m=80_208_391.2)

    found = statistics(counts, 60)

    assert found["roads_fully_matched_ratio"] == 0.675
    assert found["roads_partially_matched_ratio"] == 0.1718
    assert found["roads_matched_ratio"] == 0.8468
    assert found["kms_processed"] == 80_208.39
    assert found["num_roads_processed"] == SEED
    assert found["confidence_threshold"] == 60


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.integers(0, 10**7))
def test_matched_is_always_the_sum_of_what_is_printed(full: int, part: int, none: int) -> None:
    found = statistics(Counts(roads=full + part + none, fully=full, partially=part), 60)

    parts = found["roads_fully_matched_ratio"], found["roads_partially_matched_ratio"]
    assert found["roads_matched_ratio"] == round(sum(parts), 4)
    whole = found["roads_matched_ratio"] + found["roads_unmatched_ratio"]
    assert full + part + none == 0 or 1 - 3e-4 < whole <= 1 + 1e-9


@given(st.fractions(0, 1000), st.integers(0, 6))
def test_cutting_never_rounds_up_and_loses_less_than_one_digit(
    value: Fraction, digits: int
) -> None:
    cut = Fraction(truncated(value, digits)).limit_denominator(10**digits)

    assert 0 <= value - cut < Fraction(1, 10**digits)


def test_counts_of_tiles_add_up() -> None:
    one = Counts(roads=3, fully=1, reasons={"no_candidate": 2}, histogram=(1,) * 10)
    other = Counts(roads=4, partially=2, reasons={"competition": 1}, histogram=(2,) * 10)

    both = together(one, other)

    assert (both.roads, both.fully, both.partially) == (7, 1, 2)
    assert both.reasons == {"competition": 1, "no_candidate": 2}
    assert both.histogram == (3,) * 10


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("test_data.parquet", "test_data.results.parquet"),
        ("a.b.geojson", "a.b.results.parquet"),
        ("noend", "noend.results.parquet"),
        (".hidden", ".hidden.results.parquet"),
    ],
)
def test_results_are_named_after_the_input(filename: str, expected: str) -> None:
    assert results_filename(filename) == expected
