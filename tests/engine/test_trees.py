"""Folders in stores: published, fetched, delivered and removed as one thing."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from haulier.core.artifact import Artifact, FileRef, tree_hash
from haulier.core.clock import SystemClock
from haulier.core.family import Cancelled
from haulier.core.problem import Code, Problem
from haulier.engine import trees
from haulier.engine.catalog import Catalog
from haulier.engine.files import Files
from haulier.engine.reach import Reach
from haulier.engine.storage import Storage

LAST = {"ept.json": b"{}", "ept-data/0-0-0-0.laz": b"root", "ept-data/1-0-0-0.laz": b"child"}


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """Give a store of each kind."""
    if request.param == "bucket":
        return Storage("memory://")
    return Storage((tmp_path / "store").as_uri())


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Give a way to write a folder."""

    def write(files: dict[str, bytes], name: str = "made") -> Path:
        for path, content in files.items():
            target = tmp_path / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return tmp_path / name

    return write


def content(store: Storage, prefix: str) -> dict[str, bytes | None]:
    """Give what lies below a prefix."""
    return {name: store.load(f"{prefix}/{name}") for name in trees.names(store, prefix)}


def test_a_folder_is_published_with_all_its_files_and_its_hash(
    store: Storage, make: Callable[..., Path]
) -> None:
    folder = make(LAST)

    tree = trees.adopt(store, folder, "jobs/1/1/build/ept")

    assert content(store, "jobs/1/1/build/ept") == LAST
    assert tree.size_bytes == sum(map(len, LAST.values()))
    assert tree.sha256 == trees.hash_of(store, "jobs/1/1/build/ept")


def test_the_list_of_the_files_is_published_last(make: Callable[..., Path]) -> None:
    folder = make({**LAST, "zzz/last": b"", "ept-data/ept.json": b"no root"})

    names = [path.relative_to(folder).as_posix() for path in trees.in_order(folder)]

    assert names[-1] == "ept.json"
    assert sorted(names) == sorted([*LAST, "zzz/last", "ept-data/ept.json"])


def test_a_folder_is_fetched_whole(
    store: Storage, make: Callable[..., Path], tmp_path: Path
) -> None:
    trees.adopt(store, make(LAST), "a/b")
    (tmp_path / "here").mkdir()

    found = trees.fetch(store, "a/b", tmp_path / "here")

    for path, expected in LAST.items():
        assert (found / path).read_bytes() == expected


