"""`haulier`: the entry point; every error ends here as one sentence and an exit code."""

import importlib
import inspect
import sys
from collections.abc import Sequence
from typing import Final, NoReturn

from cyclopts import App, CycloptsError, Group, Parameter

import haulier
from haulier.cli.codes import Exit

#: Command, where it is, and the first line of its docstring, for the help to show without
#: importing it: the help answers at once, however heavy a command is.
Row = tuple[str, str, str]

SERVER: Final[tuple[Row, ...]] = (
    (
        "serve",
        "serve:serve",
        "Run a whole server: the API and a worker, each restarted when it dies.",
    ),
    ("worker", "worker:worker", "Run jobs from the shared database until SIGTERM."),
    ("keys", "keys:keys", "Make, list and revoke API keys, on the server's own database."),
    ("limits", "limits:limits", "Set how much one job of an organisation may take."),
    ("warm", "warm:warm", "Compile the kernels of every family, so that no job waits for it."),
    (
        "doctor",
        "doctor:doctor",
        "Check what a server stands on; the exit code is 1 if anything fails.",
    ),
)
JOBS: Final[tuple[Row, ...]] = (
    ("submit", "submit:submit", "Start a job."),
    ("watch", "watch:watch", "Follow a job to its end; Ctrl-C stops the watching, not the job."),
    ("list", "jobs:list_jobs", "List jobs, newest first."),
    (
        "show",
        "jobs:show",
        "Show all there is to know of a job: steps, timeline, statistics, artifacts.",
    ),
    (
        "results",
        "results:results",
        "Download a job's files, each checked by SHA-256.",
    ),
    (
        "report",
        "results:report",
        "Download a job's report: one HTML page with map and statistics, readable offline.",
    ),
    ("cancel", "jobs:cancel", "Stop a job; what it has finished stays, and `retry` takes it up."),
    (
        "retry",
        "jobs:retry",
        "Start a new job that does only what a failed or cancelled one has not finished.",
    ),
    ("remove", "jobs:remove", "Remove an ended job with its files."),
)
DATA: Final[tuple[Row, ...]] = (
    ("processes", "submit:processes", "List what the server can do."),
    ("describe", "submit:describe", "Show the inputs and outputs of a process."),
    ("releases", "places:releases", "Add, list and remove the reference releases that jobs name."),
    ("storages", "places:storages", "Add and list named places for files."),
    ("files", "places:files", "List, put, get and remove the files of a storage."),
)
GROUPS: Final = (("Run a server", SERVER), ("Jobs", JOBS), ("What jobs work on", DATA))

HELP: Final = """Long-running data and geospatial jobs: run a server, or use one.

A command that talks to a server finds it by --url and --key, else by the
environment (HAULIER_URL, HAULIER_KEY), else by ~/.config/haulier/config.toml.
Every command takes --json.

Exit codes: 0 done, 1 the job failed, 2 usage, 3 no server, 4 refused, 5 key,
6 not found, 7 server error, 8 time-out, 9 served already, 130 interrupted."""


def _shown(value: object) -> str | None:
    """Give a default for the help; nothing where it says nothing."""
    if value in ("", (), False, None):
        return None
    many = value if isinstance(value, tuple) else (value,)
    return ", ".join(map(str, many))


def build(tokens: Sequence[str] = ()) -> App:
    """Give the command line; a command's module is imported when it is used.

    Args:
        tokens: what was typed; a command that is named there shows its whole docstring as
            help, and every other its first line.
    """
    app = App(
        name="haulier",
        help=HELP,
        help_format="plaintext",  # markdown costs 0.2 s of imports
        version=haulier.__version__,
        group_commands=Group.create_ordered("Help"),
        default_parameter=Parameter(show_default=_shown),
    )
    for title, rows in GROUPS:
        group = Group.create_ordered(title)
        for index, (name, place, sentence) in enumerate(rows):
            place = f"haulier.cli.{place}"  # noqa: PLW2901 -- made whole
            said = whole_help(place) if name in tokens else sentence
            app.command(place, name=name, group=group, help=said, sort_key=index)
    app.register_install_completion_command(add_to_startup=False)
    return app


def whole_help(place: str) -> str:
    """Give the help of a command from its docstring: its paragraphs, each on one line.

    Args:
        place: "module:function", or "module:app" for a group of commands.
    """
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(module), name)
    if isinstance(found, App):
        return str(found.help)
    paragraphs = (inspect.getdoc(found) or "").partition("\nArgs:\n")[0].strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def run(tokens: list[str]) -> int:
    """Run one command line and give its exit code; errors go to standard error."""
    json = "--json" in tokens
    try:
        app = build(tokens)
        code = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _fail(error, Exit.USAGE, json=json)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # else the interpreter complains once more at its end
        return Exit.OK
    except Exception as error:
        from haulier.cli.exits import exit_of  # noqa: PLC0415 -- the client costs 0.4 s; --help does not pay

        expected = exit_of(error)
        if expected is None:
            raise
        return _fail(error, expected, json=json)
    return int(code) if isinstance(code, int) else Exit.OK


def _fail(error: Exception, code: Exit, *, json: bool) -> int:
    if json:
        from haulier.cli import output  # noqa: PLC0415 -- only here
        from haulier.cli.exits import described  # noqa: PLC0415 -- as in `run`

        sys.stderr.write(output.encode({**described(error), "exit_code": code}).decode() + "\n")
    else:
        sys.stderr.write(f"haulier: {error}\n")
    return code


def main() -> NoReturn:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))
