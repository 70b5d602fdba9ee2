"""The family itself: what it can do in a recipe, and who does each step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from typing import Any, Final, NamedTuple

import msgspec

from haulier.core.family import Context, JobResult, Kind, Note, Part, PartResult, StepResult
from haulier.core.recipe import Recipe, StepPlan
from haulier.core.stepkind import StepKind
from haulier.families.clouds.presets import PRESETS
from haulier.families.clouds.stepkinds import STEP_KINDS

#: Rises when kernels or containers give other bytes: parts of other versions are done again.
CODE_VERSION: Final = "2"
STEPS: Final = "haulier.families.clouds.steps"
#: Libraries whose versions may decide the last bit of a number, or how a file is packed.
LIBRARIES: Final = ("numpy", "scipy", "numba", "shapely", "rasterio")


class Doing(NamedTuple):
    """Who does a step."""

    split: Callable[[StepPlan, Context], Sequence[Part]]
    run: Callable[[StepPlan, Part, Context], PartResult]
    merge: Callable[[StepPlan, Mapping[str, PartResult], Context], StepResult]


def _doing(kind: str) -> Doing:
    """Import the module of a step kind, in the process that does it.

    A process that only plans jobs stays free of numba, PROJ and GDAL: 200 MB and a second.
    """
    module = import_module(f"{STEPS}.{MODULES.get(kind, kind.lower())}")
    return Doing(module.split, module.run, module.merge)


#: Where a module is not called as its step kind.
MODULES: Final[Mapping[str, str]] = {"REPROJECT_LAS": "reproject"}


class Clouds:
    """Recipes of steps over point clouds."""

    name = "clouds"
    kinds: Mapping[str, Kind] = {}
    step_kinds: Mapping[str, StepKind] = STEP_KINDS
    presets: Sequence[Mapping[str, Any]] = PRESETS

    def plan(self, kind: str, params: msgspec.Struct) -> Recipe:
        """Refuse: its work is steps of recipes, which the engine plans."""
        raise TypeError(f"{self.name} has step kinds alone, got kind {kind} with {params!r}")

    def version(self, step: StepPlan) -> str:
        """Name the code, the libraries, and the grids and registries of PROJ behind an output."""
        kind = self.step_kinds[step.kind]
        return f"{CODE_VERSION}-{kind.version}-{_libraries()}"

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
        result = _doing(step.kind).merge(step, results, context)
        notes = msgspec.convert(result.values.get("warnings", ()), tuple[Note, ...])
        return msgspec.structs.replace(result, notes=notes)

    def summarise(self, kind: str, steps: Mapping[str, StepResult]) -> JobResult:
        """Refuse: it has no kinds of its own."""
        raise TypeError(f"{self.name} has step kinds alone, got kind {kind} of {sorted(steps)}")

    def warm(self) -> None:
        """Load the libraries and compile the kernels."""
        from haulier.families.clouds.ready import make_ready  # noqa: PLC0415 -- see _doing

        make_ready()


@lru_cache(maxsize=1)
def _libraries() -> str:
    from haulier.families.clouds.method.projection import (  # noqa: PLC0415 -- it loads PROJ
        numeric_fingerprint,
    )

    said = [numeric_fingerprint(), *(f"{name} {version(name)}" for name in LIBRARIES)]
    return sha256("\n".join(said).encode()).hexdigest()[:16]


FAMILY: Final = Clouds()
