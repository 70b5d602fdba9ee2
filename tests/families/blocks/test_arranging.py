"""Rows of a table are brought into the order of the blocks, whatever their order and number."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from haulier.core.problem import Problem
from haulier.families.blocks.io.arranging import SLAB, Wanted, arrange
from haulier.families.blocks.io.tables import ROWS
from haulier.families.blocks.method.lattice import Lattice

LATTICE: Final = Lattice((0.0, 0.0, 0.0), (2, 2, 1), (1.0, 1.0, 1.0))
LONG: Final = Lattice((0.0, 0.0, 0.0), (SLAB, 2, 1), (1.0, 1.0, 1.0))
BLOCKS: Final = {"i": [1, 0, 1, 0], "j": [1, 1, 0, 0], "k": [0, 0, 0, 0]}


def table(folder: Path, **columns: Any) -> Path:
    path = folder / "table.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def arranged(
    path: Path, title: str, type_: str, old: Path | None = None, lattice: Lattice = LATTICE
) -> pa.ChunkedArray:
    target = path.parent / "column.parquet"
    wanted = Wanted(path, title, type_, old)
    arrange(wanted, lattice, path.parent, target, lambda _: None)
    return pq.read_table(target).column(0)


def test_a_column_is_brought_into_the_order_of_the_blocks(tmp_path: Path) -> None:
    path = table(tmp_path, **BLOCKS, grade=[4.0, 3.0, 2.0, 1.0])

    assert arranged(path, "grade", "Float64").to_pylist() == [1, 2, 3, 4]


def test_blocks_that_a_table_lacks_lose_their_values_or_keep_them(tmp_path: Path) -> None:
    path = table(tmp_path, i=[1], j=[0], k=[0], lot=[7])
    old = tmp_path / "old.parquet"
    pq.write_table(pa.table({"values": pa.array([1, 2, 3, 4], pa.int64())}), old)

    lost, kept = (arranged(path, "lot", "Int64", each).to_pylist() for each in (None, old))

    assert lost == [None, 7, None, None]
    assert kept == [1, 7, 3, 4]


def test_a_table_without_rows_leaves_every_block_as_it_was(tmp_path: Path) -> None:
    none = pa.array([], pa.int64())
    path = table(tmp_path, i=none, j=none, k=none, lot=none)
    old = tmp_path / "old.parquet"
    pq.write_table(pa.table({"values": pa.array([1, None, 3, 4], pa.int64())}), old)

    assert arranged(path, "lot", "Int64").null_count == len(LATTICE.counts) + 1
    assert arranged(path, "lot", "Int64", old).to_pylist() == [1, None, 3, 4]


@pytest.mark.parametrize("type_", ["Float64", "Utf8"])
def test_a_column_of_many_slabs_is_what_it_would_be_at_once(tmp_path: Path, type_: str) -> None:
    """Rows of both slabs lie mixed in every batch; the file is that of one write, to the byte."""
    chance = np.random.default_rng(3)
    numbers = chance.permutation(LONG.size)[: LONG.size - 1000]
    i, j, k = LONG.indices(numbers).T
    values = pa.array(numbers % 977, pa.float64()).cast(pa.utf8() if type_ == "Utf8" else "double")
    path = table(tmp_path, i=i, j=j, k=k, v=values)
    row = np.full(LONG.size, -1)
    row[numbers] = np.arange(len(numbers))
    old = tmp_path / "old.parquet"
    before = pa.array(np.arange(LONG.size) % 3, pa.float64()).cast(values.type)
    pq.write_table(pa.table({"values": before}), old, row_group_size=ROWS)
    at_once = pc.if_else(pa.array(row < 0), before, values.take(pa.array(np.maximum(row, 0))))

    column = arranged(path, "v", type_, old, LONG)

    assert column.combine_chunks().equals(at_once)
    expected = tmp_path / "expected.parquet"
    once = pa.table({"values": at_once})
    pq.write_table(once, expected, compression="zstd", row_group_size=ROWS)
    assert (tmp_path / "column.parquet").read_bytes() == expected.read_bytes()


def test_what_is_held_does_not_grow_with_the_table(tmp_path: Path) -> None:
    """Arrow's own count of bytes; sixteen slabs cost no more than four."""
    peaks = [_peak_bytes(tmp_path, slabs) for slabs in (4, 16)]

    assert peaks[1] < 1.25 * peaks[0]


def test_what_is_held_does_not_grow_with_rows_of_one_block(tmp_path: Path) -> None:
    """Such rows are next to nothing in a table, and as long as others where they are sorted."""
    peaks = [_peak_bytes_of_one_block(tmp_path, slabs) for slabs in (4, 16)]

    assert peaks[1] < 1.25 * peaks[0]


def test_no_more_rows_are_sorted_than_tell_that_a_block_is_there_twice(tmp_path: Path) -> None:
    path = _of_one_block(tmp_path, slabs=4)

    with pytest.raises(Problem, match=r"block \(0, 0, 0\) is in more than one row"):
        arranged(path, "v", "Int32")

    assert (tmp_path / "rows.arrow").stat().st_size < 1.1 * SLAB * 8  # each a block and a value


def _of_one_block(folder: Path, slabs: int) -> Path:
    path = folder / "table.parquet"
    column = pa.array(np.zeros(SLAB, np.int32))
    schema = pa.schema([(name, pa.int32()) for name in "ijkv"])
    with pq.ParquetWriter(path, schema) as out:
        for _ in range(slabs):
            out.write_table(pa.table([column] * len(schema), schema=schema))
    return path


