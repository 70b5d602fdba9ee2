"""The short process that makes database and first key, so that the supervisor stays small."""

import sys

from haulier.cli import output


def main() -> int:
    """Prepare the installation; write its first admin key, if there is one now."""
    from haulier import app  # noqa: PLC0415 -- the engine is heavy; errors come after the logs
    from haulier.config import load  # noqa: PLC0415 -- as above

    settings = load()
    app.prepare(settings)
    key = None if settings.dev else app.first_key(settings)
    output.write(output.encode({"key": key}).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
