"""A small deposit in a workspace of Evo's, and the vendor's own runners to work on it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Final

import numpy as np
import pandas as pd
import pytest
from evo.compute import JobClient
from evo.compute.tasks.common import TaskRegistry
from evo.objects.typed import (
    Ellipsoid,
    EllipsoidRanges,
    ExponentialStructure,
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
    object_from_reference,
)

Desk = Any
POLL_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Deposit:
    """A small deposit in a workspace: samples, a variogram and a grid, by the vendor's client.

    The objects of that client live as long as its connection, so each `do` loads them anew.

    Attributes:
        desk: its workspace.
        samples: x, y, z, `grade` with ties, `gaps` where each fifth is missing, `void` without
            any value, `mass` from 0.5 to 1.5, `code`, `domain`. The first forty are at the middles
            of blocks.
        sampled: the blocks of those forty.
        variogram: what the variogram says.
        references: of points, variogram and grid.
    """

    SIZE: ClassVar = (8, 8, 4)
    CELL: ClassVar = (12.5, 12.5, 5.0)

    desk: Desk
    samples: pd.DataFrame
    sampled: np.ndarray[Any, Any]
    variogram: VariogramData
    references: Mapping[str, str]

    def do(self, work: Callable[[Any, Any], Awaitable[Any]]) -> Any:
        """Do work with a context and the newest versions of the objects by name."""

        async def within(context: Any) -> Any:
            loaded = [await object_from_reference(context, u) for u in self.references.values()]
            return await work(
                context, SimpleNamespace(**dict(zip(self.references, loaded, strict=True)))
            )

        return self.desk.do(within)

    @staticmethod
    async def run(context: Any, parameters: Any) -> Any:
        """Run one task by its own runner; `run` of the vendor looks but every five seconds."""
        runner = TaskRegistry().get_runner_for_params(parameters)
        return await runner(context, parameters, preview=True, polling_interval_seconds=POLL_S)

    @classmethod
    async def quick(cls, context: Any, parameters: Any, **more: Any) -> Any:
        """Run one task as its runner does, without the report that it has no field for."""
        runner = TaskRegistry().get_runner_for_params(parameters)
        job = await cls.submit(context, parameters, **more)
        results = await job.wait_for_results(polling_interval_seconds=POLL_S)
        return await runner(context, parameters)._get_result(results)

    @staticmethod
    async def submit(context: Any, parameters: Any, **more: Any) -> Any:
        """Submit one task, with its parameters changed, and without a report."""
        runner = TaskRegistry().get_runner_for_params(parameters)
        said = parameters.model_dump(mode="json", by_alias=True, exclude_none=True)
        return await JobClient.submit(
            context.get_connector(),
            context.get_org_id(),
            runner.topic,
            runner.task,
            {**said, "report": False, **more},
            result_type=runner.result_model_type,
            preview=True,
        )


def grades() -> tuple[pd.DataFrame, np.ndarray[Any, Any]]:
    """Give samples of a smooth field, and the blocks of the first forty."""
    random = np.random.default_rng(7)
    nx, ny, nz = Deposit.SIZE
    at = random.permutation(nx * ny * nz)[:40]
    steps = np.stack([at % nx, at // nx % ny, at // (nx * ny)], axis=1)
    middles = (steps + 0.5) * Deposit.CELL
    others = random.uniform((0, 0, 0), (100, 100, 20), (80, 3))
    frame = pd.DataFrame(np.concatenate([middles, others]), columns=["x", "y", "z"])
    frame["grade"] = (np.exp(np.sin(frame["x"] / 20)) + frame["y"] / 50).round(1)
    frame["gaps"] = frame["grade"].where(frame.index % 5 > 0)
    frame["void"] = np.nan
    frame["mass"] = np.linspace(0.5, 1.5, len(frame))
    frame["code"] = frame.index % 3
    frame["domain"] = pd.Categorical(np.where(frame["x"] < 50, "west", "east"))
    return frame, at


@pytest.fixture(scope="package")
def deposit(open_desk: Callable[[Path], Desk], tmp_path_factory: pytest.TempPathFactory) -> Deposit:
    """Make the deposit."""
    shape = Ellipsoid(
        ranges=EllipsoidRanges(major=60.0, semi_major=50.0, minor=30.0),
        rotation=Rotation(dip_azimuth=30.0, dip=20.0, pitch=10.0),
    )
    model = VariogramData(
        name="model",
        sill=1.0,
        nugget=0.1,
        is_rotation_fixed=True,
        structures=[
            SphericalStructure(contribution=0.5, anisotropy=shape),
            ExponentialStructure(contribution=0.4, anisotropy=shape),
        ],
    )
    frame, at = grades()
    desk = open_desk(tmp_path_factory.mktemp("deposit"))

    async def make(context: Any) -> Mapping[str, str]:
        points = await PointSet.create(context, PointSetData(name="points", locations=frame))
        data = Regular3DGridData(
            name="grid",
            origin=Point3(x=0.0, y=0.0, z=0.0),
            size=Size3i(*Deposit.SIZE),
            cell_size=Size3d(*Deposit.CELL),
        )
        made = {
            "points": points,
            "variogram": await Variogram.create(context, model),
            "grid": await Regular3DGrid.create(context, data),
        }
        return {name: str(each.metadata.url).partition("?")[0] for name, each in made.items()}

    return Deposit(desk, frame, at, model, desk.do(make))
