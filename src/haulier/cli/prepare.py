"""The short process that makes database, certificate and first key: the supervisor stays small."""

import sys

from haulier.cli import output
from haulier.cli.codes import Exit


def main() -> int:
    """Prepare the installation; write its first admin key, if it was made now."""
    from haulier import app  # noqa: PLC0415 -- the engine is heavy; errors come after the logs
    from haulier.cli import certificate  # noqa: PLC0415 -- as above
    from haulier.config import load  # noqa: PLC0415 -- as above
    from haulier.core.problem import Problem  # noqa: PLC0415 -- as above

    try:
        settings = load()
        app.prepare(settings)
        certificate.prepare(settings)
        key = None if settings.dev else app.first_key(settings)
    except Problem as problem:
        output.say(f"haulier: {problem}")
        return Exit.USAGE
    output.write(output.encode({"key": key}).decode())
    return Exit.OK


if __name__ == "__main__":
    sys.exit(main())
