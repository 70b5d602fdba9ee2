"""Block models by the vendor's own client, unmodified: made, read, given columns, and versions."""

from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from evo.blockmodels import BlockModelAPIClient
from evo.blockmodels.data import RegularGridDefinition
from evo.blockmodels.endpoints.models import BBox, ColumnHeaderType, GeometryColumns, IntRange
from evo.blockmodels.exceptions import JobFailedException
from evo.common.exceptions import NotFoundException
from evo.objects.typed import BlockModel, Point3, RegularBlockModelData, Size3d, Size3i

Desk = Any
SIZE: Final = (4, 3, 2)


def blocks(**columns: Any) -> pd.DataFrame:
    """Give every block, in an order that is not the lattice's."""
    i, j, k = (axis.ravel() for axis in np.meshgrid(*(range(n) for n in SIZE), indexing="ij"))
    frame = pd.DataFrame({"i": i, "j": j, "k": k})
    frame["number"] = frame["i"] + 4 * (frame["j"] + 3 * frame["k"])
    for name, values in columns.items():
        frame[name] = values(frame["number"])
    return frame.drop(columns="number").sample(frac=1, random_state=3).reset_index(drop=True)


async def made(context: Any, **more: Any) -> Any:
    data = RegularBlockModelData(
        name="Pit 1",
        origin=Point3(x=100.0, y=200.0, z=300.0),
        n_blocks=Size3i(*SIZE),
        block_size=Size3d(10.0, 20.0, 5.0),
        **more,
    )
    return await BlockModel.create_regular(context, data, path="models")


def test_a_block_model_is_read_back_as_it_was_made(desk: Desk) -> None:
    sent = blocks(grade=lambda n: n * 0.5, rock=lambda n: np.where(n % 2, "ore", "waste"))

    async def work(context: Any) -> Any:
        model = await made(context, cell_data=sent, units={"grade": "g/t"})
        newest = await model.refresh()
        return model, newest, await newest.to_dataframe(), await newest.get_versions()

    model, newest, frame, versions = desk.do(work)

    assert newest.metadata.path == "models/Pit 1.json"
    assert newest.geometry.n_blocks == Size3i(*SIZE)
    assert [(a.name, a.attribute_type, a.unit) for a in newest.attributes] == [
        ("grade", "Float64", "g/t"),
        ("rock", "Utf8", None),
    ]
    assert newest.block_model_uuid == model.block_model_uuid
    assert [version.version_id for version in versions] == [2, 1]
    assert len(frame) == 24
    number = np.round(
        (frame["x"] - 105) / 10 + 4 * ((frame["y"] - 210) / 20 + 3 * (frame["z"] - 302.5) / 5)
    )
    np.testing.assert_allclose(frame["grade"], number * 0.5)
    assert (frame["rock"] == np.where(number % 2, "ore", "waste")).all()


