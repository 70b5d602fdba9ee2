"""Files that a call reads are of the content that the key of its work was made of."""

from pathlib import Path

import pytest

from haulier.core.artifact import FileRef
from haulier.core.problem import Code, Problem
from haulier.core.recipe import StepPlan
from haulier.engine import trees
from haulier.engine.inputs import check_unchanged, named_at
from haulier.engine.messages import Place
from haulier.engine.storage import Storage


@pytest.mark.parametrize(("key", "folder"), [("a/x", False), ("a", True)])
@pytest.mark.parametrize("change", ["another", "gone", "added"])
def test_a_change_of_what_was_read_is_refused_and_names_the_input(
    tmp_path: Path, key: str, change: str, *, folder: bool
) -> None:
    store = Storage(tmp_path.as_uri())
    store.save("a/x", b"1")
    place = Place(store.url, key, "in", folder, trees.tag(store, key, folder=folder))
    check_unchanged({place: "inputs.input_las"})

    if change == "gone":
        store.remove("a/x")
    else:
        store.save("a/x" if change == "another" else "a/y", b"2")

    if change == "added" and not folder:
        check_unchanged({place: "inputs.input_las"})
        return
    with pytest.raises(Problem, match=r"^inputs.input_las must stay .* 'in' was changed") as caught:
        check_unchanged({place: "inputs.input_las"})
    assert (caught.value.code, caught.value.at) == (Code.CONFLICT, "inputs.input_las")


def test_a_file_that_decided_no_key_may_change(tmp_path: Path) -> None:
    check_unchanged({Place(tmp_path.as_uri(), "nothing", "in"): "input"})


def test_a_file_is_called_as_the_parameter_or_the_slot_that_names_it() -> None:
    ref = FileRef("s", "f")
    raw = {"storage": "s", "filename": "f"}

    assert named_at(StepPlan("a", "f", "k", {"layers": [{"source": raw}]}), ref) == (
        "layers[0].source"
    )
    assert named_at(StepPlan("a", "f", "k", inputs={"input_las": [raw]}), ref) == (
        "inputs.input_las[0]"
    )
    assert named_at(StepPlan("a", "f", "k"), ref) == named_at(None, ref) == "input"