def _peak_bytes_of_one_block(folder: Path, slabs: int) -> int:
    path = _of_one_block(folder, slabs)
    usual = pa.default_memory_pool()
    counting = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counting)
    try:
        with pytest.raises(Problem, match=r"block \(0, 0, 0\) is in more than one row"):
            arranged(path, "v", "Int32", lattice=_of_slabs(slabs))
    finally:
        pa.set_memory_pool(usual)
    return int(counting.max_memory())


def _of_slabs(slabs: int) -> Lattice:
    return Lattice((0.0, 0.0, 0.0), (SLAB, slabs, 1), (1.0, 1.0, 1.0))


def _peak_bytes(folder: Path, slabs: int) -> int:
    lattice = _of_slabs(slabs)
    path = folder / "table.parquet"
    schema = pa.schema([(name, pa.int32()) for name in "ijk"] + [("v", pa.float64())])
    with pq.ParquetWriter(path, schema) as out:
        for start in range(0, lattice.size, SLAB):
            numbers = np.arange(start, start + SLAB)
            columns = [*lattice.indices(numbers).astype(np.int32).T, numbers.astype(np.float64)]
            out.write_table(pa.table([pa.array(each) for each in columns], schema=schema))
    peaks: list[int] = []
    wanted = Wanted(path, "v", "Float64", None)
    arrange(
        wanted,
        lattice,
        folder,
        folder / "column.parquet",
        lambda _: peaks.append(pa.total_allocated_bytes()),
    )
    return max(peaks)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"a": [1]}, "must have the columns i, j, k or x, y, z, has a"),
        ({"i": [0], "j": [0], "k": [9]}, "row 0, counted from 0, is block"),
        ({"i": [0, 0], "j": [0, 0], "k": [0, 0]}, r"block \(0, 0, 0\) is in more than one row"),
        ({"i": [0, None], "j": [0, 0], "k": [0, 0]}, "column 'i' must have a value in every row"),
        ({"i": [0.7], "j": [0], "k": [0]}, "column 'i' must be of Int64, is double"),
        ({"i": ["a"], "j": [0], "k": [0]}, "column 'i' must be of Int64, is string"),
        ({"x": [5.0], "y": [0.5], "z": [0.5]}, "row 0, counted from 0, is block"),
        ({"x": [1e300], "y": [0.5], "z": [0.5]}, "row 0, counted from 0, is block"),
        ({"x": [float("nan")], "y": [0.5], "z": [0.5]}, "column 'x' must have a finite number"),
        ({"x": [["a"]], "y": [0.5], "z": [0.5]}, "column 'x' must be of Float64, is list"),
    ],
)
def test_a_table_that_cannot_be_is_refused(
    tmp_path: Path, columns: dict[str, Any], said: str
) -> None:
    rows = len(next(iter(columns.values())))

    with pytest.raises(Problem, match=said) as refused:
        arranged(table(tmp_path, **columns, grade=[1.0] * rows), "grade", "Float64")

    assert refused.value.at == "file"


@pytest.mark.parametrize(
    ("values", "type_", "said"),
    [
        (["a"], "Float64", "must be of Float64"),
        ([1.5], "Int32", "must be of Int32"),
        ([[1.5]], "Float64", "must be of Float64"),
    ],
)
def test_values_of_another_kind_are_refused(
    tmp_path: Path, values: list[Any], type_: str, said: str
) -> None:
    path = table(tmp_path, i=[0], j=[0], k=[0], grade=values)

    with pytest.raises(Problem, match=said):
        arranged(path, "grade", type_)


def test_a_row_is_named_by_its_number_in_the_whole_table(tmp_path: Path) -> None:
    i, j, k = LONG.indices(np.arange(SLAB + 1)).T
    k[SLAB] = 5
    path = table(tmp_path, i=i, j=j, k=k, v=i)

    with pytest.raises(Problem, match=f"row {SLAB}, counted from 0, is block"):
        arranged(path, "v", "Int64", lattice=LONG)


@pytest.mark.parametrize("name", ["i", "v"])
def test_a_table_with_two_columns_of_one_name_is_refused(tmp_path: Path, name: str) -> None:
    path, one = tmp_path / "table.parquet", pa.array([0])
    pq.write_table(pa.Table.from_arrays([one] * 5, names=[*"ijkv", name]), path)

    with pytest.raises(Problem, match=f"must have one column '{name}', has 2") as refused:
        arranged(path, "v", "Int64")

    assert refused.value.at == "file"


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("i,j,k")

    with pytest.raises(Problem, match="it is no parquet"):
        arranged(path, "grade", "Float64")


def test_a_table_that_was_cut_short_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, **BLOCKS, grade=[4.0, 3.0, 2.0, 1.0])
    whole = path.read_bytes()
    path.write_bytes(whole[:8] + bytes(200) + whole[208:])

    with pytest.raises(Problem, match="it is no parquet"):
        arranged(path, "grade", "Float64")


def test_a_table_whose_columns_have_names_that_are_no_text_is_refused(tmp_path: Path) -> None:
    path = table(tmp_path, **BLOCKS, grade=[4.0, 3.0, 2.0, 1.0])
    path.write_bytes(path.read_bytes().replace(b"grade", b"gra\xc8e"))

    with pytest.raises(Problem, match="it is no parquet"):
        arranged(path, "grade", "Float64")
