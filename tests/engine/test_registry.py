"""The registry: families are found, broken ones are named, parameters are checked in words."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any

import msgspec
import pytest

from haulier.core.family import Kind
from haulier.core.problem import Code, Problem
from haulier.engine.refusal import MOST_FAULTS
from haulier.engine.registry import BrokenFamilyError, installed

FAMILY = """
    import msgspec
    from haulier.core.family import Kind

    class Params(msgspec.Struct):
        n: int = 1

    class Family:
        name = "{name}"
        kinds = {{"{kind}": Kind("{kind}", "t", "d", Params, process_id="{slug}")}}

        def _call(self, *given): ...

        plan = version = split = run = merge = summarise = warm = _call

    FAMILY = Family()
    NOT_ONE = object()
"""


class Packages:
    """A folder of packages that are installed for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, module: str, *, name: str = "mine", kind: str = "MINE", slug: str = "") -> str:
        source = dedent(FAMILY).format(name=name, kind=kind, slug=slug)
        (self.folder / f"{module}.py").write_text(source)
        return f"{module}:FAMILY"

    def install(self, package: str, reference: str) -> None:
        info = self.folder / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[haulier.families]\nmine = {reference}\n")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Packages]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield Packages(tmp_path)
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_the_families_that_we_ship_are_found() -> None:
    kinds = installed()

    assert kinds.get("ROAD_MATCHING") is kinds.by_slug("road-matching")
    assert kinds.family_of("ROAD_MATCHING") is kinds.family("roads")
    assert [kind.name for kind in kinds.all()] == sorted(kind.name for kind in kinds.all())


def test_a_package_adds_a_family_by_its_entry_point(packages: Packages) -> None:
    packages.install("my-haulier", packages.module("mine_one", slug="my-own"))

    kinds = installed()

    assert kinds.by_slug("my-own").name == "MINE"
    assert kinds.family("mine") in kinds.families


def test_a_setting_adds_families_that_no_package_announces(packages: Packages) -> None:
    one, two = packages.module("one"), packages.module("two", name="two", kind="TWO")

    kinds = installed(f" {one}, ,{two},")

    assert kinds.family_of("MINE").name == "mine"
    assert kinds.family_of("TWO").name == "two"


def test_a_family_that_is_announced_and_set_too_is_there_once(packages: Packages) -> None:
    reference = packages.module("mine_twice")
    packages.install("my-haulier", reference)

    assert [family.name for family in installed(reference).families].count("mine") == 1


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ({"name": "mine", "kind": "OTHER"}, "family 'mine' of second:FAMILY of package two"),
        ({"name": "other", "kind": "MINE"}, "kind 'MINE' of second:FAMILY of package two"),
        ({"name": "other", "kind": "OTHER", "slug": "mine"}, "kind 'mine' of second:FAMILY"),
        ({"name": "roads", "kind": "OTHER"}, "haulier.families.roads:FAMILY of package haulier"),
    ],
)
def test_a_name_that_is_used_twice_is_refused_with_both_packages(
    packages: Packages, second: Mapping[str, str], said: str
) -> None:
    packages.install("one", packages.module("first"))
    packages.install("two", packages.module("second", **second))

    with pytest.raises(BrokenFamilyError, match=re.escape(said)):
        installed()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("nothing_of_that_name:FAMILY", "No module named"),
        ("broken:MISSING", "MISSING"),
        ("broken:NOT_ONE", "its name must be lower case"),
        ("broken", "module:attribute"),
        (":FAMILY", "module:attribute"),
    ],
)
def test_a_broken_family_is_refused_with_its_package(
    packages: Packages, reference: str, said: str
) -> None:
    packages.module("broken")
    packages.install("broken-package", reference)

    with pytest.raises(BrokenFamilyError, match=said) as caught:
        installed()

    assert "broken-package" in str(caught.value)


def test_a_family_without_a_method_is_refused_by_it(packages: Packages) -> None:
    reference = packages.module("lacking")
    path = packages.folder / "lacking.py"
    path.write_text(path.read_text().replace("merge = ", ""))

    with pytest.raises(BrokenFamilyError, match="no method merge"):
        installed(reference)


@pytest.mark.parametrize("look", ["get", "by_slug", "family_of", "family"])
def test_a_name_that_nobody_has_is_refused_with_the_names_there_are(look: str) -> None:
    with pytest.raises(Problem, match=r"no .* 'nothing'; there are: ") as caught:
        getattr(installed(), look)("nothing")

    assert caught.value.code is Code.NOT_FOUND
    assert "road" in caught.value.detail.lower()


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    b: Sequence[int]


