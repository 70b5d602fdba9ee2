"""What the number at the end of a command means."""

from enum import IntEnum


class Exit(IntEnum):
    """What the number at the end of a command means."""

    OK = 0
    FAILED = 1  # the job failed or was cancelled; for doctor: a check failed
    USAGE = 2  # the command line, a setting or a local file is wrong
    UNREACHABLE = 3  # no server at the address
    REFUSED = 4  # the server said no: invalid input, a conflict, a limit
    KEY = 5  # the key is missing, unknown, or does not allow this
    NOT_FOUND = 6  # no such job, process, storage, artifact
    SERVER = 7  # the server or a process of it failed
    TIMEOUT = 8  # the time for waiting was over; the job still runs
    SERVED = 9  # another `haulier serve` has the data folder
    INTERRUPTED = 130  # Ctrl-C


class UsageError(Exception):
    """The command line asks for something that cannot be meant."""


class ServedError(Exception):
    """The data folder has a server already."""
