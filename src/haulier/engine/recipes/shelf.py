"""Recipes that are kept: of an organisation by name and version, and those that come with us."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from haulier.core.problem import Code, Problem
from haulier.engine.catalog import SHARED, Catalog, Entry
from haulier.engine.recipes.compiling import check_definition
from haulier.engine.registry import Kinds

TYPE: Final = "recipe"
LONGEST_NAME: Final = 200


class KeptRecipe(msgspec.Struct, frozen=True, kw_only=True):
    """A recipe that is kept; `number` is what callers know it by."""

    number: int
    name: str
    version: str
    definition: Mapping[str, Any]
    description: str = ""
    shared: bool = False

    @property
    def document(self) -> dict[str, Any]:
        """Give it as a job takes it."""
        return {"name": self.name, "version": self.version, "definition": dict(self.definition)}


class RecipeShelf:
    """The recipes that an organisation sees, its own and everybody's."""

    def __init__(self, catalog: Catalog, kinds: Kinds) -> None:
        self._catalog = catalog
        self._kinds = kinds

    def stock(self) -> None:
        """Put the recipes that come with the families where everybody sees them."""
        for preset in self._kinds.presets.values():
            name, body = _key(str(preset["name"]), str(preset["version"])), dict(preset)
            found = self._catalog.find(SHARED, TYPE, name)
            if found is None or found.body != body:
                self._catalog.put(SHARED, TYPE, name, body)

    def list(self, organisation: str) -> Sequence[KeptRecipe]:
        """Give the recipes that an organisation sees, by name and version."""
        return [_kept(entry) for entry in self._catalog.list(organisation, TYPE)]

    def get(self, organisation: str, number: int) -> KeptRecipe:
        """Give a recipe by its number.

        Raises:
            Problem: NOT_FOUND at "recipe_id".
        """
        entry = self._catalog.numbered(organisation, TYPE, number)
        if entry is None:
            detail = f"Recipe with id {number} not found"
            raise Problem(Code.NOT_FOUND, detail, at="recipe_id")
        return _kept(entry)

    def ensure(self, organisation: str, recipe: Mapping[str, Any], *, by: str = "") -> KeptRecipe:
        """Give the recipe of a name and version, and keep the one that came where there is none.

        Raises:
            Problem: INVALID, with every fault; name, version or definition are missing or wrong.
        """
        name, version = (_text(recipe, member) for member in ("name", "version"))
        found = self._catalog.find(organisation, TYPE, _key(name, version))
        if found is not None:
            return _kept(found)
        check_definition(recipe.get("definition"), self._kinds.step_kinds)
        body = {
            "name": name,
            "version": version,
            "definition": recipe["definition"],
            "description": str(recipe.get("description", "")),
        }
        try:
            entry = self._catalog.put(
                organisation, TYPE, _key(name, version), body, by=by, expects=0
            )
        except Problem as problem:
            if problem.code is not Code.CONFLICT:
                raise
            return self.ensure(organisation, recipe, by=by)  # somebody else was faster
        return _kept(entry)


def _text(recipe: Mapping[str, Any], member: str) -> str:
    value = recipe.get(member)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_NAME or "@" in value:
        detail = (
            f"recipe.{member} must be text of 1 to {LONGEST_NAME} characters without '@', "
            f"got {value!r}"
        )
        raise Problem(Code.INVALID, detail, at=f"recipe.{member}")
    return value


def _key(name: str, version: str) -> str:
    return f"{name}@{version}"


def _kept(entry: Entry) -> KeptRecipe:
    body = entry.body
    return KeptRecipe(
        number=entry.number,
        name=str(body["name"]),
        version=str(body["version"]),
        definition=body["definition"],
        description=str(body.get("description", "")),
        shared=entry.organisation == SHARED,
    )
