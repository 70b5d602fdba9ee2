"""The families that are installed, their kinds by name, and parameters checked against them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from itertools import chain
from typing import Any, Final, TypeVar

import msgspec

from haulier.core.family import Family, Kind
from haulier.core.problem import Code, Problem
from haulier.core.stepkind import StepKind
from haulier.engine.recipes.family import NAME as RECIPES
from haulier.engine.recipes.family import RECIPE, Recipes
from haulier.engine.recipes.webhook import CALL_WEBHOOK, ENGINE
from haulier.engine.refusal import decode

GROUP: Final = "haulier.families"
CALLS: Final = ("plan", "version", "split", "run", "merge", "summarise", "warm")
RESERVED: Final = (RECIPE.name, RECIPE.slug, f"step {CALL_WEBHOOK.name}")
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*")
T = TypeVar("T")


class BrokenFamilyError(Exception):
    """An installed family cannot be used; says which package, and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a family comes from, for whoever must mend it."""

    reference: str
    package: str = ""

    def __str__(self) -> str:
        """Give it as a reader would look for it."""
        return f"{self.reference} of package {self.package}" if self.package else self.reference


class Kinds:
    """The kinds of all families, by name and by slug, and what their steps can do in recipes.

    The kind RECIPE is the engine's own: it runs steps of any of them.
    """

    def __init__(self, installed: Sequence[Family]) -> None:
        self.step_kinds: Final = {CALL_WEBHOOK.name: CALL_WEBHOOK} | {
            name: kind for family in installed for name, kind in step_kinds_of(family).items()
        }
        self.presets: Final = {
            str(preset["name"]): preset
            for family in installed
            for preset in getattr(family, "presets", ())
        }
        owners = {CALL_WEBHOOK.name: ENGINE} | {
            name: family.name for family in installed for name in step_kinds_of(family)
        }
        families = (*installed, Recipes(self.step_kinds, owners, self.presets))
        self.families: Final = families
        self._families = {family.name: family for family in families}
        self._family_of = {name: family for family in families for name in family.kinds}
        self._kinds = {name: kind for family in families for name, kind in family.kinds.items()}
        self._slugs = {kind.slug: kind for kind in self._kinds.values()}

    def get(self, name: str) -> Kind:
        """Give the kind of a name.

        Raises:
            Problem: NOT_FOUND, with the names that there are.
        """
        return _one(self._kinds, name, "kind")

    def by_slug(self, slug: str) -> Kind:
        """Give the kind of a name on the native wire.

        Raises:
            Problem: NOT_FOUND, with the names that there are.
        """
        return _one(self._slugs, slug, "process")

    def all(self) -> list[Kind]:
        """Give every kind, by name."""
        return [self._kinds[name] for name in sorted(self._kinds)]

    def step_kind(self, name: str) -> StepKind:
        """Give what a step of a recipe can be.

        Raises:
            Problem: NOT_FOUND, with the names that there are.
        """
        return _one(self.step_kinds, name, "step kind")

    def family_of(self, kind: str) -> Family:
        """Give the family that does a kind.

        Raises:
            Problem: NOT_FOUND; nobody does.
        """
        return _one(self._family_of, kind, "kind")

    def family(self, name: str) -> Family:
        """Give the family of a name.

        Raises:
            Problem: NOT_FOUND, with the names that there are.
        """
        return _one(self._families, name, "family")

    def decode(self, kind: Kind, params: Mapping[str, Any]) -> msgspec.Struct:
        """Give parameters in the kind's own type.

        Raises:
            Problem: INVALID, at the path of the parameter that is wrong.
        """
        return decode(kind.params, params)


def step_kinds_of(family: Family) -> Mapping[str, StepKind]:
    """Give what a family's steps can do in recipes; most families offer none."""
    found: Mapping[str, StepKind] = getattr(family, "step_kinds", {})
    return found


