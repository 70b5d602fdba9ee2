"""Geoscience objects by the vendor's own client, unmodified: made, read back, changed, deleted."""

import os
import subprocess
import sys
from typing import Any, Final
from uuid import uuid4

import numpy as np
import pandas as pd
import pytest
from evo.common import HealthCheckType
from evo.common.exceptions import NotFoundException, UnauthorizedException
from evo.objects import ObjectAPIClient
from evo.objects.exceptions import ObjectAlreadyExistsError, ObjectModifiedError
from evo.objects.typed import (
    DownholeCollection,
    DownholeCollectionData,
    DownholeIntervals,
    DownholeIntervalsData,
    Ellipsoid,
    EllipsoidRanges,
    IntervalCollection,
    Point3,
    PointSet,
    PointSetData,
    Regular3DGrid,
    Regular3DGridData,
    RegularMasked3DGrid,
    RegularMasked3DGridData,
    Rotation,
    Size3d,
    Size3i,
    SphericalStructure,
    Tensor3DGrid,
    Tensor3DGridData,
    Variogram,
    VariogramData,
    object_from_path,
    object_from_uuid,
)
from evo.service_manager import ServiceManager
from evo.workspaces import WorkspaceAPIClient

from haulier.testing.server import Server, bytecode

Desk = Any
SIZE: Final = Size3i(nx=3, ny=4, nz=5)
CELLS: Final = pd.DataFrame({"grade": np.arange(60.0), "rock": ["ore", "waste"] * 30})
POINTS: Final = pd.DataFrame(
    {
        "x": np.linspace(0.0, 90.0, 10),
        "y": np.linspace(5.0, 6.0, 10),
        "z": np.zeros(10),
        "grade": np.linspace(0.5, 5.0, 10),
        "hole": [f"DH{number % 3}" for number in range(10)],
    }
)


def client_of(context: Any) -> Any:
    return ObjectAPIClient(context.get_environment(), context.get_connector(), context.get_cache())


async def pointset(context: Any, name: str = "points", **more: Any) -> Any:
    return await PointSet.create(context, PointSetData(name=name, locations=POINTS), **more)


