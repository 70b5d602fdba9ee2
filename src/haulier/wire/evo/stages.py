"""Stages of objects: a mark that people put on a version of an object."""

from collections.abc import Iterator, Mapping
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from haulier.core.entry import Entry
from haulier.core.problem import Code, Problem
from haulier.engine.services import Services
from haulier.wire.evo.document import uuid_or_none

TYPE: Final = "geoscience-stage"
TRIES: Final = 20
#: At the vendor's an organisation has stages of its own; ours are these for everybody.
NAMES: Final = ("Draft", "In review", "Approved")


class StageBody(msgspec.Struct, frozen=True):
    """A stage."""

    stage_id: str
    name: str


STAGES: Final[Mapping[str, StageBody]] = {
    stage.stage_id: stage
    for stage in (
        StageBody(str(uuid5(NAMESPACE_URL, f"haulier:stage:{name}")), name) for name in NAMES
    )
}


def stages_of(services: Services, entry: Entry) -> Mapping[int, StageBody]:
    """Give the stages that versions of an object have."""
    marks = services.catalog.find(entry.organisation, TYPE, entry.id)
    return {} if marks is None else dict(_marks(marks))


def all_stages(services: Services, organisation: str) -> Mapping[tuple[str, int], StageBody]:
    """Give the stages that versions of objects have, by the object's id and the version."""
    return {
        (marks.name, version): stage
        for marks in services.catalog.list(organisation, TYPE)
        for version, stage in _marks(marks)
    }


def _marks(marks: Entry) -> Iterator[tuple[int, StageBody]]:
    for version, mark in marks.body.items():
        if mark in STAGES:
            yield int(version), STAGES[mark]


def set_stage(services: Services, entry: Entry, stage_id: str | None, by: str) -> None:
    """Mark a version of an object with a stage, or take its mark away.

    Raises:
        Problem: INVALID at "stage_id"; there is no such stage.
    """
    if stage_id is not None and uuid_or_none(stage_id) not in STAGES:
        known = ", ".join(f"{stage.stage_id} ({stage.name})" for stage in STAGES.values())
        detail = f"stage_id must be one of {known}, got {stage_id[:100]!r}"
        raise Problem(Code.INVALID, detail, at="stage_id")
    catalog, organisation = services.catalog, entry.organisation
    for _ in range(TRIES):
        old = catalog.find(organisation, TYPE, entry.id)
        body = {**(old.body if old else {}), str(entry.version): uuid_or_none(stage_id)}
        try:
            expects = old.version if old else 0
            catalog.put(organisation, TYPE, entry.id, body, by=by, expects=expects)
        except Problem as problem:
            if problem.code is not Code.CONFLICT:
                raise
        else:
            return
    raise Problem(Code.CONFLICT, "the stages of the object are changed by many at once")
