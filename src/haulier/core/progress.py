"""How far a job is: one true fraction, a phase, a sentence and counters."""

from collections.abc import Mapping, Sequence

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """How far something is.

    Attributes:
        fraction: 0 to 1, of the work and not of the time.
        phase: the step or stage that runs, one word or two.
        message: one sentence for a person.
        counters: how many of what, such as {"roads": 1200}.
    """

    fraction: float = 0.0
    phase: str = ""
    message: str = ""
    counters: Mapping[str, float] = {}


def clamp(fraction: float) -> float:
    """Keep a fraction within 0 and 1; what is not a number counts as 0."""
    return min(max(fraction, 0.0), 1.0) if fraction == fraction else 0.0  # noqa: PLR0124 -- NaN


def weighted(fractions: Sequence[float], weights: Sequence[float]) -> float:
    """Give the fraction of a whole from the fractions of its members.

    Args:
        fractions: how far each member is, 0 to 1.
        weights: the share of work of each member, at least 0, in any unit.
    """
    total = sum(weights)
    if total <= 0:
        return 0.0
    return clamp(sum(f * (w / total) for f, w in zip(fractions, weights, strict=True)))


def added(counters: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Add up the counters of several members, name by name."""
    total: dict[str, float] = {}
    for mapping in counters:
        for name, value in mapping.items():
            total[name] = total.get(name, 0) + value
    return total
