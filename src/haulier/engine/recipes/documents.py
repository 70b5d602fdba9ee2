"""What a recipe and a job of one look like, as callers write them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from haulier.core.recipe import Overwrite
from haulier.engine.places import DEFAULT

ID: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
ID_PATTERN: Final = f"^{ID.pattern}$"
TYPE_PATTERN: Final = r"^[A-Z][A-Z0-9_]*(@[0-9A-Za-z.]+)?$"
REF_PATTERN: Final = r"^(job:[a-z][a-z0-9_]*|step:[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*)$"
JOB: Final = "job:"
STEP: Final = "step:"


class RetriesDoc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a step is tried again."""

    max: Annotated[int, Meta(ge=0, le=10)] = 0
    backoff_s: Annotated[float, Meta(ge=0, le=3600)] = 1.0
    on: tuple[Literal["transient", "timeout", "oom", "any"], ...] = ("transient",)


class StepDoc(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One step of a recipe.

    Attributes:
        id: unique within the recipe.
        type: a step kind, with "@" and a version where only that one will do.
        inputs: slot to "job:NAME", "step:ID.SLOT", or a list of these.
        outputs: slot to "step:ID.SLOT" of this very step; left out, all that it gives.
        param_keys: the parameters that a job may set.
        params: the parameters that the recipe sets.
        on_failure: whether the other steps go on.
        optional: the job may succeed without it.
        cache: whether a result of an earlier job may serve again.
        resources: what it needs, for plans.
    """

    id: str
    type: str
    inputs: Mapping[str, str | tuple[str, ...]] = {}
    outputs: Mapping[str, str] | None = None
    param_keys: tuple[str, ...] = ()
    params: Mapping[str, Any] = {}
    on_failure: Literal["skip_dependents", "fail_job"] = "skip_dependents"
    optional: bool = False
    retries: RetriesDoc = RetriesDoc()
    timeout_s: Annotated[float, Meta(gt=0)] | None = None
    cache: Literal["use", "refresh", "off"] = "use"
    resources: Mapping[str, float] = {}


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of a recipe, and those that come when they have ended."""

    recipe: tuple[StepDoc, ...]
    on_exit: tuple[StepDoc, ...] = ()


#: For editors to check: beside a container, msgspec 0.22 frees a pattern of its own as another
#: thing, which ends a process with "double free or corruption" when the type is freed.
Ref = Annotated[str, Meta(extra_json_schema={"pattern": REF_PATTERN})]


class StepSchema(StepDoc, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A step as the schema for editors has it: what `reading` says in better words, as patterns."""

    id: Annotated[str, Meta(pattern=ID_PATTERN)]
    type: Annotated[str, Meta(pattern=TYPE_PATTERN)]
    inputs: Mapping[str, Ref | Annotated[tuple[Ref, ...], Meta(min_length=1)]]
    outputs: Mapping[str, Ref] | None = None


class DefinitionSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The steps, and those that come when they have ended: one, or several."""

    recipe: Annotated[tuple[StepSchema, ...], Meta(min_length=1)]
    on_exit: StepSchema | tuple[StepSchema, ...] | None = None


class RecipeSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A recipe, as it is kept."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    version: Annotated[str, Meta(min_length=1, max_length=200)]
    definition: DefinitionSchema
    description: str = ""


def recipe_schema() -> dict[str, Any]:
    """Give the JSON Schema of a recipe, for editors; the server's own check says more."""
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "recipe"}
    return dialect | msgspec.json.schema(RecipeSchema)


class InputDoc(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An artifact that a job begins with.

    Attributes:
        type: what kind of artifact, such as "las".
        uri: its path in the job's storage, or "storage://NAME/path".
        hash: "sha256:" and 64 hexadecimal digits, which is verified; anything else is a label.
        metadata: whatever is known of it.
    """

    type: str
    uri: str
    hash: str = ""
    metadata: Mapping[str, Any] | None = None


class OutputDoc(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where an artifact of a step goes."""

    path: str
    overwrite: Overwrite = Overwrite.REPLACE


class RecipeJob(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Run a recipe: typed steps, each on what earlier ones gave."""

    recipe: Annotated[
        dict[str, Any],
        Meta(
            description="The recipe: `name`, `version` and `definition`, or name and version alone "
            "of one that comes with the server.",
            examples=[{"name": "reproject-ept", "version": "3.0.0"}],
        ),
    ]
    inputs: Annotated[
        dict[str, InputDoc],
        Meta(description='The artifacts it begins with: "job:NAME" to type, uri and hash.'),
    ] = {}
    params: Annotated[
        dict[str, dict[str, Any]],
        Meta(description="The parameters of its steps, by the id of the step."),
    ] = {}
    outputs: Annotated[
        dict[str, OutputDoc],
        Meta(description='Which artifacts go where: "step:ID.SLOT" to a path in the storage.'),
    ] = {}
    storage: Annotated[
        str, Meta(description="The storage in which uris and paths lie.", min_length=1)
    ] = DEFAULT
