"""What would be taken without effect is refused, at its field, before a job is made."""

import re
from typing import Any, Final

import msgspec
import pytest

from haulier.core.problem import Problem
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.params.checks import check_params
from haulier.testing.deposit import PARAMS

BALL: Final = {"major": 50.0, "semi_major": 50.0, "minor": 50.0}
LONG: Final = BALL | {"major": 90.0}


def faults(kind: str, **changes: Any) -> dict[str, str]:
    """Give what is wrong with parameters of which some were changed, by field."""
    decoded: Any = msgspec.convert({**PARAMS[kind], **changes}, KINDS[kind].params, strict=True)
    try:
        check_params(decoded)
    except Problem as problem:
        return {fault.at: fault.detail for fault in problem.faults}
    return {}


def structure(type_: str = "spherical", **more: Any) -> dict[str, str]:
    return faults("VARIOGRAM_FIT", structures=[{"variogram_type": type_, **more}])


def direction(**said: Any) -> dict[str, str]:
    return faults("EXPERIMENTAL_VARIOGRAM", directions=[said])


@pytest.mark.parametrize("name", ["azimuth", "dip", "azimuth_tolerance", "bandwidth", "bandheight"])
@pytest.mark.parametrize("type_", ["omnidirectional", "downhole"])
def test_a_direction_is_refused_where_pairs_of_every_direction_count(name: str, type_: str) -> None:
    found = direction(type=type_, **{name: 45.0})

    assert list(found) == [f"directions[0].{name}"]
    assert "or type be 'directional'" in found[f"directions[0].{name}"]
    assert direction(type="directional", **{name: 45.0}) == {}


@pytest.mark.parametrize("kind", ["KRIGING", "IDW", "BREAK_TIES", "DECLUSTERING", "CONSIM"])
def test_an_ellipsoid_that_has_no_inside_is_refused(kind: str) -> None:
    """A matrix without an inverse was an internal error of the job."""
    flat = {"ellipsoid": {"ellipsoid_ranges": BALL | {"minor": 1e-300}}, "max_samples": 9}

    (at,) = faults(kind, neighborhood=flat)

    assert at == "neighborhood.ellipsoid.ellipsoid_ranges"


def test_a_limit_that_is_no_number_of_a_kernel_is_refused() -> None:
    """What is beyond 64 bits was an internal error of the job."""
    search = {**PARAMS["KRIGING"]["neighborhood"], "max_samples_per_octant": 2**63}

    with pytest.raises(msgspec.ValidationError, match="max_samples_per_octant"):
        faults("KRIGING", neighborhood=search)


def test_defaults_that_are_spelled_out_are_no_direction() -> None:
    assert direction(azimuth=0.0, dip=0.0, azimuth_tolerance=22.5, dip_tolerance=22.5) == {}


def test_a_shape_is_refused_where_a_model_has_none() -> None:
    assert "got 5 for 'spherical'" in structure(alpha=5)["structures[0].alpha"]
    assert structure("spheroidal", alpha=5) == {}


@pytest.mark.parametrize("hold", [True, False])
def test_ranges_that_differ_are_refused_of_a_structure_without_a_direction(*, hold: bool) -> None:
    """Its one range was taken for all, and where ranges were held their rotation got lost."""
    lies = {"ellipsoid_ranges": LONG, "rotation": {"dip_azimuth": 30.0}}

    refused = structure(anisotropy=lies, hold_ranges=hold)

    assert list(refused) == ["structures[0].anisotropy.ellipsoid_ranges"]
    assert structure(anisotropy=lies, hold_ranges=hold, isotropic=False) == {}
    assert structure(anisotropy={"ellipsoid_ranges": BALL}, hold_ranges=hold) == {}


@pytest.mark.parametrize(
    ("kind", "changes", "at"),
    [
        (
            "SIMULATION_REPORT",
            {"report_mean_thresholds": {"acceptable": 1.0, "marginal": 1.7e308}},
            "report_mean_thresholds.marginal",
        ),
        ("INDICATOR_KRIGING", {"cutoffs": [{"cutoff": -1.7e308}]}, "cutoffs[0].cutoff"),
        (
            "CONTINUOUS_DISTRIBUTION",
            {"tail_extrapolation": {"upper": {"power": 0.5, "max": 1.7e308}}},
            "tail_extrapolation.upper.max",
        ),
    ],
)
def test_values_that_no_plot_can_show_are_refused(
    kind: str, changes: dict[str, Any], at: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=re.escape(f"at `$.{at}`")):
        faults(kind, **changes)
