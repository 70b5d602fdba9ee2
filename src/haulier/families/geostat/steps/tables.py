"""Arrays between the steps of a job: small Arrow files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


def write_arrays(path: Path, columns: Arrays) -> None:
    """Write columns of one length."""
    table = pa.table({name: pa.array(values) for name, values in columns.items()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read columns that `write_arrays` wrote."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        table = reader.read_all()
        return {name: np.array(table[name].to_numpy()) for name in table.column_names}
