"""Options of commands that work on this machine's installation, not through a server."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from haulier.cli.codes import UsageError

if TYPE_CHECKING:
    from haulier.config import Settings

SQLITE: Final = "sqlite:///"


@Parameter(name="*", group="Installation")
@dataclass(frozen=True, kw_only=True)
class Local:
    """Where the installation keeps what it keeps."""

    data: Path | None = None
    """Folder of the database and the files [HAULIER_DATA]; else ./haulier-data."""

    database: str = ""
    """postgresql+psycopg://... [HAULIER_DATABASE_URL]; else a SQLite file in the folder."""

    storage: str = ""
    """file:///, s3://, gs://, az:// [HAULIER_STORAGE_URL]; else a folder in the folder."""

    json: Annotated[bool, Parameter(negative=())] = False
    """Write one JSON document to standard output, and nothing else."""

    def settings(self, **more: object) -> "Settings":
        """Give the settings: these options, then the environment, then the defaults.

        Raises:
            Problem: INVALID; a value is not of its setting's type.
        """
        from haulier.config import load  # noqa: PLC0415 -- msgspec; --help does not pay

        given: dict[str, object] = {
            "data": self.data,
            "database_url": self.database or None,
            "storage_url": self.storage or None,
        }
        return load({**given, **more})


def require_database(settings: "Settings") -> None:
    """Refuse to look into a database that is not there, instead of making one.

    Raises:
        UsageError: it is a SQLite file that does not exist.
    """
    url = settings.database
    if url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists():
        raise UsageError(
            f"no database at {url.removeprefix(SQLITE)}; name the folder with --data, "
            "or make it with: haulier serve"
        )
