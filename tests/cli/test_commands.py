"""Every command against a real server: what it does, what it says, how it ends."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli.conftest import Haulier, Said

from haulier.cli.codes import Exit
from haulier.testing.server import Server

LIMIT_S = 30.0


def submitted(haulier: Haulier, *tokens: object) -> Mapping[str, Any]:
    """Start a job and give it."""
    said = haulier("submit", "TROUBLE", *tokens, "--json")
    assert said.code == Exit.OK, said.err
    job: Mapping[str, Any] = said.json
    return job


def test_a_job_is_watched_to_its_end_and_its_statistics_are_shown(haulier: Haulier) -> None:
    said = haulier("submit", "TROUBLE", "-p", "numbers=[1,2,39]", "-p", "parts=2", "--watch")

    assert said.code == Exit.OK
    assert " succeeded after " in said.out
    assert "parts  2" in said.out
    assert "succeeded 100%" in said.err


def test_a_local_file_is_uploaded_and_read(haulier: Haulier, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("10\n20\n")

    said = haulier("submit", "TROUBLE", "-i", "numbers.txt", "-p", "numbers=[12]", "--watch")
    number = said.out.split()[1]
    got = haulier("results", number, "-o", "got")

    assert said.code == Exit.OK
    assert got.code == Exit.OK, got.err
    assert (tmp_path / "got" / "sum.txt").read_text() == "42\n"


def test_a_job_that_fails_is_exit_code_1_and_the_reason(haulier: Haulier, tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("10\nten\n")

    said = haulier("submit", "TROUBLE", "--input", "input=numbers.txt", "--watch")

    assert said.code == Exit.FAILED
    assert " failed" in said.out
    assert "invalid: line 2 must be a number, got 'ten'" in said.err
    nothing = haulier("results", said.out.split()[1], "-o", "nothing")
    assert nothing.code == Exit.REFUSED
    assert "is failed and has no files" in nothing.err
    assert not (tmp_path / "nothing").exists()


def test_a_parameter_that_does_not_exist_is_refused_by_name(haulier: Haulier) -> None:
    said = haulier("submit", "TROUBLE", "-p", "numbres=[1]")

    assert said.code == Exit.REFUSED
    assert "numbres" in said.err


def test_a_word_that_is_no_choice_is_refused_with_the_choices(haulier: Haulier) -> None:
    tokens = ("-p", "overture_release=r", "-p", "input.storage=s", "-p", "input.filename=f")

    said = haulier("submit", "ROAD_MATCHING", *tokens, "-p", "mode=slow")

    assert said.code == Exit.REFUSED
    assert "mode must be one of accurate, fast, got 'slow'" in said.err


def test_a_job_that_nobody_has_is_not_found_by_any_of_its_names(haulier: Haulier) -> None:
    for name in ("987654321", "abcdef", "01a20274-e1e3-7c09-8563-000000000000"):
        assert haulier("show", name).code == Exit.NOT_FOUND


def test_a_process_that_does_not_exist_is_not_found(haulier: Haulier) -> None:
    assert haulier("submit", "TROUBEL").code == Exit.NOT_FOUND


def test_parameters_come_from_a_document_and_flags_win(haulier: Haulier, tmp_path: Path) -> None:
    (tmp_path / "params.json").write_text('{"numbers": [1], "parts": 3}')

    job = submitted(haulier, "--params", "@params.json", "-p", "parts=1", "--title", "mixed")
    ended = haulier("watch", job["number"], "--json").json

    assert ended["statistics"] == {"steps": 1, "parts": 1}
    assert ended["title"] == "mixed"


@pytest.fixture
def ended(haulier: Haulier) -> Mapping[str, Any]:
    """A job of two steps that has succeeded."""
    job = submitted(haulier, "-p", "steps=2")
    said = haulier("watch", job["id"], "--json")
    assert said.code == Exit.OK, said.err
    shown: Mapping[str, Any] = said.json
    return shown


def test_a_job_is_found_by_number_uuid_and_beginning(
    haulier: Haulier, ended: Mapping[str, Any]
) -> None:
    for name in (ended["number"], ended["id"], f"#{ended['number']}", ended["id"][:20]):
        assert haulier("show", name, "--json").json["job"]["id"] == ended["id"]


def test_show_tells_steps_timeline_statistics_and_artifacts(
    haulier: Haulier, ended: Mapping[str, Any]
) -> None:
    said = haulier("show", ended["number"])

    for word in ("add-0", "add-1", "Timeline", "submitted", "Statistics", "add-1.sum", "sum.txt"):
        assert word in said.out


def test_results_are_those_of_the_last_step_unless_all_are_asked(
    haulier: Haulier, ended: Mapping[str, Any], tmp_path: Path
) -> None:
    listed = haulier("results", ended["number"], "--json").json["artifacts"]
    last = haulier("results", ended["number"], "-o", "last", "--json").json
    every = haulier("results", ended["number"], "-o", "every", "--all", "--json").json

    assert [(one["step"], one["name"]) for one in listed] == [("add-1", "sum")]
    assert last == {"add-1.sum": "last/sum.txt"}
    assert sorted(every) == ["add-0.sum", "add-1.sum"]
    assert len({Path(path).name for path in every.values()}) == 2
    found = hashlib.sha256((tmp_path / "last" / "sum.txt").read_bytes()).hexdigest()
    assert found == listed[0]["sha256"]


def test_an_artifact_that_is_not_there_is_exit_code_6_and_those_that_are(
    haulier: Haulier, ended: Mapping[str, Any]
) -> None:
    named = haulier("results", ended["number"], "summ", "-o", "x")
    report = haulier("report", ended["number"])

    assert named.code == report.code == Exit.NOT_FOUND
    assert "has no artifact 'summ'; it has: add-0.sum, add-1.sum" in named.err
    assert "has no artifact 'report'" in report.err


def test_a_list_is_filtered_by_kind_state_and_time(
    haulier: Haulier, ended: Mapping[str, Any]
) -> None:
    def numbers(*tokens: object) -> list[int]:
        return [one["number"] for one in haulier("list", "--json", *tokens).json]

    assert numbers("-n", 1) == [ended["number"]]
    assert ended["number"] in numbers("--kind", "TROUBLE", "--state", "succeeded", "--hours", 1)
    assert ended["number"] not in numbers("--state", "failed")
    assert ended["number"] not in numbers("--kind", "QUICK")
    assert str(ended["number"]) in haulier("list").out


def test_a_cancelled_job_is_retried_from_where_it_stopped(haulier: Haulier, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = submitted(haulier, "-p", "act=wait", "-p", f"gate={gate}")

    haulier("cancel", job["number"])
    cancelled = haulier("watch", job["number"])
    gate.touch()
    again = haulier("retry", job["number"], "--watch", "--json")

    assert cancelled.code == Exit.FAILED
    assert f"job {job['number']} cancelled" in cancelled.out
    assert again.code == Exit.OK
    assert again.json["retry_of"] == job["id"]
    assert again.json["state"] == "succeeded"


def test_a_job_that_succeeded_is_not_retried(haulier: Haulier, ended: Mapping[str, Any]) -> None:
    said = haulier("retry", ended["number"])

    assert said.code == Exit.REFUSED
    assert "succeeded" in said.err


def test_watching_ends_after_its_time_and_the_job_goes_on(haulier: Haulier, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = submitted(haulier, "-p", "act=wait", "-p", f"gate={gate}")

    said = haulier("watch", job["number"], "--timeout", "0.2")
    gate.touch()

    assert said.code == Exit.TIMEOUT
    assert f"job {job['number']} is still " in said.err
    assert haulier("watch", job["number"]).code == Exit.OK


def test_a_removed_job_is_not_found_any_more(haulier: Haulier, ended: Mapping[str, Any]) -> None:
    assert haulier("remove", ended["number"]).code == Exit.OK
    assert haulier("show", ended["number"]).code == Exit.NOT_FOUND


def test_a_running_job_is_not_removed(haulier: Haulier, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    job = submitted(haulier, "-p", "act=wait", "-p", f"gate={gate}")

    said = haulier("remove", job["number"])
    gate.touch()

    assert said.code == Exit.REFUSED
    assert "cancel it first" in said.err
    assert haulier("watch", job["number"]).code == Exit.OK


def test_files_go_up_come_back_the_same_and_go(haulier: Haulier, tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    (tmp_path / "local.bin").write_bytes(content)

    stored = haulier("files", "put", "local.bin", "--name", "there.bin", "--json").json
    listed = haulier("files", "list", "--json").json
    got = haulier("files", "get", stored["storage"], "there.bin", "-o", "back.bin")
    removed = haulier("files", "remove", stored["storage"], "there.bin")

    assert stored["sha256"] == hashlib.sha256(content).hexdigest()
    assert "there.bin" in [one["filename"] for one in listed]
    assert (got.code, removed.code) == (Exit.OK, Exit.OK)
    assert (tmp_path / "back.bin").read_bytes() == content
    assert haulier("files", "get", stored["storage"], "there.bin").code == Exit.NOT_FOUND


def test_another_file_of_a_name_is_replaced_only_when_asked(
    haulier: Haulier, tmp_path: Path
) -> None:
    path = tmp_path / "twice.txt"
    path.write_text("one")
    haulier("files", "put", "twice.txt")
    path.write_text("two")

    refused = haulier("files", "put", "twice.txt", "--name", "twice.txt")
    beside = haulier("files", "put", "twice.txt", "--json").json
    replaced = haulier("files", "put", "twice.txt", "--replace", "--json").json

    assert refused.code == Exit.REFUSED
    assert beside["filename"].startswith("twice-")
    assert replaced["filename"] == "twice.txt"


def test_releases_are_added_listed_and_removed(haulier: Haulier, tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()

    added = haulier("releases", "add", "2026-01-21.0", "release", "--json").json
    listed = haulier("releases", "list").out
    removed = haulier("releases", "remove", "2026-01-21.0")

    assert added == {"name": "2026-01-21.0", "url": str(tmp_path / "release")}
    assert str(tmp_path / "release") in listed
    assert removed.code == Exit.OK
    assert haulier("releases", "remove", "2026-01-21.0").code == Exit.NOT_FOUND


def test_a_storage_of_one_s_own_is_a_place_for_files(haulier: Haulier, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "a.txt").write_text("a")

    haulier("storages", "add", "mine", (tmp_path / "mine").as_uri())
    said = haulier("files", "put", "a.txt", "mine")

    assert said.code == Exit.OK, said.err
    assert (tmp_path / "mine" / "a.txt").read_text() == "a"
    assert "mine" in haulier("storages", "list").out


def test_only_an_operator_s_key_names_places_that_the_operator_did_not_allow(
    haulier: Haulier, tmp_path: Path, server: Server
) -> None:
    secret = haulier("keys", "create", "guest", "--scope", "admin", "--json").json["secret"]
    far = "s3://somebody-elses-bucket/files"
    (tmp_path / "release").mkdir()

    for said in (
        haulier("storages", "add", "far", far, "--key", secret),
        haulier("releases", "add", "r", far, "--key", secret),
        haulier("releases", "add", "r", "/etc/passwd", "--key", secret),
    ):
        assert said.code == Exit.KEY
        assert "HAULIER_STORAGE_ROOTS" in said.err
    assert haulier("releases", "list", "--key", secret, "--json").json == []
    assert haulier("releases", "add", "r", "release", "--key", secret).code == Exit.OK
    assert haulier("storages", "add", "far", far).code == Exit.OK
    for key in ((), ("--key", secret)):  # below a root, and yet the server's own
        said = haulier("releases", "add", "r", server.data / "files" / "storages" / "main", *key)
        assert said.code == Exit.KEY
        assert "own files" in said.err


def refused_at_last(haulier: Haulier, *tokens: str) -> Said:
    """Ask until the server says no: it may remember a key for a second."""
    ends_at = time.monotonic() + LIMIT_S
    while (said := haulier(*tokens)).code == Exit.OK and time.monotonic() < ends_at:
        pass
    return said


def test_a_key_sees_its_organisation_only_and_nothing_once_it_is_revoked(
    haulier: Haulier, ended: Mapping[str, Any]
) -> None:
    made = haulier("keys", "create", "other", "--subject", "test", "--json").json
    key, secret = made["key"], made["secret"]

    elsewhere = haulier("show", ended["number"], "--key", secret)
    listed = haulier("list", "--key", secret, "--json").json
    shown = haulier("keys", "list", "other").out
    haulier("keys", "revoke", "other", key["id"])

    assert elsewhere.code == Exit.NOT_FOUND
    assert listed == []
    assert key["id"] in shown
    assert secret not in shown
    assert refused_at_last(haulier, "list", "--key", secret).code == Exit.KEY


def test_a_key_without_a_scope_is_told_which(haulier: Haulier) -> None:
    secret = haulier("keys", "create", "main", "--scope", "read").out.strip()

    said = haulier("submit", "TROUBLE", "--key", secret)

    assert said.code == Exit.KEY
    assert "this key lacks the scope 'write'" in said.err


def test_a_key_that_nobody_knows_is_exit_code_5(haulier: Haulier) -> None:
    assert haulier("list", "--key", "hlr_wrong").code == Exit.KEY


def test_describe_shows_inputs_with_type_and_default(haulier: Haulier) -> None:
    said = haulier("describe", "ROAD_MATCHING")

    for word in ("road-matching", "overture_release", "(needed)", "confidence_threshold", "60"):
        assert word in said.out
    assert "road-matching" in haulier("processes").out


def test_the_doctor_finds_a_running_server_well(haulier: Haulier) -> None:
    said = haulier("doctor", "--json")

    assert said.code == Exit.OK
    assert {one["check"]: one["status"] for one in said.json} | {"disk": "PASS"} == dict.fromkeys(
        ("python", "packages", "disk", "numba cache", "database", "storage", "worker", "clock"),
        "PASS",
    )


def test_the_doctor_says_that_there_is_no_database(haulier: Haulier, tmp_path: Path) -> None:
    said = haulier("doctor", "--data", tmp_path / "empty")

    assert said.code == Exit.FAILED
    assert "no database at" in said.out
    assert not (tmp_path / "empty").exists()


def test_an_operator_limits_jobs_and_an_organisation_cannot(
    haulier: Haulier, server: Server
) -> None:
    haulier("limits", "set", "geostat", "max_blocks", "1000000")
    haulier("limits", "set", "geostat", "max_blocks", "50", "--organisation", "small")

    everybodys = haulier("limits", "list", "--json").json
    smalls = haulier("limits", "list", "small", "--json").json
    assert [one["body"] for one in everybodys] == [{"max_blocks": 1_000_000}]
    assert [one["body"] for one in smalls] == [{"max_blocks": 50}]
    headers = {"authorization": f"Bearer {server.key}"}
    url = f"{server.url}/catalog/limits/geostat"
    seen = httpx.get(url, headers=headers, timeout=LIMIT_S)
    assert seen.json()["body"] == {"max_blocks": 1_000_000}
    refused = httpx.put(url, headers=headers, json={"max_blocks": 10**12}, timeout=LIMIT_S)
    assert refused.status_code == 403
    assert "operator" in refused.text
    assert haulier("limits", "set", "geostat", "max_blocks", "-1").code == Exit.USAGE


def test_every_family_is_made_ready_by_name(haulier: Haulier) -> None:
    said = haulier("warm")

    assert said.code == Exit.OK
    for name in ("geostat", "roads"):
        assert f"{name} is ready after" in said.err
