"""The context of one call: inputs, outputs, parts, values, and what is refused."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from haulier.core.artifact import FileRef
from haulier.core.family import Cancelled, JobResult, Part, PartResult, StepResult
from haulier.core.problem import Code, Problem, ProblemBody
from haulier.engine import calls
from haulier.engine.context import FINISHED, ChildContext
from haulier.engine.messages import Answer, Ask, Place, Report, Task
from haulier.testing.bench import Bench, opened
from haulier.testing.rogue import FAMILY


@dataclass
class Talk:
    """A channel that keeps what was said, and answers from a list."""

    answers: list[Answer] = field(default_factory=list)
    asked: list[Ask] = field(default_factory=list)
    said: list[Report] = field(default_factory=list)
    stopped: bool = False

    def say(self, report: Report) -> None:
        self.said.append(report)

    def ask(self, question: Ask) -> Answer:
        self.asked.append(question)
        return self.answers.pop(0)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with opened(tmp_path) as bench:
        yield bench


@pytest.fixture
def talk() -> Talk:
    return Talk()


def do(task: Task, talk: Talk) -> msgspec.Raw:
    return calls.do(task, ChildContext(task, talk), lambda name: {"rogue": FAMILY}[name]).result


def test_a_file_of_a_storage_is_read_where_it_is(bench: Bench, talk: Talk) -> None:
    bench.store.save("files/roads.gpkg", b"roads")
    context = ChildContext(bench.task("works"), talk)
    place = Place(bench.url, "files/roads.gpkg", "roads.gpkg")
    talk.answers = [Answer(place=place)] * 3

    path = context.read({"storage": "inbox", "filename": "roads.gpkg"})

    assert path == bench.store.local("files/roads.gpkg")
    assert context.read(FileRef("inbox", "roads.gpkg")) == path
    assert talk.asked[0] == Ask("file", "inbox", "roads.gpkg")


def test_an_artifact_has_the_suffix_that_tells_its_format(bench: Bench, talk: Talk) -> None:
    bench.store.save("jobs/1/results", b"rows")
    inputs = {"step:match.results": Place(bench.url, "jobs/1/results", "results.parquet")}
    context = ChildContext(msgspec.structs.replace(bench.task("works"), inputs=inputs), talk)

    path = context.read("step:match.results")

    assert path.name == "results.parquet"
    assert path.read_bytes() == b"rows"
    assert context.read("step:match.results") == path
    assert talk.asked == []


def test_a_missing_input_names_the_parameter_and_the_file(bench: Bench, talk: Talk) -> None:
    ref = {"storage": "inbox", "filename": "none.gpkg"}
    context = ChildContext(bench.task("works", layers=[{"source": ref}]), talk)
    talk.answers = [Answer(place=Place(bench.url, "files/none.gpkg", "none.gpkg"))]

    with pytest.raises(Problem) as caught:
        context.read(ref)

    assert caught.value.code is Code.NOT_FOUND
    assert caught.value.detail == "no file 'none.gpkg' in storage 'inbox'"
    assert caught.value.at == "layers[0].source"


def test_what_the_worker_refuses_is_raised_with_its_place(bench: Bench, talk: Talk) -> None:
    ref = {"storage": "outbox", "filename": "a"}
    context = ChildContext(bench.task("works", input=ref), talk)
    talk.answers = [Answer(problem=ProblemBody(Code.NOT_FOUND, "no storage 'outbox'"))]

    with pytest.raises(Problem) as caught:
        context.read(ref)

    assert (caught.value.code, caught.value.at) == (Code.NOT_FOUND, "input")


@pytest.mark.parametrize("value", [{"storage": "inbox"}, {"storage": 1, "filename": "x"}, 5, None])
def test_an_input_that_is_no_file_is_refused(bench: Bench, talk: Talk, value: object) -> None:
    with pytest.raises(Problem, match="an input must be a storage and a filename") as caught:
        ChildContext(bench.task("works"), talk).read(value)

    assert caught.value.code is Code.INVALID


def test_an_unknown_artifact_is_refused_with_those_there_are(bench: Bench, talk: Talk) -> None:
    with pytest.raises(Problem, match=r"no input 'step:a.b'; there are: none"):
        ChildContext(bench.task("works"), talk).read("step:a.b")


def test_merge_reads_the_files_of_every_part(bench: Bench, talk: Talk) -> None:
    parts = {}
    for key in ("a", "b"):
        task = msgspec.structs.replace(bench.task("works", text=key, call=key), part=Part(key))
        parts[key] = msgspec.msgpack.decode(do(task, talk), type=PartResult)

    task = msgspec.structs.replace(bench.task("works", "merge"), parts=parts)
    done = calls.do(task, ChildContext(task, talk), lambda _: FAMILY)

    result = msgspec.msgpack.decode(done.result, type=StepResult)
    assert result.values == {"parts": ["a", "b"], "step": "only"}
    (artifact,) = done.artifacts
    assert (artifact.name, artifact.filename, artifact.step) == ("all", "all.txt", "only")
    assert artifact.key == "jobs/1/1/only/all"
    assert bench.store.load(artifact.key) == b"a\nb"
    assert artifact.size_bytes == 3
    assert len(artifact.sha256) == 64


def test_a_part_that_somebody_has_finished_is_not_done_again(bench: Bench, talk: Talk) -> None:
    diary = bench.folder / "diary"
    bench.store.save("work/key/a-1/" + FINISHED, b'{"values":{"by":"another"}}')

    result = do(bench.task("segfaults", diary=str(diary)), talk)

    assert msgspec.msgpack.decode(result, type=PartResult).values == {"by": "another"}
    assert not diary.exists()


def test_a_missing_file_of_a_part_is_not_found(bench: Bench, talk: Talk) -> None:
    context = ChildContext(bench.task("works", "merge"), talk)

    with pytest.raises(Problem, match=r"no file 'rows\.txt' of part 'a'"):
        context.part_file("rows.txt", "a")
    with pytest.raises(Problem, match="no part 'c'; there are: a, b"):
        context.part_file("rows.txt", "c")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc/passwd", "a\\b", "\n"])
def test_no_name_leads_out_of_the_folder(bench: Bench, talk: Talk, name: str) -> None:
    context = ChildContext(bench.task("works", "merge"), talk)

    acts: list[Callable[[], Path]] = [
        lambda: context.write(name),
        lambda: context.write("x", filename=name or "/"),
        lambda: context.part_file(name, "a"),
    ]
    for act in acts:
        with pytest.raises(Problem) as caught:
            act()
        assert caught.value.code is Code.INVALID


def test_an_output_that_was_announced_and_not_written_is_named(bench: Bench, talk: Talk) -> None:
    with pytest.raises(Problem, match="'never' was announced, but no file was written") as caught:
        do(bench.task("works", "split", announce=True), talk)

    assert caught.value.code is Code.INTERNAL


@pytest.mark.parametrize(
    ("keys", "said"), [(["a", "a"], "two parts with the key 'a'"), (["a/b"], "'a/b'")]
)
def test_parts_that_cannot_be_told_apart_are_refused(
    bench: Bench, talk: Talk, keys: list[str], said: str
) -> None:
    with pytest.raises(Problem, match=said) as caught:
        do(bench.task("works", "split", keys=keys), talk)

    assert caught.value.code is Code.INTERNAL


def test_the_result_of_a_job_is_made_of_its_steps(talk: Talk) -> None:
    task = Task(action="summarise", family="rogue", kind="ROGUE", steps={"only": StepResult()})

    result = msgspec.msgpack.decode(do(task, talk), type=JobResult)

    assert result == JobResult({"kind": "ROGUE"}, {"steps": ["only"]})


def test_a_report_that_was_held_back_goes_out_with_the_end(bench: Bench, talk: Talk) -> None:
    context = ChildContext(bench.task("works"), talk)
    for number in range(1000):
        context.report(number / 1000)
    assert len(talk.said) < 500

    context.report(7.0, "last")
    context.flush()

    assert talk.said[-1] == Report(1.0, "last")


def test_a_cancelled_call_lets_go_at_its_next_check(bench: Bench, talk: Talk) -> None:
    context = ChildContext(bench.task("works"), talk)
    context.check()
    talk.stopped = True

    with pytest.raises(Cancelled):
        context.check()


@pytest.mark.parametrize("scratch", ["", ".", "relative"])
def test_no_file_is_written_into_a_folder_that_nobody_made(
    bench: Bench, talk: Talk, scratch: str
) -> None:
    task = msgspec.structs.replace(bench.task("works"), scratch=scratch)

    with pytest.raises(ValueError, match="the scratch folder must be absolute and exist"):
        ChildContext(task, talk).scratch()