def test_columns_come_change_and_go_and_every_version_stays(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        model = await made(context, cell_data=blocks(grade=lambda n: n * 1.0))
        first = (await model.get_versions())[0]
        await model.add_attribute(blocks(density=lambda n: n * 0 + 2.7), "density", unit="t/m3")
        await model.update_attributes(
            blocks(grade=lambda n: n * 10.0, lot=lambda n: n % 3),
            new_columns=["lot"],
            update_columns={"grade"},
            delete_columns={"density"},
        )
        newest = await model.refresh()
        now, then = (
            await newest.to_dataframe(),
            await newest.to_dataframe(version_uuid=first.version_uuid),
        )
        return newest, now, then, await newest.get_versions()

    newest, now, then, versions = desk.do(work)

    assert [attribute.name for attribute in newest.attributes] == ["grade", "lot"]
    assert list(now.columns) == ["x", "y", "z", "grade", "lot"]
    assert now["grade"].max() == 230.0
    assert (list(then.columns), then["grade"].max()) == (["x", "y", "z", "grade"], 23.0)
    assert [version.version_id for version in versions] == [4, 3, 2, 1]
    assert newest.metadata.version_id == "4"


def test_a_query_gives_the_blocks_and_headers_that_are_asked_for(desk: Desk) -> None:
    some = blocks(grade=lambda n: n * 1.0).head(10)

    async def work(context: Any) -> Any:
        model = await made(context, cell_data=some)
        client = BlockModelAPIClient.from_context(context)
        whole = IntRange(min=0, max=2)
        box = BBox(i_minmax=IntRange(min=1, max=2), j_minmax=whole, k_minmax=IntRange(min=0, max=1))
        column = (await client.list_versions(model.block_model_uuid))[0].columns[0]
        asked: dict[str, Any] = {"bm_id": model.block_model_uuid, "columns": ["grade"]}
        by_index = {"geometry_columns": GeometryColumns.indices}
        every = await client.query_block_model_as_table(
            **asked, **by_index, exclude_null_rows=False
        )
        boxed = await client.query_block_model_as_table(**asked, **by_index, bbox=box)
        named = await client.query_block_model_as_table(
            **asked, column_headers=ColumnHeaderType.name
        )
        return column, every.to_pandas(), boxed.to_pandas(), named

    column, every, boxed, named = desk.do(work)

    assert (len(every), every[column.col_id].notna().sum()) == (24, 10)
    inside = some[some["i"].between(1, 2)]
    assert len(boxed) == len(inside)
    assert named.column_names == ["x", "y", "z", "grade"]


def test_a_rotated_model_takes_coordinates_and_gives_the_same(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        client = BlockModelAPIClient.from_context(context)
        grid = RegularGridDefinition(
            model_origin=[0.0, 0.0, 0.0],
            rotations=[("z", 30.0), ("x", 20.0)],
            n_blocks=list(SIZE),
            block_size=[10.0, 20.0, 5.0],
        )
        model, _ = await client.create_block_model("turned", grid)
        empty = await client.query_block_model_as_table(
            model.id, ["*"], column_headers=ColumnHeaderType.name
        )
        table = empty.append_column("grade", [np.arange(24.0)])
        await client.add_new_columns(
            model.id, table.select([3, 2, 1, 0]).take(list(range(24))[::-1])
        )
        return empty, await client.query_block_model_as_table(
            model.id, ["*"], column_headers=ColumnHeaderType.name
        )

    empty, table = desk.do(work)

    assert table.column("grade").to_pylist() == list(np.arange(24.0))
    assert table.select(["x", "y", "z"]) == empty


def test_bad_tables_fail_the_job_and_say_why(desk: Desk) -> None:
    twice = pd.concat([blocks(grade=lambda n: n * 1.0)] * 2)
    outside = blocks(grade=lambda n: n * 1.0).assign(i=lambda frame: frame["i"] + 1)

    async def work(context: Any) -> Any:
        said = []
        model = await made(context)
        for table in (twice, outside):
            with pytest.raises(JobFailedException) as failed:
                await model.add_attribute(table, "grade")
            said.append(str(failed.value))
        await model.add_attribute(blocks(grade=lambda n: n * 1.0), "grade")
        with pytest.raises(JobFailedException) as failed:
            await model.add_attribute(blocks(grade=lambda n: n * 1.0), "grade")
        said.append(str(failed.value))
        return said, await model.get_versions()

    said, versions = desk.do(work)

    assert "is in more than one row" in said[0]
    assert "outside (4, 3, 2)" in said[1]
    assert "there would be two columns 'grade'" in said[2]
    assert len(versions) == 2


def test_block_models_are_listed_and_deleted_with_their_objects(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        model = await made(context)
        client = BlockModelAPIClient.from_context(context)
        listed = await client.list_block_models()
        await client.delete_block_model(model.block_model_uuid)
        with pytest.raises(NotFoundException):
            await client.get_block_model(model.block_model_uuid)
        with pytest.raises(NotFoundException):
            await model.refresh()
        return model, listed, await client.list_block_models()

    model, listed, left = desk.do(work)

    assert [each.id for each in listed] == [model.block_model_uuid]
    assert listed[0].geoscience_object_id == model.metadata.id
    assert left == []
