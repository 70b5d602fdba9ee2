"""The family geostat holds to its socket: the conformance suite, a sample of every kind."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from haulier.families.geostat import FAMILY
from haulier.families.geostat.kinds import KINDS
from haulier.testing import deposit
from haulier.testing.deposit import PARAMS, SEARCH, furnish
from haulier.testing.family_suite import FamilySuite, Refused, Sample


def put_objects(world: Any) -> None:
    furnish(world)


def changed(kind: str, **fields: object) -> dict[str, Any]:
    return {**PARAMS[kind], **fields}


def without(kind: str, field: str) -> dict[str, Any]:
    return {name: value for name, value in PARAMS[kind].items() if name != field}


KRIGED = "KRIGING"
BIG = {**SEARCH, "ellipsoid": {"ellipsoid_ranges": {"major": -1.0, "semi_major": 1, "minor": 1}}}


class TestGeostat(FamilySuite):
    family = FAMILY
    samples = tuple(
        Sample(kind.lower(), kind, {**params, "report": False}, prepare=put_objects)
        for kind, params in PARAMS.items()
    )
    refused = (
        Refused(KRIGED, without(KRIGED, "variogram"), names="variogram"),
        Refused(KRIGED, changed(KRIGED, variogram="grade"), names="variogram"),
        Refused(KRIGED, changed(KRIGED, neighborhood=BIG), names="major"),
        Refused(
            KRIGED, changed(KRIGED, neighborhood={**SEARCH, "min_samples": 99}), names="min_samples"
        ),
        Refused(
            KRIGED, changed(KRIGED, block_discretization={"nx": 10}), names="block_discretization"
        ),
        Refused(KRIGED, changed(KRIGED, kriging_method={"type": "simple"}), names="kriging_method"),
        Refused(
            "BREAK_TIES",
            changed("BREAK_TIES", neighborhood={**SEARCH, "max_samples_per_octant": 2}),
            names="max_samples_per_octant",
        ),
        Refused(
            "LOCATION_WISE",
            {"source": deposit.SIMULATION, "target": {"object": deposit.SIMULATED}},
            names="summary",
        ),
        Refused("LOCATION_WISE", changed("LOCATION_WISE", quantiles=[1.5]), names="quantiles"),
        Refused("IDW", changed("IDW", power=0), names="power"),
        Refused("CONSIM", changed("CONSIM", number_of_lines=1001), names="number_of_lines"),
        Refused(
            "VARIOGRAM_FIT",
            without("VARIOGRAM_FIT", "experiment"),
            names="experimental_variogram",
        ),
        Refused(
            "CONTINUOUS_DISTRIBUTION",
            changed("CONTINUOUS_DISTRIBUTION", target={"reference": deposit.POINTS}),
            names="target.reference",
        ),
    )


def test_every_kind_has_a_sample() -> None:
    assert set(PARAMS) == set(KINDS)


@pytest.mark.parametrize("kind", ["CONSIM", "SIMULATION_REPORT"])
def test_a_report_that_the_result_names_is_always_made(kind: str) -> None:
    params = {**PARAMS[kind], "report": False}
    if kind == "CONSIM":
        params["perform_validation"] = True

    recipe = FAMILY.plan(kind, msgspec.convert(params, KINDS[kind].params))

    assert [step.id for step in recipe.steps] == ["prepare", "work", "publish", "report"]


def test_planning_loads_neither_numba_nor_arrow_nor_matplotlib() -> None:
    code = (
        "import sys, haulier.families.geostat\n"
        "print([name for name in ('numba', 'pyarrow', 'matplotlib', 'scipy', 'numpy') "
        "if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