def test_points_are_read_back_as_they_were_made(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        made = await pointset(context, parent="drilling/2026")
        read = await object_from_path(context, "drilling/2026/points.json")
        return made, read, await read.to_dataframe()

    made, read, frame = desk.do(work)

    assert (read.metadata.id, read.metadata.version_id) == (made.metadata.id, "1")
    assert read.metadata.path == "drilling/2026/points.json"
    pd.testing.assert_frame_equal(frame, POINTS, check_dtype=False, check_categorical=False)


def masked() -> tuple[np.ndarray, pd.DataFrame]:
    mask = np.arange(60) % 3 == 0
    return mask, CELLS[mask].reset_index(drop=True)


@pytest.mark.parametrize("kind", ["regular", "masked", "tensor"])
def test_a_grid_is_read_back_as_it_was_made(desk: Desk, kind: str) -> None:
    place: dict[str, Any] = {
        "name": "grid",
        "origin": Point3(x=1.0, y=2.0, z=3.0),
        "size": SIZE,
        "rotation": Rotation(dip_azimuth=30.0, dip=10.0, pitch=5.0),
    }
    mask, ore = masked()
    blocks = {"cell_size": Size3d(dx=2.0, dy=2.5, dz=5.0)}
    sizes = {f"cell_sizes_{axis}": np.full(n, 2.0) for axis, n in (("x", 3), ("y", 4), ("z", 5))}
    data: Any
    if kind == "regular":
        of, wanted = Regular3DGrid, CELLS
        data = Regular3DGridData(**place, **blocks, cell_data=wanted)
    elif kind == "masked":
        of, wanted = RegularMasked3DGrid, ore
        data = RegularMasked3DGridData(**place, **blocks, mask=mask, cell_data=wanted)
    else:
        of, wanted = Tensor3DGrid, CELLS
        data = Tensor3DGridData(**place, **sizes, cell_data=wanted)

    async def work(context: Any) -> Any:
        made = await of.create(context, data)
        read = await object_from_uuid(context, made.metadata.id)
        return read, await read.to_dataframe()

    read, frame = desk.do(work)

    assert isinstance(read, of)
    assert (read.origin, read.size, read.rotation) == (
        place["origin"],
        SIZE,
        place["rotation"],
    )
    pd.testing.assert_frame_equal(frame, wanted, check_dtype=False, check_categorical=False)


def test_a_variogram_is_read_back_as_it_was_made(desk: Desk) -> None:
    ellipsoid = Ellipsoid(
        ranges=EllipsoidRanges(major=200.0, semi_major=150.0, minor=100.0),
        rotation=Rotation(dip_azimuth=45.0, dip=10.0, pitch=5.0),
    )
    data = VariogramData(
        name="model",
        sill=1.0,
        nugget=0.1,
        is_rotation_fixed=True,
        modelling_space="data",
        data_variance=1.0,
        structures=[SphericalStructure(contribution=0.9, anisotropy=ellipsoid)],
        attribute="grade",
    )

    async def work(context: Any) -> Any:
        made = await Variogram.create(context, data)
        return await Variogram.from_reference(context, made.metadata.url)

    read = desk.do(work)

    assert (read.sill, read.nugget, read.metadata.path) == (1.0, 0.1, "./model.json")
    assert len(read.structures) == 1


def test_drillholes_are_read_back_as_they_were_made(desk: Desk) -> None:
    chunks = pd.DataFrame({"hole_index": [0, 1], "offset": [0, 2], "count": [2, 2]}).astype(
        {"hole_index": "int32", "offset": "uint64", "count": "uint64"}
    )
    assays = pd.DataFrame(
        {"from": [0.0, 5.0, 0.0, 5.0], "to": [5.0, 10.0, 5.0, 10.0], "grade": [1.0, 2.0, 3.0, 4.0]}
    )
    depths = {"final": [10.0, 10.0], "target": [10.0, 10.0], "current": [10.0, 10.0]}
    data = DownholeCollectionData(
        name="holes",
        holes=chunks,
        properties=pd.DataFrame(
            {"hole_id": ["A", "B"], **depths, "x": [0.0, 9.0], "y": [0.0, 0.0], "z": [100.0, 100.0]}
        ),
        attributes=None,
        path=pd.DataFrame({"distance": [0.0, 10.0] * 2, "dip": [90.0] * 4, "azimuth": [0.0] * 4}),
        collections=[IntervalCollection(name="assays", holes=chunks, table=assays, unit="m")],
        distance_unit="m",
        desurvey="minimum_curvature",
    )

    async def work(context: Any) -> Any:
        made = await DownholeCollection.create(context, data)
        read = await object_from_uuid(context, made.metadata.id)
        return await read.collections.get("assays").to_dataframe()

    frame = desk.do(work)

    assert frame["grade"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_intervals_are_read_back_as_they_were_made(desk: Desk) -> None:
    columns = {f"{axis}_{end}": np.arange(3.0) for axis in "xyz" for end in ("start", "end", "mid")}
    table = pd.DataFrame(
        {"hole_id": ["A", "A", "B"], "from": [0.0, 1.0, 0.0], "to": [1.0, 2.0, 1.0], **columns}
    )
    table["grade"] = [0.1, 0.2, 0.3]
    data = DownholeIntervalsData(name="intervals", intervals=table, is_composited=False)

    async def work(context: Any) -> Any:
        made = await DownholeIntervals.create(context, data)
        return await made.attributes.to_dataframe()

    assert desk.do(work)["grade"].tolist() == [0.1, 0.2, 0.3]


def test_an_update_makes_a_version_and_data_that_is_there_is_not_sent_again(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        made = await pointset(context)
        await made.attributes.append_attribute(pd.DataFrame({"density": np.full(10, 2.7)}))
        await made.update()
        client = client_of(context)
        first = await client.download_object_by_id(made.metadata.id, version="1")
        newest = await object_from_uuid(context, made.metadata.id)
        versions = await client.list_versions_by_id(made.metadata.id)
        latest = await client.get_latest_object_versions([made.metadata.id, uuid4()])
        return made, first.as_dict(), await newest.to_dataframe(), versions, latest

    made, first, frame, versions, latest = desk.do(work)

    assert len(first["locations"]["attributes"]) == 2
    assert frame["density"].tolist() == [2.7] * 10
    assert [version.version_id for version in versions] == ["2", "1"]
    assert latest[made.metadata.id] == "2"
    assert sorted(latest.values(), key=str) == ["2", None]


def test_two_who_change_one_object_do_not_overwrite_each_other(desk: Desk) -> None:
    async def work(context: Any) -> None:
        made = await pointset(context)
        mine, yours = [await object_from_uuid(context, made.metadata.id) for _ in range(2)]
        mine.name = "mine"
        await mine.update()
        yours.name = "yours"
        with pytest.raises(ObjectModifiedError):
            await yours.update()

    desk.do(work)


def test_a_path_that_is_taken_is_replaced_only_when_asked(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        first = await pointset(context)
        with pytest.raises(ObjectAlreadyExistsError) as refused:
            await pointset(context)
        reference = str(first.metadata.url).partition("/objects/")[0] + "/objects/path/points.json"
        fewer = PointSetData(name="points", locations=POINTS.head(4))
        again = await PointSet.create_or_replace(context, reference, fewer)
        return first, refused.value, again, await again.to_dataframe()

    first, refused, again, frame = desk.do(work)

    assert (refused.existing_id, refused.object_path) == (first.metadata.id, "points.json")
    assert (again.metadata.id, again.metadata.version_id) == (first.metadata.id, "2")
    assert len(frame) == 4


def test_objects_are_listed_moved_deleted_and_restored(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        client = client_of(context)
        made = [await pointset(context, name) for name in ("b", "a", "c")]
        page = await client.list_objects(limit=2, order_by={"object_name": "desc"})
        document = made[0].as_dict() | {"uuid": made[0].metadata.id}
        moved = await client.move_geoscience_object("deep/er/b.json", document)
        await client.delete_object_by_path("a.json")
        await client.delete_object_by_id(made[2].metadata.id)
        living = await client.list_all_objects(limit_per_request=1)
        gone = await client.list_all_objects(deleted=True)
        back = await client.restore_geoscience_object(made[1].metadata.id)
        await pointset(context, "c")
        renamed = await client.restore_geoscience_object(made[2].metadata.id)
        org = await client.list_objects_for_instance()
        with pytest.raises(NotFoundException):
            await client.download_object_by_path("never.json")
        return page, moved, living, gone, back, renamed, org

    page, moved, living, gone, back, renamed, org = desk.do(work)

    assert ([each.name for each in page.items()], page.total) == (["c.json", "b.json"], 3)
    assert (moved.path, moved.version_id) == ("deep/er/b.json", "2")
    assert [each.path for each in living] == ["deep/er/b.json"]
    assert sorted(each.name for each in gone) == ["a.json", "c.json"]
    assert back is None
    assert renamed.name == "c (1).json"
    assert org.total == 4


def test_a_version_is_put_at_a_stage(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        client, made = client_of(context), await pointset(context)
        stages = await client.list_stages()
        await client.set_stage(made.metadata.id, 1, stages[0].id)
        (listed,) = await client.list_all_objects()
        return stages, listed.stage

    stages, stage = desk.do(work)

    assert stage == stages[0]


def test_a_wrong_token_is_unauthorized_and_another_organisation_sees_nothing(desk: Desk) -> None:
    made = desk.do(pointset)

    async def look(context: Any) -> Any:
        return await object_from_uuid(context, made.metadata.id)

    with pytest.raises(UnauthorizedException):
        desk.do(look, token="hlr_nobody")  # noqa: S106 -- nobody's
    with pytest.raises(NotFoundException):
        desk.do(look, token=key_of(desk.server, "others"))


def key_of(server: Server, organisation: str) -> str:
    said = (sys.executable, "-m", "haulier.cli", "keys", "create", organisation)
    done = subprocess.run(
        (*said, "--subject", "other", "--data", str(server.data)),
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **bytecode()},
        timeout=60,
    )
    return done.stdout.strip()


def test_the_service_manager_finds_hub_and_workspace(https: Server, desk: Desk) -> None:
    async def work(context: Any) -> Any:
        connector = context.get_connector()
        async with connector:
            manager = ServiceManager(
                transport=connector.transport,
                authorizer=connector._authorizer,
                discovery_url=https.url,
            )
            await manager.refresh_organizations()
            (organization,) = manager.list_organizations()
            manager.set_current_organization(organization.id)
            (hub,) = manager.list_hubs()
            manager.set_current_hub(hub.code)
            client = WorkspaceAPIClient(manager.get_connector(), organization.id)
            made = await client.create_workspace("Pit", labels=["gold"])
            changed = await client.update_workspace(made.id, description="the first")
            await manager.refresh_workspaces()
            found = manager.list_workspaces()
            health = await client.get_service_health(HealthCheckType.FULL)
            await client.delete_workspace(made.id)
            left = await client.list_all_workspaces()
            await client.restore_deleted_workspace(made.id)
            await client.delete_workspace(made.id)
            return hub, made, changed, found, health, left

    hub, made, changed, found, health, left = desk.do(work)

    assert hub.url == https.url
    assert [workspace.id for workspace in found] == [made.id]
    assert (changed.description, changed.labels) == ("the first", ["gold"])
    assert (health.status.value, left) == ("pass", [])


SCRIPT: Final = """
import asyncio, os, sys
from pathlib import Path
from uuid import uuid4
import pandas as pd
from evo.aio import AioTransport
from evo.common import APIConnector, StaticContext
from evo.common.utils import Cache
from evo.oauth import AccessTokenAuthorizer
from evo.objects.typed import PointSet, PointSetData

async def main():
    key = AccessTokenAuthorizer(os.environ["HAULIER_KEY"])
    connector = APIConnector(os.environ["HAULIER_URL"], AioTransport(user_agent="trust"), key)
    async with connector:
        context = StaticContext(connector=connector, cache=Cache(Path(sys.argv[1]), mkdir=True),
                                org_id=uuid4(), workspace_id=uuid4())
        frame = pd.DataFrame({"x": [1.0], "y": [2.0], "z": [3.0], "grade": [4.0]})
        points = await PointSet.create(context, PointSetData(name="p", locations=frame))
        print((await points.to_dataframe())["grade"].tolist())

asyncio.run(main())
"""


def test_a_client_that_trusts_our_certificate_verifies_it(desk: Desk) -> None:
    environment = {**os.environ, **bytecode(), **desk.server.environment()}

    done = subprocess.run(
        (sys.executable, "-c", SCRIPT, str(desk.cache)),
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )

    assert done.stdout == "[4.0]\n", done.stderr
