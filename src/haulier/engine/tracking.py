"""How far a job is, added up from its steps and their parts while an attempt runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from haulier.core.family import Part
from haulier.core.progress import Progress, added, clamp, weighted
from haulier.core.recipe import Recipe
from haulier.engine.details import StepProgress

#: The shares of splitting, of the parts and of merging in the work of a step.
SPLIT: Final = 0.05
PARTS: Final = 0.85
MERGE: Final = 0.10


@dataclass(slots=True)
class _Running:
    """A part that is being done."""

    weight: float
    fraction: float = 0.0
    counters: Mapping[str, float] = field(default_factory=dict)


class StepTrack:
    """How far one step is: sums over what is done, and one by one only the parts that run."""

    def __init__(self) -> None:
        self._split = 0.0
        self._merge = 0.0
        self._weight = 0.0
        self._weight_done = 0.0
        self._parts = 0
        self._done = 0
        self._counted: Mapping[str, float] = {}
        self._running: dict[str, _Running] = {}
        self._own: Mapping[str, float] = {}
        self._message = ""
        self.running = False
        self._ended = False
        self._stage = (0, 1)

    def stage(self, number: int, count: int) -> None:
        """Note that a pass begins: the one of this number, from 0 on, of so many."""
        self._stage = (number, count)
        self._split = self._merge = self._weight = self._weight_done = 0.0
        self._parts = self._done = 0
        self._counted, self._own = {}, {}
        self._running.clear()

    def splitting(self, fraction: float, message: str, counters: Mapping[str, float]) -> None:
        """Note a report of the split."""
        self._split, self._message, self._own = clamp(fraction), message, counters

    def parted(self, parts: Sequence[Part]) -> None:
        """Note the parts, once they are known."""
        self._split = 1.0
        self._own = {}
        self._parts = len(parts)
        self._weight = sum(part.weight for part in parts)

    def part_begins(self, part: Part) -> None:
        """Note that a part is being done."""
        self._running[part.key] = _Running(part.weight)

    def part(
        self, part: Part, fraction: float, message: str, counters: Mapping[str, float]
    ) -> None:
        """Note a report of a part."""
        running = self._running[part.key]
        running.fraction = clamp(fraction)
        running.counters = counters or running.counters
        self._message = message or self._message

    def part_done(self, part: Part, counters: Mapping[str, float]) -> None:
        """Note that a part is whole."""
        said = self._running.pop(part.key, None)
        self._done += 1
        self._weight_done += part.weight
        last = counters or (said.counters if said else {})
        self._counted = added([self._counted, last])

    def merging(self, fraction: float, message: str, counters: Mapping[str, float]) -> None:
        """Note a report of the merge."""
        self._merge, self._message = clamp(fraction), message or self._message
        self._own = counters or self._own

    def finish(self, counters: Mapping[str, float]) -> None:
        """Note that the step has succeeded; its own counters count, where it gave any."""
        self._ended = True
        if counters:
            self._own, self._counted = counters, {}

    def now(self) -> StepProgress:
        """Give how far the step is."""
        running = list(self._running.values())
        weight = self._weight_done + sum(one.fraction * one.weight for one in running)
        parts = clamp(weight / self._weight) if self._weight > 0 else 0.0
        number, count = self._stage
        fraction = (number + SPLIT * self._split + PARTS * parts + MERGE * self._merge) / count
        counters = {**added([self._counted, *(one.counters for one in running)]), **self._own}
        if self._ended:
            fraction = 1.0
        return StepProgress(fraction, self._message, counters, self._parts, self._done)


class Track:
    """How far a job is."""

    def __init__(self, recipe: Recipe) -> None:
        self._weights = {step.id: step.weight for step in recipe.steps}
        self.steps = {step.id: StepTrack() for step in recipe.steps}

    def running(self) -> dict[str, StepProgress]:
        """Give how far each running step is."""
        return {key: track.now() for key, track in self.steps.items() if track.running}

    def now(self) -> Progress:
        """Give how far the job is; its phase are the steps that run.

        Where several steps count the same thing, the last one's count is the job's: the roads
        that were read and the roads that were matched are the same roads.
        """
        known = {key: track.now() for key, track in self.steps.items()}
        running = [key for key, track in self.steps.items() if track.running]
        messages = [known[key].message for key in running if known[key].message]
        return Progress(
            fraction=weighted(
                [one.fraction for one in known.values()], [self._weights[key] for key in known]
            ),
            phase=", ".join(running),
            message=messages[-1] if messages else "",
            counters={name: n for one in known.values() for name, n in one.counters.items()},
        )
