"""Targets that are too large, taken, or not what they should be, and files that are broken."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from haulier.core.problem import Code, Problem
from haulier.families.geostat import FAMILY
from haulier.testing import deposit
from haulier.testing.context import World, run_job
from haulier.testing.deposit import PARAMS, SEARCH, furnish, on
from haulier.testing.geoscience import BASE, Gallery, new, search


@pytest.fixture
def gallery(tmp_path: Any) -> Gallery:
    return furnish(World(tmp_path))


def fails(gallery: Gallery, kind: str, **fields: object) -> Problem:
    """Run a job with some parameters changed, and give the problem it ends with."""
    params: Mapping[str, Any] = {**PARAMS[kind], "report": False, **fields}
    with pytest.raises(Problem) as caught:
        run_job(FAMILY, kind, params, gallery.world)
    return caught.value


def test_a_grid_of_a_thousand_million_blocks_is_beyond_the_quota(gallery: Gallery) -> None:
    vast = gallery.grid("vast.json", (1000, 1000, 1000))

    problem = fails(gallery, "KRIGING", target=on(vast, "estimate"))

    assert problem.code is Code.TOO_LARGE
    assert problem.at == "target.object"
    assert "1,000,000,000 locations, more than the 200,000,000" in problem.detail
    assert "coarser grid" in problem.detail


def test_the_operator_sets_the_quota(gallery: Gallery) -> None:
    gallery.world.entries["limits", "geostat"] = {"max_blocks": 100}

    problem = fails(gallery, "KRIGING")

    assert problem.code is Code.TOO_LARGE
    assert "the 100 that one job may fill" in problem.detail


def test_a_name_that_is_taken_is_refused_before_anything_is_done(gallery: Gallery) -> None:
    problem = fails(gallery, "IDW", target=on(deposit.GRID, "zone"))

    assert problem.at == "target.attribute.name"
    assert "operation 'update'" in problem.detail
    assert "work" not in gallery.world.results


def test_an_attribute_of_other_values_is_not_updated(gallery: Gallery) -> None:
    update = {"operation": "update", "reference": "cell_attributes[?name=='zone']"}
    target = {"object": deposit.GRID, "attribute": update}

    problem = fails(gallery, "IDW", target=target)

    assert problem.at == "target.attribute.reference"
    assert "'category'" in problem.detail


@pytest.mark.parametrize("limit", ["max_samples_per_drillhole", "max_drillholes_per_estimate"])
def test_limits_by_drillhole_need_drillholes(gallery: Gallery, limit: str) -> None:
    problem = fails(gallery, "KRIGING", neighborhood={**SEARCH, limit: 2})

    assert problem.at == f"neighborhood.{limit}"
    assert "pointset" in problem.detail


def test_downhole_intervals_have_drillholes(gallery: Gallery) -> None:
    params = {
        **PARAMS["KRIGING"],
        "source": {"object": deposit.HOLES, "attribute": "attributes[?name=='grade']"},
        "target": {
            **on(deposit.GRID, "estimate"),
            "diagnostics": {"num_drillholes": new("NDh")},
        },
        "neighborhood": {**search(500.0, 12), "max_samples_per_drillhole": 2},
        "report": False,
    }

    run_job(FAMILY, "KRIGING", params, gallery.world)

    assert gallery.column("grid.json", "NDh").min() >= 6


def test_points_have_no_blocks(gallery: Gallery) -> None:
    problem = fails(gallery, "KRIGING", target=on(deposit.POINTS, "k"))

    assert problem.at == "block_discretization"


def test_values_that_were_never_uploaded_are_told(gallery: Gallery) -> None:
    attribute = {**gallery.scalar("g", np.ones(3))}
    attribute["values"] = {**attribute["values"], "data": "0" * 64}
    source = gallery.pointset("lost.json", np.eye(3), attribute)

    problem = fails(gallery, "IDW", source={"object": source, "attribute": "g"})

    assert "never uploaded" in problem.detail


def test_a_file_that_is_no_table_is_told(gallery: Gallery) -> None:
    attribute = gallery.scalar("g", np.ones(3))
    path = gallery.world.storages["geoscience-data"] / attribute["values"]["data"]
    path.write_bytes(b"PAR1 and then nothing")
    source = gallery.pointset("torn.json", np.eye(3), attribute)

    problem = fails(gallery, "IDW", source={"object": source, "attribute": "g"})

    assert problem.code is Code.INVALID
    assert "no Parquet file" in problem.detail


def test_a_table_that_is_broken_in_the_middle_is_told(gallery: Gallery) -> None:
    attribute = gallery.scalar("g", np.random.default_rng(0).random(999))
    path = gallery.world.storages["geoscience-data"] / attribute["values"]["data"]
    whole = path.read_bytes()
    path.write_bytes(whole[:8] + bytes(2000) + whole[2008:])
    source = gallery.pointset("torn.json", np.zeros((999, 3)), attribute)

    problem = fails(gallery, "IDW", source={"object": source, "attribute": "g"})

    assert (problem.code, problem.at) == (Code.INVALID, "source.attribute")
    assert "no Parquet file" in problem.detail


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("size"),
        lambda document: document.update(size=[0, 5, 4]),
        lambda document: document.update(cell_size=[1.0, 0.0, 1.0]),
        lambda document: document.update(origin="here"),
        lambda document: document.pop("cell_size"),
    ],
)
def test_a_grid_that_is_not_whole_is_refused(gallery: Gallery, change: Change) -> None:
    document = dict(gallery.get("grid.json").body["object"])
    change(document)
    broken = gallery.put("broken.json", document)

    problem = fails(gallery, "IDW", target=on(broken, "idw"))

    assert problem.code is Code.INVALID
    assert problem.at == "target.object"


def test_an_object_is_not_replaced_unless_that_is_asked_for(gallery: Gallery) -> None:
    target = {"reference": f"{BASE}/path/distribution.json"}

    problem = fails(gallery, "CONTINUOUS_DISTRIBUTION", target=target)

    assert problem.code is Code.CONFLICT
    assert problem.at == "target.reference"


def test_an_object_of_another_type_is_never_replaced(gallery: Gallery) -> None:
    target = {"reference": f"{BASE}/path/grid.json", "overwrite": True}

    problem = fails(gallery, "CONTINUOUS_DISTRIBUTION", target=target)

    assert problem.code is Code.CONFLICT
    assert "another type" in problem.detail


def test_an_object_is_replaced_by_its_next_version(gallery: Gallery) -> None:
    target = {"reference": f"{BASE}/path/distribution.json", "overwrite": True}
    params = {**PARAMS["CONTINUOUS_DISTRIBUTION"], "target": target, "report": False}

    done = run_job(FAMILY, "CONTINUOUS_DISTRIBUTION", params, gallery.world)

    assert done.result["distribution"]["reference"].endswith("?version=2")
    assert gallery.get("distribution.json").version == 2


def test_more_realisations_than_there_are_cannot_be_compared(gallery: Gallery) -> None:
    problem = fails(gallery, "SIMULATION_REPORT", number_of_simulations=9)

    assert problem.at == "number_of_simulations"
    assert "at most the 4" in problem.detail


def test_source_and_target_of_values_have_the_same_rows(gallery: Gallery) -> None:
    problem = fails(gallery, "NORMAL_SCORE", target=on(deposit.GRID, "score"))

    assert problem.at == "target.object"
    assert "120" in problem.detail


def test_a_source_of_too_many_rows_is_refused_before_any_of_them_is_read(gallery: Gallery) -> None:
    attribute = gallery.scalar("v", [1.0])
    attribute["values"] |= {"data": "0" * 64, "length": 30_000_000}  # which is not there
    vast = gallery.grid("vast.json", (1000, 1000, 30), attribute)

    problem = fails(gallery, "KRIGING", source={"object": vast, "attribute": "v"})

    assert problem.code is Code.TOO_LARGE
    assert "30,000,000 locations; at most 20,000,000" in problem.detail


def changed(document: Mapping[str, Any], path: str, value: object) -> dict[str, Any]:
    """Give a document with another value at a path of members."""
    first, _, rest = path.partition(".")
    inner = changed(document[first], rest, value) if rest else value
    return {**document, first: inner}


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("grid", "cell_attributes"),
        ("masked", "mask"),
        ("masked", "mask.values"),
        ("points", "locations"),
        ("points", "locations.coordinates"),
        ("points", "locations.attributes"),
        ("holes", "mid_points"),
        ("holes", "hole_id"),
        ("holes", "from_to.intervals"),
        ("holes", "attributes"),
    ],
)
@pytest.mark.parametrize("value", ["text", 5, [1, None, "x"], [{"name": 5}]])
def test_a_document_that_is_not_as_its_type_says_is_refused_where_it_is_wrong(
    kind: str, path: str, value: object, gallery: Gallery
) -> None:
    document = changed(gallery.get(f"{kind}.json").body["object"], path, value)
    broken = gallery.put("broken.json", document)
    target, source = on(deposit.GRID, "x"), {"object": broken, "attribute": "grade"}
    if kind in {"grid", "masked"}:
        target, source = on(broken, "x"), deposit.SOURCE

    problem = fails(gallery, "IDW", target=target, source=source)

    assert problem.code is Code.INVALID
    assert problem.at in {"target.object", "source.object"}
    assert f"`$.{path}" in problem.detail


def test_whole_numbers_beyond_a_double_are_rounded(gallery: Gallery) -> None:
    places = np.arange(12.0).reshape(4, 3)
    numbers = gallery.integer("v", [2**60 + 1] * 4)
    source = {"object": gallery.pointset("big.json", places, numbers), "attribute": "v"}

    run_job(FAMILY, "KNN", {**PARAMS["KNN"], "source": source, "report": False}, gallery.world)

    made = gallery.column("tensor.json", "knn")
    assert set(made[~np.isnan(made)]) == {float(2**60)}


def test_a_step_of_zero_in_an_expression_finds_nothing(gallery: Gallery) -> None:
    source = {**deposit.SOURCE, "attribute": "locations.attributes[::0]"}

    assert (
        "which has none 'locations.attributes[::0]'" in fails(gallery, "IDW", source=source).detail
    )
