"""A data folder has one `haulier serve`: the first holds it, and says where it answers."""

import fcntl
import os
from pathlib import Path
from typing import Final, TextIO

from haulier.cli.codes import ServedError, UsageError

FILENAME: Final = "serve.lock"


def refuse_occupied(data: Path) -> None:
    """Refuse a data folder that another process holds; makes nothing.

    Raises:
        ServedError: another process holds it.
    """
    if (data / FILENAME).exists():
        _hold(data).close()


def occupy(data: Path, url: str) -> TextIO:
    """Hold a data folder until the file is closed, or this process ends however it may.

    Two servers over one folder would share one worker's name and scratch, and the second would
    seem to be ready by the worker of the first.

    Args:
        data: it is made where it is not there.
        url: where this process answers, for whoever finds the folder held.

    Raises:
        ServedError: another process holds it.
        UsageError: the folder cannot be made, or a file in it.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        file = _hold(data)
    except OSError as error:
        raise UsageError(f"cannot use the folder {data}: {error.strerror}") from error
    file.truncate(0)
    file.write(f"{os.getpid()} {url}")
    file.flush()
    return file


def _hold(data: Path) -> TextIO:
    file = (data / FILENAME).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        with file:
            file.seek(0)
            pid, _, url = file.read().partition(" ")
        detail = f"{data} is served already by process {pid} at {url}"
        raise ServedError(f"{detail}; stop it, or name another --data") from error
    return file
