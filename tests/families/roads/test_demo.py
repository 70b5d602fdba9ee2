"""The demo's files are a real network, a customer's copy of it, and the truth between them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from haulier.families.roads import FAMILY
from haulier.families.roads.demo import DemoFiles, judge, make_demo, packaged_extract
from haulier.families.roads.method.network import NOT_FOR_VEHICLES
from haulier.testing.context import World, run_job

pytest.importorskip("osmium")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> DemoFiles:
    """The demo's files, made once."""
    try:
        packaged_extract()
    except FileNotFoundError as missing:
        pytest.skip(str(missing))
    return make_demo(tmp_path_factory.mktemp("demo"))


def segments(files: DemoFiles) -> pa.Table:
    (path,) = files.release.rglob("type=segment/*.parquet")
    return pq.ParquetFile(path).read()


def test_the_release_is_laid_out_as_overture_lays_out_its_own(files: DemoFiles) -> None:
    table = segments(files)

    assert {"id", "geometry", "bbox", "subtype", "class", "names", "connectors"} <= set(
        table.schema.names
    )
    assert b"geo" in table.schema.metadata
    geometries = shapely.from_wkb(table["geometry"].to_numpy())
    boxes = np.array([list(box.values()) for box in table["bbox"].to_pylist()])
    true = shapely.bounds(geometries)[:, [0, 2, 1, 3]]
    assert (boxes[:, [0, 2]] <= true[:, [0, 2]]).all()  # 32 bits, rounded outward
    assert (boxes[:, [1, 3]] >= true[:, [1, 3]]).all()
    for connectors in table["connectors"].to_pylist():
        at = [connector["at"] for connector in connectors]
        assert at[0] == 0.0
        assert at[-1] == 1.0
        assert at == sorted(at)


def test_about_an_eighth_of_the_segments_for_vehicles_is_withheld(files: DemoFiles) -> None:
    truth = pq.read_table(files.truth)
    customer = pq.read_table(files.customer, columns=["id"])

    facts = segments(files).select(["id", "class"]).to_pylist()
    present = {row["id"] for row in facts if row["class"] not in NOT_FOR_VEHICLES}

    assert set(truth["gers"].to_pylist()) <= present
    absent = set(customer["id"].to_pylist()) - set(truth["id"].to_pylist())
    assert 0.06 < len(absent) / customer.num_rows < 0.2


def test_the_same_seed_makes_the_same_files(files: DemoFiles, tmp_path: Path) -> None:
    again = make_demo(tmp_path)

    for one, other in zip(
        (files.customer, files.truth, *files.release.rglob("*.parquet")),
        (again.customer, again.truth, *again.release.rglob("*.parquet")),
        strict=True,
    ):
        assert one.read_bytes() == other.read_bytes()


def test_the_truth_itself_is_judged_to_be_perfect_and_half_of_it_half(
    files: DemoFiles, tmp_path: Path
) -> None:
    truth = pq.read_table(files.truth).rename_columns(
        ["id", "gers", "lr_gers_start", "lr_gers_end", "same_direction", "road_len_m"]
    )
    confidence = pa.array(np.full(truth.num_rows, 100), pa.int32())
    path = tmp_path / "results.parquet"
    pq.write_table(truth.append_column("confidence", confidence), path)

    perfect = judge(path, files)

    assert (perfect.precision, perfect.recall, perfect.exact) == pytest.approx((1, 1, 1), abs=1e-6)
    assert perfect.absent_given_a_match == 0
    unsure = pa.array(np.where(np.arange(truth.num_rows) % 2, 100, 59), pa.int32())
    pq.write_table(truth.append_column("confidence", unsure), path)
    half = judge(path, files)
    assert half.precision == pytest.approx(1, abs=1e-6)
    assert half.recall == pytest.approx(0.5, abs=0.1)


def test_the_matcher_finds_nearly_all_of_it(files: DemoFiles, tmp_path: Path) -> None:
    world = World(
        tmp_path,
        {"storage-001": files.customer.parent},
        {("overture_release", files.release_name): {"url": str(files.release)}},
    )
    params = {
        "input": {"storage": "storage-001", "filename": files.customer.name},
        "overture_release": files.release_name,
    }

    run_job(FAMILY, "ROAD_MATCHING", params, world)

    found = judge(world.outputs["step:write.results"].path, files)
    assert found.precision > 0.95
    assert found.recall > 0.95


def test_an_extract_without_roads_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.osm"
    path.write_text('<osm version="0.6"><node id="1" version="1" lat="60" lon="24"/></osm>')

    with pytest.raises(ValueError, match="no road for vehicles"):
        make_demo(tmp_path / "demo", extract=path)