def test_a_folder_that_is_not_there_or_empty_is_refused(store: Storage, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(Problem) as gone:
        trees.fetch(store, "nothing", tmp_path)
    with pytest.raises(Problem, match="is empty"):
        trees.adopt(store, tmp_path / "empty", "a")

    assert gone.value.code is Code.NOT_FOUND


def test_a_link_in_a_folder_is_refused(make: Callable[..., Path]) -> None:
    folder = make({"a": b"1"})
    (folder / "b").symlink_to("/etc/passwd")

    with pytest.raises(Problem, match="must be a plain file"):
        trees.adopt(Storage("memory://"), folder, "a")


@pytest.mark.parametrize("change", ["name", "content", "more"])
def test_the_hash_of_a_folder_tells_every_change(change: str) -> None:
    files = [("a", 1, "00"), ("b", 2, "11")]
    other = {
        "name": [("a", 1, "00"), ("c", 2, "11")],
        "content": [("a", 1, "00"), ("b", 2, "22")],
        "more": [*files, ("c", 0, "33")],
    }[change]

    assert tree_hash(files) == tree_hash(reversed(files))
    assert tree_hash(files) != tree_hash(other)


def test_the_entity_tag_of_a_folder_follows_its_files(
    store: Storage, make: Callable[..., Path]
) -> None:
    trees.adopt(store, make(LAST), "a")
    before = trees.etag(store, "a")

    store.save("a/ept-data/1-0-0-0.laz", b"another")

    assert before
    assert trees.etag(store, "a") != before
    assert trees.etag(store, "nothing") == ""


def test_a_folder_is_delivered_in_the_place_of_an_older_one(
    database: sa.Engine, make: Callable[..., Path], tmp_path: Path
) -> None:
    own = Storage((tmp_path / "own").as_uri())
    files = Files(database, own, Catalog(database, SystemClock(), Reach([])), SystemClock())
    files.ensure("acme", "results")
    ref = FileRef("results", "piney/ept")
    for name, made in [("old", {**LAST, "ept-data/2-0-0-0.laz": b"old"}), ("new", LAST)]:
        tree = trees.adopt(own, make(made, name), f"jobs/1/1/build/{name}")
        key = f"jobs/1/1/build/{name}"
        given = Artifact("ept", "ept", "", tree.size_bytes, tree.sha256, key, folder=True)
        files.deliver("acme", given, ref)

    place = files.place("acme", ref)

    assert place.folder
    assert content(place.store, place.key) == LAST
    assert files.hash_of("acme", ref) == tree.sha256
    assert content(own, "jobs/1/1/build/new") == LAST, "the artifact stays"


def test_a_folder_is_removed_with_all_its_files_and_nothing_beside_it(
    store: Storage, make: Callable[..., Path]
) -> None:
    trees.adopt(store, make(LAST), "a/ept")
    store.save("a/ept2", b"another's")

    trees.discard(store, "a/ept")

    assert not trees.exists(store, "a/ept")
    assert store.load("a/ept2") == b"another's"


def test_two_that_copy_to_one_place_leave_one_folder_and_no_mixture(
    store: Storage, make: Callable[..., Path]
) -> None:
    for name in ("one", "two"):
        files = {f"ept-data/{number}.laz": name.encode() for number in range(8)}
        files |= {f"ept-data/{name}.laz": b"", "ept.json": name.encode()}
        trees.adopt(store, make(files, name), name)
    wanted = {trees.hash_of(store, name) for name in ("one", "two")}

    for _ in range(3):
        with ThreadPoolExecutor(2) as pool:
            copies = [
                pool.submit(trees.copy, store, name, store, "there") for name in ("one", "two")
            ]
        for each in copies:
            each.result()

        assert trees.hash_of(store, "there") in wanted


def test_a_copy_takes_the_place_of_no_files_of_another_kind(
    store: Storage, make: Callable[..., Path]
) -> None:
    trees.adopt(store, make(LAST), "made")
    store.save("there/mine.las", b"mine")

    with pytest.raises(Problem, match=r"such as 'mine\.las'"):
        trees.copy(store, "made", store, "there")

    assert content(store, "there") == {"mine.las": b"mine"}


def test_what_an_earlier_try_published_is_no_part_of_the_folder(
    store: Storage, make: Callable[..., Path]
) -> None:
    trees.adopt(store, make({**LAST, "ept-data/2-0-0-0.laz": b"of the first"}, "first"), "out")

    tree = trees.adopt(store, make(LAST, "second"), "out")

    assert content(store, "out") == LAST
    assert tree.sha256 == trees.hash_of(store, "out")


def test_a_folder_whose_copy_is_stopped_is_not_there(
    store: Storage, make: Callable[..., Path]
) -> None:
    trees.adopt(store, make(LAST), "a")
    asked = count()

    def check() -> None:
        if next(asked) == len(LAST) - 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        trees.copy(store, "a", store, "b", check=check)

    assert not trees.exists(store, "b")
    assert sorted(trees.names(store, "a")) == sorted(LAST)


def test_a_copy_that_is_stopped_before_it_begins_leaves_the_older_folder(
    store: Storage, make: Callable[..., Path]
) -> None:
    for prefix in ("a", "b"):
        trees.adopt(store, make(LAST), prefix)

    def check() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        trees.copy(store, "a", store, "b", check=check)

    assert sorted(trees.names(store, "b")) == sorted(LAST)
