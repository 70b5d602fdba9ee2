"""A supervised process ends when its supervisor is gone, even by kill -9."""

import os
import signal
import threading
import time
from typing import Final

SUPERVISOR: Final = "HAULIER_SUPERVISOR_PID"
LOOK_EVERY_S: Final = 0.5
GRACE_S: Final = 20.0


def follow_supervisor() -> None:
    """Watch the process that started this one, if it asked to be watched."""
    pid = os.environ.get(SUPERVISOR, "")
    if pid.isdigit():
        follow(int(pid))


def follow(parent_pid: int) -> None:
    """End this process, first gently, when `parent_pid` is no longer its parent."""
    thread = threading.Thread(target=_watch, args=(parent_pid,), name="orphan", daemon=True)
    thread.start()


def _watch(parent_pid: int) -> None:
    # a poll and no PR_SET_PDEATHSIG: it works on every system, and a look is a microsecond
    while os.getppid() == parent_pid:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_S)
    os._exit(1)
