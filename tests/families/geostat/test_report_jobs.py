"""Jobs end with a page and pictures that show what they made."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from haulier.families.geostat import FAMILY
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.plots import BY_KIND, PLOTS, output_name
from haulier.families.geostat.steps.pages.registry import pages
from haulier.families.reporting.page import png_size
from haulier.testing.context import World, run_job, run_recipe
from haulier.testing.geoscience import BASE, Gallery, new, search, structure

SAMPLES = 80


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return Gallery(World(tmp_path))


def samples(gallery: Gallery) -> str:
    random = np.random.default_rng(7)
    places = random.uniform((0, 0, 0), (120, 80, 20), (SAMPLES, 3))
    grades = np.exp(np.sin(places[:, 0] / 30) + 0.3 * random.normal(size=SAMPLES))
    grades[:2] = np.nan
    copper = gallery.scalar("Cu", grades) | {"attribute_description": {"unit": "%"}}
    return gallery.pointset("samples.json", places, copper)


def kriging(gallery: Gallery, target: str, **more: Any) -> dict[str, Any]:
    model = structure(contribution=0.8, ranges=(60.0, 40.0, 20.0))
    return {
        "source": {"object": samples(gallery), "attribute": "Cu"},
        "target": {"object": target, "attribute": new("Cu OK")},
        "variogram": gallery.variogram("model.json", model, nugget=0.2),
        "neighborhood": search(60.0, 12, min_samples=3),
        **more,
    }


def run(gallery: Gallery, kind: str, params: dict[str, Any]) -> dict[str, bytes]:
    """Do a job, and give the files of its report by the name of the output."""
    gallery.world.outputs.clear()
    run_job(FAMILY, kind, params, gallery.world)
    return {
        name.removeprefix("step:report."): output.path.read_bytes()
        for name, output in gallery.world.outputs.items()
        if name.startswith("step:report.")
    }


def plots(files: dict[str, bytes]) -> set[str]:
    return {name.removeprefix("plot-") for name in files if name != "report"}


def test_kriging_of_blocks_ends_with_a_page_and_its_plots(gallery: Gallery) -> None:
    diagnostics = {name: new(name) for name in ("valid", "kriging_variance", "num_samples")}
    params = kriging(gallery, gallery.grid("blocks.json", (12, 8, 4)))
    params["target"]["diagnostics"] = diagnostics

    files = run(gallery, "KRIGING", params)

    assert plots(files) == set(BY_KIND["KRIGING"]) - {"map"}
    page = files["report"].decode()
    assert "Kriging of Cu" in page
    assert "Attribute &#x27;Cu OK&#x27; of &#x27;blocks&#x27;, 384 blocks" in page
    assert '<aside class="warnings"' in page  # two samples have no value
    assert "samples, pointset, version 1 of" in page
    assert "neighborhood.min_samples" in page
    assert "Kriging variance" in page
    for name in plots(files):
        assert png_size(files[output_name(name)])[0] > 300


@pytest.mark.parametrize("turned", [False, True])
def test_a_masked_or_turned_grid_has_slices_too(gallery: Gallery, *, turned: bool) -> None:
    mask = None if turned else np.arange(384) % 5 > 0
    rotation = (30.0, 0.0, 0.0) if turned else (0.0, 0.0, 0.0)
    grid = gallery.grid("blocks.json", (12, 8, 4), mask=mask, rotation=rotation)

    files = run(gallery, "KRIGING", kriging(gallery, grid))

    assert "slices" in plots(files)
    assert ("Section at grid z" if turned else "Plan at elevation") in files["report"].decode()


def test_points_are_drawn_as_a_map_instead_of_slices(gallery: Gallery) -> None:
    places = np.random.default_rng(1).uniform((0, 0, 0), (120, 80, 20), (50, 3))

    files = run(gallery, "KRIGING", kriging(gallery, gallery.pointset("points.json", places)))

    assert {"map", "swaths", "histograms"} <= plots(files)
    assert "slices" not in plots(files)


def test_a_grid_of_one_layer_is_shown_in_plan_alone(gallery: Gallery) -> None:
    files = run(gallery, "KRIGING", kriging(gallery, gallery.grid("plan.json", (12, 8, 1))))

    page = files["report"].decode()
    assert "Plan at elevation" in page
    assert "Section at" not in page


def test_blocks_of_several_sizes_count_by_their_volume(gallery: Gallery) -> None:
    sides = ([5.0] * 10 + [35.0, 35.0], [10.0] * 8, [5.0] * 4)
    grid = gallery.tensor("blocks.json", sides, (0.0, 0.0, 0.0))

    files = run(gallery, "KRIGING", kriging(gallery, grid))

    made = gallery.column("blocks.json", "Cu OK")
    volumes = np.tile(np.array(sides[0]) * 50.0, 32)
    there = np.isfinite(made)
    mean = np.average(made[there], weights=volumes[there])
    assert f"<dt>Mean of the estimates</dt><dd>{mean:.4g}</dd>" in files["report"].decode()


def test_a_job_that_wants_no_report_has_none(gallery: Gallery) -> None:
    params = kriging(gallery, gallery.grid("blocks.json", (12, 8, 4)), report=False)

    assert run(gallery, "KRIGING", params) == {}


def test_what_callers_name_cannot_become_part_of_the_page(gallery: Gallery) -> None:
    params = kriging(gallery, gallery.grid("<b>&.json", (12, 8, 4)))
    params["target"]["attribute"] = new("<script>alert(1)</script>")

    page = run(gallery, "KRIGING", params)["report"].decode()

    assert "<script" not in page
    assert "<b>" not in page


def source(gallery: Gallery, **attributes: Any) -> str:
    """Give samples in a plane with copper, and whatever else."""
    random = np.random.default_rng(3)
    places = random.uniform((0, 0, 0), (60, 50, 10), (40, 3))
    copper = np.round(np.exp(random.normal(size=40)), 1)
    more = [gallery.scalar(name, values) for name, values in attributes.items()]
    return gallery.pointset("samples.json", places, gallery.scalar("Cu", copper), *more)


def test_broken_ties_are_shown_before_and_after(gallery: Gallery) -> None:
    place = source(gallery)
    params = {
        "source": {"object": place, "attribute": "Cu"},
        "target": {"object": place, "attribute": new("untied")},
        "neighborhood": search(50.0, 8),
    }

    files = run(gallery, "BREAK_TIES", params)

    assert plots(files) == set(BY_KIND["BREAK_TIES"])
    assert "Tied samples" in files["report"].decode()


def test_declustering_weights_are_shown_with_how_many_samples_they_are_worth(
    gallery: Gallery,
) -> None:
    place = source(gallery)
    params = {
        "source": {"object": place},
        "grid": {"object": gallery.grid("grid.json", (6, 5, 2))},
        "target": {"object": place, "attribute": new("weight")},
        "neighborhood": search(50.0, 8),
    }

    files = run(gallery, "DECLUSTERING", params)

    weights = gallery.column("samples.json", "weight")
    worth = weights.sum() ** 2 / (weights**2).sum()
    assert plots(files) == set(BY_KIND["DECLUSTERING"])
    said = f"<dt>As many as equal samples</dt><dd>{worth:.1f}</dd>"
    assert said.replace(".0<", "<") in files["report"].decode()


def distribution(place: str) -> dict[str, Any]:
    return {
        "source": {"object": place, "attribute": "Cu"},
        "weights": {"object": place, "attribute": "w"},
        "tail_extrapolation": {"upper": {"power": 0.5, "max": 50.0}},
        "target": {"reference": f"{BASE}/path/distribution.json"},
    }


def test_distribution_and_scores_are_shown(gallery: Gallery) -> None:
    place = source(gallery, w=np.linspace(0.5, 1.5, 40))

    made = run(gallery, "CONTINUOUS_DISTRIBUTION", distribution(place))
    scored = run(
        gallery,
        "NORMAL_SCORE",
        {
            "method": "forward",
            "source": {"object": place, "attribute": "Cu"},
            "target": {"object": place, "attribute": new("score")},
            "distribution": f"{BASE}/path/distribution.json",
        },
    )

    assert plots(made) == set(BY_KIND["CONTINUOUS_DISTRIBUTION"])
    assert "Samples, weighted" in made["report"].decode()
    assert plots(scored) == set(BY_KIND["NORMAL_SCORE"])
    assert "Normal scores" in scored["report"].decode()


def consim(gallery: Gallery, target: str, **more: Any) -> dict[str, Any]:
    model = structure(contribution=0.9, ranges=(40.0, 30.0, 20.0))
    return {
        "source_object": source(gallery),
        "source_attribute": "Cu",
        "target_object": target,
        "neighborhood": search(60.0, 8),
        "variogram_model": gallery.variogram("model.json", model, nugget=0.1),
        "number_of_lines": 20,
        "number_of_simulations": 4,
        **more,
    }


MATERIAL = {
    "material_categories": [
        {"cutoff_grade": 0.0, "metal_price": 0.0, "label": "waste"},
        {"cutoff_grade": 1.0, "metal_price": 10.0, "label": "ore"},
    ],
    "processing_cost": 2.0,
    "mining_waste_cost": 1.0,
    "mining_ore_cost": 1.5,
    "metal_recovery_fraction": 0.9,
}


def test_a_whole_simulation_shows_all_that_it_made(gallery: Gallery) -> None:
    params = consim(
        gallery,
        gallery.grid("grid.json", (8, 6, 3)),
        location_wise_quantiles=[0.1, 0.9],
        probability_above_cutoff=[1.0],
        perform_validation=True,
        report_mean_thresholds={"acceptable": 0.1, "marginal": 0.5},
        report_context={"title": "Check of <Cu>", "details": [{"label": "By", "value": "Ann"}]},
        loss_calculation={**MATERIAL, "target_attribute": new("material")},
    )

    files = run(gallery, "CONSIM", params)

    assert plots(files) == set(BY_KIND["CONSIM"]) - {"map"}
    page = files["report"].decode()
    assert "<h1>Check of &lt;Cu&gt;</h1>" in page
    assert "Ann" in page
    assert "quantile 0.1" in page
    assert "Verdict" in page


def test_a_simulation_at_points_is_shown_as_a_map(gallery: Gallery) -> None:
    places = np.random.default_rng(1).uniform((0, 0, 0), (60, 50, 10), (30, 3))
    params = consim(gallery, gallery.pointset("points.json", places), number_of_simulations=1)

    files = run(gallery, "CONSIM", params)

    assert "map" in plots(files)
    assert not {"realisations", "statistics"} & plots(files)


def ensemble(gallery: Gallery) -> str:
    values = np.random.default_rng(5).lognormal(size=(90, 7))
    values[:20] = np.nan
    return gallery.grid("grid.json", (6, 5, 3), gallery.ensemble("sims", values))


def test_location_wise_statistics_are_shown_in_slices(gallery: Gallery) -> None:
    grid = ensemble(gallery)
    params = {
        "source": {"object": grid, "attribute": "sims"},
        "target": {"object": grid},
        "summary": True,
        "quantiles": [0.1, 0.5],
        "probability_above_cutoff": {"cutoffs": [1.0, 2.0]},
    }

    files = run(gallery, "LOCATION_WISE", params)

    assert plots(files) == set(BY_KIND["LOCATION_WISE"]) - {"map"}


@pytest.mark.parametrize("kind", ["LOSS_CALCULATION", "PROFIT_CALCULATION"])
def test_material_is_shown_by_category_with_its_grade(gallery: Gallery, kind: str) -> None:
    grid = ensemble(gallery)
    params = {
        "source": {"object": grid, "attribute": "sims"},
        "target": {"object": grid, "attribute": new("material")},
        **MATERIAL,
    }

    files = run(gallery, kind, params)

    assert plots(files) == set(BY_KIND[kind])
    page = files["report"].decode()
    assert '<th scope="row">ore</th>' in page
    assert "Material by category" in page


@pytest.mark.parametrize("kind", ["IDW", "KNN", "UNIVERSAL_KRIGING"])
def test_other_estimators_have_the_page_of_kriging(gallery: Gallery, kind: str) -> None:
    params = kriging(gallery, gallery.grid("blocks.json", (6, 4, 2)))
    if kind != "UNIVERSAL_KRIGING":
        params.pop("variogram")
    if kind == "IDW":
        params["power"] = 2.0

    files = run(gallery, kind, params)

    assert plots(files) == set(BY_KIND[kind]) - {"map", "diagnostics"}


def test_indicators_show_the_probability_of_each_cutoff(gallery: Gallery) -> None:
    params = kriging(gallery, gallery.grid("blocks.json", (6, 4, 2)))
    params["cutoffs"] = [{"cutoff": 0.8}, {"cutoff": 1.5}]
    params["target"] = {
        "object": params["target"]["object"],
        "probabilities": [new("p1"), new("p2")],
        "e_type": new("mean"),
    }

    files = run(gallery, "INDICATOR_KRIGING", params)

    assert plots(files) == set(BY_KIND["INDICATOR_KRIGING"]) - {"map"}
    assert '<th scope="row">1.5</th>' in files["report"].decode()


def test_cross_validation_shows_errors_and_where_they_are(gallery: Gallery) -> None:
    params = kriging(gallery, "")
    params.pop("target")

    files = run(gallery, "CROSS_VALIDATION", params)

    assert plots(files) == set(BY_KIND["CROSS_VALIDATION"])
    assert "Mean squared deviation ratio" in files["report"].decode()


PAIRS = {
    "directions": [
        {"type": "omnidirectional"},
        {"type": "directional", "azimuth": 90.0, "azimuth_tolerance": 45.0},
    ],
    "lags": {"size": 12.0, "count": 6},
}


def test_an_experimental_variogram_is_shown_by_direction(gallery: Gallery) -> None:
    params = {
        "source": {"object": source(gallery), "attribute": "Cu"},
        "target": {"reference": f"{BASE}/path/pairs.json"},
        **PAIRS,
    }

    files = run(gallery, "EXPERIMENTAL_VARIOGRAM", params)

    assert plots(files) == {"experimental"}
    page = files["report"].decode()
    assert "azimuth 090\N{DEGREE SIGN}" in page
    assert page.count("All directions") >= 6  # lags


def test_a_fitted_variogram_is_shown_over_what_it_was_fitted_to(gallery: Gallery) -> None:
    params = {
        "experiment": {"source": {"object": source(gallery), "attribute": "Cu"}, **PAIRS},
        "structures": [{"variogram_type": "spherical"}],
        "target": {"reference": f"{BASE}/path/fit.json"},
    }

    files = run(gallery, "VARIOGRAM_FIT", params)

    assert plots(files) == {"experimental", "variogram"}
    assert "Weighted squared errors" in files["report"].decode()


def test_what_is_to_be_known_of_a_fit_is_a_warning_everywhere(gallery: Gallery) -> None:
    """Of the step's end, of the result, and of the page: with a code, and what to do."""
    params = {
        "experiment": {"source": {"object": source(gallery), "attribute": "Cu"}, **PAIRS},
        "structures": [{"variogram_type": "spherical"}] * 3,
        "target": {"reference": f"{BASE}/path/fit.json"},
    }
    kind = FAMILY.kinds["VARIOGRAM_FIT"]
    plan = FAMILY.plan(kind.name, msgspec.convert(params, kind.params))

    steps = run_recipe(FAMILY, plan, gallery.world)

    notes = steps["work"].notes
    assert {note.code for note in notes} == {"STRUCTURE_WITHOUT_HEIGHT"}
    said = steps["publish"].values
    assert said["statistics"]["notes"] == [msgspec.to_builtins(note) for note in notes]
    assert "contributes nothing, so its ranges say nothing." in said["result"]["message"]
    page = gallery.world.outputs["step:report.report"].path.read_text()
    assert "<code>STRUCTURE_WITHOUT_HEIGHT</code>" in page


