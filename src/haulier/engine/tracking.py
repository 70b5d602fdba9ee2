"""How far a job is, added up from its steps and their parts while an attempt runs."""

from collections.abc import Mapping, Sequence
from typing import Final

from haulier.core.family import Part
from haulier.core.progress import Progress, added, clamp, weighted
from haulier.core.recipe import Recipe
from haulier.engine.details import StepProgress

#: The shares of splitting, of the parts and of merging in the work of a step.
SPLIT: Final = 0.05
PARTS: Final = 0.85
MERGE: Final = 0.10


class StepTrack:
    """How far one step is."""

    def __init__(self) -> None:
        self._split = 0.0
        self._merge = 0.0
        self._weights: dict[str, float] = {}
        self._fractions: dict[str, float] = {}
        self._counters: dict[str, Mapping[str, float]] = {}
        self._own: Mapping[str, float] = {}
        self._message = ""
        self.done = 0
        self.running = False
        self.ended = False

    def splitting(self, fraction: float, message: str, counters: Mapping[str, float]) -> None:
        """Note a report of the split."""
        self._split, self._message, self._own = clamp(fraction), message, counters

    def parted(self, parts: Sequence[Part]) -> None:
        """Note the parts, once they are known."""
        self._split = 1.0
        self._own = {}
        self._weights = {part.key: part.weight for part in parts}
        self._fractions = dict.fromkeys(self._weights, 0.0)

    def part(self, key: str, fraction: float, message: str, counters: Mapping[str, float]) -> None:
        """Note a report of a part."""
        self._fractions[key] = clamp(fraction)
        self._message = message or self._message
        if counters:
            self._counters[key] = counters

    def part_done(self, key: str, counters: Mapping[str, float]) -> None:
        """Note that a part is whole."""
        self.part(key, 1.0, "", counters)
        self.done += 1

    def merging(self, fraction: float, message: str, counters: Mapping[str, float]) -> None:
        """Note a report of the merge."""
        self._merge, self._message = clamp(fraction), message or self._message
        self._own = counters or self._own

    def finish(self, counters: Mapping[str, float]) -> None:
        """Note that the step has succeeded; its own counters count, where it gave any."""
        self._split = self._merge = 1.0
        self._fractions = dict.fromkeys(self._weights, 1.0)
        self.ended = True
        if counters:
            self._own, self._counters = counters, {}

    def now(self) -> StepProgress:
        """Give how far the step is."""
        keys = list(self._weights)
        parts = weighted([self._fractions[k] for k in keys], [self._weights[k] for k in keys])
        fraction = SPLIT * self._split + PARTS * parts + MERGE * self._merge
        counters = {**added(list(self._counters.values())), **self._own}
        return StepProgress(
            1.0 if self.ended else fraction, self._message, counters, len(keys), self.done
        )


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
