"""Step kinds of rasters: the ground, heights over it, models of it, and colours from above."""

from typing import Final

from haulier.core.stepkind import Cost, Slot, StepKind
from haulier.families.clouds.params.colours import ColorizeAsDem, ColorizeFromTif
from haulier.families.clouds.params.ground import ClassifyGround, HeightAboveGround
from haulier.families.clouds.params.rasters import (
    Density,
    DiffDem,
    GenerateContours,
    GenerateDem,
    GenerateHillshade,
    RegridLas,
)
from haulier.families.clouds.stepkinds.slots import GEOJSON, GEOTIFF, INPUT_LAS, OUTPUT_LAS

#: The passes of steps that make a raster of a cloud, and of those that then change the cloud.
TO_RASTER: Final = ("grid", "surface")
TO_CLOUD: Final = ("grid", "surface", "write")
POINTS_TO_POINTS: Final = ("grid", "write")

INPUT_DEM: Final = Slot("tif", "A GeoTIFF of heights with north up, in any metric system.")


def _tif(filename: str, description: str) -> Slot:
    return Slot("tif", description, media_type=GEOTIFF, filename=filename)


RASTERS: Final = (
    StepKind(
        name="CLASSIFY_GROUND",
        title="Find the ground",
        description=(
            "Gives points that lie on the terrain class 2: by openings of the lowest points with "
            "growing windows (smrf), or by a cloth let down on the cloud turned over (csf)."
        ),
        params=ClassifyGround,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        stages=TO_CLOUD,
        cost=Cost(3.0, 2.2, "point"),
        memory_mb=450,
    ),
    StepKind(
        name="HEIGHT_ABOVE_GROUND",
        title="Heights above ground",
        description=(
            "Gives each point its height over the terrain of the points of class 2, as a field "
            "HeightAboveGround or instead of Z."
        ),
        params=HeightAboveGround,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        stages=TO_CLOUD,
        cost=Cost(3.0, 2.2, "point"),
        memory_mb=450,
    ),
    StepKind(
        name="GENERATE_DEM",
        title="Make an elevation model",
        description=(
            "Makes a Cloud Optimized GeoTIFF of the terrain (dtm), the surface (dsm) or the "
            "height between them (chm). Cells are in the unit of X and Y, heights in that of Z."
        ),
        params=GenerateDem,
        accepts={"input_las": INPUT_LAS},
        produces={"output_tif": _tif("dem.tif", "Heights.")},
        stages=TO_RASTER,
        cost=Cost(3.0, 0.6, "point"),
        memory_mb=450,
    ),
    StepKind(
        name="GENERATE_HILLSHADE",
        title="Shade an elevation model",
        description="Shows heights as light falls on them: 1 to 255, 0 where nothing is known.",
        params=GenerateHillshade,
        accepts={"input_tif": INPUT_DEM},
        produces={"output_tif": _tif("hillshade.tif", "Brightness.")},
        cost=Cost(2.0, 0.1, "cell"),
        memory_mb=250,
    ),
    StepKind(
        name="GENERATE_CONTOURS",
        title="Draw contours",
        description="Draws lines of equal height, with higher ground to their right, as GeoJSON.",
        params=GenerateContours,
        accepts={"input_tif": INPUT_DEM},
        produces={
            "output_geojson": Slot(
                "geojson", "The lines.", media_type=GEOJSON, filename="contours.geojson"
            )
        },
        cost=Cost(2.0, 0.3, "cell"),
        memory_mb=400,
    ),
    StepKind(
        name="DENSITY",
        title="Map the density of points",
        description="Makes a GeoTIFF of points per square metre on the ground, or points by cell.",
        params=Density,
        accepts={"input_las": INPUT_LAS},
        produces={"output_tif": _tif("density.tif", "Points per square metre, or by cell.")},
        stages=TO_RASTER,
        cost=Cost(2.0, 0.5, "point"),
        memory_mb=350,
    ),
    StepKind(
        name="DIFF_DEM",
        title="Subtract elevation models",
        description=(
            "Subtracts the earlier of two models from the later one, and gives the volumes that "
            "were added and taken away. Their cells must lie on each other, or be resampled."
        ),
        params=DiffDem,
        accepts={
            "input_tif": INPUT_DEM,
            "input_earlier_tif": Slot("tif", "The model that is subtracted."),
        },
        produces={"output_tif": _tif("difference.tif", "Later minus earlier heights.")},
        cost=Cost(2.0, 0.1, "cell"),
        memory_mb=300,
    ),
    StepKind(
        name="COLORIZE_AS_DEM",
        title="Colour points by height",
        description="Colours points as a shaded map of their heights would be coloured.",
        params=ColorizeAsDem,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        stages=TO_CLOUD,
        cost=Cost(3.0, 2.2, "point"),
        memory_mb=450,
    ),
    StepKind(
        name="COLORIZE_FROM_TIF",
        title="Colour points from a picture",
        description="Gives points the colours of a GeoTIFF, of any coordinate system.",
        params=ColorizeFromTif,
        accepts={
            "input_las": INPUT_LAS,
            "input_tif": Slot("tif", "A picture with north up, of 8 or 16 bits."),
        },
        produces={"output_las": OUTPUT_LAS},
        cost=Cost(2.0, 1.6, "point"),
        memory_mb=400,
    ),
    StepKind(
        name="REGRID_LAS",
        title="Regrid a cloud",
        description=(
            "Gives a cloud of one point for each square cell that has points, in its middle: "
            "their mean, lowest or highest Z, mean intensity and colour, and their number."
        ),
        params=RegridLas,
        accepts={"input_las": INPUT_LAS},
        produces={"output_las": OUTPUT_LAS},
        stages=POINTS_TO_POINTS,
        cost=Cost(2.0, 0.8, "point"),
        memory_mb=350,
    ),
)
