"""Jobs end with a page and pictures that show what they made."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haulier.families.geostat import FAMILY
from haulier.families.geostat.io.report.page import png_size
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.plots import BY_KIND, PLOTS, output_name
from haulier.testing.context import World, run_job
from haulier.testing.geoscience import Gallery, new, search, structure

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
    assert "2 samples without a value were left out." in page
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


def test_two_runs_of_a_job_give_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        gallery = Gallery(World(tmp_path / name))
        grid = gallery.grid("blocks.json", (12, 8, 4))
        made.append(run(gallery, "KRIGING", kriging(gallery, grid)))

    assert made[0] == made[1]


def test_a_job_that_wants_no_report_has_none(gallery: Gallery) -> None:
    params = kriging(gallery, gallery.grid("blocks.json", (12, 8, 4)), report=False)

    assert run(gallery, "KRIGING", params) == {}


def test_what_callers_name_cannot_become_part_of_the_page(gallery: Gallery) -> None:
    params = kriging(gallery, gallery.grid("<b>&.json", (12, 8, 4)))
    params["target"]["attribute"] = new("<script>alert(1)</script>")

    page = run(gallery, "KRIGING", params)["report"].decode()

    assert "<script" not in page
    assert "<b>" not in page


def test_every_kind_says_which_plots_it_may_have() -> None:
    assert set(BY_KIND) == set(KINDS)
    assert {plot for some in BY_KIND.values() for plot in some} == set(PLOTS)
    for name, kind in KINDS.items():
        declared = {output.name for output in kind.results}
        assert declared == {"report", *map(output_name, BY_KIND[name])}
