"""Step kinds that give a cloud for a cloud."""

from typing import Final

from haulier.core.stepkind import Cost, StepKind
from haulier.families.clouds.params.reproject import ReprojectLas
from haulier.families.clouds.stepkinds.slots import INPUT_LAS, OUTPUT_LAS

MOVING: Final = (
    StepKind(
        name="REPROJECT_LAS",
        title="Reproject a cloud",
        description=(
            "Moves every point to another coordinate system with one pinned operation of PROJ. "
            "What could go wrong without a word is an error or a warning: heights in another unit, "
            "missing grids, a system that is not the cloud's."
        ),
        params=ReprojectLas,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        cost=Cost(1.0, 1.4, "point"),
        memory_mb=350,
    ),
)
