"""The family itself: what it can do, in which steps, and who does each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from haulier.core.family import Context, JobResult, Kind, Part, PartResult, StepResult
from haulier.core.recipe import Recipe, StepPlan
from haulier.families.geostat.kinds import KINDS, REPORT
from haulier.families.geostat.params.checks import check_params
from haulier.families.geostat.params.pieces import Parameters
from haulier.families.geostat.params.simulation import ConditionalSimulation, SimulationReport
from haulier.families.geostat.result import job_result

#: Rises when the same input would give other outputs: parts of other versions are done again.
CODE_VERSION: Final = "2"


class Doing(NamedTuple):
    """Who does a step."""

    split: Callable[[StepPlan, Context], Sequence[Part]]
    run: Callable[[StepPlan, Part, Context], PartResult]
    merge: Callable[[StepPlan, Mapping[str, PartResult], Context], StepResult]


def _doing(kind: str) -> Doing:
    """Import what does a step, in the process that does it.

    A process that only plans jobs stays free of numba, Arrow and matplotlib.
    """
    if kind == REPORT.name:
        from haulier.families.geostat.steps import report  # noqa: PLC0415 -- loads matplotlib

        return Doing(report.split, report.run, report.merge)
    from haulier.families.geostat.steps import prepare, publish, work  # noqa: PLC0415 -- see above

    return {
        "prepare": Doing(prepare.split, prepare.run, prepare.merge),
        "work": Doing(work.split, work.run, work.merge),
        "publish": Doing(publish.split, publish.run, publish.merge),
    }[kind]


def needs_report(params: Parameters) -> bool:
    """Whether the report is part of the result, and made whatever `report` says."""
    validated = isinstance(params, ConditionalSimulation) and params.perform_validation
    return validated or isinstance(params, SimulationReport)


class Geostat:
    """Kriging and its companions over geoscience objects."""

    name = "geostat"
    kinds: Mapping[str, Kind] = KINDS

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give the steps of a job: prepare, work, publish, and the report beside publish."""
        if kind not in self.kinds or not isinstance(params, Parameters):
            raise TypeError(f"{self.name} plans {sorted(self.kinds)}, got {kind} with {params!r}")
        check_params(params)
        said: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params))
        named = needs_report(params)
        reported = said.pop("report") or named
        given = {"kind": kind, "params": said}
        steps = [
            StepPlan("prepare", self.name, "prepare", given, weight=1),
            StepPlan("work", self.name, "work", given, ("prepare",), weight=20),
            StepPlan("publish", self.name, "publish", given, ("prepare", "work"), weight=1),
        ]
        if reported:
            needs = ("prepare", "work")
            steps.append(
                StepPlan(
                    REPORT.name,
                    self.name,
                    REPORT.name,
                    given,
                    needs,
                    weight=2,
                    optional=not named,  # a plot that fails costs nobody a kriging
                )
            )
        return Recipe(tuple(steps))

    def version(self, step: StepPlan) -> str:
        """Name the code that decides a step's output."""
        del step
        return CODE_VERSION

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
        """Give the result and the figures that the step `publish` gave."""
        del kind  # all have the same steps
        return job_result(steps)

    def warm(self) -> None:
        """Load the libraries and compile the kernels."""
        from haulier.families.geostat.ready import make_ready  # noqa: PLC0415 -- see _doing

        _doing("work")
        make_ready()


FAMILY: Final = Geostat()
