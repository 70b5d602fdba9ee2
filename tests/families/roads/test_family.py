"""The family holds to the socket: the public suite over a small town."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from haulier.families.roads import FAMILY
from haulier.testing.context import World
from haulier.testing.family_suite import FamilySuite, Refused, Sample

PARAMS: dict[str, Any] = {
    "input": {"storage": "storage-001", "filename": "roads.parquet"},
    "overture_release": "2026-01-21.0",
}


class TestRoads(FamilySuite):
    """Everything that the engine and the dialects rely on."""

    family = FAMILY
    samples: ClassVar[list[Sample]] = []
    refused = (
        Refused("ROAD_MATCHING", {}, names="input"),
        Refused("ROAD_MATCHING", {"input": PARAMS["input"]}, names="overture_release"),
        Refused("ROAD_MATCHING", {**PARAMS, "overture_release": ""}, names="overture_release"),
        Refused("ROAD_MATCHING", {**PARAMS, "mode": "slow"}, names="mode"),
        Refused("ROAD_MATCHING", {**PARAMS, "confidence_threshold": 101}, names="threshold"),
        Refused("ROAD_MATCHING", {**PARAMS, "confidence_threshold": 60.5}, names="threshold"),
        Refused("ROAD_MATCHING", {**PARAMS, "on_bad_row": "ignore"}, names="on_bad_row"),
        Refused("ROAD_MATCHING", {**PARAMS, "outputs": {"view": "kml"}}, names="outputs.view"),
        Refused("ROAD_MATCHING", {**PARAMS, "columns": {"ids": "x"}}, names="ids"),
        Refused("ROAD_MATCHING", {**PARAMS, "columns": {"name": "id"}}, names="columns.name"),
        Refused(
            "ROAD_MATCHING",
            {**PARAMS, "input": {"storage": "s", "filename": "../roads.parquet"}},
            names="input.filename",
        ),
    )

    @pytest.fixture(autouse=True)
    def _town(self, town: Any, town_columns: dict[str, Any]) -> Iterator[None]:
        """Let the samples be jobs over a town of this test."""
        town.put("roads.parquet", town_columns, row_group_size=16)
        town.put("some_bad.parquet", {**town_columns, "geometry": _spoilt(town_columns)})

        def prepare(world: World) -> None:
            world.storages["storage-001"] = Path(town.storage)
            world.entries["overture_release", "2026-01-21.0"] = {"url": str(town.release)}

        everything = {"bridge": True, "view": "geojson", "report": True}
        bad = {"input": {"storage": "storage-001", "filename": "some_bad.parquet"}}
        type(self).samples = [
            Sample("plain", "ROAD_MATCHING", PARAMS, prepare),
            Sample("everything", "ROAD_MATCHING", {**PARAMS, "outputs": everything}, prepare),
            Sample(
                "fast-with-bad-rows",
                "ROAD_MATCHING",
                {**PARAMS, **bad, "mode": "fast", "on_bad_row": "skip"},
                prepare,
            ),
        ]
        yield
        type(self).samples = []


def _spoilt(columns: dict[str, Any]) -> list[str]:
    return ["POINT (0 0)", *columns["geometry"][1:]]
