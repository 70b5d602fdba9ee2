"""Jobs of recipes, by a real worker: order, reuse, deliveries, failures, closings, webhooks."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from haulier.core.artifact import FileRef
from haulier.core.clock import SystemClock
from haulier.core.job import Job, Step, Submission
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Problem
from haulier.engine import webhooks
from haulier.engine.store import add_event
from haulier.testing.installation import FAULTS, STORAGE, Installation, opened
from haulier.testing.nursery import Nursery

FAMILIES = f"{FAULTS},haulier.testing.pipes:FAMILY"
MADE = {"id": "made", "type": "MAKE_NUMBERS", "inputs": {}}
TREE = {
    "id": "tree",
    "type": "GROW_TREE",
    "inputs": {"numbers": "step:made.numbers"},
    "params": {"depth": 1},
}


def add(
    id_: str = "total", *, takes: object = "step:made.numbers", **params: Any
) -> dict[str, Any]:
    taken = takes if isinstance(takes, list) else [takes]
    return {"id": id_, "type": "ADD_NUMBERS", "inputs": {"numbers": taken}, "params": params}


@pytest.fixture(scope="module")
def installation(module_database: tuple[Path, str], nursery: Nursery) -> Iterator[Installation]:
    """Give an installation with a worker, for all the tests of this file."""
    folder, url = module_database
    chosen: dict[str, Any] = {"families": FAMILIES, "webhook_hosts": "127.0.0.1"}
    with opened(folder, url, nursery, **chosen) as installation:
        installation.start()
        yield installation


@pytest.fixture
def here(installation: Installation, tmp_path: Path) -> Installation:
    """Give the installation with a diary and a gate for this test alone."""
    return replace(installation, diary=tmp_path / "diary", gate=tmp_path / "gate")


def submit(here: Installation, *steps: object, on_exit: object = None, **job: Any) -> Job:
    definition: dict[str, Any] = {"recipe": list(steps)} | ({"on_exit": on_exit} if on_exit else {})
    recipe = {"name": "r", "version": "1", "definition": definition}
    submission = Submission("RECIPE", {"recipe": recipe, **job})
    return here.services.jobs.submit(here.caller, submission)


def run(here: Installation, *steps: object, **job: Any) -> Job:
    return here.ended(submit(here, *steps, **job))


def steps_of(here: Installation, job: Job) -> dict[str, Step]:
    return {step.id: step for step in here.services.jobs.steps(here.caller, job.id)}


def text(here: Installation, job: Job, name: str) -> str:
    artifact = here.services.jobs.artifact(here.caller, job.id, name)
    return (here.services.storage.load(artifact.key) or b"").decode()


def delivered(here: Installation, path: str) -> str:
    place = here.services.files.place(here.caller.organisation, FileRef(STORAGE, path))
    return (place.store.load(place.key) or b"").decode()


def noted(here: Installation, job: Job, type_: str) -> list[dict[str, Any]]:
    lines = here.services.jobs.happenings(here.caller, job.id)
    return [dict(line.data) for line in lines if line.type == type_]


def test_steps_take_what_earlier_ones_and_the_caller_give(here: Installation) -> None:
    here.upload("take", b"100\n")
    both = add(takes=["step:made.numbers", "job:more"])
    given = {"job:more": {"type": "numbers", "uri": "take"}}

    job = run(here, both, MADE, inputs=given)

    assert (job.problem, job.state) == (None, State.SUCCEEDED)
    assert text(here, job, "total.sum") == "106\n"
    assert job.result == {"made": {"lines": 3}, "total": {"lines": 1}}


def test_passes_of_a_step_follow_each_other_and_give_a_folder(here: Installation) -> None:
    outputs = {"step:tree.tree": {"path": "trees/one"}}

    job = run(here, MADE, TREE, outputs=outputs)

    (tree,) = [one for one in here.services.jobs.artifacts(here.caller, job.id) if one.folder]
    assert (tree.step, tree.name, job.state) == ("tree", "tree", State.SUCCEEDED)
    assert delivered(here, "trees/one/b1/leaf.txt") == "leaf of 2\n"
    assert delivered(here, "trees/one/index.html") == "the root"
    assert steps_of(here, job)["tree"].fraction == 1.0
    here.services.jobs.remove(here.caller, job.id)
    assert not list((here.settings.data / "files" / "jobs").glob(f"{job.id}/*"))
    assert delivered(here, "trees/one/index.html") == "the root", "what was delivered stays"


def test_work_that_was_done_before_is_not_done_again(here: Installation) -> None:
    steps = (MADE, add(factor=7.0, diary=str(here.diary)))
    first = run(here, *steps)
    renamed = add("other", takes="step:again.numbers", factor=7.0, diary=str(here.diary))

    second = run(here, {**MADE, "id": "again"}, renamed)

    other = steps_of(here, second)["other"]
    assert (other.reused, other.counters) == (True, {"numbers": 1})
    assert text(here, second, "other.sum") == text(here, first, "total.sum") == "42\n"
    assert here.diary.read_text() == "total\n"
    here.services.jobs.remove(here.caller, first.id)
    assert text(here, second, "other.sum") == "42\n", "the file is of both"


def test_what_others_took_over_of_a_job_that_is_cancelled_stays_and_serves_nobody_else(
    here: Installation,
) -> None:
    made = {**MADE, "params": {"step": 17.0}}
    waits = add(act="wait", gate=str(here.gate), diary=str(here.diary))
    first = submit(here, made, waits)
    here.until(here.diary.exists, "the first job has made its numbers")
    second = run(here, made)

    here.services.jobs.cancel(here.caller, first.id)
    assert here.ended(first).state is State.CANCELLED

    assert steps_of(here, second)["made"].reused
    assert text(here, second, "made.numbers") == "17\n34\n51\n"
    here.services.jobs.remove(here.caller, second.id)
    third = run(here, made, add())
    assert (third.problem, steps_of(here, third)["made"].reused) == (None, False)


@pytest.mark.parametrize("cache", ["refresh", "off"])
def test_work_is_done_again_where_the_recipe_says_so(here: Installation, cache: str) -> None:
    step = add(factor=3.0, diary=str(here.diary))
    run(here, MADE, step)

    again = run(here, MADE, {**step, "cache": cache})
    after = run(here, MADE, step)

    assert not steps_of(here, again)["total"].reused
    assert steps_of(here, after)["total"].reused
    assert here.diary.read_text() == "total\n" * 2


def test_a_result_whose_file_was_changed_does_not_serve_again(here: Installation) -> None:
    step = add(factor=5.0, diary=str(here.diary))
    first = run(here, MADE, step)
    key = here.services.jobs.artifact(here.caller, first.id, "total.sum").key
    here.services.storage.save(key, b"31\n")

    second = run(here, MADE, step)

    assert not steps_of(here, second)["total"].reused
    assert text(here, second, "total.sum") == "30\n"


def test_a_file_that_changed_is_another_input(here: Installation) -> None:
    given = {"job:in": {"type": "numbers", "uri": "moving"}}
    for content, total in [(b"1\n2\n", "3\n"), (b"1\n5\n", "6\n")]:
        here.upload("moving", content)
        job = run(here, add(takes="job:in"), inputs=given)
        assert text(here, job, "total.sum") == total


def test_a_file_that_is_not_what_the_caller_said_fails_the_step(here: Installation) -> None:
    here.upload("checked", b"1\n")
    given = {"job:in": {"type": "numbers", "uri": "checked", "hash": "sha256:" + "0" * 64}}

    job = run(here, add(takes="job:in"), inputs=given)

    assert job.state is State.FAILED
    assert job.problem is not None
    assert (job.problem.code, job.problem.at) == (Code.INVALID, "inputs.job:in.hash")


def test_a_file_that_is_replaced_while_a_step_runs_gives_nothing(here: Installation) -> None:
    here.upload("swapped", b"1\n")
    given = {"job:in": {"type": "numbers", "uri": "swapped"}}
    waits = add(act="wait", gate=str(here.gate), diary=str(here.diary), takes="job:in")
    before = here.finished()

    job = submit(here, waits, inputs=given)
    here.until(here.diary.exists, "the part runs")
    here.upload("swapped", b"5\n")
    here.gate.touch()
    ended = here.ended(job)

    assert ended.problem is not None
    assert (ended.state, ended.problem.code) == (State.FAILED, Code.CONFLICT)
    assert ended.problem.at == "inputs.numbers[0]"
    assert "'swapped' was changed" in ended.problem.detail
    assert here.finished() == before, "no part is kept under the key of the file before"
    again = here.ended(here.services.jobs.retry(here.caller, job.id))
    assert text(here, again, "total.sum") == "5\n"


def test_only_what_needs_a_failed_step_is_skipped_and_the_job_falls_short(
    here: Installation,
) -> None:
    bad, below = add("bad", act="refuse"), add("below", takes="step:bad.sum")
    outputs = {"step:good.sum": {"path": "short/good"}, "step:below.sum": {"path": "short/below"}}

    job = run(here, MADE, bad, below, add("good", factor=11.0), outputs=outputs)

    found = steps_of(here, job)
    assert {id_: (step.state, step.skipped) for id_, step in found.items()} == {
        "made": (State.SUCCEEDED, False),
        "bad": (State.FAILED, False),
        "below": (State.FAILED, True),
        "good": (State.SUCCEEDED, False),
    }
    assert job.state is State.PARTIAL
    assert delivered(here, "short/good") == "66\n"
    assert [one["artifact"] for one in noted(here, job, "not_delivered")] == ["below.sum"]


def test_a_job_that_gave_nothing_of_what_it_is_for_has_failed(here: Installation) -> None:
    outputs = {"step:bad.sum": {"path": "none/bad"}}

    job = run(here, MADE, add("bad", act="refuse"), add("good"), outputs=outputs)

    assert job.state is State.FAILED


def test_a_job_may_succeed_without_an_optional_step(here: Installation) -> None:
    job = run(here, MADE, {**add("extra", act="refuse"), "optional": True}, add("good"))

    assert job.state is State.SUCCEEDED


def test_a_fatal_step_stops_the_others(here: Installation) -> None:
    waits = add("waits", act="wait", gate=str(here.gate))

    job = run(here, MADE, waits, {**add("bad", act="refuse"), "on_failure": "fail_job"})

    assert job.state is State.FAILED
    assert steps_of(here, job)["waits"].state is State.FAILED


def test_a_step_is_tried_again_as_often_as_the_recipe_says(here: Installation) -> None:
    once = add(act="once", gate=str(here.gate), diary=str(here.diary))
    tried = {**once, "retries": {"max": 2, "backoff_s": 0, "on": ["transient"]}, "cache": "off"}

    job = run(here, MADE, tried)

    assert job.state is State.SUCCEEDED
    assert here.gate.exists()


def test_a_step_that_takes_too_long_is_ended(here: Installation) -> None:
    slow = {**add(act="wait", gate=str(here.gate)), "timeout_s": 0.5}

    job = run(here, MADE, slow)

    assert job.problem is not None
    assert (job.state, job.problem.code) == (State.FAILED, Code.TIMEOUT)


@pytest.mark.parametrize(
    ("overwrite", "state", "paths"),
    [
        ("replace", State.SUCCEEDED, {"result.txt": "6\n"}),
        ("version", State.SUCCEEDED, {"result.txt": "old", "result-2.txt": "6\n"}),
        ("error", State.FAILED, {"result.txt": "old"}),
    ],
)
def test_what_is_at_the_place_of_a_delivery_is_treated_as_the_caller_says(
    here: Installation, overwrite: str, state: State, paths: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path.name
    key = FileRef(STORAGE, f"{folder}/result.txt")
    store, prefix = here.services.files._places.file("main", key.storage, key.filename)
    store.save(prefix, b"old")
    outputs = {"step:total.sum": {"path": key.filename, "overwrite": overwrite}}

    job = run(here, MADE, add(), outputs=outputs)

    assert job.state is state
    for name, content in paths.items():
        assert delivered(here, f"{folder}/{name}") == content


def test_a_retry_from_a_step_does_it_again_and_keeps_what_came_before(here: Installation) -> None:
    steps = (MADE, add(factor=13.0, diary=str(here.diary)), add("next", takes="step:total.sum"))
    first = run(here, *steps)

    again = here.ended(here.services.jobs.retry(here.caller, first.id, from_step="total"))

    found = steps_of(here, again)
    assert (found["made"].reused, found["total"].reused) == (True, False)
    assert here.diary.read_text() == "total\n" * 2
    assert text(here, again, "next.sum") == "78\n"
    with pytest.raises(Problem, match="from must be a step of the job, made, total, next"):
        here.services.jobs.retry(here.caller, first.id, from_step="nope")


def test_a_retry_takes_nothing_over_that_was_made_of_another_content(here: Installation) -> None:
    here.upload("mended", b"1\n")
    given = {f"job:{name}": {"type": "numbers", "uri": name} for name in ("mended", "missing")}
    first = add("first", takes="job:mended", factor=19.0, diary=str(here.diary))
    both = add("both", takes=["job:mended", "job:missing", "step:first.sum"])
    old = run(here, first, both, inputs=given)
    assert (old.state, steps_of(here, old)["first"].state) == (State.FAILED, State.SUCCEEDED)
    here.upload("mended", b"10\n")
    here.upload("missing", b"0\n")

    retried = here.ended(here.services.jobs.retry(here.caller, old.id))
    again = here.ended(here.services.jobs.retry(here.caller, retried.id, from_step="both"))
    third = here.ended(here.services.jobs.retry(here.caller, again.id, from_step="both"))
    here.upload("mended", b"20\n")
    last = here.ended(here.services.jobs.retry(here.caller, third.id, from_step="both"))

    jobs = (retried, again, third, last)
    assert [text(here, job, "both.sum") for job in jobs] == ["200\n"] * 3 + ["400\n"]
    assert [steps_of(here, job)["first"].reused for job in jobs] == [False, True, True, False]
    assert here.diary.read_text() == "first\n" * 3


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], list[int]]]:
    """Give a server that notes what it is sent, and answers as it is told, then 204."""
    sent: list[tuple[dict[str, str], bytes]] = []
    answers: list[int] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            sent.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(answers.pop(0) if answers else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            del format, args

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook", sent, answers
    server.shutdown()
    thread.join()
    server.server_close()


def hook(url: str) -> dict[str, Any]:
    waits = {"waits_for": "step:total.sum"}
    return {"id": "hook", "type": "CALL_WEBHOOK", "inputs": waits, "params": {"webhook_url": url}}


@pytest.mark.parametrize(("act", "state"), [("add", "successful"), ("refuse", "failed")])
def test_a_webhook_tells_how_the_job_ended_whatever_the_end(
    here: Installation,
    receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]],
    act: str,
    state: str,
) -> None:
    url, sent, _ = receiver

    job = run(here, MADE, add(act=act), on_exit=hook(url))

    ((headers, body),) = sent
    told = json.loads(body)
    assert (told["jobID"], told["status"]) == (str(job.id), state)
    secret = webhooks.secret_of(here.services.catalog, here.caller.organisation)
    assert headers[webhooks.SIGNATURE] == webhooks.signature(secret, body)
    assert steps_of(here, job)["hook"].state is State.SUCCEEDED


def test_a_webhook_that_is_not_taken_is_tried_again_and_each_try_is_noted(
    here: Installation, receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]]
) -> None:
    url, sent, answers = receiver
    answers += [500]

    job = run(here, MADE, add(), on_exit=hook(url))

    assert [one["status"] for one in noted(here, job, "webhook")] == [500, 204]
    assert len({headers["idempotency-key"] for headers, _ in sent}) == 1


def test_a_webhook_that_may_not_be_called_changes_nothing_but_its_own_step(
    here: Installation,
) -> None:
    job = run(here, MADE, add(), on_exit=hook("http://169.254.169.254/latest"))

    step = steps_of(here, job)["hook"]
    assert (job.state, step.state) == (State.SUCCEEDED, State.FAILED)
    assert step.problem is not None
    assert "HAULIER_WEBHOOK_HOSTS" in step.problem.detail


def test_a_webhook_among_the_steps_waits_for_the_end_of_a_step_however_it_ended(
    here: Installation, receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]]
) -> None:
    url, sent, _ = receiver

    job = run(here, MADE, {**add(act="refuse"), "optional": True}, hook(url))

    assert (job.state, len(sent)) == (State.SUCCEEDED, 1)
    silent = run(here, MADE, add(), on_exit=hook(""))
    assert (silent.state, len(sent)) == (State.SUCCEEDED, 1), "nobody is to be called"
    nowhere = run(here, MADE, add("other"), {**hook("http://169.254.1.1/"), "inputs": {}})
    assert nowhere.state is State.SUCCEEDED


@pytest.mark.chaos
def test_a_killed_worker_costs_a_recipe_no_finished_step(here: Installation) -> None:
    waits = add("waits", takes="step:total.sum", act="wait", gate=str(here.gate))
    job = submit(here, MADE, {**add(diary=str(here.diary)), "cache": "off"}, waits)
    here.until(lambda: steps_of(here, job)["waits"].state is State.RUNNING, "it waits")
    here.kill()
    here.start()
    here.gate.touch()

    ended = here.ended(job)

    assert (ended.state, here.diary.read_text()) == (State.SUCCEEDED, "total\n")


@pytest.mark.parametrize("needed", ["waits", "bad"])
def test_closing_steps_come_after_a_fatal_failure_too(
    here: Installation,
    receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]],
    needed: str,
) -> None:
    url, sent, _ = receiver
    waits = add("waits", act="wait", gate=str(here.gate))
    bad = {**add("bad", act="refuse"), "on_failure": "fail_job"}
    closing = [add("last", takes=f"step:{needed}.sum"), {**hook(url), "inputs": {}}]

    job = run(here, MADE, waits, bad, on_exit=closing)

    assert job.problem is not None
    assert (job.state, job.problem.code, len(sent)) == (State.FAILED, Code.INVALID, 1)
    assert steps_of(here, job)["last"].skipped


def test_a_webhook_tells_that_the_time_was_up(
    here: Installation, receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]]
) -> None:
    url, sent, _ = receiver
    steps = [MADE, add(act="wait", gate=str(here.gate))]
    recipe = {"name": "r", "version": "1", "definition": {"recipe": steps, "on_exit": hook(url)}}
    late = Submission("RECIPE", {"recipe": recipe}, timeout_s=1.0)

    job = here.ended(here.services.jobs.submit(here.caller, late))

    assert job.problem is not None
    assert (job.state, job.problem.code) == (State.FAILED, Code.TIMEOUT)
    assert [json.loads(body)["status"] for _, body in sent] == ["failed"]


def test_a_webhook_tells_that_the_job_was_cancelled_after_its_steps_have_ended(
    here: Installation, receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]]
) -> None:
    url, sent, _ = receiver
    waits = add(act="wait", gate=str(here.gate), diary=str(here.diary))
    job = submit(here, MADE, waits, on_exit=hook(url))
    here.until(here.diary.exists, "the step runs")

    here.services.jobs.cancel(here.caller, job.id)

    assert here.ended(job).state is State.CANCELLED
    assert [json.loads(body)["status"] for _, body in sent] == ["dismissed"]
    states = {id_: step.state for id_, step in steps_of(here, job).items()}
    assert (states["total"], states["hook"]) == (State.CANCELLED, State.SUCCEEDED)
    here.until_clean(job)


def test_a_closing_step_without_end_does_not_hold_a_cancel_up_for_ever(here: Installation) -> None:
    here.upload("closing", b"1\n")
    waits = {"act": "wait", "gate": str(here.gate)}
    first = add(diary=str(here.diary), **waits)
    endless = add("endless", takes="job:in", **waits)
    given = {"job:in": {"type": "numbers", "uri": "closing"}}
    job = submit(here, MADE, first, on_exit=endless, inputs=given)
    here.until(here.diary.exists, "the step runs")

    here.services.jobs.cancel(here.caller, job.id)
    here.until(lambda: steps_of(here, job)["endless"].state is State.RUNNING, "it closes")

    assert steps_of(here, job)["total"].state is State.CANCELLED, "whoever is told finds it ended"
    assert here.ended(job).state is State.CANCELLED
    assert steps_of(here, job)["endless"].state is State.CANCELLED


def test_a_cancel_that_comes_with_the_closing_steps_is_what_they_tell_from_then_on(
    here: Installation, receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]]
) -> None:
    url, sent, answers = receiver
    answers += [500]
    job = submit(here, MADE, add(), on_exit=hook(url))
    here.until(lambda: len(sent) > 0, "the webhook is called")

    here.services.jobs.cancel(here.caller, job.id)

    assert here.ended(job).state is State.CANCELLED
    assert [json.loads(body)["status"] for _, body in sent] == ["successful", "dismissed"]


@pytest.mark.chaos
def test_a_webhook_tells_of_a_cancel_although_the_worker_of_the_job_is_gone(
    here: Installation, receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]]
) -> None:
    url, sent, _ = receiver
    waits = add(act="wait", gate=str(here.gate), diary=str(here.diary))
    job = submit(here, MADE, waits, on_exit=hook(url))
    here.until(here.diary.exists, "the step runs")
    here.kill()
    here.services.jobs.cancel(here.caller, job.id)
    here.start()

    assert here.ended(job).state is State.CANCELLED
    assert [json.loads(body)["status"] for _, body in sent] == ["dismissed"]


@pytest.mark.chaos
def test_what_closes_a_cancelled_job_knows_what_a_dead_worker_has_finished(
    here: Installation,
) -> None:
    waits = {"act": "wait", "gate": str(here.gate)}
    job = submit(here, MADE, add(diary=str(here.diary), **waits), on_exit=add("last", **waits))
    here.until(here.diary.exists, "the second step runs")
    here.until(lambda: steps_of(here, job)["total"].fraction > 0, "so far is written")
    before = here.job(job).progress
    here.kill()
    here.services.jobs.cancel(here.caller, job.id)
    here.start()
    here.until(lambda: steps_of(here, job)["last"].fraction > 0, "it closes")
    after = here.job(job).progress
    here.gate.touch()

    assert here.ended(job).state is State.CANCELLED
    assert steps_of(here, job)["last"].state is State.SUCCEEDED
    assert after.counters == before.counters == {"numbers": 3}


def test_a_job_that_falls_short_says_which_step_failed_and_why(here: Installation) -> None:
    bad, below = add("bad", act="refuse"), add("below", takes="step:bad.sum")
    outputs = {"step:good.sum": {"path": "why/good"}, "step:below.sum": {"path": "why/below"}}

    job = run(here, MADE, bad, below, add("good"), outputs=outputs)

    assert job.problem is not None
    assert job.problem.detail == "numbers must be even, got 1"


@pytest.mark.parametrize(
    ("there", "outputs", "said"),
    [
        ("spared/mbes.txt", {"step:tree.tree": {"path": "spared"}}, "such as 'mbes.txt'"),
        ("folder/x", {"step:made.numbers": {"path": "folder"}}, "is a folder, and no file"),
        ("file", {"step:made.numbers": {"path": "file/x"}}, "'file' in storage"),
        ("plain", {"step:tree.tree": {"path": "plain"}}, "is a file, and no folder"),
    ],
)
def test_a_delivery_takes_the_place_of_nothing_that_is_something_else(
    here: Installation, there: str, outputs: dict[str, Any], said: str
) -> None:
    here.upload(there, b"1\n")

    job = run(here, MADE, TREE, outputs=outputs)

    assert job.problem is not None
    assert (job.state, job.problem.code) == (State.FAILED, Code.CONFLICT)
    assert said in job.problem.detail
    assert str(here.settings.data) not in job.problem.detail
    assert delivered(here, there) == "1\n"


def test_a_folder_is_replaced_by_a_later_one_whole(here: Installation) -> None:
    outputs = {"step:tree.tree": {"path": "twice"}}
    run(here, MADE, TREE, outputs=outputs)
    here.upload("twice/b1/old.txt", b"of the first")

    job = run(here, MADE, TREE, outputs=outputs)

    assert job.state is State.SUCCEEDED
    assert not here.services.files.taken("main", FileRef(STORAGE, "twice/b1/old.txt"))
    assert delivered(here, "twice/b1/leaf.txt") == "leaf of 2\n"


@pytest.mark.chaos
@pytest.mark.parametrize("overwrite", ["error", "version"])
def test_a_worker_killed_in_a_delivery_goes_on_with_it(here: Installation, overwrite: str) -> None:
    path = f"killed/{overwrite}.txt"
    waits = add("waits", act="wait", gate=str(here.gate))
    outputs = {"step:waits.sum": {"path": path, "overwrite": overwrite}}
    job = submit(here, MADE, waits, outputs=outputs)
    here.until(lambda: steps_of(here, job)["waits"].state is State.RUNNING, "it waits")
    here.kill()
    # As it is when a worker dies between the copy and the line that says that it is made.
    data = {"artifact": "waits.sum", "storage": STORAGE, "filename": path}
    with here.services.engine.begin() as connection:
        add_event(connection, job.id, "delivering", data, SystemClock().now())
    here.upload(path, b"half")
    here.gate.touch()
    here.start()

    ended = here.ended(job)

    assert (ended.problem, ended.state) == (None, State.SUCCEEDED)
    assert delivered(here, path) == "6\n"
    assert noted(here, job, "delivered") == [data]
