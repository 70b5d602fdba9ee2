"""What cannot be done, by the vendor's runners: errors that say what to change, and cancelling."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest
from evo.common.exceptions import NotFoundException, UnauthorizedException
from evo.compute import JobClient
from evo.compute.data import JobStatusEnum
from evo.compute.exceptions import JobError
from evo.compute.tasks import BlockDiscretization, SearchNeighborhood, Source, Target
from evo.compute.tasks.geostatistics.conditioned_simulator import ConSimParameters
from evo.compute.tasks.geostatistics.continuous_distribution import (
    ContinuousDistributionParameters,
    DistributionTarget,
    TailExtrapolation,
    UpperTail,
)
from evo.compute.tasks.geostatistics.kriging import KrigingDiagnostics, KrigingParameters
from evo.compute.tasks.geostatistics.location_wise import LocationWiseParameters, LocationWiseTarget
from evo.objects import ObjectReference
from evo.objects.typed import (
    Ellipsoid,
    EllipsoidRanges,
    Point3,
    Regular3DGrid,
    Regular3DGridData,
    Size3d,
    Size3i,
)

from haulier.testing.server import bytecode

Deposit = Any
Make = Callable[[Any, Any], Any]
#: A loaded machine may be late to notice a second's work; the server's own times are compared.
STOPS_WITHIN_S: Final = 2.0


def search(radius_m: float = 60.0, **more: Any) -> SearchNeighborhood:
    ranges = EllipsoidRanges(major=radius_m, semi_major=radius_m, minor=radius_m)
    return SearchNeighborhood(ellipsoid=Ellipsoid(ranges), **{"max_samples": 12, **more})


def kriging(there: Any, **more: Any) -> KrigingParameters:
    usual: dict[str, Any] = {
        "source": there.points.attributes["grade"],
        "target": Target.new_attribute(there.grid, "never"),
        "variogram": there.variogram,
        "search": search(),
    }
    return KrigingParameters(**{**usual, **more})


def distribution(context: Any, there: Any) -> ContinuousDistributionParameters:
    path = ObjectReference.new(context.get_environment(), object_path="never.json")
    return ContinuousDistributionParameters(
        source=there.points.attributes["grade"],
        tail_extrapolation=TailExtrapolation(upper=UpperTail(power=0.5, max=1.0)),
        target=DistributionTarget(reference=path),
    )


def of(there: Any, attribute: str) -> Source:
    return Source(object=there.points, attribute=attribute)


#: Of each fault: how to make it, the parameter that is named, and what is said.
FAULTS: Final[Mapping[str, tuple[Make, str, str]]] = {
    "no such attribute": (
        lambda _, there: kriging(there, source=of(there, "gold")),
        "source.attribute",
        "has none 'gold' in version",
    ),
    "not numbers": (
        lambda _, there: kriging(there, source=of(there, "domain")),
        "source.attribute",
        "must hold numbers",
    ),
    "no values": (
        lambda _, there: kriging(there, source=of(there, "void")),
        "source.attribute",
        "all 120 of attribute 'void' of 'points' are missing",
    ),
    "grid for a variogram": (
        lambda _, there: kriging(there, variogram=there.grid),
        "variogram",
        "must be a variogram; 'grid' is a regular-3d-grid",
    ),
    "variogram for a grid": (
        lambda _, there: kriging(there, target=Target.new_attribute(there.variogram, "never")),
        "target.object",
        "'model' is a variogram",
    ),
    "nothing in reach": (
        lambda _, there: kriging(there, search=search(1e-3, min_samples=2)),
        "neighborhood",
        "none of 256 blocks has the samples that neighborhood asks for (min_samples 2)",
    ),
    "drillholes of points": (
        lambda _, there: kriging(there, diagnostics=KrigingDiagnostics(num_drillholes=True)),
        "target.diagnostics.num_drillholes",
        "has no drillholes",
    ),
    "blocks of points": (
        lambda _, there: kriging(
            there,
            target=Target.new_attribute(there.points, "never"),
            block_discretization=BlockDiscretization(nx=2),
        ),
        "block_discretization",
        "which has no blocks",
    ),
    "a name that is taken": (
        lambda _, there: kriging(there, target=Target.new_attribute(there.points, "grade")),
        "target.attribute.name",
        "choose another name, or update that one",
    ),
    "tail below the data": (distribution, "tail_extrapolation", "above the largest value, 4.6"),
    "other locations": (
        lambda _, there: LocationWiseParameters(
            source=there.points.attributes["grade"],
            target=LocationWiseTarget(object=there.grid),
            summary=True,
        ),
        "target.object",
        "as many locations as the source (120); 'grid' has 256",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_job_that_cannot_be_done_says_what_to_change(deposit: Deposit, fault: str) -> None:
    make, name, said = FAULTS[fault]

    async def work(context: Any, there: Any) -> Any:
        with pytest.raises(JobError) as failed:
            await deposit.run(context, make(context, there))
        return failed.value.content, there.grid.metadata.version_id

    error, version = deposit.do(work)

    assert said in error["detail"]
    assert (error["status"], error["type"]) == (422, "/error-codes/invalid")
    assert error["title"] == "Invalid request"
    assert error["invalid-params"] == [{"name": f"parameters.{name}", "reason": error["detail"]}]
    assert deposit.do(version_of_grid) == version


async def version_of_grid(_: Any, there: Any) -> Any:
    return there.grid.metadata.version_id


RANGES: Final = "neighborhood.ellipsoid.ellipsoid_ranges"


@pytest.mark.parametrize(
    ("more", "name", "said"),
    [
        (
            {
                "neighborhood": {
                    "ellipsoid": {
                        "ellipsoid_ranges": {"major": -60.0, "semi_major": 1.0, "minor": 1.0}
                    },
                    "max_samples": 12,
                }
            },
            f"{RANGES}.major",
            "must be float > 0.0, got -60",
        ),
        ({"power": 2.0}, "power", "power"),
        ({"kriging_method": {"type": "cokriging"}}, "kriging_method", "cokriging"),
        ({"variogram": "https://hub.test/variogram"}, "variogram", "must be an object's URL"),
    ],
)
def test_parameters_that_cannot_be_are_refused_before_a_job_is_made(
    deposit: Deposit, more: Mapping[str, Any], name: str, said: str
) -> None:
    async def work(context: Any, there: Any) -> Any:
        with pytest.raises(Exception, match="422") as refused:
            await deposit.submit(context, kriging(there), **more)
        return refused.value

    error = deposit.do(work)

    assert said in error.content["detail"]
    assert error.content["invalid-params"][0]["name"].startswith(f"parameters.{name}")


def test_an_object_that_is_not_there_is_not_found(deposit: Deposit) -> None:
    async def work(context: Any, there: Any) -> Any:
        gone = str(there.variogram.metadata.url).replace(str(there.variogram.metadata.id), "{}")
        with pytest.raises(JobError) as failed:
            await deposit.run(context, kriging(there, variogram=gone.format(uuid4())))
        return failed.value.content

    error = deposit.do(work)

    assert (error["status"], error["title"]) == (404, "Not found")
    assert error["invalid-params"][0]["name"] == "parameters.variogram"


def limit(deposit: Deposit, most: int) -> None:
    """Set as an operator does how many blocks a job may fill."""
    data = str(deposit.desk.server.data)
    said = ("limits", "set", "geostat", "max_blocks", str(most), "--data", data)
    subprocess.run(
        (sys.executable, "-m", "haulier.cli", *said),
        check=True,
        capture_output=True,
        env={**os.environ, **bytecode()},
        timeout=60,
    )


@pytest.mark.slow
def test_a_grid_over_the_operator_s_limit_is_refused_until_it_is_raised(deposit: Deposit) -> None:
    async def refused(context: Any, there: Any) -> Any:
        with pytest.raises(JobError) as failed:
            await deposit.run(context, kriging(there))
        return failed.value.content

    async def taken(context: Any, there: Any) -> Any:
        target = Target.new_attribute(there.grid, "within the limit")
        return (await deposit.quick(context, kriging(there, target=target))).attribute_name

    limit(deposit, 100)
    try:
        error = deposit.do(refused)
    finally:
        limit(deposit, 200_000_000)

    assert "target.object has 256 locations, more than the 100" in error["detail"]
    assert "coarser grid" in error["detail"]
    assert deposit.do(taken) == "within the limit"


def many(kind: str) -> Any:
    """Give parameters of a job of minutes: many blocks, or much to do for each."""

    async def work(context: Any, there: Any) -> Any:
        size = Size3i(nx=300, ny=300, nz=100) if kind == "kriging" else Size3i(nx=100, ny=99, nz=40)
        data = Regular3DGridData(
            name=f"large for {kind}",
            origin=Point3(x=0.0, y=0.0, z=0.0),
            size=size,
            cell_size=Size3d(dx=100 / size.nx, dy=100 / size.ny, dz=20 / size.nz),
        )
        grid = await Regular3DGrid.create(context, data)
        if kind == "kriging":
            target = Target.new_attribute(grid, "never")
            return kriging(there, target=target, search=search(max_samples=100))
        return ConSimParameters(
            source_object=there.points,
            source_attribute=there.points.attributes["grade"],
            target_object=grid,
            variogram_model=there.variogram,
            neighborhood=search(),
            block_discretization=BlockDiscretization(nx=3, ny=3, nz=3),
            number_of_lines=1000,
            number_of_simulations=100,
        )

    return work


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "verb"), [("kriging", "kriged"), ("consim", "simulated")])
def test_a_job_at_work_tells_how_far_it_is_and_stops_at_once_when_cancelled(
    deposit: Deposit, kind: str, verb: str
) -> None:
    async def work(context: Any, there: Any) -> Any:
        job = await deposit.submit(context, await many(kind)(context, there))
        status = await job.get_status()
        while verb not in (status.message or ""):
            assert status.status in {JobStatusEnum.requested, JobStatusEnum.in_progress}
            await asyncio.sleep(0.05)
            status = await job.get_status()
        await job.cancel()
        with pytest.raises(JobError) as ended:
            await job.wait_for_results(polling_interval_seconds=0.05)
        return job, status, ended.value

    job, status, error = deposit.do(work)

    assert 0 < status.progress < 100
    assert f"{verb} " in status.message
    assert " blocks" in status.message
    assert (error.status, error.title) == (499, "Job cancelled")
    at = times(deposit, job.id)
    assert at["cancelled"] - at["cancelling"] < STOPS_WITHIN_S


def times(deposit: Deposit, job_id: Any) -> dict[str, float]:
    """Give when a job became what, by the server's clock."""
    server = deposit.desk.server
    headers = {"authorization": f"Bearer {server.key}"}
    with httpx.Client(verify=False, base_url=server.url, timeout=60) as client:  # noqa: S501 -- our own
        events = client.get(f"/jobs/{job_id}/timeline", headers=headers).json()["timeline"]
    return {each["type"]: datetime.fromisoformat(each["at"]).timestamp() for each in events}


def test_a_wrong_token_an_unknown_job_and_an_unknown_task_get_nothing(deposit: Deposit) -> None:
    async def strange(context: Any, there: Any) -> Any:
        connector, org = context.get_connector(), context.get_org_id()
        said = []
        for topic, task in (("geostatistics", "dowsing"), ("astrology", "kriging")):
            with pytest.raises(NotFoundException) as missing:
                await JobClient.submit(connector, org, topic, task, {}, preview=True)
            said.append(str(missing.value))
        job = JobClient(connector, org, "geostatistics", "kriging", uuid4(), preview=True)
        for ask in (job.get_status, job.get_results, job.cancel):
            with pytest.raises(NotFoundException):
                await ask()
        return said, kriging(there)

    said, parameters = deposit.do(strange)

    async def intrude(context: Any) -> None:
        with pytest.raises(UnauthorizedException):
            await deposit.run(context, parameters)

    deposit.desk.do(intrude, token="hlr_nobody")  # noqa: S106 -- nobody's
    assert "dowsing" in said[0]
    assert "astrology" in said[1]
