"""What is remembered of files: their hash, for as long as their entity tag stays."""

from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from haulier.engine.storage import Blob
from haulier.engine.tables import files


class Hashes:
    """The hashes of the files in named storages."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._insert = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    def remember(self, organisation: str, storage: str, filename: str, blob: Blob) -> None:
        """Keep the hash of a file."""
        values = {
            "etag": blob.etag,
            "size_bytes": blob.size_bytes,
            "sha256": blob.sha256,
            "modified_at": blob.modified_at,
        }
        name = {"organisation": organisation, "storage": storage, "filename": filename}
        upsert = (
            self._insert(files)
            .values(name | values)
            .on_conflict_do_update(index_elements=list(name), set_=values)
        )
        with self._engine.begin() as connection:
            connection.execute(upsert)

    def recall(self, organisation: str, storage: str, filename: str, blob: Blob) -> str:
        """Give the hash of a file; empty if it is another file than was remembered."""
        wanted = sa.select(files.c.sha256).where(
            *_of(organisation, storage), files.c.filename == filename, files.c.etag == blob.etag
        )
        with self._engine.connect() as connection:
            return connection.execute(wanted).scalar_one_or_none() or ""

    def all(self, organisation: str, storage: str) -> Mapping[tuple[str, str], str]:
        """Give every hash of a storage, by filename and entity tag."""
        wanted = sa.select(files.c.filename, files.c.etag, files.c.sha256).where(
            *_of(organisation, storage)
        )
        with self._engine.connect() as connection:
            return {(row.filename, row.etag): row.sha256 for row in connection.execute(wanted)}

    def forget(self, organisation: str, storage: str, filename: str) -> None:
        """Drop what is known of a file."""
        gone = sa.delete(files).where(*_of(organisation, storage), files.c.filename == filename)
        with self._engine.begin() as connection:
            connection.execute(gone)


def _of(organisation: str, storage: str) -> tuple[sa.ColumnElement[bool], ...]:
    return files.c.organisation == organisation, files.c.storage == storage
