"""Step kinds that look at a cloud and leave it as it is."""

from typing import Final

from haulier.core.stepkind import Cost, Slot, StepKind
from haulier.families.clouds.params.surveys import DatasetInfo, ValidateLas
from haulier.families.clouds.stepkinds.slots import INPUT_LAS, JSON

LOOKING: Final = (
    StepKind(
        name="DATASET_INFO",
        title="Describe a cloud",
        description=(
            "Reads every point and gives, as JSON: header, coordinate system, statistics of each "
            "dimension, histograms, classes, returns, flight lines, outline, density, and warnings "
            "that say what to do. The shape is that of `pdal info --all`, with more in it."
        ),
        params=DatasetInfo,
        accepts={"input_las": INPUT_LAS},
        produces={
            "metadata": Slot(
                "json", "What there is to know.", media_type=JSON, filename="info.json"
            )
        },
        cost=Cost(1.0, 0.65, "point"),
        memory_mb=350,
    ),
    StepKind(
        name="VALIDATE_LAS",
        title="Validate a cloud",
        description=(
            "Holds a cloud against the LAS specification and against itself: header, records, "
            "counts, bounds, returns, classes, times, colours, coordinate system. A file that "
            "cannot be read is reported, not refused."
        ),
        params=ValidateLas,
        accepts={"input_las": INPUT_LAS},
        produces={
            "report": Slot("json", "What was found.", media_type=JSON, filename="validation.json")
        },
        cost=Cost(1.0, 0.65, "point"),
        memory_mb=350,
    ),
)
