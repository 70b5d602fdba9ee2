"""References and expressions: what is read, and what is refused with a sentence."""

from uuid import UUID

import pytest
from evo.objects import ObjectReference
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.problem import Code, Problem
from haulier.families.geostat.params.expressions import (
    DEEPEST,
    LONGEST,
    check_expression,
    compile_expression,
)
from haulier.families.geostat.params.references import parse_reference

SPACE = (
    "/geoscience-object/orgs/00000000-0000-0000-0000-0000000000a1"
    "/workspaces/00000000-0000-0000-0000-0000000000b2/objects"
)
SEGMENT = st.text(
    st.characters(codec="ascii", categories=["L", "N"], include_characters=" -_."), min_size=1
).filter(lambda text: text not in {".", ".."})


@given(uuid=st.uuids(), version=st.integers(1, 2**31 - 1) | st.none(), host=st.sampled_from("ab"))
def test_a_reference_by_id_is_read_as_the_vendor_reads_it(
    uuid: UUID, version: int | None, host: str
) -> None:
    text = f"https://{host}.test:8443{SPACE}/{uuid}" + (f"?version={version}" if version else "")

    read, theirs = parse_reference(text, at="source.object"), ObjectReference(text)

    assert read.object_id == str(theirs.object_id)
    assert read.version == int(theirs.version_id or 0)
    assert f"{read.origin}/" == theirs.hub_url
    assert str(read) == text


@given(segments=st.lists(SEGMENT, min_size=1, max_size=4))
def test_a_reference_by_path_names_the_object_below_its_workspace(segments: list[str]) -> None:
    path = "/".join(segments)

    read = parse_reference(f"https://hub.test{SPACE}/path/{path}", at="target.reference")

    assert read.path == path
    assert parse_reference(str(read), at="target.reference") == read


def test_a_path_may_begin_at_the_top_as_the_vendor_s_client_says_it() -> None:
    read = parse_reference(f"https://hub.test{SPACE}/path/./points.json", at="source.object")

    assert read.path == "points.json"


def test_letter_case_of_uuids_does_not_matter() -> None:
    text = f"https://hub.test{SPACE}/path/a.json".replace("a1", "A1")

    assert parse_reference(text, at="x").space.startswith("00000000-0000-0000-0000-0000000000a1/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "grade",
        "https://hub.test/",
        f"ftp://hub.test{SPACE}/path/a.json",
        f"{SPACE}/path/a.json",
        f"https://hub.test{SPACE}",
        f"https://hub.test{SPACE}/path/",
        f"https://hub.test{SPACE}/path/../secret.json",
        f"https://hub.test{SPACE}/path/./../secret.json",
        f"https://hub.test{SPACE}/path/a%00b",
        f"https://hub.test{SPACE}/path/a//b",
        f"https://hub.test{SPACE}/not-a-uuid",
        f"https://hub.test{SPACE}/path/a.json?version=",
        f"https://hub.test{SPACE}/path/a.json?version=0",
        f"https://hub.test{SPACE}/path/a.json?version=-1",
        f"https://hub.test{SPACE}/path/a.json?version=9999999999999",
        f"https://[hub.test{SPACE}/path/a.json",
        "https://hub.test" + SPACE + "/path/" + "a" * 3000,
    ],
)
def test_what_is_no_reference_is_refused_at_its_field(text: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_reference(text, at="source.object")

    assert caught.value.code is Code.INVALID
    assert caught.value.at == "source.object"
    assert "source.object" in caught.value.detail


@given(text=st.text(max_size=LONGEST * 2))
def test_an_expression_is_taken_or_refused_and_never_an_accident(text: str) -> None:
    try:
        check_expression(text, at="source.attribute")
    except Problem as problem:
        assert problem.at == "source.attribute"  # noqa: PT017 -- one of two ways
        assert problem.code is Code.INVALID  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    [
        "locations.attributes[?name=='grade']",
        "cell_attributes[0]",
        "collections[0].from_to.attributes[?key=='a-b']",
        "Cu %",
        "grade",
        "Au (g/t)",
    ],
)
def test_expressions_of_the_vendor_and_plain_names_are_taken(text: str) -> None:
    check_expression(text, at="source.attribute")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "name an attribute"),
        ("   ", "name an attribute"),
        ("a" * (LONGEST + 1), "characters"),
        ("a[?" * DEEPEST + "b" + "]" * DEEPEST, "deep"),
        ("sort_by(attributes, &name)", "functions"),
        ("attributes[?contains(name, 'x')]", "functions"),
    ],
)
def test_expressions_beyond_the_limits_are_refused(text: str, word: str) -> None:
    with pytest.raises(Problem, match=word):
        check_expression(text, at="source.attribute")


@pytest.mark.parametrize("sign", ["(", "[", "{", "!", "&"])
def test_an_expression_cannot_exhaust_the_stack(sign: str) -> None:
    assert compile_expression(sign * LONGEST) is None
