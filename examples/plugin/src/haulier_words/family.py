"""The family "words": what it can do, and who does each step of it."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from haulier.core.family import Context, JobResult, Kind, Output, Part, PartResult, StepResult
from haulier.core.recipe import Recipe, StepPlan
from haulier_words.method import commonest, count_words
from haulier_words.params import KIB, WordCount, check
from haulier_words.ranges import split_at, texts

COUNTS = "counts.json"

WORD_COUNT = Kind(
    name="WORD_COUNT",
    title="Count the words of a text",
    description="Counts how often each word of a text occurs, in parts that run side by side.",
    params=WordCount,
    outputs=(Output("words", "text/csv", "One row a word: the word, how often", "words.csv"),),
    keywords=("text", "statistics"),
)


class Words:
    """Texts, counted."""

    name = "words"
    kinds: Mapping[str, Kind] = {WORD_COUNT.name: WORD_COUNT}

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give the one step of a job."""
        if kind not in self.kinds or not isinstance(params, WordCount):
            raise TypeError(f"{self.name} plans {sorted(self.kinds)}, got {kind} with {params!r}")
        return Recipe((StepPlan("count", self.name, "count", msgspec.to_builtins(check(params))),))

    def version(self, step: StepPlan) -> str:
        """Name the code that decides what a step gives."""
        del step
        return "1"

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Cut the text into byte ranges."""
        params = _params(step)
        size_bytes = context.read(params.input).stat().st_size
        context.report(1.0, f"{size_bytes} bytes of text")
        return [
            Part(f"from-{start}", {"start": start, "end": end}, weight=max(end - start, 1))
            for start, end in split_at(size_bytes, params.part_kib * KIB)
        ]

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Count the words that begin in one range."""
        start, end = part.params["start"], part.params["end"]
        counts: Counter[str] = Counter()
        for text, at in texts(context.read(_params(step).input), start, end):
            context.check()
            counts.update(count_words(text))
            done = min((at - start) / (end - start), 1.0)
            context.report(done, f"{at} bytes read", {"words": counts.total()})
        encoded = msgspec.json.encode(dict(counts), order="sorted")
        context.part_file(COUNTS).write_bytes(encoded)
        return PartResult(counters={"words": counts.total()})

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Add up the ranges, and write the table of all words."""
        total: Counter[str] = Counter()
        for key in results:
            total.update(msgspec.json.decode(context.part_file(COUNTS, key).read_bytes()))
        ranked = commonest(total)
        path = context.write("words", media_type="text/csv", filename="words.csv")
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(("word", "count"))
            table.writerows(ranked)
        counters = {"words": float(total.total()), "distinct": float(len(total))}
        return StepResult({"top": ranked[: _params(step).top]}, counters)

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give how many words there are, and the commonest."""
        del kind  # there is one
        counted = steps["count"]
        statistics: dict[str, Any] = {
            "num_words": int(counted.counters["words"]),
            "num_distinct_words": int(counted.counters["distinct"]),
        }
        return JobResult(statistics, {"top": counted.values["top"]})

    def warm(self) -> None:
        """Have nothing to load."""


def _params(step: StepPlan) -> WordCount:
    return msgspec.convert(step.params, WordCount)


FAMILY = Words()
