"""Step kinds that leave points of a cloud out."""

from typing import Final

from haulier.core.stepkind import Cost, StepKind
from haulier.families.clouds.params.choosing import Crop, Filter, Outlier, Thin
from haulier.families.clouds.stepkinds.slots import INPUT_LAS, OUTPUT_LAS

CHOOSING: Final = (
    StepKind(
        name="FILTER",
        title="Filter a cloud",
        description=(
            "Keeps the points of which an expression over their dimensions is true, in the order "
            "of the file."
        ),
        params=Filter,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        cost=Cost(1.0, 0.9, "point"),
        memory_mb=300,
    ),
    StepKind(
        name="CROP",
        title="Crop a cloud",
        description=(
            "Keeps the points inside, or outside, of a box or polygon, which may be in another "
            "coordinate system. What lies elsewhere than the cloud is an error."
        ),
        params=Crop,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        cost=Cost(1.0, 0.5, "point"),
        memory_mb=300,
    ),
    StepKind(
        name="THIN",
        title="Thin a cloud",
        description=(
            "Leaves points out so that those left are evenly spread: one a voxel, none nearer to "
            "another than a distance, or every n-th. The choice is the same whenever and wherever "
            "it is made."
        ),
        params=Thin,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        stages=("look", "place", "pick0", "pick1", "pick2", "pick3", "write"),
        cost=Cost(3.0, 1.5, "point"),
        memory_mb=450,
    ),
    StepKind(
        name="OUTLIER",
        title="Find outliers",
        description=(
            "Finds points whose mean distance to their nearest neighbours is far above that of "
            "all, and gives them a class of noise or leaves them out."
        ),
        params=Outlier,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        stages=("look", "place", "measure", "write"),
        cost=Cost(3.0, 6.7, "point"),
        memory_mb=500,
    ),
)