def installed(extra: str = "") -> Kinds:
    """Give the kinds of every family that is installed.

    Args:
        extra: families that no package announces, as "module:attribute" with commas between.

    Raises:
        BrokenFamilyError: a family cannot be loaded, lacks what the socket asks, or has the
            name of another, or a kind or slug of another.
    """
    families: dict[str, Family] = {}
    sources: dict[str, Source] = {}
    owners: dict[str, Source] = dict.fromkeys(RESERVED, Source("haulier.engine"))
    for source, family in _found(extra):
        if families.get(family.name) is family:
            continue  # announced and named in the setting too
        if family.name in families:
            raise BrokenFamilyError(
                f"family '{family.name}' of {source} has the name of {sources[family.name]}"
            )
        names = [dict.fromkeys((kind.name, kind.slug)) for kind in family.kinds.values()]
        steps = (f"step {name}" for name in step_kinds_of(family))
        for name in chain(chain.from_iterable(names), steps):
            if name in owners:
                raise BrokenFamilyError(f"kind '{name}' of {source} is also one of {owners[name]}")
            owners[name] = source
        if family.name in {ENGINE, RECIPES}:
            raise BrokenFamilyError(
                f"family '{family.name}' of {source} has a name of the engine's"
            )
        families[family.name] = family
        sources[family.name] = source
    return Kinds([families[name] for name in sorted(families)])


def _found(extra: str) -> Iterator[tuple[Source, Family]]:
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        package = point.dist.name if point.dist is not None else ""
        yield _loaded(point, Source(point.value, package))
    for reference in filter(None, (part.strip() for part in extra.split(","))):
        yield _loaded(EntryPoint("", reference, GROUP), Source(reference))


def _loaded(point: EntryPoint, source: Source) -> tuple[Source, Family]:
    module, _, attribute = point.value.partition(":")
    if not module or not attribute:
        raise BrokenFamilyError(f"{source} must be written as module:attribute")
    try:
        family: Any = import_module(module.strip())
        for name in attribute.strip().split("."):
            family = getattr(family, name)
    except (ImportError, AttributeError) as error:
        raise BrokenFamilyError(f"{source} cannot be loaded: {error}") from error
    wrong = next(_faults(family), None)
    if wrong is not None:
        raise BrokenFamilyError(f"{source} is no family: {wrong}")
    return source, family


def _faults(family: Any) -> Iterator[str]:  # noqa: ANN401 -- whatever a package gives
    """Say what a thing lacks of a family."""
    name, kinds = getattr(family, "name", None), getattr(family, "kinds", None)
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        yield f"its name must be lower case letters, digits, '-' and '_', got {name!r}"
    if not isinstance(kinds, Mapping) or not (kinds or step_kinds_of(family)):
        yield f"its kinds must be a mapping of names to Kind, got {kinds!r}"
        return
    key: object
    kind: Any
    for key, kind in kinds.items():
        if not isinstance(kind, Kind) or kind.name != key:
            yield f"kinds[{key!r}] must be the Kind of that name, got {kind!r}"
        elif not _is_struct(kind.params):
            yield f"the params of {key} must be a msgspec Struct, got {kind.params!r}"
    yield from _step_faults(family)
    yield from (
        f"it has no method {call}" for call in CALLS if not callable(getattr(family, call, None))
    )


def _step_faults(family: Any) -> Iterator[str]:  # noqa: ANN401 -- whatever a package gives
    for key, kind in step_kinds_of(family).items():
        if not isinstance(kind, StepKind) or kind.name != key:
            yield f"step_kinds[{key!r}] must be the StepKind of that name, got {kind!r}"
        elif not _is_struct(kind.params):
            yield f"the params of step kind {key} must be a msgspec Struct, got {kind.params!r}"


def _is_struct(params: object) -> bool:
    return isinstance(params, type) and issubclass(params, msgspec.Struct)


def _one(known: Mapping[str, T], name: str, what: str) -> T:
    if name not in known:
        there: Sequence[str] = sorted(known)
        detail = f"no {what} '{name}'; there are: {', '.join(there) or 'none'}"
        raise Problem(Code.NOT_FOUND, detail, at=what)
    return known[name]
