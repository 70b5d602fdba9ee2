"""FILTER, CROP, THIN and OUTLIER keep the right points, however the work is shared out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pytest
from pyproj import Transformer
from tests.families.clouds.landscape import SOUTH, STRAYS, WEST, write_landscape

from haulier.core.problem import Problem
from haulier.families.clouds import FAMILY
from haulier.families.clouds.steps import placing, rewriting, spilling
from haulier.testing.stepkind_suite import StepSample, do

Do = Callable[..., tuple[dict[str, Any], Path]]
COUNT = 130_000


@pytest.fixture
def step(tmp_path: Path) -> Do:
    """Give what does a step, and gives its values and its output."""
    numbers = iter(range(1000))

    def run(kind: str, *files: Path, **params: Any) -> tuple[dict[str, Any], Path]:
        sample = StepSample(kind, kind, {"input_las": files}, params)
        result, world = do(FAMILY, sample, tmp_path / f"run-{next(numbers)}")
        (output,) = world.outputs.values()
        return dict(result.values), output.path

    return run


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a landscape of three chunks."""
    return write_landscape(tmp_path_factory.mktemp("choosing") / "cloud.laz", count=COUNT)


def same_records(one: laspy.LasData, two: laspy.LasData, kept: Any) -> bool:
    return bool((one.points.array[kept] == two.points.array).all())


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Classification == 6 or Z > 130", lambda c: (c.classification == 6) | (c.z > 130)),
        ("Z == 104.37", lambda c: np.asarray(c.Z) == 10_437),
        ("Intensity // 2 == 100", lambda c: np.asarray(c.intensity) // 2 == 100),
        (f"X < {WEST + 10}", lambda c: np.asarray(c.X) < 1000),
    ],
)
def test_filter_keeps_the_points_of_which_it_is_true(
    cloud: Path, step: Do, expression: str, expected: Callable[[Any], Any]
) -> None:
    values, path = step("FILTER", cloud, expression=expression)

    before, after = laspy.read(cloud), laspy.read(path)
    kept = expected(before)
    assert kept.any()
    assert same_records(before, after, kept)
    assert values["point_count"] == kept.sum()
    assert values["left_out"] == COUNT - kept.sum()
    assert after.header.parse_crs().equals(before.header.parse_crs())


def test_a_wrong_expression_is_refused_with_its_column(cloud: Path, step: Do) -> None:
    with pytest.raises(Problem, match=r"no dimension 'Colour'.*at column 11") as refusal:
        step("FILTER", cloud, expression="Z > 1 and Colour > 2")

    assert refusal.value.at == "expression"


def test_nothing_left_is_a_warning_and_a_file_without_points(cloud: Path, step: Do) -> None:
    values, path = step("FILTER", cloud, expression="Z > 9000")

    assert [each["code"] for each in values["warnings"]] == ["NOTHING_LEFT"]
    assert len(laspy.read(path)) == 0


def inner(las: laspy.LasData) -> Any:
    x, y = np.asarray(las.X), np.asarray(las.Y)
    return (x >= 1000) & (x <= 3000) & (y >= 1500) & (y <= 4000)


BOX = (WEST + 10, SOUTH + 15, WEST + 30, SOUTH + 40)
RING = [(BOX[0], BOX[1]), (BOX[2], BOX[1]), (BOX[2], BOX[3]), (BOX[0], BOX[3]), (BOX[0], BOX[1])]


@pytest.mark.parametrize("keep", ["inside", "outside"])
@pytest.mark.parametrize(
    "region",
    [
        {"bbox": BOX},
        {"polygon": "POLYGON((" + ", ".join(f"{x} {y}" for x, y in RING) + "))"},
        {"polygon": {"type": "Polygon", "coordinates": [RING]}},
        {
            "polygon": {
                "type": "FeatureCollection",
                "features": [
                    {
                        "type": "Feature",
                        "properties": {},
                        "geometry": {"type": "Polygon", "coordinates": [RING]},
                    }
                ],
            }
        },
        {"bbox": BOX, "crs": "EPSG:25832"},
    ],
)
def test_crop_keeps_what_is_inside_the_edge_included(
    cloud: Path, step: Do, region: dict[str, Any], keep: str
) -> None:
    _, path = step("CROP", cloud, **region, keep=keep)

    before, after = laspy.read(cloud), laspy.read(path)
    kept = inner(before) if keep == "inside" else ~inner(before)
    assert same_records(before, after, kept)


