"""Block models: read as grids are, and written as a version of the model and of its object."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from haulier.core.problem import Problem
from haulier.families import parquet
from haulier.families.geostat import FAMILY
from haulier.families.geostat.io.blockcolumns import ROWS, write_column
from haulier.families.geostat.io.blockmodels import version_uuid
from haulier.testing.context import World, run_job
from haulier.testing.deposit import ECONOMICS, PARAMS, furnish, on
from haulier.testing.geoscience import SPACE, STORAGE, Gallery, new
from haulier.testing.mining import block_model

SIZE = (4, 4, 4)
ZONES = ["in" if n % 4 else "out" for n in range(64)]


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return furnish(World(tmp_path))


@pytest.fixture
def model(gallery: Gallery) -> str:
    columns = {
        "zone": ("Utf8", pa.array(ZONES)),
        "grade": ("Float64", pa.array(np.arange(64.0) / 16)),
    }
    return block_model(gallery, "model.json", SIZE, columns)


def entry(gallery: Gallery) -> Any:
    uuid = gallery.get("model.json").body["object"]["block_model_uuid"]
    return gallery.world.shelf.find("block-model", SPACE + uuid, "", 0)


def column(gallery: Gallery, title: str) -> pa.ChunkedArray:
    (found,) = [each for each in entry(gallery).body["columns"] if each["title"] == title]
    table = pq.read_table(gallery.world.storages[STORAGE] / found["data"])
    assert table.column_names == ["values"]
    return table.column(0)


def test_kriging_gives_a_block_model_columns(gallery: Gallery, model: str) -> None:
    where = {"type": "condition", "attribute": "zone", "operator": "in", "values": ["in"]}
    target = {
        **on(model, "kriged"),
        "filter": {"where": where},
        "diagnostics": {"valid": new("ok"), "num_samples": new("NS")},
    }

    done = run_job(FAMILY, "KRIGING", {**PARAMS["KRIGING"], "target": target}, gallery.world)

    object_, model_ = gallery.get("model.json"), entry(gallery)
    document = object_.body["object"]
    assert (object_.version, model_.version) == (2, 2)
    assert document["block_model_version_uuid"] == version_uuid(model_.name, 2)
    assert [each["name"] for each in document["attributes"]] == [
        "zone",
        "grade",
        "kriged",
        "ok",
        "NS",
    ]
    assert [each["data_type"] for each in model_.body["columns"]][2:] == [
        "Float64",
        "Boolean",
        "Int64",
    ]
    assert "values" not in document["attributes"][0]
    assert column(gallery, "kriged").null_count == 16
    key = document["attributes"][2]["key"]
    assert done.result["target"]["attribute"]["reference"] == f"attributes[?key=='{key}']"


def test_a_column_is_replaced_under_its_own_id(gallery: Gallery, model: str) -> None:
    before = entry(gallery).body["columns"][1]
    update = {"operation": "update", "reference": "attributes[?name=='grade']"}
    target = {"object": model, "attribute": update}

    run_job(FAMILY, "IDW", {**PARAMS["IDW"], "target": target, "report": False}, gallery.world)

    after = entry(gallery).body["columns"]
    assert len(after) == 2
    assert after[1]["col_id"] == before["col_id"]
    assert after[1]["data"] != before["data"]


def test_categories_become_words(gallery: Gallery, model: str) -> None:
    source = {"object": model, "attribute": "attributes[?name=='grade']"}
    params = {"source": source, "target": on(model, "class"), **ECONOMICS, "report": False}

    run_job(FAMILY, "LOSS_CALCULATION", params, gallery.world)

    assert set(column(gallery, "class").to_pylist()) == {"waste", "ore"}


def test_realisations_need_a_grid(gallery: Gallery, model: str) -> None:
    params = {**PARAMS["CONDITIONAL_TURNING_BANDS"], "target": model, "report": False}

    with pytest.raises(Problem, match="one value a block"):
        run_job(FAMILY, "CONDITIONAL_TURNING_BANDS", params, gallery.world)


def test_a_model_that_is_not_regular_is_refused(gallery: Gallery, model: str) -> None:
    document = {**gallery.get("model.json").body["object"]}
    document["geometry"] = {**document["geometry"], "model_type": "sub-blocked"}
    other = gallery.put("sub.json", document)
    assert model

    with pytest.raises(Problem, match="regular block model"):
        run_job(FAMILY, "IDW", {**PARAMS["IDW"], "target": on(other, "a")}, gallery.world)


def test_a_column_keeps_the_row_groups_that_readers_count_on(tmp_path: Path) -> None:
    source, target = tmp_path / "source.parquet", tmp_path / "target.parquet"
    values = np.random.default_rng(1).normal(size=ROWS + 70_000)
    pq.write_table(pa.table({"a": values}), source, row_group_size=65_536)

    write_column(source, target, "scalar")

    metadata = pq.read_metadata(target)
    rows = [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)]
    assert rows == [ROWS, 70_000]
    assert np.array_equal(pq.read_table(target).column(0).to_numpy(), values)


def test_what_was_read_of_a_file_is_not_kept(tmp_path: Path) -> None:
    """By Arrow's own count of bytes; its default keeps them until the file is closed."""
    chance = np.random.default_rng(0)

    def held_at_last(groups: int) -> int:
        path = tmp_path / f"{groups}.parquet"
        pq.write_table(pa.table({"v": chance.random(groups * ROWS)}), path, row_group_size=ROWS)
        with parquet.opened(path) as file:
            return [int(pa.total_allocated_bytes()) for _ in file.iter_batches(ROWS)][-1]

    assert held_at_last(12) < 1.25 * held_at_last(3)
