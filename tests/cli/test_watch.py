"""What a watcher sees: bars on a terminal, lines in a log, and every number as people read it."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from haulier.cli import output
from haulier.cli.results import last_steps, targets
from haulier.cli.watch import Bars, Lines, sentence, step_sentence
from haulier.client import Artifact, Job, Step
from haulier.core.lifecycle import State
from haulier.core.problem import Code, ProblemBody

BEGAN_AT = datetime(2026, 1, 21, 12, tzinfo=UTC)


def a_step(name: str, **more: Any) -> Step:
    values: dict[str, Any] = {"state": State.RUNNING, "started_at": BEGAN_AT}
    return Step(id=name, **(values | more))


def a_job(state: State = State.RUNNING, **more: Any) -> Job:
    values: dict[str, Any] = {
        "id": UUID("0195d3a0-0000-7000-8000-000000000001"),
        "number": 7,
        "process": "road-matching",
        "created_at": BEGAN_AT,
        "started_at": BEGAN_AT,
        "updated_at": BEGAN_AT + timedelta(seconds=90),
    }
    return Job(state=state, **(values | more))


def drawn(*jobs: Job, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give what a terminal shows after these jobs."""
    screen = io.StringIO()
    terminal = Console(file=screen, width=120, force_terminal=True, color_system=None)
    monkeypatch.setattr(output, "console", lambda **_: terminal)
    with Bars() as bars:
        for job in jobs:
            bars.show(job)
    return screen.getvalue()


def test_each_step_that_has_begun_has_its_bar_with_parts_and_counters(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    steps = (
        a_step("prepare", state=State.SUCCEEDED, finished_at=BEGAN_AT, fraction=1.0),
        a_step("match", fraction=0.5, parts=8, parts_done=4, counters={"roads": 12_000.0}),
        a_step("write", state=State.QUEUED, started_at=None),
    )

    shown = drawn(a_job(fraction=0.6, steps=steps), monkeypatch=monkeypatch)

    assert "job 7 running" in shown
    assert "prepare" in shown
    assert "4 of 8 parts, 12,000 roads" in shown
    assert "write" not in shown


def test_the_clock_of_a_job_shows_its_own_time_and_not_how_long_it_was_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended = a_job(State.SUCCEEDED, finished_at=BEGAN_AT + timedelta(seconds=83), fraction=1.0)

    shown = drawn(a_job(), ended, monkeypatch=monkeypatch)

    assert "0:01:23" in shown.splitlines()[-2]


def test_a_name_with_brackets_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = drawn(a_job(steps=(a_step("a[red]b"),)), monkeypatch=monkeypatch)

    assert "a[red]b" in shown


def test_a_log_has_a_line_for_each_change_and_none_for_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = Lines()
    for fraction in (0.101, 0.109, 0.11):
        lines.show(a_job(fraction=fraction, phase="match", message="tile 3"))
    lines.show(a_job(State.CANCELLING, fraction=0.11))

    assert capsys.readouterr().err.splitlines() == [
        "running  10%  match: tile 3",
        "running  11%  match: tile 3",
        "cancelling  11%",
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ""),
        ({"phase": "match"}, "match"),
        ({"message": "tile 3"}, "tile 3"),
        ({"counters": {"roads": 1234.0, "km": 1.5}}, "1,234 roads, 1.500 km"),
        (
            {"phase": "match", "message": "tile 3", "counters": {"roads": 2}},
            "match: tile 3 (2 roads)",
        ),
    ],
)
def test_a_job_says_phase_message_and_counters(said: dict[str, Any], expected: str) -> None:
    assert sentence(a_job(**said)) == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"skipped": True}, "skipped"),
        ({"reused": True}, "taken over from the job before"),
        ({"problem": ProblemBody(Code.INVALID, "row 3 is bad")}, "row 3 is bad"),
        ({"parts": 1, "parts_done": 1}, ""),
    ],
)
def test_a_step_says_why_it_is_as_it_is(said: dict[str, Any], expected: str) -> None:
    assert step_sentence(a_step("match", **said)) == expected


def test_the_last_steps_are_those_that_nobody_needs() -> None:
    steps = (a_step("a"), a_step("b", needs=("a",)), a_step("c", needs=("a",)))

    assert last_steps(a_job(steps=steps)) == {"b", "c"}


def test_two_files_of_one_name_do_not_land_on_each_other(tmp_path: Any) -> None:
    artifacts = [
        Artifact(name="sum", filename="sum.txt", step="one"),
        Artifact(name="sum", filename="sum.txt", step="two"),
        Artifact(name="log", filename="../../etc/passwd", step="two"),
    ]

    found = [path for _, path in targets(artifacts, tmp_path)]

    assert len(set(found)) == 3
    assert {path.parent for path in found} == {tmp_path}


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.04, "0.0 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_a_span_has_at_most_two_units(seconds: float, expected: str) -> None:
    assert output.span(seconds) == expected


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (-1, ""),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (5 << 30, "5.0 GiB"),
        (1 << 41, "2.0 TiB"),
    ],
)
def test_a_size_is_in_the_unit_that_people_read(count: int, expected: str) -> None:
    assert output.size(count) == expected


def test_nested_statistics_become_dotted_names() -> None:
    values = {"roads": {"matched": 1234, "share": 0.5}, "mode": "fast", "ok": True, "bins": [1, 2]}

    assert output.flat(values) == {
        "roads.matched": "1,234",
        "roads.share": "0.500",
        "mode": "fast",
        "ok": "true",
        "bins": "[1,2]",
    }
