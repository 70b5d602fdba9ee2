"""Step kinds that leave points of a cloud out."""

from typing import Final

from haulier.core.stepkind import Cost, StepKind
from haulier.families.clouds.params.choosing import Crop, Filter
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
        cost=Cost(1.0, 1.2, "point"),
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
        cost=Cost(1.0, 1.0, "point"),
        memory_mb=300,
    ),
)
