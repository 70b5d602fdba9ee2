"""The family of block models holds to the socket, and refuses what cannot be."""

from pathlib import Path
from typing import ClassVar, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from haulier.core.entry import Publication
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.families.blocks import FAMILY
from haulier.testing.context import LocalContext, World, run_job, run_step
from haulier.testing.family_suite import FamilySuite, Refused, Sample

MODEL: Final = "org/workspace/model"
FILE: Final = {"storage": "geoscience-uploads", "filename": "table"}
GRADE: Final = {"title": "grade", "data_type": "Float64"}
BLOCKS: Final = {"i": [1, 0, 1, 0], "j": [1, 1, 0, 0], "k": [0, 0, 0, 0]}


def prepare(world: World) -> None:
    """Put a model of four blocks with one column, its object, and a table for it."""
    for name in ("geoscience-uploads", "geoscience-data"):
        world.storages[name] = world.folder / name
        world.storages[name].mkdir(parents=True, exist_ok=True)
    table = pa.table({**BLOCKS, "grade": [4.0, 3.0, 2.0, None], "rock": ["a", "b", "c", "d"]})
    pq.write_table(table, world.storages["geoscience-uploads"] / "table")
    old = pa.table({"values": pa.array([1, 2, None, 4], pa.int32())})
    pq.write_table(old, world.storages["geoscience-data"] / "old")
    stands = {"schema": "block-model", "name": "model"}
    world.shelf.put(
        Publication(type="geoscience-object", name="o", body={"object": stands}, expects=0)
    )
    object_id = world.shelf.find("geoscience-object", "o", "", 0)
    assert object_id is not None
    column = {"col_id": "c", "title": "lot", "data_type": "Int32", "data": "old"}
    body = {
        "name": "model",
        "object_id": object_id.id,
        "origin": [0.0, 0.0, 0.0],
        "n_blocks": [2, 2, 1],
        "block_size": [1.0, 1.0, 1.0],
        "columns": [column],
    }
    world.shelf.put(Publication(type="block-model", name=MODEL, body=body, expects=0))


class TestBlocks(FamilySuite):
    family = FAMILY
    samples: ClassVar = (
        Sample(
            "columns",
            "BLOCK_MODEL_UPDATE",
            {"model": MODEL, "file": FILE, "new": [GRADE, {"title": "rock", "data_type": "Utf8"}]},
            prepare,
        ),
        Sample("delete", "BLOCK_MODEL_UPDATE", {"model": MODEL, "delete": ["lot"]}, prepare),
        Sample(
            "rename",
            "BLOCK_MODEL_UPDATE",
            {"model": MODEL, "change": [{"title": "lot", "new_title": "batch", "unit_id": "1"}]},
            prepare,
        ),
        Sample("all", "BLOCK_MODEL_QUERY", {"model": MODEL}, prepare),
        Sample(
            "some",
            "BLOCK_MODEL_QUERY",
            {
                "model": MODEL,
                "columns": ["lot"],
                "geometry": "coordinates",
                "headers": "id",
                "box": {"first": [0, 0, 0], "last": [1, 0, 0]},
            },
            prepare,
        ),
    )
    refused = (
        Refused("BLOCK_MODEL_UPDATE", {"new": [GRADE]}, names="model"),
        Refused("BLOCK_MODEL_UPDATE", {"model": MODEL, "new": [GRADE]}, names="file"),
        Refused(
            "BLOCK_MODEL_UPDATE",
            {"model": MODEL, "file": FILE, "new": [GRADE], "delete": ["grade"]},
            names="grade",
        ),
        Refused(
            "BLOCK_MODEL_UPDATE",
            {"model": MODEL, "file": FILE, "new": [GRADE | {"data_type": "Float128"}]},
            names="data_type",
        ),
        Refused(
            "BLOCK_MODEL_UPDATE",
            {"model": MODEL, "file": FILE, "new": [GRADE | {"title": "k"}]},
            names="new",
        ),
        Refused(
            "BLOCK_MODEL_UPDATE",
            {"model": MODEL, "change": [{"title": "lot", "new_title": "x"}]},
            names="change",
        ),
        Refused("BLOCK_MODEL_QUERY", {"model": MODEL, "geometry": "polar"}, names="geometry"),
    )


def test_updates_of_other_blocks_of_one_column_lose_nothing(tmp_path: Path) -> None:
    """The second one's parts were done on the old column; its merge comes after the first's."""
    world = World(tmp_path)
    prepare(world)
    steps = [_update_of_one_block(world, block, lot) for block, lot in ((0, 70), (3, 73))]
    late = LocalContext(world, steps[1], "run")
    parts = FAMILY.split(steps[1], late)
    done = {
        part.key: FAMILY.run(steps[1], part, LocalContext(world, steps[1], "run", part))
        for part in parts
    }
    run_step(FAMILY, steps[0], world)

    merge = LocalContext(world, steps[1], "merge")
    FAMILY.merge(steps[1], done, merge)

    (column,) = merge.written.values()
    assert pq.read_table(column.path).column(0).to_pylist() == [70, 2, None, 73]


def _update_of_one_block(world: World, block: int, lot: int) -> StepPlan:
    """Give the step of a job that writes one block, and keeps the others."""
    name = f"block-{block}"
    one = {"i": [block % 2], "j": [block // 2], "k": [0], "lot": [lot]}
    pq.write_table(pa.table(one), world.storages["geoscience-uploads"] / name)
    said = {
        "model": MODEL,
        "file": {"storage": "geoscience-uploads", "filename": name},
        "update": ["lot"],
        "keep": True,
    }
    kind = FAMILY.kinds["BLOCK_MODEL_UPDATE"]
    return FAMILY.plan(kind.name, msgspec.convert(said, kind.params)).steps[0]


def test_a_model_of_more_blocks_than_can_be_held_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path)
    prepare(world)
    entry = world.shelf.find("block-model", MODEL, "", 0)
    assert entry is not None
    vast = {**entry.body, "n_blocks": [500_000_000, 500_000_000, 500_000_000]}
    world.shelf.put(Publication(type="block-model", name=MODEL, body=vast, expects=1))

    for kind, said in (("UPDATE", {"delete": ["lot"]}), ("QUERY", {})):
        with pytest.raises(Problem, match="at most 200,000,000 blocks") as refused:
            run_job(FAMILY, f"BLOCK_MODEL_{kind}", {"model": MODEL, **said}, world)
        assert (refused.value.code, refused.value.at) == (Code.TOO_LARGE, "model")