def test_turning_bands_and_a_report_on_them_are_shown(gallery: Gallery) -> None:
    place = source(gallery, w=np.ones(40))
    run(gallery, "CONTINUOUS_DISTRIBUTION", distribution(place))
    params = consim(gallery, gallery.grid("grid.json", (6, 5, 3)))
    params |= {"source": place, "target": params.pop("target_object"), "realizations": 3}
    params |= {"distribution": f"{BASE}/path/distribution.json"}
    del params["source_object"], params["number_of_simulations"]
    made = run(gallery, "CONDITIONAL_TURNING_BANDS", params)
    name = "Cu_simulations"
    told = {
        "simulation_source": place,
        "source_attribute": "Cu",
        "simulation_target": f"{BASE}/path/grid.json",
        "point_simulations": name,
        "point_simulations_normal_score": name,
        "block_simulations": name,
        "block_simulations_normal_score": name,
        "variogram_model": params["variogram_model"],
        "neighborhood": params["neighborhood"],
        "number_of_simulations": 3,
        "report_context": {"title": "Cu", "details": []},
    }

    compared = run(gallery, "SIMULATION_REPORT", told)

    assert plots(made) == set(BY_KIND["CONDITIONAL_TURNING_BANDS"]) - {"map"}
    assert plots(compared) == set(BY_KIND["SIMULATION_REPORT"])
    assert "no thresholds were given" in compared["report"].decode()


def test_every_kind_has_a_page_and_says_which_plots_it_may_have() -> None:
    assert set(pages()) == set(KINDS)
    assert set(BY_KIND) == set(KINDS)
    assert {plot for some in BY_KIND.values() for plot in some} == set(PLOTS)
    for name, kind in KINDS.items():
        declared = {output.name for output in kind.results}
        assert declared == {"report", *map(output_name, BY_KIND[name])}
