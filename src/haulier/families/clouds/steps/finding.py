"""One thing that a cloud deviates in: how bad it is, what was found, and what to do."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from haulier.families.clouds.notes import Note

Severity = Literal["error", "warning", "note"]
#: The worst first.
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with a cloud, or odd.

    Attributes:
        severity: "error", results may be wrong or programs refuse the file; "warning", it must be
            known to whoever uses it; "note", it may explain something.
        code: in capitals, the same wherever it is met.
        message: what was found, with the values.
        what_to_do: what a person would change.
        points: how many are concerned, where points are.
    """

    severity: Severity
    code: str
    message: str
    what_to_do: str
    points: int = 0

    @property
    def note(self) -> Note:
        """Give it as results carry warnings."""
        return Note(self.code, self.message, self.what_to_do)


def found(note: Note, severity: Severity = "warning") -> Finding:
    """Give a warning as a finding."""
    return Finding(severity, note.code, note.message, note.what_to_do)


def unreadable(detail: str) -> Finding:
    """Give a problem as a finding; its detail is "CODE: message; what to do"."""
    code, colon, rest = detail.partition(": ")
    message, _, hint = rest.rpartition("; ")
    if not colon:
        return Finding("error", "CLOUD_UNREADABLE", detail, "")
    return Finding("error", code, message or rest, hint if message else "")


def ordered(findings: list[Finding]) -> list[Finding]:
    """Give findings the worst first, each once."""
    once = list({(each.code, each.message): each for each in findings}.values())
    return sorted(once, key=lambda each: SEVERITIES.index(each.severity))
