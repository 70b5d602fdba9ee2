"""The plugin holds to Haulier's public suites, and counts what is there."""

import random
from collections import Counter
from pathlib import Path

import pytest
from haulier_words import dialect, family
from haulier_words.method import count_words
from haulier_words.ranges import LONGEST_BYTES, split_at, texts

from haulier.core.job import Job
from haulier.core.problem import Code, Problem
from haulier.testing.context import World, run_job
from haulier.testing.dialect_suite import DialectSuite
from haulier.testing.family_suite import FamilySuite, Refused, Sample

TEXT = "Der Fluß, der FLUSS - l\u2019eau d'été.\n日本 日本\t don't stop_here 3 " * 400
INPUT = {"storage": "storage-001", "filename": "book.txt"}


def put(world: World, content: bytes) -> None:
    """Put the text where the parameters say."""
    folder = world.folder / "storage"
    folder.mkdir(parents=True)
    (folder / "book.txt").write_bytes(content)
    world.storages["storage-001"] = folder


class TestFamily(FamilySuite):
    """The family holds to the public suite."""

    family = family.FAMILY
    samples = (
        Sample("text", "WORD_COUNT", {"input": INPUT}, lambda it: put(it, TEXT.encode())),
        Sample(
            "many-parts",
            "WORD_COUNT",
            {"input": INPUT, "part_kib": 1},
            lambda it: put(it, TEXT.encode()),
        ),
        Sample("empty", "WORD_COUNT", {"input": INPUT}, lambda it: put(it, b"")),
    )
    refused = (
        Refused("WORD_COUNT", {}, names="input"),
        Refused("WORD_COUNT", {"input": INPUT, "top": 0}, names="top"),
        Refused("WORD_COUNT", {"input": INPUT, "part_kib": "4"}, names="part_kib"),
        Refused("WORD_COUNT", {"input": {"storage": "s", "filename": "a/b"}}, names="filename"),
    )


class TestDialect(DialectSuite):
    """The dialect holds to the public suite."""

    dialect = dialect.DIALECT

    def path_of(self, job: Job) -> str:
        """Give where the wire shows a job."""
        return f"/words/counts/{job.number}"


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", {}),
        ("Straße STRASSE strasse", {"strasse": 3}),
        ("don't l\u2019eau 'quoted'", {"don't": 1, "l\u2019eau": 1, "quoted": 1}),
        ("日本 snake_case 3.5", {"日本": 1, "snake": 1, "case": 1, "3": 1, "5": 1}),
    ],
)
def test_words_are_counted_as_people_would(text: str, counts: dict[str, int]) -> None:
    assert count_words(text) == counts


@pytest.mark.parametrize("part_bytes", [1, 2, 3, 7, 100, 10_000_000])
def test_however_a_text_is_cut_each_word_counts_once(tmp_path: Path, part_bytes: int) -> None:
    chance = random.Random(part_bytes)  # noqa: S311 -- a test's text
    text = "".join(chance.choices("aß日 \n", k=2000))
    path = tmp_path / "text"
    path.write_bytes(text.encode())

    found: Counter[str] = Counter()
    for start, end in split_at(path.stat().st_size, part_bytes):
        for piece, _ in texts(path, start, end):
            found.update(count_words(piece))

    assert found == count_words(text)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"good " * 20_000 + b"b\xe9d", "the byte 0xe9 at byte 100001"),
        (b"x" * (LONGEST_BYTES * 2), "without at byte 0"),
    ],
)
def test_what_is_no_text_is_refused_with_the_place(
    tmp_path: Path, content: bytes, said: str
) -> None:
    world = World(tmp_path)
    put(world, content)

    with pytest.raises(Problem, match=said) as caught:
        run_job(family.FAMILY, "WORD_COUNT", {"input": INPUT, "part_kib": 16}, world)

    assert (caught.value.code, caught.value.at) == (Code.INVALID, "input")


def test_the_result_names_the_commonest_words_and_the_table_has_all(tmp_path: Path) -> None:
    world = World(tmp_path)
    put(world, b"b a b c b a")

    done = run_job(family.FAMILY, "WORD_COUNT", {"input": INPUT, "top": 2}, world)

    assert done.statistics == {"num_words": 6, "num_distinct_words": 3}
    assert [tuple(each) for each in done.result["top"]] == [("b", 3), ("a", 2)]
    table = world.outputs["step:count.words"].path.read_text()
    assert table == "word,count\nb,3\na,2\nc,1\n"
