"""Which server a command talks to: options, then environment, then a small file."""

import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from haulier.cli.codes import UsageError

if TYPE_CHECKING:
    from haulier.client import Client

DEFAULT_URL: Final = "http://127.0.0.1:8080"
KNOWN: Final = frozenset({"url", "key"})


@Parameter(name="*", group="Server")
@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the server is, who asks, and how to show the answer."""

    url: str = ""
    """Address of the server [HAULIER_URL]; else http://127.0.0.1:8080."""

    key: str = ""
    """API key [HAULIER_KEY]; other users of this machine can read a command's arguments."""

    json: Annotated[bool, Parameter(negative=())] = False
    """Write one JSON document to standard output, and nothing else."""

    def connect(self) -> "Client":
        """Give a client of the server that was asked for.

        Raises:
            UsageError: the address is none, or the configuration file is broken.
        """
        from haulier.client import Client  # noqa: PLC0415 -- httpx costs 0.4 s; --help does not pay

        url, key = resolve(self.url, self.key)
        if not url.startswith(("http://", "https://")):
            raise UsageError(f"the address must begin with http:// or https://, got {url!r}")
        return Client(url, key=key)


HERE: Final = Server()


def config_path() -> Path:
    """Give the path of the configuration file, which need not exist."""
    named = os.environ.get("HAULIER_CONFIG")
    if named:
        return Path(named)
    home = os.environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "haulier" / "config.toml"


def resolve(url: str, key: str) -> tuple[str, str]:
    """Give address and key: what was asked for, else environment, else file, else default.

    A key from the file goes only to the address from the file: an option that names
    another server does not send it there.

    Raises:
        UsageError: the configuration file is broken.
    """
    file_url, file_key = _read(config_path())
    chosen = url or os.environ.get("HAULIER_URL") or file_url or DEFAULT_URL
    given = key or os.environ.get("HAULIER_KEY", "")
    if not given and chosen.rstrip("/") == (file_url or DEFAULT_URL).rstrip("/"):
        given = file_key
    return chosen, given


def _read(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return "", ""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error
    for name, value in values.items():
        if name not in KNOWN:
            raise UsageError(f"{path}: knows only 'url' and 'key', got {name!r}")
        if not isinstance(value, str):
            raise UsageError(f"{path}: {name} must be a string, got {value!r}")
    return values.get("url", ""), values.get("key", "")
