# ruff: noqa: INP001 -- a script of the repository, in no package
"""Writes the reference pages that are made from the code; with --check, says which are stale."""

import argparse
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, cast

from kindpages import processes, steps
from markdown import page, table

from haulier import config
from haulier.cli import codes, exits
from haulier.cli.main import GROUPS, build
from haulier.client import Client, errors
from haulier.core import caller, lifecycle, problem
from haulier.wire import openapi
from haulier.wire.dialect import installed
from haulier.wire.ogc import DIALECT
from haulier.wire.ogc.errors import REPLIES

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"
MEMBER: Final = re.compile(r"^    (\w+) = (?:\"(\w+)\"|(\d+))(?: *# (.*))?$", re.MULTILINE)
ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): ((?:.+\n?)(?: {8}.+\n?)*)", re.MULTILINE)
LINK: Final = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)")
METHODS: Final = ("get", "head", "post", "put", "delete")


def remarks(enumeration: type) -> dict[str, str]:
    """Give the comment beside each member of an enumeration, by the member's value."""
    found = MEMBER.findall(inspect.getsource(enumeration))
    return {text or number: remark for _, text, number, remark in found}


def settings() -> str:
    """Give every setting, its variable, its default and its meaning."""
    said = dict(ATTRIBUTE.findall(inspect.getdoc(config.Settings) or ""))
    rows = []
    for field in fields(config.Settings):
        if field.name not in said:
            raise SystemExit(f"config.Settings: '{field.name}' has no line under Attributes")
        shown = str(field.default)
        default = f"`{shown}`" if shown else ""
        rows.append((f"`HAULIER_{field.name.upper()}`", default, said[field.name]))
    introduction = (
        "Arguments win over the environment, and the environment wins over the defaults. Every "
        "process of an installation reads the same variables; a name ends in its unit."
    )
    return page("Settings", introduction, table(("variable", "default", "meaning"), rows))


def cli() -> str:
    """Give the help of every command."""
    app = build([name for _, rows in GROUPS for name, *_ in rows])
    made = app.generate_docs(output_format="markdown", recursive=True)
    body = made.partition("\n")[2].strip()
    introduction = "What `haulier COMMAND --help` says, on one page."
    return page("The command line", introduction, body)


def exit_codes() -> str:
    """Give what the number at the end of a command means."""
    said = remarks(codes.Exit)
    causes: dict[codes.Exit, list[str]] = {}
    for kind, code in exits.CODES:
        causes.setdefault(code, []).append(f"`{kind.__name__}`")
    rows = [
        (str(code.value), said[str(code.value)] or "done", ", ".join(causes.get(code, [])))
        for code in codes.Exit
    ]
    introduction = (
        "A command that fails writes one sentence to standard error, or with `--json` one JSON "
        "object with `error`, `detail`, `exit_code` and what the server said besides."
    )
    body = table(("code", "meaning", "error of the Python client"), rows)
    return page("Exit codes", introduction, body)


def states() -> str:
    """Give the states of a job, what may happen in each, and every wire's word for it."""
    said, happens = remarks(lifecycle.State), remarks(lifecycle.Event)
    dialects = installed()
    names = tuple(dialect.name for dialect in dialects)
    words = [
        (f"`{state}`", said[state], *(f"`{dialect.words[state]}`" for dialect in dialects))
        for state in lifecycle.State
    ]
    moves = [
        (f"`{state}`", f"`{event}`", f"`{target}`", happens[event])
        for (state, event), target in lifecycle.TRANSITIONS.items()
    ]
    introduction = (
        "A job is always in one of these states. What is not in the second table cannot happen; "
        "a state that has no row there as a source is final."
    )
    return page(
        "The life of a job",
        introduction,
        table(("state", "meaning", *names), words),
        "## What may happen",
        table(("in state", "event", "next state", "when"), moves),
    )


def problems() -> str:
    """Give the closed list of problem codes."""
    said = remarks(problem.Code)
    rows = []
    for code in problem.Code:
        reply = REPLIES[code]
        error = errors.BY_CODE[code].__name__
        meaning = f"{reply.word}: {said[code]}" if said[code] else reply.word
        rows.append((f"`{code}`", str(reply.status), meaning, f"`{error}`"))
    introduction = (
        "Every error is an `application/problem+json` document (RFC 9457) with `type`, `title`, "
        "`status`, `detail`, our `code`, `request_id`, and `errors`: one entry for each field "
        "that is wrong, with a JSON Pointer. The same codes stand in the `problem` of a job that "
        "failed. Other wires write their own shape with the same cause."
    )
    columns = ("code", "status", "meaning", "error of the Python client")
    return page("Problem codes", introduction, table(columns, rows))


