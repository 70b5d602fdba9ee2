"""`haulier warm`: compile what jobs would else wait for, as when an image is built."""

import time

from haulier.cli import output
from haulier.cli.codes import Exit


def warm() -> Exit:
    """Compile the kernels of every family, so that no job waits for it."""
    from haulier.engine.registry import installed  # noqa: PLC0415 -- families; --help does not pay

    for family in installed().families:
        began_s = time.monotonic()
        family.warm()
        output.say(f"{family.name} is ready after {time.monotonic() - began_s:.1f} s")
    return Exit.OK
