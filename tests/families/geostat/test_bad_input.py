"""Bad input ends in a sentence that says what to change, at the field that is wrong."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from haulier.core.problem import Code, Problem
from haulier.families.geostat import FAMILY
from haulier.testing import deposit
from haulier.testing.context import World, run_job
from haulier.testing.deposit import PARAMS, SOURCE, furnish, on
from haulier.testing.geoscience import BASE, Gallery, new, search, structure


@pytest.fixture
def gallery(tmp_path: Any) -> Gallery:
    return furnish(World(tmp_path))


def fails(gallery: Gallery, kind: str, **fields: object) -> Problem:
    """Run a job with some parameters changed, and give the problem it ends with."""
    params: Mapping[str, Any] = {**PARAMS[kind], "report": False, **fields}
    with pytest.raises(Problem) as caught:
        run_job(FAMILY, kind, params, gallery.world)
    return caught.value


def test_a_missing_attribute_is_named_with_those_that_there_are(gallery: Gallery) -> None:
    source = {**SOURCE, "attribute": "locations.attributes[?name=='gold']"}

    problem = fails(gallery, "KRIGING", source=source)

    assert problem.code is Code.INVALID
    assert problem.at == "source.attribute"
    assert "gold" in problem.detail
    assert "grade, domain, weight" in problem.detail


def test_an_attribute_without_numbers_is_no_source(gallery: Gallery) -> None:
    problem = fails(gallery, "IDW", source={**SOURCE, "attribute": "domain"})

    assert problem.at == "source.attribute"
    assert "category" in problem.detail


def test_an_object_of_another_type_is_named_with_those_that_would_do(gallery: Gallery) -> None:
    problem = fails(gallery, "KRIGING", variogram=deposit.GRID)

    assert problem.at == "variogram"
    assert "must be a variogram; 'grid' is a regular-3d-grid" in problem.detail


def test_an_object_that_is_not_there_is_named(gallery: Gallery) -> None:
    problem = fails(gallery, "KRIGING", variogram=f"{BASE}/path/none.json")

    assert problem.code is Code.NOT_FOUND
    assert problem.at == "variogram"
    assert "none.json" in problem.detail


def test_an_object_of_another_workspace_is_not_there(gallery: Gallery) -> None:
    elsewhere = deposit.VARIOGRAM.replace("b2/objects", "b3/objects")

    problem = fails(gallery, "KRIGING", variogram=elsewhere)

    assert problem.code is Code.NOT_FOUND


def test_samples_without_any_value_are_refused(gallery: Gallery) -> None:
    source = gallery.pointset("empty.json", np.ones((5, 3)), gallery.scalar("g", [np.nan] * 5))

    problem = fails(gallery, "KRIGING", source={"object": source, "attribute": "g"})

    assert problem.at == "source.attribute"
    assert "all 5 of attribute 'g' of 'empty' are missing" in problem.detail


def test_samples_without_a_value_are_left_out_and_counted(gallery: Gallery) -> None:
    done = run_job(FAMILY, "KRIGING", {**PARAMS["KRIGING"], "report": False}, gallery.world)

    assert "Left out for want of a value: 1 sample." in done.result["message"]
    assert done.statistics["samples"]["missing"] == 1


def test_numbers_that_stand_for_nothing_are_missing_values(gallery: Gallery) -> None:
    values = gallery.scalar("g", [1.0, -999.0, 3.0], missing=[-999.0])
    source = gallery.pointset("coded.json", np.eye(3) * 50, values)

    done = run_job(
        FAMILY,
        "IDW",
        {**PARAMS["IDW"], "source": {"object": source, "attribute": "g"}, "report": False},
        gallery.world,
    )

    assert done.statistics["samples"]["missing"] == 1
    assert done.statistics["outputs"]["estimate"]["min"] >= 1.0


def test_a_filter_that_selects_no_sample_is_named(gallery: Gallery) -> None:
    where = {
        "type": "condition",
        "attribute": "grade",
        "operator": "greater_than",
        "threshold": 1e6,
    }

    problem = fails(gallery, "KRIGING", source={**SOURCE, "filter": {"where": where}})

    assert problem.at == "source.filter"
    assert "selects none of 60 rows" in problem.detail


def test_a_filter_that_selects_no_block_is_named(gallery: Gallery) -> None:
    where = {"type": "condition", "attribute": "depth", "operator": "less_than", "threshold": -1}
    target = {**on(deposit.GRID, "filtered"), "filter": {"where": where}}

    problem = fails(gallery, "KRIGING", target=target)

    assert problem.at == "target.filter"


def test_a_category_that_is_not_there_is_named_with_those_that_are(gallery: Gallery) -> None:
    where = {"type": "condition", "attribute": "domain", "operator": "in", "values": ["north"]}

    problem = fails(gallery, "KRIGING", source={**SOURCE, "filter": {"where": where}})

    assert problem.at == "source.filter.where.values"
    assert "east (10), west (11)" in problem.detail


def test_an_ellipsoid_that_reaches_nothing_is_told_with_where_things_are(gallery: Gallery) -> None:
    far = gallery.grid("far.json", (4, 4, 4), origin=(1e6, 1e6, 0))

    problem = fails(gallery, "KRIGING", target=on(far, "estimate"), block_discretization=None)

    assert problem.at == "neighborhood"
    assert "none of 64 blocks" in problem.detail
    assert "(min_samples 1)" in problem.detail
    assert "blocks within x 1e+06" in problem.detail


def test_a_limit_of_sectors_that_no_block_meets_is_told(gallery: Gallery) -> None:
    neighborhood = search(500.0, 12, min_samples=3, max_empty_octants=0)
    source = gallery.pointset("flat.json", np.eye(3) * [9, 9, 0], gallery.scalar("g", [1, 2, 3]))

    problem = fails(
        gallery,
        "IDW",
        source={"object": source, "attribute": "g"},
        neighborhood=neighborhood,
    )

    assert "(min_samples 3, max_empty_octants 0)" in problem.detail


def test_an_attribute_that_is_newer_than_the_version_asked_for_is_told(gallery: Gallery) -> None:
    problem = fails(gallery, "KRIGING", source={**SOURCE, "attribute": "assay"})

    assert "has none 'assay' in version 1" in problem.detail


def test_values_whose_squares_are_too_large_for_a_number_are_estimated(gallery: Gallery) -> None:
    source = gallery.pointset("huge.json", np.eye(3) * 50, gallery.scalar("g", [1e300] * 3))

    done = run_job(
        FAMILY,
        "IDW",
        {**PARAMS["IDW"], "source": {"object": source, "attribute": "g"}, "report": False},
        gallery.world,
    )

    assert done.statistics["outputs"]["estimate"]["variance"] is None
    assert done.statistics["outputs"]["estimate"]["max"] == pytest.approx(1e300)


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("SIMULATION_REPORT", 1.7e308, "source_attribute must have values from -1e+300 to 1e+300"),
        ("CONSIM", -1.7e308, "source_attribute must have values from -1e+300 to 1e+300"),
        ("KRIGING", 1.7e308, "source.attribute must have values from -1e+300 to 1e+300"),
        ("EXPERIMENTAL_VARIOGRAM", 1e160, "source.attribute must have values from -1e+100"),
    ],
)
def test_samples_that_no_plot_can_show_are_refused(
    gallery: Gallery, kind: str, value: float, said: str
) -> None:
    ones = np.ones(5)
    values = gallery.scalar("grade", [value, *ones[1:]])
    huge = gallery.pointset("huge.json", np.eye(5, 3), values, gallery.scalar("weight", ones))
    fields = {
        "SIMULATION_REPORT": {"simulation_source": huge, "source_attribute": "grade"},
        "CONSIM": {"source_object": huge, "source_attribute": "grade"},
    }.get(kind, {"source": {"object": huge, "attribute": "grade"}})

    problem = fails(gallery, kind, report=True, **fields)

    assert problem.code is Code.INVALID
    assert problem.detail.startswith(said)
    assert f"got {value:g}" in problem.detail
    assert problem.at == said.split(" ", maxsplit=1)[0]


def test_samples_that_a_filter_leaves_out_may_be_of_any_size(gallery: Gallery) -> None:
    values = gallery.scalar("grade", [1.7e308, 1.0, 2.0])
    source = gallery.pointset("huge.json", np.eye(3) * 50, values)
    where = {
        "type": "condition",
        "attribute": "grade",
        "operator": "less_than",
        "threshold": 1e308,
    }
    asked = {"object": source, "attribute": "grade", "filter": {"where": where}}

    params = {**PARAMS["IDW"], "source": asked, "report": False}
    done = run_job(FAMILY, "IDW", params, gallery.world)

    assert done.statistics["samples"]["used"] == 2


@pytest.mark.parametrize("kind", ["LOSS_CALCULATION", "PROFIT_CALCULATION"])
def test_realisations_that_no_plot_can_show_are_refused(gallery: Gallery, kind: str) -> None:
    grid = gallery.grid("huge.json", (2, 1, 1), gallery.ensemble("blocks", [[1.7e308], [1.0]]))
    source = {"object": grid, "attribute": "blocks"}

    problem = fails(gallery, kind, source=source, target=deposit.on(grid, "made"))

    assert problem.at == "source.attribute"
    assert "must have values from -1e+300 to 1e+300, got 1.7e+308" in problem.detail


def test_a_range_that_no_plot_can_show_is_told_by_its_field(gallery: Gallery) -> None:
    bad = gallery.variogram("bad.json", structure(ranges=(1.7e308, 5.0, 10.0)))

    problem = fails(gallery, "SIMULATION_REPORT", variogram_model=bad)

    assert problem.at == "variogram_model"
    assert "<= 1e+300 - at structures[0].anisotropy.ellipsoid_ranges.major" in problem.detail


def test_a_negative_range_in_a_variogram_is_told_by_its_field(gallery: Gallery) -> None:
    bad = gallery.variogram("bad.json", structure(ranges=(100.0, -5.0, 10.0)))

    problem = fails(gallery, "KRIGING", variogram=bad)

    assert problem.at == "variogram"
    assert "semi_major" in problem.detail


def test_a_sill_that_does_not_add_up_is_refused(gallery: Gallery) -> None:
    bad = gallery.variogram("sill.json", structure(contribution=0.9), nugget=0.1, sill=2.0)

    problem = fails(gallery, "KRIGING", variogram=bad)

    assert "its sill must be nugget and contributions together, 1, got 2" in problem.detail


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("KRIGING", {"kriging_method": {"type": "simple", "mean": 1.0}}),
        ("KRIGING", {"target": {**on(deposit.GRID, "a"), "diagnostics": {
            "slope_of_regression": new("b")}}}),
    ],
)  # fmt: skip
def test_a_variogram_without_a_sill_is_refused_where_one_is_needed(
    gallery: Gallery, kind: str, fields: Mapping[str, Any]
) -> None:
    linear = gallery.variogram("linear.json", structure("linear"))

    problem = fails(gallery, kind, variogram=linear, **fields)

    assert problem.at == "variogram"
    assert "must have a sill" in problem.detail


def test_systems_that_are_singular_everywhere_are_told(gallery: Gallery) -> None:
    flat = gallery.variogram("flat.json", structure("gaussian", 1.0, (1e9, 1e9, 1e9)))
    linear = {"order": 1, "dimensions": "xy"}
    line = gallery.pointset(
        "two.json", [[0, 0, 0], [1, 1, 0], [2, 0, 0]], gallery.scalar("g", [1, 2, 3])
    )

    problem = fails(
        gallery,
        "UNIVERSAL_KRIGING",
        source={"object": line, "attribute": "g"},
        variogram=flat,
        neighborhood=search(1e4, 2),
        drift=linear,
    )

    assert problem.code is Code.INVALID
    assert "singular" in problem.detail


def test_a_drift_that_samples_cannot_tell_is_refused(gallery: Gallery) -> None:
    line = gallery.pointset(
        "line.json", [[n, n, 5] for n in range(6)], gallery.scalar("g", [1, 2, 3, 4, 5, 6])
    )

    problem = fails(
        gallery, "UNIVERSAL_KRIGING", source={"object": line, "attribute": "g"}, drift={"order": 1}
    )

    assert problem.at == "drift"
    assert "cannot tell the drift" in problem.detail