def test_crop_takes_a_polygon_of_another_system(cloud: Path, step: Do) -> None:
    move = Transformer.from_crs("EPSG:25832", "EPSG:4326", always_xy=True)
    ring = [list(move.transform(x, y)) for x, y in RING]

    values, path = step(
        "CROP", cloud, polygon={"type": "Polygon", "coordinates": [ring]}, crs="EPSG:4326"
    )

    before, after = laspy.read(cloud), laspy.read(path)
    assert abs(len(after) - int(inner(before).sum())) <= 20
    assert np.asarray(after.X).min() >= 999
    assert values["point_count"] == len(after)


def test_crop_heeds_heights(cloud: Path, step: Do) -> None:
    _, path = step("CROP", cloud, bbox=(*BOX[:2], 100.0, *BOX[2:], 104.0))

    before, after = laspy.read(cloud), laspy.read(path)
    z = np.asarray(before.Z)
    assert same_records(before, after, inner(before) & (z >= 10_000) & (z <= 10_400))


@pytest.mark.parametrize(
    ("params", "code", "at"),
    [
        ({}, "one of bbox and polygon", "bbox"),
        ({"bbox": BOX, "polygon": "POLYGON((0 0,1 0,1 1,0 0))"}, "got both", "bbox"),
        ({"bbox": (1.0, 2.0, 3.0, 4.0, 5.0)}, "4 or 6 numbers", "bbox"),
        ({"bbox": (3.0, 2.0, 1.0, 4.0)}, "least, then greatest", "bbox"),
        ({"bbox": (1.0, 2.0, 3.0, 4.0)}, "CROP_ELSEWHERE", "bbox"),
        ({"bbox": (9.0, 50.5, 9.01, 50.6)}, "CROP_ELSEWHERE", "bbox"),
        ({"polygon": "POINT(1 2)"}, "got Point", "polygon"),
        ({"polygon": "POLYGON((0 0"}, "GeoJSON or WKT", "polygon"),
        ({"polygon": "POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))"}, "no valid polygon", "polygon"),
        ({"polygon": {"type": "Poly"}}, "GeoJSON or WKT", "polygon"),
        ({"bbox": BOX, "crs": "EPSG:1"}, "does not know", "crs"),
    ],
)
def test_a_region_that_is_none_is_refused(
    cloud: Path, step: Do, params: dict[str, Any], code: str, at: str
) -> None:
    with pytest.raises(Problem) as refusal:
        step("CROP", cloud, **params)

    assert code in refusal.value.detail
    assert refusal.value.at == at


def test_nth_keeps_every_nth(cloud: Path, step: Do) -> None:
    _, path = step("THIN", cloud, method="nth", every=7)

    assert same_records(laspy.read(cloud), laspy.read(path), slice(None, None, 7))


@pytest.mark.parametrize("method", ["voxel_first", "voxel_centre"])
def test_a_voxel_keeps_one_point(cloud: Path, step: Do, method: str) -> None:
    _, path = step("THIN", cloud, method=method, size=2.0)

    before, after = (laspy.read(each).xyz for each in (cloud, path))
    cells = {tuple(cell) for cell in np.floor(np.round(before, 2) / 2).astype(int).tolist()}
    kept = [tuple(cell) for cell in np.floor(np.round(after, 2) / 2).astype(int).tolist()]
    assert len(kept) == len(cells)
    assert set(kept) == cells


