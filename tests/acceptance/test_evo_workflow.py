"""The vendor's kriging workflow by its own clients, unmodified: objects, a task, and its answer."""

from typing import Any, Final

import numpy as np
import pandas as pd
from evo.compute.tasks import SearchNeighborhood, Source, Target, run
from evo.compute.tasks.geostatistics.kriging import KrigingParameters, OrdinaryKriging
from evo.objects.typed import (
    Ellipsoid,
    EllipsoidRanges,
    Point3,
    PointSet,
    PointSetData,
    Regular3DGrid,
    Regular3DGridData,
    Rotation,
    Size3d,
    Size3i,
    SphericalStructure,
    Variogram,
    VariogramData,
    object_from_uuid,
)

Desk = Any
SIZE: Final = Size3i(nx=10, ny=10, nz=4)
RANGES: Final = EllipsoidRanges(major=60.0, semi_major=60.0, minor=30.0)


def samples() -> pd.DataFrame:
    """Give a smooth field at 200 places."""
    random = np.random.default_rng(7)
    frame = pd.DataFrame(
        random.uniform((0, 0, 0), (100, 100, 20), (200, 3)), columns=["x", "y", "z"]
    )
    frame["grade"] = 2 + np.sin(frame["x"] / 20) + frame["y"] / 100
    return frame


async def made(context: Any) -> tuple[Any, Any, Any]:
    """Make points, a variogram and an empty grid."""
    points = await PointSet.create(context, PointSetData(name="points", locations=samples()))
    structure = SphericalStructure(
        contribution=0.9,
        anisotropy=Ellipsoid(ranges=RANGES, rotation=Rotation(dip_azimuth=0.0, dip=0.0, pitch=0.0)),
    )
    variogram = VariogramData(
        name="model",
        sill=1.0,
        nugget=0.1,
        is_rotation_fixed=True,
        modelling_space="data",
        data_variance=1.0,
        structures=[structure],
        attribute="grade",
    )
    grid = Regular3DGridData(
        name="grid",
        origin=Point3(x=0.0, y=0.0, z=0.0),
        size=SIZE,
        cell_size=Size3d(dx=10.0, dy=10.0, dz=5.0),
    )
    return (
        points,
        await Variogram.create(context, variogram),
        await Regular3DGrid.create(context, grid),
    )


def test_a_grid_is_kriged_by_the_vendor_s_own_steps(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        points, variogram, grid = await made(context)
        parameters = KrigingParameters(
            source=Source(object=points, attribute="locations.attributes[?name=='grade']"),
            target=Target.new_attribute(grid, "estimate"),
            variogram=variogram,
            search=SearchNeighborhood(ellipsoid=Ellipsoid(ranges=RANGES), max_samples=16),
            method=OrdinaryKriging(),
        )
        result = await run(context, parameters, preview=True)
        newest = await object_from_uuid(context, grid.metadata.id)
        return result, await result.to_dataframe(), newest

    result, frame, newest = desk.do(work)

    assert result.target_name == "grid"
    assert newest.metadata.version_id == "2"
    assert [attribute.name for attribute in newest.attributes] == ["estimate"]
    centres = (np.arange(10) + 0.5) * 10
    truth = 2 + np.sin(centres / 20)[None, None, :] + centres[None, :, None] / 100
    estimate = frame["estimate"].to_numpy().reshape(4, 10, 10)
    assert np.abs(estimate - truth).mean() < 0.1
