"""Recipes over clouds by a real worker: steps pass clouds on, folders too, and the end is told."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import laspy
import msgspec
import pytest
from tests.families.clouds.landscape import write_landscape

from haulier.core.artifact import FileRef
from haulier.core.job import Job, Submission
from haulier.core.lifecycle import State
from haulier.testing.installation import STORAGE, WITHOUT, Installation, opened
from haulier.testing.nursery import Nursery

GIVEN = {
    f"job:{name}": {"type": "las", "uri": f"in/{name}.laz"} for name in ("one", "two")
}  # fmt: skip


@pytest.fixture(scope="module")
def here(
    tmp_path_factory: pytest.TempPathFactory, sqlite: Path, nursery: Nursery
) -> Iterator[Installation]:
    """Give an installation with a worker and two clouds."""
    folder = tmp_path_factory.mktemp("clouds")
    shutil.copy(sqlite, folder / "haulier.db")
    with opened(folder, f"sqlite:///{folder / 'haulier.db'}", nursery) as installation:
        for number, name in enumerate(("one", "two")):
            path = write_landscape(folder / f"{name}.laz", seed=number, east=number * 60.0)
            installation.upload(f"in/{name}.laz", path.read_bytes())
        shutil.rmtree(folder / WITHOUT)  # this worker does need kernels
        installation.start()
        yield installation


def step(id_: str, type_: str, source: str | list[str], **params: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, "inputs": {"input_las": source}, "params": params}


def run(here: Installation, *steps: dict[str, Any], **job: Any) -> Job:
    recipe = {"name": "r", "version": "1", "definition": {"recipe": list(steps)}}
    given = {"recipe": recipe, "inputs": GIVEN, **job}
    return here.ended(here.services.jobs.submit(here.caller, Submission("RECIPE", given)))


def delivered(here: Installation, path: str) -> bytes:
    place = here.services.files.place(here.caller.organisation, FileRef(STORAGE, path))
    return place.store.load(place.key) or b""


def test_steps_of_every_sort_pass_a_cloud_on(here: Installation, tmp_path: Path) -> None:
    job = run(
        here,
        step("merge", "MERGE_LAS", ["job:one", "job:two"]),
        step("clean", "OUTLIER", "step:merge.output_las", action="drop"),
        step("copc", "BUILD_COPC", "step:clean.output_las"),
        step("ept", "BUILD_EPT", "step:copc.output_copc"),
        step("thin", "THIN", "step:ept.output_ept", size=1.0, method="poisson"),
        step("tiles", "TILE_LAS", "step:thin.output_las", size=50.0),
        step("info", "DATASET_INFO", "step:ept.output_ept"),
        step("check", "VALIDATE_LAS", "step:copc.output_copc"),
        outputs={
            "step:tiles.output_tiles": {"path": "out/tiles"},
            "step:thin.output_las": {"path": "out/thin.laz"},
            "step:info.metadata": {"path": "out/info.json"},
        },
    )

    assert (job.problem, job.state) == (None, State.SUCCEEDED)
    said: dict[str, Any] = dict(job.result or {})
    assert said["merge"]["point_count"] == 12_000
    assert said["clean"]["point_count"] == 12_000 - said["clean"]["left_out"]
    assert said["info"]["point_count"] == said["clean"]["point_count"]
    assert said["check"]["valid"]
    assert said["tiles"]["point_count"] == said["thin"]["point_count"]
    (tmp_path / "thin.laz").write_bytes(delivered(here, "out/thin.laz"))
    assert len(laspy.read(tmp_path / "thin.laz")) == said["thin"]["point_count"]
    index = msgspec.json.decode(delivered(here, "out/tiles/tiles.json"))
    for tile in index["tiles"]:
        assert delivered(here, f"out/tiles/{tile['filename']}").startswith(b"LASF")


def test_a_cloud_without_points_goes_through_a_recipe(here: Installation) -> None:
    job = run(
        here,
        step("none", "FILTER", "job:one", expression="Z > 1e6"),
        step("thin", "THIN", "step:none.output_las", size=1.0),
        step("info", "DATASET_INFO", "step:thin.output_las"),
        inputs={"job:one": GIVEN["job:one"]},
    )

    assert (job.problem, job.state) == (None, State.SUCCEEDED)
    result: dict[str, Any] = dict(job.result or {})
    assert result["info"]["point_count"] == 0


def test_a_preset_runs_by_its_name_alone(here: Installation) -> None:
    job = run(
        here,
        recipe={"name": "reproject-potree", "version": "3.0.0"},
        inputs={"job:input_las": GIVEN["job:one"]},
        params={"reproject": {"source_epsg": "EPSG:25832", "target_epsg": "EPSG:3857"}},
        outputs={"step:build_potree.output_potree": {"path": "out/potree"}},
    )

    assert (job.problem, job.state) == (None, State.SUCCEEDED)
    assert msgspec.json.decode(delivered(here, "out/potree/metadata.json"))["points"] == 6000
    warnings = {each["code"] for each in (job.result or {})["reproject"]["warnings"]}
    assert "WEB_MERCATOR_SCALE" in warnings


def test_a_trap_ends_the_job_with_what_to_do(here: Installation) -> None:
    job = run(
        here,
        step("crop", "CROP", "job:one", bbox=[9.0, 50.5, 9.1, 50.6]),
        step("info", "DATASET_INFO", "step:crop.output_las"),
        inputs={"job:one": GIVEN["job:one"]},
    )

    assert job.state is State.FAILED
    assert job.problem is not None
    assert "CROP_ELSEWHERE" in job.problem.detail
    assert "as crs" in job.problem.detail
