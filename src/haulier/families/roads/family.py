"""The family itself: what it can do, in which steps, and who does each."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple

import msgspec

from haulier.core.family import Context, JobResult, Kind, Output, Part, PartResult, StepResult
from haulier.core.recipe import Recipe, StepPlan
from haulier.families.roads.params import RoadMatching, check_params
from haulier.families.roads.result import job_result

#: Rises when the same input would give other outputs: parts of other versions are done again.
CODE_VERSION: Final = "1"
MODEL_FILE: Final = "confidence_model.json"
PARQUET: Final = "application/vnd.apache.parquet"
ARROW: Final = "application/vnd.apache.arrow.file"

ROAD_MATCHING: Final = Kind(
    name="ROAD_MATCHING",
    title="Match roads to GERS",
    description=(
        "Matches each road of a customer's network to the segments of an Overture release, and "
        "gives the GERS ids, the matched stretches on both sides, and how sure each match is."
    ),
    params=RoadMatching,
    outputs=(
        Output("results", PARQUET, "One row a match: ids, stretches, confidence"),
        Output("roads", PARQUET, "One row a road: status, coverage, reason"),
        Output("bridge", PARQUET, "Overture bridge file", optional=True),
        Output("view", "application/geo+json", "The roads with their status", optional=True),
        Output("report", "text/html", "A page with a map and the statistics", optional=True),
        Output(
            "customers",
            ARROW,
            "The checked roads by tile, for the next step",
            optional=True,
            inner=True,
        ),
        Output(
            "tiles", "application/json", "The tiles, for the next step", optional=True, inner=True
        ),
        Output(
            "skipped",
            ARROW,
            "Rows that were left out, for the last step",
            optional=True,
            inner=True,
        ),
        Output(
            "matches", ARROW, "The matches by tile, for the last step", optional=True, inner=True
        ),
    ),
    keywords=("roads", "map matching", "conflation", "overture", "gers"),
)


class Doing(NamedTuple):
    """Who does a step."""

    split: Callable[[StepPlan, Context], Sequence[Part]]
    run: Callable[[StepPlan, Part, Context], PartResult]
    merge: Callable[[StepPlan, Mapping[str, PartResult], Context], StepResult]


def _doing(kind: str) -> Doing:
    """Import what does a step, in the process that does it.

    A process that only plans jobs stays free of numba, GEOS and GDAL: 200 MB and a second.
    """
    from haulier.families.roads.steps import match, prepare, write  # noqa: PLC0415 -- see above

    return {
        "prepare": Doing(prepare.split, prepare.run, prepare.merge),
        "match": Doing(match.split, match.run, match.merge),
        "write": Doing(write.split, write.run, write.merge),
    }[kind]


class Roads:
    """Road networks matched against each other."""

    name = "roads"
    kinds: Mapping[str, Kind] = {ROAD_MATCHING.name: ROAD_MATCHING}

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give the three steps of a job.

        Each step gets only the parameters that decide its output, so that a job that differs in
        the threshold alone matches nothing again.
        """
        if kind not in self.kinds or not isinstance(params, RoadMatching):
            raise TypeError(f"{self.name} plans {sorted(self.kinds)}, got {kind} with {params!r}")
        said: dict[str, Any] = msgspec.to_builtins(check_params(params))
        read = {name: said[name] for name in ("input", "overture_release", "on_bad_row", "columns")}
        matched = {name: said[name] for name in ("mode", "overture_release")}
        written = {
            name: said[name]
            for name in ("confidence_threshold", "outputs", "overture_release", "mode")
        }
        written["filename"] = params.input.filename
        return Recipe(
            (
                StepPlan("prepare", self.name, "prepare", read, weight=2),
                StepPlan("match", self.name, "match", matched, ("prepare",), weight=10),
                StepPlan("write", self.name, "write", written, ("prepare", "match"), weight=1),
            )
        )

    def version(self, step: StepPlan) -> str:
        """Name the code and the model that decide a step's output."""
        if step.kind == "prepare":
            return CODE_VERSION
        model = files("haulier.families.roads.method").joinpath(MODEL_FILE).read_bytes()
        return f"{CODE_VERSION}-{hashlib.sha256(model).hexdigest()[:12]}"

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Give the parts of a step."""
        return _doing(step.kind).split(step, context)

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Do one part."""
        return _doing(step.kind).run(step, part, context)

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Make one output from the parts."""
        return _doing(step.kind).merge(step, results, context)

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give the statistics that the last step counted."""
        del kind  # there is one
        return job_result(steps)

    def warm(self) -> None:
        """Load the libraries and compile the kernels."""
        from haulier.families.roads.ready import make_ready  # noqa: PLC0415 -- see _doing

        _doing("match")
        make_ready()


FAMILY: Final = Roads()
