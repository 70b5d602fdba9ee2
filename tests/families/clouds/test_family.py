"""Every step kind holds to the socket: the public suite over a small landscape."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.families.clouds.landscape import SOUTH, WEST, write_landscape, write_picture

from haulier.core.recipe import StepPlan
from haulier.families.clouds import FAMILY
from haulier.testing.stepkind_suite import RefusedStep, StepKindSuite, StepSample, do

UTM33 = {"source_epsg": "EPSG:25832+EPSG:7837", "target_epsg": "EPSG:25833+EPSG:7837"}
BOX = [WEST + 10, SOUTH + 10, WEST + 40, SOUTH + 30]
EAST = [WEST + 70, SOUTH + 10, WEST + 100, SOUTH + 30]


class TestClouds(StepKindSuite):
    """Everything that the engine and the dialects rely on."""

    family = FAMILY
    samples: ClassVar[list[StepSample]] = []
    refused = (
        RefusedStep("REPROJECT_LAS", {"source_epsg": 2271}, "target_epsg"),
        RefusedStep("REPROJECT_LAS", {**UTM33, "grids": "maybe"}, "grids"),
        RefusedStep("BUILD_EPT", {"span": 100}, "span"),
        RefusedStep("BUILD_COPC", {"leaf_max": 0}, "leaf_max"),
        RefusedStep("BUILD_POTREE", {"memory_mb": -1}, "memory_mb"),
        RefusedStep("DATASET_INFO", {"histogram_bins": 1}, "histogram_bins"),
        RefusedStep("VALIDATE_LAS", {"read_points": "no"}, "read_points"),
        RefusedStep("CLOUD_REPORT", {"title": 1}, "title"),
        RefusedStep("FILTER", {}, "expression"),
        RefusedStep("FILTER", {"expression": "Z > 0 and " * 300}, "expression"),
        RefusedStep("CROP", {"bbox": [1, 2, 3]}, "bbox"),
        RefusedStep("CROP", {"keep": "some"}, "keep"),
        RefusedStep("THIN", {"size": 0}, "size"),
        RefusedStep("THIN", {"method": "nth", "every": 1}, "every"),
        RefusedStep("OUTLIER", {"neighbours": 0}, "neighbours"),
        RefusedStep("OUTLIER", {"action": "delete"}, "action"),
        RefusedStep("MERGE_LAS", {"crs": "second"}, "crs"),
        RefusedStep("TILE_LAS", {}, "size"),
        RefusedStep("TILE_LAS", {"size": 10, "buffer": -1}, "buffer"),
        RefusedStep("CLASSIFY_GROUND", {"cell_m": 0}, "cell_m"),
        RefusedStep("GENERATE_DEM", {"surface": "dam"}, "surface"),
        RefusedStep("GENERATE_HILLSHADE", {"altitude": 0}, "altitude"),
        RefusedStep("GENERATE_CONTOURS", {"interval": 0}, "interval"),
        RefusedStep("DENSITY", {"resolution": -1}, "resolution"),
        RefusedStep("DIFF_DEM", {"align": "guess"}, "align"),
        RefusedStep("REGRID_LAS", {}, "resolution"),
        RefusedStep("COLORIZE_AS_DEM", {"shading": 2}, "shading"),
        RefusedStep("COLORIZE_FROM_TIF", {"sampling": "cubic"}, "sampling"),
        RefusedStep("HEIGHT_ABOVE_GROUND", {"write_to": "x"}, "write_to"),
    )

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _landscape(cls, tmp_path_factory: pytest.TempPathFactory) -> None:
        """Let the samples be steps over files of this class."""
        cls.samples = list(_samples(tmp_path_factory.mktemp("landscape")))


def _samples(folder: Path) -> Iterator[StepSample]:
    one = write_landscape(folder / "one.laz")
    two = write_landscape(folder / "two.las", seed=2, east=60.0, point_format=6)
    clouds, both = {"input_las": [one]}, {"input_las": [one, two]}
    alike = {"input_las": [one, write_landscape(folder / "three.laz", seed=3, east=30.0)]}
    copc = _given("BUILD_COPC", clouds, folder)
    ept = _given("BUILD_EPT", clouds, folder)
    dem = _given("GENERATE_DEM", clouds, folder)
    later = _given("GENERATE_DEM", clouds, folder, surface="dsm")
    picture = write_picture(folder / "photo.tif")
    yield StepSample("reproject", "REPROJECT_LAS", clouds, UTM33)
    yield StepSample("ept", "BUILD_EPT", alike, {"leaf_max": 500, "span": 32})
    yield StepSample("copc", "BUILD_COPC", alike, {"leaf_max": 500, "span": 32})
    yield StepSample("potree", "BUILD_POTREE", clouds, {"leaf_max": 500, "span": 32})
    yield StepSample("info", "DATASET_INFO", clouds)
    yield StepSample("info-of-copc", "DATASET_INFO", {"input_las": [copc]})
    yield StepSample("info-of-ept", "DATASET_INFO", {"input_las": [ept]})
    yield StepSample("validate", "VALIDATE_LAS", clouds)
    yield StepSample("report", "CLOUD_REPORT", clouds)
    yield StepSample("report-of-ept", "CLOUD_REPORT", {"input_las": [ept]}, {"title": "Tiles"})
    yield StepSample("filter", "FILTER", clouds, {"expression": "Classification == 2 and Z<150"})
    yield StepSample("crop", "CROP", {"input_las": [copc]}, {"bbox": BOX})
    yield StepSample(
        "crop-outside", "CROP", {"input_las": [two]}, {"bbox": EAST, "keep": "outside"}
    )
    yield StepSample("thin-nth", "THIN", clouds, {"method": "nth", "every": 7})
    yield StepSample("thin-first", "THIN", clouds, {"size": 2.0})
    yield StepSample("thin-centre", "THIN", clouds, {"size": 2.0, "method": "voxel_centre"})
    yield StepSample("thin-poisson", "THIN", clouds, {"size": 2.0, "method": "poisson"})
    yield StepSample("outlier", "OUTLIER", clouds)
    yield StepSample("outlier-drop", "OUTLIER", {"input_las": [ept]}, {"action": "drop"})
    yield StepSample("merge", "MERGE_LAS", both, {"source_ids": "number"})
    yield StepSample("tile", "TILE_LAS", clouds, {"size": 25.0, "buffer": 5.0})
    yield StepSample("ground", "CLASSIFY_GROUND", clouds, {"others": "reset"})
    yield StepSample("ground-csf", "CLASSIFY_GROUND", clouds, {"method": "csf"})
    yield StepSample("heights", "HEIGHT_ABOVE_GROUND", clouds)
    yield StepSample("terrain", "GENERATE_DEM", clouds, {"resolution": 2.0})
    yield StepSample("canopy", "GENERATE_DEM", clouds, {"resolution": 2.0, "surface": "chm"})
    yield StepSample("density", "DENSITY", clouds, {"resolution": 5.0})
    yield StepSample("hillshade", "GENERATE_HILLSHADE", {"input_tif": [dem]})
    yield StepSample("contours", "GENERATE_CONTOURS", {"input_tif": [dem]}, {"interval": 2.0})
    yield StepSample("diff", "DIFF_DEM", {"input_tif": [later], "input_earlier_tif": [dem]})
    yield StepSample("regrid", "REGRID_LAS", clouds, {"resolution": 2.0})
    yield StepSample("colours", "COLORIZE_AS_DEM", clouds, {"pallete": "terrain"})
    yield StepSample("photo", "COLORIZE_FROM_TIF", {**clouds, "input_tif": [picture]})


def _given(kind: str, inputs: dict[str, list[Path]], folder: Path, **params: Any) -> Path:
    """Do a step, and give what it gave."""
    sample = StepSample(kind, kind, inputs, params)
    _, world = do(FAMILY, sample, folder / f"{kind}-{len(list(folder.iterdir()))}")
    (output,) = world.outputs.values()
    return output.path


def test_a_process_that_only_plans_stays_light() -> None:
    code = (
        "import sys, haulier.families.clouds as c; c.FAMILY.step_kinds; c.FAMILY.presets;"
        "print([m for m in ('numpy', 'numba', 'scipy', 'pyproj', 'rasterio', 'lazrs', 'shapely')"
        " if m in sys.modules])"
    )

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("changed", ["numeric_fingerprint", "CODE_VERSION", "version"])
def test_another_version_of_what_decides_an_output_is_another_version(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from haulier.families.clouds import family  # noqa: PLC0415 -- to be changed
    from haulier.families.clouds.method import projection  # noqa: PLC0415

    step = StepPlan("s", "clouds", "REPROJECT_LAS")
    before = FAMILY.version(step)
    family._libraries.cache_clear()
    if changed == "CODE_VERSION":
        monkeypatch.setattr(family, changed, "another")
    else:
        where = projection if changed == "numeric_fingerprint" else family
        monkeypatch.setattr(where, changed, lambda *_: "another")

    after = FAMILY.version(step)

    family._libraries.cache_clear()
    assert after != before


def test_ordo_documents_hold_of_our_slots() -> None:
    kinds = FAMILY.step_kinds

    assert kinds["BUILD_COPC"].produces["output_copc"].type == "las"
    assert kinds["BUILD_EPT"].produces["output_ept"].type == "ept"
    assert kinds["BUILD_POTREE"].produces["output_potree"].type == "potree"
    assert kinds["DATASET_INFO"].produces["metadata"].type == "json"
    assert kinds["REPROJECT_LAS"].produces["output_las"].type == "las"
    assert {"ept", "copc"} <= set(kinds["FILTER"].accepts["input_las"].also)
    assert [preset["name"] for preset in FAMILY.presets] == [
        "copc-conversion",
        "ept-conversion",
        "potree-conversion",
        "reproject-copc",
        "reproject-ept",
        "reproject-potree",
    ]
