"""What the family can do in a recipe, by name; light to import, for plans are made everywhere."""

from collections.abc import Mapping
from typing import Final

from haulier.core.stepkind import StepKind
from haulier.families.clouds.stepkinds.building import BUILDING
from haulier.families.clouds.stepkinds.choosing import CHOOSING
from haulier.families.clouds.stepkinds.handling import HANDLING
from haulier.families.clouds.stepkinds.looking import LOOKING
from haulier.families.clouds.stepkinds.moving import MOVING
from haulier.families.clouds.stepkinds.rasters import RASTERS
from haulier.families.clouds.stepkinds.reporting import REPORTING

STEP_KINDS: Final[Mapping[str, StepKind]] = {
    kind.name: kind
    for kind in (*MOVING, *BUILDING, *LOOKING, *CHOOSING, *HANDLING, *RASTERS, *REPORTING)
}
