"""What commands print: tables for people on a terminal, one JSON document for machines."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from rich.console import Console

STYLES: Final[Mapping[str, str]] = {
    "queued": "cyan",
    "running": "blue",
    "cancelling": "yellow",
    "succeeded": "green",
    "partial": "yellow",
    "failed": "red",
    "cancelled": "magenta",
    "PASS": "green",
    "WARN": "yellow",
    "FAIL": "red",
}
MINUTE_S: Final = 60
HOUR_S: Final = 3600
UNIT: Final = 1024
WIDE: Final = 200  # columns where the output is no terminal, so that few lines are broken


def console(*, error: bool = False) -> "Console":
    """Give the console of standard output, or of standard error."""
    from rich.console import Console  # noqa: PLC0415 -- rich costs 0.1 s; --json does not pay

    stream = sys.stderr if error else sys.stdout
    return Console(stderr=error, width=None if stream.isatty() else WIDE, highlight=False)


def say(text: str) -> None:
    """Write a line to standard error: what a person wants to know beside the answer."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def write(text: str) -> None:
    """Write a line to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def encode(value: object) -> bytes:
    """Give a value's JSON on one line."""
    import msgspec  # noqa: PLC0415 -- 0.1 s that --help does not pay

    return msgspec.json.encode(value, enc_hook=str)


def write_json(value: object) -> None:
    """Write one JSON document to standard output."""
    import msgspec  # noqa: PLC0415 -- 0.1 s that --help does not pay

    write(msgspec.json.format(encode(value), indent=2).decode())


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table; words that are states are coloured."""
    from rich.table import Table  # noqa: PLC0415 -- as in `console`
    from rich.text import Text  # noqa: PLC0415 -- as in `console`

    headed = any(columns)
    drawn = Table(box=None, pad_edge=False, header_style="bold", show_header=headed)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(cell, style=STYLES.get(cell, "")) for cell in row))
    if title:
        write(title)
    console().print(drawn)


def pairs(title: str, values: Mapping[str, str]) -> None:
    """Write names and values, one pair a line."""
    if values:
        table(title, ("", ""), list(values.items()))


def moment(at: datetime | None) -> str:
    """Write a time in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ") if at else ""


def span(seconds: float) -> str:
    """Write a length of time in at most two units."""
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    if seconds < HOUR_S:
        return f"{int(seconds // MINUTE_S)} min {int(seconds % MINUTE_S)} s"
    return f"{int(seconds // HOUR_S)} h {int(seconds % HOUR_S // MINUTE_S)} min"


def size(count: float) -> str:
    """Write a number of bytes; nothing where it is not known."""
    if count < 0:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < UNIT:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= UNIT
    return f"{count:.1f} TiB"


def number(value: float) -> str:
    """Write a number as people read it."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"


def counters(values: Mapping[str, float]) -> str:
    """Write counters in one line."""
    return ", ".join(f"{number(value)} {name}" for name, value in values.items())


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Give nested values as dotted names and text."""
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[prefix + name] = number(value)
        else:
            found[prefix + name] = value if isinstance(value, str) else encode(value).decode()
    return found


def told(text: str, value: object, *, json: bool) -> None:
    """Write a line for people, or a document for machines."""
    if json:
        write_json(value)
    else:
        write(text)
