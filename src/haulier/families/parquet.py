"""Parquet files to go through: what was read of them is let go."""

from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

BUFFER_BYTES: Final = 1 << 16  # of each column that is read
#: What opening and reading raise where a file is none, is broken, or says what nobody can read.
BROKEN: Final = (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError, UnicodeDecodeError)


def opened(path: Path) -> pq.ParquetFile:
    """Open a file to go through; Arrow's default keeps the bytes of all that was read of it."""
    return pq.ParquetFile(path, pre_buffer=False, buffer_size=BUFFER_BYTES)
