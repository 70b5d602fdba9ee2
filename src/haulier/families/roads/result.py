"""What a job says at its end: the statistics, in the vendor's names and digits."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from haulier.core.family import JobResult, StepResult

RATIO_DIGITS: Final = 4
KILOMETRE_DIGITS: Final = 2


class Counts(msgspec.Struct, frozen=True):
    """What is counted while the outputs are written.

    Attributes:
        roads: all of them; rows that were skipped are not among them.
        fully: matched in full.
        partially: matched in part.
        single: matched in full to one segment.
        length_m: geodesic length of all roads.
        matched_m: length of the stretches that are matched.
        matches: rows that count, of `rows`.
        rows: all rows in the results.
        reasons: why roads are unmatched: reason to count.
        histogram: rows by confidence, in tens: 0-9, 10-19, ... 90-100.
    """

    roads: int = 0
    fully: int = 0
    partially: int = 0
    single: int = 0
    length_m: float = 0.0
    matched_m: float = 0.0
    matches: int = 0
    rows: int = 0
    reasons: Mapping[str, int] = {}
    histogram: tuple[int, ...] = (0,) * 10


def together(one: Counts, other: Counts) -> Counts:
    """Add up two counts."""
    reasons = {
        word: one.reasons.get(word, 0) + other.reasons.get(word, 0)
        for word in sorted({*one.reasons, *other.reasons})
    }
    numbers = {
        name: getattr(one, name) + getattr(other, name)
        for name in Counts.__struct_fields__
        if name not in {"reasons", "histogram"}
    }
    tens = tuple(a + b for a, b in zip(one.histogram, other.histogram, strict=True))
    return Counts(**numbers, reasons=reasons, histogram=tens)


def truncated(value: Fraction, digits: int) -> float:
    """Cut a number that is not negative after some decimals: 2/3 to four digits is 0.6666."""
    scale = 10**digits
    return float(int(value * scale) / scale)


def statistics(counts: Counts, threshold: int) -> dict[str, Any]:
    """Give the statistics of a job.

    The ratios follow TomTom's example, where 0.675 + 0.1718 = 0.8468 and 0.8468 + 0.1531 is not
    1: each printed ratio is cut, not rounded, after four digits; matched is the sum of the two
    printed parts, and unmatched is cut from its own true value.
    """
    total = max(counts.roads, 1)
    fully = truncated(Fraction(counts.fully, total), RATIO_DIGITS)
    partially = truncated(Fraction(counts.partially, total), RATIO_DIGITS)
    unmatched = counts.roads - counts.fully - counts.partially
    return {
        "confidence_threshold": threshold,
        "kms_processed": round(counts.length_m / 1000.0, KILOMETRE_DIGITS),
        "num_roads_processed": counts.roads,
        "roads_fully_matched_ratio": fully,
        "roads_matched_ratio": round(fully + partially, RATIO_DIGITS),
        "roads_partially_matched_ratio": partially,
        "roads_unmatched_ratio": truncated(Fraction(unmatched, total), RATIO_DIGITS),
        "roads_single_gers_ratio": truncated(Fraction(counts.single, total), RATIO_DIGITS),
    }


def job_result(steps: Mapping[str, StepResult]) -> JobResult:
    """Give the statistics and the further counts of a job from its last step."""
    values = steps["write"].values
    return JobResult(statistics=values["statistics"], result=values["result"])