class Params(msgspec.Struct, forbid_unknown_fields=True):
    a: Inner
    range_m: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    mode: Annotated[str, msgspec.Meta(pattern="^(fast|accurate)$")] = "fast"
    counts: Mapping[str, int] = {}


KIND = Kind("K", "t", "d", Params)
GOOD: dict[str, Any] = {"a": {"b": [1]}}


@pytest.mark.parametrize(
    ("params", "at", "detail"),
    [
        ({}, "a", "a is required and missing"),
        ({"a": {}}, "a.b", "a.b is required and missing"),
        ({"a": {"b": [1, "x"]}}, "a.b[1]", "a.b[1] must be int, got 'x' (str)"),
        ({"a": 3}, "a", "a must be object, got 3 (int)"),
        (GOOD | {"range_m": -2.0}, "range_m", "range_m must be float > 0.0, got -2.0"),
        (GOOD | {"mode": "slow"}, "mode", "mode must be str matching regex '^(fast|accurate)$'"),
        (GOOD | {"rang_m": 1}, "rang_m", "did you mean range_m?"),
        (GOOD | {"zzz": 1}, "zzz", "there are: a, range_m, mode, counts"),
        ({"a": {"b": [], "c": 1}}, "a.c", "a.c is no parameter that is known"),
        (GOOD | {"counts": {"k": "v"}}, "counts.k", "counts.k must be int, got 'v' (str)"),
        (GOOD | {"range_m": "9" * 500}, "range_m", "999…"),
    ],
)
def test_a_bad_parameter_is_refused_at_its_path_with_what_was_wanted_and_got(
    params: Mapping[str, Any], at: str, detail: str
) -> None:
    with pytest.raises(Problem) as caught:
        installed().decode(KIND, params)

    assert (caught.value.code, caught.value.at) == (Code.INVALID, at)
    assert detail in caught.value.detail
    assert len(caught.value.detail) < 200


class Place(msgspec.Struct):
    """A member of a mapping."""

    path: str


class Outer(msgspec.Struct, forbid_unknown_fields=True):
    inner: Annotated[Params, msgspec.Meta(description="a structure in a structure")] | None = None
    n: Annotated[int, msgspec.Meta(ge=1)] = 1
    m: int = 1
    named: Annotated[dict[str, Place], msgspec.Meta(max_length=2)] = {}

    def __post_init__(self) -> None:
        """Refuse what no field alone tells."""
        if self.m > self.n:
            raise ValueError(f"m is at most n, got {self.m}")


@pytest.mark.parametrize(
    ("params", "places"),
    [
        (
            {"inner": {"a": {"b": ["x"]}, "mode": 3, "rang_m": 1}, "n": 0, "o": 1},
            ["inner.a.b[0]", "inner.mode", "inner.rang_m", "n", "o"],
        ),
        ({"inner": {}, "n": "x", "m": 5}, ["inner.a", "n"]),
        ({"inner": [], "n": 0}, ["inner", "n"]),
        ({"n": 0, "m": 5}, []),
        (
            {"named": {"step:a.b": {"path": 3}, "c": {}, "d": []}},
            ["named.step:a.b.path", "named.c.path", "named.d"],
        ),
        ({"named": {name: {"path": ""} for name in "abc"}}, []),
        ({"m": 5}, []),
    ],
)
def test_everything_that_is_wrong_is_told_at_once(
    params: Mapping[str, Any], places: Sequence[str]
) -> None:
    with pytest.raises(Problem) as caught:
        installed().decode(Kind("K", "t", "d", Outer), params)

    told = caught.value.faults
    assert [fault.at for fault in told] == places
    assert all(fault.detail.startswith(fault.at) for fault in told)
    if told:
        assert (caught.value.at, caught.value.detail) == (told[0].at, told[0].detail)


def test_a_million_unknown_parameters_are_not_all_told() -> None:
    with pytest.raises(Problem) as caught:
        installed().decode(KIND, GOOD | dict.fromkeys(map(str, range(1_000_000)), 1))

    assert len(caught.value.faults) == MOST_FAULTS


def test_good_parameters_become_the_kinds_own_type() -> None:
    assert installed().decode(KIND, GOOD | {"range_m": 2}) == Params(Inner([1]), 2.0)