def api() -> str:
    """Give the operations of the native API."""
    made = openapi.document(DIALECT, cast("Any", None))  # its handlers ask for services at run time
    rows = [
        (f"`{method.upper()} {path}`", operation.get("description", ""), _parameters(operation))
        for path, item in sorted(made["paths"].items())
        for method in METHODS
        if (operation := item.get(method)) is not None and method != "head"
    ]
    scopes = [(f"`{name}`", text) for name, text in remarks(caller.Scope).items()]
    introduction = (
        "The native API is OGC API - Processes, 1.0 and the 2.0 draft from one set of answers, "
        "with what the standard has no word for under the member `haulier`. The server describes "
        "all of it at `/api` (OpenAPI 3.1), and for people at `/api.html`.\n\n"
        "Send a key as `Authorization: Bearer hlr_…`, as the password of Basic, or as `X-API-Key`. "
        "`POST /processes/{process_id}/execution` with `Prefer: respond-async` answers 201 with "
        "the job's address in `Location`; then ask there until `status` is `successful`, "
        "`failed` or `dismissed`, not more often than `Retry-After` says; `If-None-Match` makes "
        "an answer that says nothing new a 304. `/healthz`, `/readyz` and `/metrics` need no key."
    )
    columns = ("operation", "what it does", "query")
    return page(
        "The native API",
        introduction,
        table(columns, rows),
        "## Scopes of a key",
        table(("scope", "allows"), scopes),
    )


def _parameters(operation: Mapping[str, Any]) -> str:
    found = (one["name"] for one in operation.get("parameters", ()) if one["in"] == "query")
    return ", ".join(f"`{name}`" for name in found)


def client() -> str:
    """Give the calls of the Python client."""
    introduction = (
        "`haulier.client` has `Client` for blocking code and `AsyncClient` for asyncio and trio, "
        "with the same calls; those of `AsyncClient` are awaited, `jobs` is an async iterator, "
        "and `close` is `aclose`."
    )
    found = inspect.getmembers(Client, inspect.isfunction)
    rows = [
        (f"`{name}{_signature(call)}`", (inspect.getdoc(call) or "").partition("\n\n")[0])
        for name, call in found
        if not name.startswith("_")
    ]
    tree = (inspect.getdoc(inspect.getmodule(errors.HaulierError)) or "").partition("\n")[0]
    from haulier import client as package  # noqa: PLC0415 -- the name is this function's

    drawn = (inspect.getdoc(package) or "").partition("says what to do:\n\n")[2]
    return page(
        "The Python client",
        introduction,
        table(("call", "what it does"), rows),
        "## Errors",
        tree,
        f"```text\n{inspect.cleandoc(drawn)}\n```",
    )


def _signature(call: Callable[..., object]) -> str:
    text = str(inspect.signature(call)).replace("(self, ", "(").replace("(self)", "()")
    return re.sub(r"(?:\w+\.)+(\w+)", r"\1", text)


#: File below docs/reference, and what writes it.
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings,
    "cli.md": cli,
    "exit-codes.md": exit_codes,
    "states.md": states,
    "problems.md": problems,
    "api.md": api,
    "processes.md": processes,
    "steps.md": steps,
    "client.md": client,
}


def stale() -> list[str]:
    """Give every page whose file does not say what the code says."""
    return [
        f"docs/reference/{name} is stale: run `make docs`"
        for name, write in PAGES.items()
        if _read(DOCS / "reference" / name) != write()
    ]


def broken_links() -> list[str]:
    """Give every relative link in the documentation that leads nowhere."""
    return [
        f"{path.relative_to(ROOT)} links to {target}, which is not there"
        for path in sorted(DOCS.rglob("*.md"))
        for target in LINK.findall(path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def main() -> int:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    if not parser.parse_args().check:
        for name, write in PAGES.items():
            (DOCS / "reference" / name).write_text(write(), "utf-8")
    faults = [*stale(), *broken_links()]
    sys.stderr.writelines(f"{fault}\n" for fault in faults)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
