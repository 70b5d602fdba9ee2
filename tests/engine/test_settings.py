"""What a process refuses to start with: values out of range, and databases that are none."""

import ctypes
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from haulier import app
from haulier.config import BOUNDS, Settings, load
from haulier.core.problem import Code, Problem
from haulier.engine.database import VERSION_TABLE, connect
from haulier.engine.parts import child_environment
from haulier.engine.registry import installed
from haulier.engine.worker import Worker

CLIMBS = ("..", ".", "a/b", "/a", "a\x00b")


def said_of(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> Problem:
    monkeypatch.setenv(f"HAULIER_{name.upper()}", value)
    with pytest.raises(Problem) as caught:
        load()
    return caught.value


def test_every_number_among_the_settings_has_bounds() -> None:
    numbers = {name for name, value in defaults().items() if type(value) in {int, float}}
    assert set(BOUNDS) == numbers


def defaults() -> dict[str, object]:
    made = Settings()
    return {name: getattr(made, name) for name in Settings.__dataclass_fields__}


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_a_number_out_of_its_bounds_is_refused_with_bounds_and_value(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    least, most = BOUNDS[name]
    for value in (least - 1, most + 1):
        problem = said_of(name, str(value), monkeypatch)
        assert (problem.code, problem.at) == (Code.INVALID, name)
        for told in (f"HAULIER_{name.upper()}", f"{least:,} to {most:,}", f"got {value}"):
            assert told in problem.detail
    monkeypatch.setenv(f"HAULIER_{name.upper()}", str(least))
    assert getattr(load(), name) == least


@pytest.mark.parametrize("name", ["poll_s", "dead_after_s", "part_silent_s", "keep_work_h"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
def test_a_time_that_is_no_time_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said_of(name, value, monkeypatch).at == name


def test_an_argument_is_held_to_the_same_bounds() -> None:
    with pytest.raises(Problem, match="HAULIER_PORT must be 0 to 65,535, got 70000") as caught:
        load({"port": 70_000, "processes": -1})
    assert [fault.at for fault in caught.value.faults] == ["port", "processes"]


def test_a_level_that_logging_does_not_know_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "debug, info" in said_of("log_level", "loud", monkeypatch).detail


@pytest.mark.parametrize("name", [each for each in CLIMBS if "\x00" not in each])
def test_a_worker_may_not_be_named_as_a_folder_elsewhere(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said_of("worker_name", name, monkeypatch).at == "worker_name"


@pytest.mark.parametrize("name", CLIMBS)
def test_a_worker_whose_name_climbs_empties_nothing(name: str, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", worker_name=name)
    app.prepare(settings)
    (settings.scratch / "other").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Problem) as caught:
        app.run_worker(settings)
    assert caught.value.at == "worker_name"
    worker = Worker(settings, installed(""), lambda _: b"")
    with pytest.raises(Problem):
        worker._tidy()
    worker._engine.dispose()
    assert set(before) <= set(tmp_path.rglob("*"))


def test_a_worker_does_not_empty_what_a_link_in_its_place_leads_to(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", worker_name="one")
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("x", "utf-8")
    settings.scratch.mkdir(parents=True)
    (settings.scratch / "one").symlink_to(tmp_path / "precious")
    worker = Worker(settings, installed(""), lambda _: b"")
    with pytest.raises(Problem, match="must lie right below"):
        worker._tidy()
    worker._engine.dispose()
    assert (tmp_path / "precious" / "file").exists()


def test_a_worker_empties_its_own_folder_and_no_other(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", worker_name="one")
    for name in ("one", "two"):
        (settings.scratch / name / "left").mkdir(parents=True)
    worker = Worker(settings, installed(""), lambda _: b"")
    worker._tidy()
    worker._engine.dispose()
    assert [path.name for path in settings.scratch.rglob("left")] == ["left"]
    assert (settings.scratch / "two" / "left").is_dir()
    assert list((settings.scratch / "one").iterdir()) == []


SECRETS = (
    "PGPASSWORD",
    "PGHOST",
    "DATABASE_URL",
    "DBOS_SYSTEM_DATABASE_URL",
    "POSTGRES_PASSWORD",
    "HAULIER_DATABASE_URL",
)


def test_a_child_gets_what_opens_stores_and_nothing_that_opens_the_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = ("AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "PATH")
    for name in (*SECRETS, *kept[:3]):
        monkeypatch.setenv(name, "secret")
    given = child_environment("one", tmp_path, "")
    assert set(kept) <= set(given)
    assert not set(SECRETS) & set(given)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_a_worker_is_closed_to_other_processes_and_its_children_are_not(tmp_path: Path) -> None:
    told = "import ctypes; print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), flush=True)"
    code = f"from haulier import app; app.close_to_others(); {told}; import subprocess, sys; "
    code += f"subprocess.run([sys.executable, '-c', {told!r}], check=True)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["0", "1"], done.stderr
    assert ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) == 1, "this process went on as it was"


def test_a_file_that_is_no_database_is_refused_in_a_sentence(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    (tmp_path / "haulier.db").write_bytes(os.urandom(8192))
    with pytest.raises(Problem, match="cannot be used: file is not a database") as caught:
        app.prepare(settings)
    assert (caught.value.code, caught.value.at) == (Code.INVALID, "database_url")


def test_a_database_of_a_later_version_is_refused_in_a_sentence(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    app.prepare(settings)
    engine = connect(settings.database)
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608 -- a constant
    engine.dispose()
    with pytest.raises(Problem, match="9999") as caught:
        app.prepare(settings)
    assert caught.value.code is Code.INVALID


def test_a_database_that_is_away_is_unavailable_and_its_password_untold(tmp_path: Path) -> None:
    url = "postgresql://me:secret@127.0.0.1:1/none?connect_timeout=1"
    with pytest.raises(Problem) as caught:
        app.prepare(replace(Settings(data=tmp_path), database_url=url))
    assert caught.value.code is Code.UNAVAILABLE
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@host/db",
        "mysql://host/db?password=secret",
        "postgres:/me:secret@host",
        "sqlite:///:memory:?key=secret",
    ],
)
def test_a_refused_url_does_not_show_its_password(url: str) -> None:
    with pytest.raises(Problem) as caught:
        connect(url)
    assert "secret" not in caught.value.detail
    assert url.partition(":")[0] in caught.value.detail
