"""Step kinds that give a page for people."""

from typing import Final

from haulier.core.stepkind import Cost, Slot, StepKind
from haulier.families.clouds.params.report import CloudReport
from haulier.families.clouds.stepkinds.slots import INPUT_LAS

REPORTING: Final = (
    StepKind(
        name="CLOUD_REPORT",
        title="Report on a cloud",
        description=(
            "Reads every point once and writes one HTML page that needs no network: where the "
            "cloud is, its surface and ground as shaded relief, density per square metre on the "
            "ground, histograms, classes, returns, statistics, coordinate system and its accuracy, "
            "provenance, and warnings that say what to do. `haulier report` downloads it."
        ),
        params=CloudReport,
        accepts={"input_las": INPUT_LAS},
        produces={
            "report": Slot("html", "The page.", media_type="text/html", filename="report.html")
        },
        # What the step before said of the cloud stands on the page, and is no part of the cloud:
        # the page of one job must not serve another that has the same points from elsewhere.
        deterministic=False,
        cost=Cost(5.0, 1.3, "point"),
        memory_mb=450,
    ),
)