def test_points_of_a_poisson_disc_are_far_apart(cloud: Path, step: Do) -> None:
    from scipy.spatial import KDTree  # noqa: PLC0415 -- for this test

    _, path = step("THIN", cloud, method="poisson", size=1.5)

    before, after = (laspy.read(each).xyz for each in (cloud, path))
    tree = KDTree(after)
    nearest, _ = tree.query(after, k=2)
    assert nearest[:, 1].min() >= 1.5 - 1e-9
    left, _ = tree.query(before)
    assert left.max() < 1.5 + 1e-9


@pytest.mark.parametrize(
    ("params", "at"),
    [
        ({"method": "nth"}, "every"),
        ({"method": "nth", "every": 3, "size": 1.0}, "size"),
        ({}, "size"),
        ({"method": "poisson", "size": 1.0, "every": 2}, "every"),
    ],
)
def test_thin_says_what_its_method_needs(
    cloud: Path, step: Do, params: dict[str, Any], at: str
) -> None:
    with pytest.raises(Problem, match="needs") as refusal:
        step("THIN", cloud, **params)

    assert refusal.value.at == at


def test_strays_are_outliers_below_and_above(cloud: Path, step: Do) -> None:
    values, path = step("OUTLIER", cloud)

    before, after = laspy.read(cloud), laspy.read(path)
    classes = np.asarray(after.classification)
    assert classes[:STRAYS].tolist() == [18, 18, 7, 18, 7, 18]
    noise = np.isin(classes, (7, 18))
    assert values["outliers"] == noise.sum() < 0.05 * COUNT
    assert (classes[~noise] == np.asarray(before.classification)[~noise]).all()

    _, dropped = step("OUTLIER", cloud, action="drop")
    assert same_records(before, laspy.read(dropped), ~noise)


def test_distances_are_exact_in_spite_of_squares(
    cloud: Path, step: Do, monkeypatch: pytest.MonkeyPatch
) -> None:
    from haulier.families.clouds.method.isolation import isolation_of  # noqa: PLC0415

    monkeypatch.setattr(placing.Spread, "side", lambda self: (3000 / self.density) ** 0.5)
    values, path = step("OUTLIER", cloud, neighbours=6)

    places = laspy.read(cloud).xyz
    whole = isolation_of(places, places, 6).distances
    # Strays have neighbours farther than a square and those around it reach.
    assert values["mean_distance"] == pytest.approx(np.mean(whole), rel=5e-3)
    noise = np.isin(np.asarray(laspy.read(path).classification), (7, 18))
    expected = whole > values["threshold"]
    assert (noise == expected).all()


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        ("FILTER", {"expression": "Classification == 2"}),
        ("CROP", {"bbox": BOX}),
        ("THIN", {"size": 1.0}),
        ("THIN", {"size": 1.0, "method": "voxel_centre"}),
        ("THIN", {"size": 1.0, "method": "poisson"}),
        ("OUTLIER", {}),
        ("DATASET_INFO", {}),
        ("VALIDATE_LAS", {}),
        ("MERGE_LAS", {}),
    ],
)
def test_the_output_does_not_depend_on_the_number_of_parts(
    cloud: Path, step: Do, monkeypatch: pytest.MonkeyPatch, kind: str, params: dict[str, Any]
) -> None:
    monkeypatch.setattr(placing, "SQUARE_POINTS", 9000)
    _, few = step(kind, cloud, **params)

    monkeypatch.setattr(rewriting, "LEAST_CHUNKS", 1)
    monkeypatch.setattr(spilling, "PIECE_POINTS", 50_000)
    monkeypatch.setattr(placing, "PART_POINTS", 1)
    _, many = step(kind, cloud, **params)

    assert many.read_bytes() == few.read_bytes()


@pytest.mark.parametrize("size", [5e-324, 1e-12])
def test_cubes_that_could_not_be_told_apart_are_refused(cloud: Path, step: Do, size: float) -> None:
    with pytest.raises(Problem, match=r"SIZE_TOO_SMALL: .* it must be at least") as refusal:
        step("THIN", cloud, size=size)

    assert refusal.value.at == "size"
