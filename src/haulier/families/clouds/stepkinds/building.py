"""Step kinds that build an octree: EPT, COPC, Potree."""

from typing import Final

from haulier.core.stepkind import Cost, Slot, StepKind
from haulier.families.clouds.params.octree import BuildCopc, BuildEpt, BuildPotree
from haulier.families.clouds.stepkinds.slots import INPUT_MANY

#: The passes of every build; see `steps.passes`.
STAGES: Final = ("bin", "node", "write")
COST: Final = Cost(2.0, 0.9, "point")
COPC: Final = "application/vnd.laszip+copc"

BUILDING: Final = (
    StepKind(
        name="BUILD_EPT",
        title="Build an EPT",
        description="Builds an Entwine Point Tile 1.1.0: a folder of tiles that viewers fetch.",
        params=BuildEpt,
        accepts={"input_las": INPUT_MANY},
        produces={"output_ept": Slot("ept", "The folder of ept.json.", folder=True)},
        stages=STAGES,
        cost=COST,
        memory_mb=400,
    ),
    StepKind(
        name="BUILD_COPC",
        title="Build a COPC",
        description="Builds a Cloud Optimized Point Cloud 1.0: one LAZ file, its chunks an octree.",
        params=BuildCopc,
        accepts={"input_las": INPUT_MANY},
        produces={
            "output_copc": Slot("las", "The file.", media_type=COPC, filename="cloud.copc.laz")
        },
        stages=STAGES,
        cost=COST,
        memory_mb=400,
    ),
    StepKind(
        name="BUILD_POTREE",
        title="Build a Potree octree",
        description="Builds the octree of Potree 2: metadata.json, hierarchy.bin, octree.bin.",
        params=BuildPotree,
        accepts={"input_las": INPUT_MANY},
        produces={"output_potree": Slot("potree", "The folder of metadata.json.", folder=True)},
        stages=STAGES,
        cost=COST,
        memory_mb=400,
    ),
)
