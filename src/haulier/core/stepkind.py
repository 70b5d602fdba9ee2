"""Step kinds: what a family can do to typed artifacts, as a recipe of a caller's may ask for it."""

from collections.abc import Mapping
from typing import Final

import msgspec

#: The artifact type that every slot takes and none is.
ANY: Final = "*"


class Slot(msgspec.Struct, frozen=True):
    """A place for an artifact, going in or coming out.

    Attributes:
        type: what kind of artifact, such as "las", "ept" or "tif"; "*" takes any, and waits for
            the end of the step that makes it rather than for its success.
        also: further types that it takes.
        required: a recipe must fill it.
        many: takes a list of artifacts.
        folder: what comes out is a folder of files.
        media_type: of what comes out, where it is one file.
        filename: of what comes out, as a caller sees it.
    """

    type: str
    description: str = ""
    also: tuple[str, ...] = ()
    required: bool = True
    many: bool = False
    folder: bool = False
    media_type: str = ""
    filename: str = ""


class Cost(msgspec.Struct, frozen=True):
    """What a step takes of one core, for plans made before it runs.

    Attributes:
        fixed_s: seconds whatever comes.
        us_per_unit: microseconds for each unit of its input.
        unit: what is counted, such as "point".
    """

    fixed_s: float = 1.0
    us_per_unit: float = 0.0
    unit: str = ""


class StepKind(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a family can do in a recipe.

    Attributes:
        name: unique over all families, such as REPROJECT_LAS.
        params: the msgspec Struct its parameters decode to, strictly.
        accepts: the artifacts it needs, by slot.
        produces: the artifacts it gives, by slot.
        stages: passes over the input, each split, run and merged before the next; empty: one.
        version: rises when the same input would give another output.
        deterministic: the same input gives the same bytes, so that a result may serve again.
        memory_mb: what one process needs at most.
    """

    name: str
    title: str
    description: str
    params: type[msgspec.Struct]
    accepts: Mapping[str, Slot]
    produces: Mapping[str, Slot]
    stages: tuple[str, ...] = ()
    version: str = "1"
    deterministic: bool = True
    cost: Cost = Cost()
    memory_mb: int = 512
