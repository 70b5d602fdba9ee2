"""The family itself: updates and queries of block models, one step each."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.family import Context, JobResult, Kind, Output, Part, PartResult, StepResult
from haulier.core.recipe import Recipe, StepPlan
from haulier.families.blocks.params import MOST_COLUMNS, Query, Update, check_update, output_name

PARQUET: Final = "application/vnd.apache.parquet"
TOPIC: Final = "block-models"
#: Rises when the same input would give other outputs.
CODE_VERSION: Final = "1"

UPDATE: Final = Kind(
    name="BLOCK_MODEL_UPDATE",
    title="Update a block model",
    description="Writes, renames and removes columns of a block model: a new version of it.",
    params=Update,
    outputs=tuple(
        Output(output_name(index), PARQUET, "A column", optional=True, inner=True)
        for index in range(MOST_COLUMNS)
    ),
    topic=TOPIC,
    interactive=True,
)
QUERY: Final = Kind(
    name="BLOCK_MODEL_QUERY",
    title="Query a block model",
    description="Gives a table of blocks of a block model, with the columns that are asked for.",
    params=Query,
    outputs=(Output("blocks", PARQUET, "The blocks", "blocks.parquet"),),
    topic=TOPIC,
    interactive=True,
)
STEPS: Final = {UPDATE.name: "update", QUERY.name: "query"}


def _doing(kind: str) -> Any:  # noqa: ANN401 -- a module of `steps`
    """Import what does a step, in the process that does it: planning needs no Arrow."""
    from haulier.families.blocks.steps import query, update  # noqa: PLC0415 -- see above

    return {"update": update, "query": query}[kind]


class Blocks:
    """Columns over the blocks of regular lattices."""

    name = "blocks"
    kinds: Mapping[str, Kind] = {UPDATE.name: UPDATE, QUERY.name: QUERY}

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give the one step of a job."""
        if isinstance(params, Update):
            check_update(params)
        said: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(params))
        return Recipe((StepPlan(STEPS[kind], self.name, STEPS[kind], said),))

    def version(self, step: StepPlan) -> str:
        """Name the code that decides a step's output."""
        del step
        return CODE_VERSION

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Give the parts of a step."""
        parts: Sequence[Part] = _doing(step.kind).split(step, context)
        return parts

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Do one part."""
        result: PartResult = _doing(step.kind).run(step, part, context)
        return result

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Make one output from the parts."""
        result: StepResult = _doing(step.kind).merge(step, results, context)
        return result

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give what the step said: the version that was made or read."""
        return JobResult(result=steps[STEPS[kind]].values)

    def warm(self) -> None:
        """Load what the first part would wait for."""
        _doing("update")


FAMILY: Final = Blocks()
