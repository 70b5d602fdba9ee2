"""Step kinds that put clouds together and cut them up."""

from typing import Final

from haulier.core.stepkind import Cost, Slot, StepKind
from haulier.families.clouds.params.handling import MergeLas, TileLas
from haulier.families.clouds.stepkinds.slots import INPUT_LAS, INPUT_MANY, OUTPUT_LAS

HANDLING: Final = (
    StepKind(
        name="MERGE_LAS",
        title="Merge clouds",
        description=(
            "Writes clouds one behind the other as one. They must agree in coordinate system, "
            "steps of coordinates and kind of GPS time, or a parameter must decide; offsets, point "
            "formats and extra dimensions are brought together."
        ),
        params=MergeLas,
        accepts={"input_las": INPUT_MANY},
        produces={"output_las": OUTPUT_LAS},
        cost=Cost(1.0, 1.4, "point"),
        memory_mb=300,
    ),
    StepKind(
        name="TILE_LAS",
        title="Cut a cloud into tiles",
        description=(
            "Writes a folder of square LAZ tiles, named by their south-western corner, and "
            "tiles.json; with a buffer, tiles overlap by it and mark what is a neighbour's."
        ),
        params=TileLas,
        accepts={"input_las": INPUT_LAS},
        produces={
            "output_tiles": Slot("las_tiles", "The folder of tiles and tiles.json.", folder=True)
        },
        stages=("sort", "write"),
        cost=Cost(2.0, 1.2, "point"),
        memory_mb=400,
    ),
)
