"""Queries that every poll asks: compiled once, and on SQLite given to the driver itself.

To build, key and wrap a statement costs SQLAlchemy ten times what SQLite needs to answer it by
its primary key. The statement stays SQLAlchemy's: only the way to the driver is shorter.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

_SQLITE: Final = sqlite.dialect(paramstyle="qmark")

Processor = Callable[[Any], Any]


class Quick:
    """A query, and how to run it."""

    def __init__(self, query: sa.Select[Any]) -> None:
        compiled = query.compile(dialect=_SQLITE)
        columns = list(query.selected_columns)
        self._query = query
        self._sql = str(compiled)
        self._names = tuple(getattr(compiled, "positiontup", None) or ())
        self._make = _maker([column.name for column in columns])
        found = (column.type.dialect_impl(_SQLITE) for column in columns)
        self._processors: tuple[Processor | None, ...] = tuple(
            type_.result_processor(_SQLITE, None) for type_ in found
        )

    def rows(self, connection: sa.Connection, **values: Any) -> Sequence[Any]:  # noqa: ANN401 -- of its parameters
        """Give the rows, with the query's columns as attributes."""
        driver: Any = connection.connection.driver_connection
        if connection.dialect.name != "sqlite" or driver is None:
            return connection.execute(self._query, values).all()
        cursor = driver.execute(self._sql, [values[name] for name in self._names])
        return [self._made(raw) for raw in cursor.fetchall()]

    def one(self, connection: sa.Connection, **values: Any) -> Any:  # noqa: ANN401 -- a row
        """Give the row that there is at most one of, or None."""
        found = self.rows(connection, **values)
        return found[0] if found else None

    def _made(self, raw: Sequence[Any]) -> Any:  # noqa: ANN401 -- a row
        return self._make(
            [
                value if process is None or value is None else process(value)
                for value, process in zip(raw, self._processors, strict=True)
            ]
        )


def _maker(names: Sequence[str]) -> Callable[[Sequence[Any]], Any]:
    """Give what makes rows with these names as attributes."""
    build: Any = namedtuple  # noqa: PYI024 -- the names are a query's, known here only
    make: Callable[[Sequence[Any]], Any] = build("Row", names)._make
    return make
