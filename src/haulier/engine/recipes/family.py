"""The kind of job that runs a recipe of the caller's: its steps are those of other families."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.family import Context, JobResult, Kind, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem
from haulier.core.recipe import Recipe, StepPlan
from haulier.core.stepkind import StepKind
from haulier.engine.recipes.compiling import compile_job
from haulier.engine.recipes.documents import RecipeJob

NAME: Final = "recipes"

RECIPE: Final = Kind(
    name="RECIPE",
    title="Run a recipe",
    description=(
        "Runs a graph of typed steps: each step takes artifacts that the job brings or earlier "
        "steps gave. What there is to be done is listed at /executors."
    ),
    params=RecipeJob,
    keywords=("recipe", "workflow", "steps"),
)


class Recipes:
    """Compiles recipes; does no step itself.

    Args:
        step_kinds: what can be done, by name.
        owners: step kind to the family that does it.
        presets: recipes that come with the families, by name.
    """

    name = NAME
    kinds: Mapping[str, Kind] = {RECIPE.name: RECIPE}

    def __init__(
        self,
        step_kinds: Mapping[str, StepKind],
        owners: Mapping[str, str],
        presets: Mapping[str, Mapping[str, Any]],
    ) -> None:
        self._step_kinds = step_kinds
        self._owners = owners
        self._presets = presets

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Give the steps of a recipe's job; everything that is wrong is said at once."""
        if kind != RECIPE.name or not isinstance(params, RecipeJob):
            raise TypeError(f"{self.name} plans {RECIPE.name}, got {kind} with {params!r}")
        return compile_job(self._whole(params), self._step_kinds, self._owners)

    def _whole(self, job: RecipeJob) -> RecipeJob:
        """Put the definition of a preset in the place of its name."""
        if "definition" in job.recipe:
            return job
        name = job.recipe.get("name")
        preset = self._presets.get(str(name))
        if preset is None or job.recipe.get("version", preset["version"]) != preset["version"]:
            there = ", ".join(
                f"{each['name']} {each['version']}" for each in self._presets.values()
            )
            detail = (
                f"recipe must have a definition, or be one of the server's: {there or 'none'}; "
                f"got {name!r}"
            )
            raise Problem(Code.INVALID, detail, at="recipe.name")
        return msgspec.structs.replace(job, recipe=dict(preset))

    def version(self, step: StepPlan) -> str:
        """Refuse: every step is another family's."""
        raise TypeError(f"step {step.id} of family {step.family} is none of {self.name}")

    def split(self, step: StepPlan, context: Context) -> Sequence[Part]:
        """Refuse: every step is another family's."""
        del context
        raise TypeError(f"step {step.id} of family {step.family} is none of {self.name}")

    def run(self, step: StepPlan, part: Part, context: Context) -> PartResult:
        """Refuse: every step is another family's."""
        del part, context
        raise TypeError(f"step {step.id} of family {step.family} is none of {self.name}")

    def merge(
        self, step: StepPlan, results: Mapping[str, PartResult], context: Context
    ) -> StepResult:
        """Refuse: every step is another family's."""
        del results, context
        raise TypeError(f"step {step.id} of family {step.family} is none of {self.name}")

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Give what each step counted, and what it said of what it gave."""
        del kind
        return JobResult(
            {id_: dict(step.counters) for id_, step in steps.items() if step.counters},
            {id_: dict(step.values) for id_, step in steps.items() if step.values},
        )

    def warm(self) -> None:
        """Have nothing to load."""
