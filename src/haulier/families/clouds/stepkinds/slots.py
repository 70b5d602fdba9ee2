"""The artifacts that the step kinds pass on to each other."""

from typing import Final

from haulier.core.stepkind import Slot

LAZ: Final = "application/vnd.laszip"
JSON: Final = "application/json"
GEOTIFF: Final = "image/tiff; application=geotiff; profile=cloud-optimized"
GEOJSON: Final = "application/geo+json"

#: A COPC is a LAZ file, and passes as "las" as Ordo's documents have it.
INPUT_LAS: Final = Slot(
    "las",
    "A cloud: a LAS, LAZ or COPC file, or the folder of an EPT.",
    also=("copc", "ept"),
)
INPUT_MANY: Final = Slot(
    "las",
    "A cloud or several: LAS, LAZ or COPC files, or folders of EPTs.",
    also=("copc", "ept"),
    many=True,
)
OUTPUT_LAS: Final = Slot("las", "The new cloud.", media_type=LAZ, filename="output.laz")
