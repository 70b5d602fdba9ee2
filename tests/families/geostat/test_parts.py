"""A job's parts: how many there are changes nothing, and two jobs may write at once."""

import hashlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import numpy as np
import pytest

from haulier.core.entry import Publication
from haulier.core.problem import Code, Problem
from haulier.families.geostat import FAMILY
from haulier.families.geostat.io.tables import CHUNK_ROWS
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.steps.registry import tasks
from haulier.families.geostat.steps.task import MOST_PARTS
from haulier.families.geostat.steps.work import part_size
from haulier.testing import deposit
from haulier.testing.context import LocalContext, World, run_job, run_step
from haulier.testing.deposit import PARAMS, furnish, on
from haulier.testing.geoscience import BASE, ENTRY, SPACE, Gallery, search

WIDE = (300, 250, 2)  # three row groups: two parts as it comes


def knn_on_a_wide_grid(folder: Path) -> tuple[Gallery, dict[str, Any]]:
    gallery = furnish(World(folder))
    wide = gallery.grid("wide.json", WIDE, cell=(0.4, 0.4, 10.0))
    params = {
        **PARAMS["KNN"],
        "target": on(wide, "knn"),
        "neighborhood": search(30.0, 3),
        "report": False,
    }
    return gallery, params


@pytest.mark.parametrize("rows", [1000, CHUNK_ROWS, 10 * CHUNK_ROWS])
def test_results_do_not_depend_on_the_number_of_parts(
    rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gallery, params = knn_on_a_wide_grid(tmp_path / "one")
    run_job(FAMILY, "KNN", params, gallery.world)
    again, params = knn_on_a_wide_grid(tmp_path / "two")
    monkeypatch.setattr(type(tasks()["KNN"]), "part_rows", rows)
    run_job(FAMILY, "KNN", params, again.world)

    one, two = (each.attribute("wide.json", "knn")["values"]["data"] for each in (gallery, again))

    assert one == two
    parts = [len({said.call for said in each.world.said if said.call.startswith("work.run")})
             for each in (gallery, again)]  # fmt: skip
    assert parts == [2, {1000: 147, CHUNK_ROWS: 3}.get(rows, 1)]


def test_progress_tells_how_many_of_all_are_done(tmp_path: Path) -> None:
    gallery, params = knn_on_a_wide_grid(tmp_path)

    run_job(FAMILY, "KNN", params, gallery.world)

    said = [each.message for each in gallery.world.said if each.call.startswith("work.run")]
    assert said[-1] == "estimated 150,000 of 150,000 blocks"
    assert len(said) >= 150_000 / 16_384


@pytest.mark.parametrize("rows", [0, 1, CHUNK_ROWS, 1_000_000, 123_456_789, 200_000_000])
def test_parts_are_whole_row_groups_and_not_too_many(rows: int) -> None:
    size = part_size(rows, 2 * CHUNK_ROWS)

    assert size % CHUNK_ROWS == 0
    assert -(-rows // size) <= MOST_PARTS


@pytest.mark.parametrize("wanted", [1, 320, 4000, CHUNK_ROWS // 2])
@pytest.mark.parametrize("rows", [0, 1, CHUNK_ROWS, 1_000_000, 200_000_000])
def test_parts_of_heavy_rows_are_even_pieces_of_a_row_group(rows: int, wanted: int) -> None:
    size = part_size(rows, wanted)

    assert max(size, CHUNK_ROWS) % min(size, CHUNK_ROWS) == 0
    assert size >= wanted
    assert -(-rows // size) <= MOST_PARTS


def test_blocks_of_much_work_are_spread_over_parts(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))
    wide = gallery.grid("wide.json", (30, 20, 10), cell=(3.0, 5.0, 4.0))
    heavy = {
        **PARAMS["KRIGING"],
        "target": on(wide, "heavy"),
        "block_discretization": {"nx": 9, "ny": 9, "nz": 9},
        "neighborhood": search(60.0, 400, min_samples=400),
        "report": False,
    }
    steps = step_by_step(gallery, "KRIGING", heavy, ("prepare",))

    parts = FAMILY.split(steps["work"], LocalContext(gallery.world, steps["work"], "split"))

    assert len(parts) > 1
    assert sum(part.params["last"] - part.params["first"] for part in parts) == 6000


def test_a_million_blocks_are_eight_parts() -> None:
    assert -(-1_000_000 // part_size(1_000_000, 2 * CHUNK_ROWS)) == 8


def step_by_step(
    gallery: Gallery,
    kind: str,
    params: dict[str, Any],
    done: tuple[str, ...] = ("prepare", "work"),
) -> dict[str, Any]:
    """Give the steps of a job, by name, with some done: all but the last, if none are named."""
    recipe = FAMILY.plan(kind, msgspec.convert(params, KINDS[kind].params))
    steps = {step.id: step for step in recipe.steps}
    for name in done:
        run_step(FAMILY, steps[name], gallery.world)
    return steps


def test_two_jobs_that_write_on_one_grid_both_succeed(tmp_path: Path) -> None:
    """The second one's merge is called again, and builds on the version of the first."""
    gallery = furnish(World(tmp_path))
    params = {**PARAMS["IDW"], "target": on(deposit.GRID, "first"), "report": False}
    steps = step_by_step(gallery, "IDW", params)
    first = dict(gallery.world.results), dict(gallery.world.outputs)
    other = {**params, "target": on(deposit.GRID, "second")}
    run_job(FAMILY, "IDW", other, gallery.world)
    gallery.world.results, gallery.world.outputs = first

    run_step(FAMILY, steps["publish"], gallery.world)

    names = [each["name"] for each in gallery.get("grid.json").body["object"]["cell_attributes"]]
    assert names == ["depth", "zone", "second", "first"]


def test_a_name_that_was_taken_meanwhile_is_refused_at_the_end(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))
    params = {**PARAMS["IDW"], "target": on(deposit.GRID, "same"), "report": False}
    steps = step_by_step(gallery, "IDW", params)
    document = dict(gallery.get("grid.json").body["object"])
    document["cell_attributes"] = [*document["cell_attributes"], gallery.scalar("same", [1.0])]
    gallery.put("grid.json", document)

    with pytest.raises(Problem, match="must be new"):
        run_step(FAMILY, steps["publish"], gallery.world)


def test_a_grid_that_was_moved_meanwhile_gets_nothing(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))
    params = {**PARAMS["IDW"], "target": on(deposit.GRID, "late"), "report": False}
    steps = step_by_step(gallery, "IDW", params)
    document = {**gallery.get("grid.json").body["object"], "origin": [5.0, 0.0, 0.0]}
    gallery.put("grid.json", document)

    with pytest.raises(Problem) as caught:
        run_step(FAMILY, steps["publish"], gallery.world)

    assert caught.value.code is Code.CONFLICT


@pytest.mark.parametrize(
    ("done", "named", "step"),
    [
        (("prepare",), "target.object", "work"),
        (("prepare",), "variogram", "work"),
        (("prepare", "work"), "target.object", "publish"),
    ],
)
def test_an_object_that_came_to_the_path_of_another_is_not_taken_for_it(
    done: tuple[str, ...], named: str, step: str, tmp_path: Path
) -> None:
    gallery = furnish(World(tmp_path))
    target = on(f"{BASE}/path/grid.json", "late")
    variogram = f"{BASE}/path/variogram.json"
    params = {**PARAMS["KRIGING"], "target": target, "variogram": variogram, "report": False}
    steps = step_by_step(gallery, "KRIGING", params, done)
    path = {"target.object": "grid.json", "variogram": "variogram.json"}[named]
    body = gallery.get(path).body
    gallery.world.shelf.remove(ENTRY, SPACE + path)
    other = Publication(type=ENTRY, name=SPACE + path, body=body, expects=0, id=str(uuid4()))
    gallery.world.shelf.put(other)

    with pytest.raises(Problem) as caught:
        run_step(FAMILY, steps[step], gallery.world)

    assert (caught.value.code, caught.value.at) == (Code.NOT_FOUND, named)


def test_a_job_works_with_the_version_that_was_there_when_it_began(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))
    newest = deposit.POINTS.partition("?")[0]
    source = {**deposit.SOURCE, "object": newest}
    params = {**PARAMS["IDW"], "source": source, "report": False}
    recipe = FAMILY.plan("IDW", msgspec.convert(params, KINDS["IDW"].params))
    prepare = recipe.steps[0]
    parts = FAMILY.split(prepare, LocalContext(gallery.world, prepare, "split"))

    assert parts[0].params["pins"]["source.object"][1:] == [1, 1]

    gallery.pointset("points.json", np.zeros((2, 3)), gallery.scalar("grade", [1.0, 2.0]))
    again = FAMILY.split(prepare, LocalContext(gallery.world, prepare, "split"))
    assert again[0].params["pins"]["source.object"][1:] == [2, 2]


def test_an_update_keeps_the_key_and_the_place_of_an_attribute(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))
    old = gallery.attribute("grid.json", "depth")
    update = {"operation": "update", "reference": "cell_attributes[?name=='depth']"}
    target = {"object": deposit.GRID, "attribute": update}

    run_job(FAMILY, "IDW", {**PARAMS["IDW"], "target": target, "report": False}, gallery.world)

    attributes = gallery.get("grid.json").body["object"]["cell_attributes"]
    assert [each["name"] for each in attributes] == ["depth", "zone"]
    assert attributes[0]["key"] == old["key"]
    assert attributes[0]["values"]["data"] != old["values"]["data"]


def test_a_rerun_replaces_what_a_task_named_itself(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))
    params = {**PARAMS["LOCATION_WISE"], "report": False}

    for _ in range(2):
        run_job(FAMILY, "LOCATION_WISE", params, gallery.world)

    entry = gallery.get("simulated.json")
    names = [each["name"] for each in entry.body["object"]["cell_attributes"]]
    assert entry.version == 3
    assert len(names) == len(set(names)) == 4 + 7


def test_blobs_are_named_by_what_is_in_them(tmp_path: Path) -> None:
    gallery = furnish(World(tmp_path))

    run_job(FAMILY, "IDW", {**PARAMS["IDW"], "report": False}, gallery.world)

    for path in gallery.world.storages["geoscience-data"].iterdir():
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
