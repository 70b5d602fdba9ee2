"""What a caller may choose about a match, and the constants of its passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from haulier.families.roads.method.samples import Tuning
from haulier.families.roads.method.sheet import MAD_TO_SIGMA

THRESHOLD: Final = 60  # confidence from which a match counts (GEM: "typically > 60 %")
FAST_SIGMA_M: Final = 6.0  # of two maps nothing is known of; Newson & Krumm's GPS has 4.07
LEAST_SIGMA_M: Final = 2.5  # a lane's width: below it the two maps may mean different lanes
MOST_SIGMA_M: Final = 10.0
GOOD_MAD_M: Final = 1.0  # maps this close need no sheet
LEAST_ROADS: Final = 30  # fewer cannot tell a displaced map from roads that are absent
SMOOTH_CELLS: Final = (2.5, 1.0)  # of the sheet, pass by pass: from coarse to fine
SHEET_CELL_M: Final = 250.0
SAFETY: Final = 1.15  # on sigma: the sheet was fitted to the residuals it is judged by


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices of the caller.

    Attributes:
        mode: "fast" matches once, "accurate" first learns how the two maps lie to each other.
        max_offset_m: the farthest a road may lie from its segment.
    """

    mode: Literal["fast", "accurate"] = "accurate"
    max_offset_m: float = 45.0


def sigma_from(mad_m: float) -> float:
    """Turn the median distance of matched samples into the sigma of a normal error, metres."""
    return min(max(SAFETY * MAD_TO_SIGMA * mad_m, LEAST_SIGMA_M), MOST_SIGMA_M)


def first_tuning(max_offset_m: float) -> Tuning:
    """Give the constants for maps whose offset is not known yet."""
    return Tuning(
        step_m=40.0,
        least_steps=2,
        sigma_m=10.0,
        null_cost=0.5 * 3.5**2,
        range_m=min(35.0, max_offset_m),
        beta_m=6.0,
        switch_cost=2.0,
        jump_cost=7.0,
        turn_cost=0.1,
        end_m=8.0,
    )


def final_tuning(sigma_m: float, max_offset_m: float) -> Tuning:
    """Give the constants for maps that lie `sigma_m` beside each other."""
    return Tuning(
        step_m=15.0,
        least_steps=4,
        sigma_m=sigma_m,
        null_cost=0.5 * 2.8**2,
        range_m=min(3.2 * sigma_m, max_offset_m),
        beta_m=max(4.0, sigma_m),
        switch_cost=2.0,
        jump_cost=7.0,
        turn_cost=0.1,
        end_m=max(4.0, 2.0 * sigma_m),
    )


def coarse(tuning: Tuning) -> Tuning:
    """Give the same constants at twice the step, for a pass that only learns."""
    return tuning._replace(step_m=30.0, least_steps=2)


def cell_m(tuning: Tuning) -> float:
    """Choose the side of a grid cell: smaller ones list fewer pieces, but take longer to fill."""
    return max(1.3 * tuning.range_m, 16.0)
