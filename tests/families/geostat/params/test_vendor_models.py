"""What the vendor's own models dump is accepted, field by field."""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from evo.compute.tasks import (
    BlockDiscretization,
    CreateAttribute,
    Ellipsoid,
    EllipsoidRanges,
    SearchNeighborhood,
    Source,
    Target,
    UpdateAttribute,
)
from evo.compute.tasks import geostatistics as tasks
from evo.compute.tasks.common import AllOfFilter, AnyOfFilter, Filter, FilterCondition
from evo.compute.tasks.common.runner import _registry
from evo.compute.tasks.geostatistics import (
    break_ties,
    conditional_turning_bands,
    conditioned_simulator,
    continuous_distribution,
    declustering,
    idw,
    knn,
    kriging,
    location_wise,
    loss_calculation,
    normal_score,
    profit_calculation,
    simulation_report,
)
from evo.objects.typed.types import Rotation
from pydantic import BaseModel

from haulier.core.problem import Problem
from haulier.families.geostat.kinds import KINDS
from haulier.families.geostat.params.checks import check_params
from haulier.families.geostat.params.pieces import Parameters

HERE = (
    "https://hub.test/geoscience-object/orgs/00000000-0000-0000-0000-0000000000A1"
    "/workspaces/00000000-0000-0000-0000-0000000000b2/objects"
)
POINTS = f"{HERE}/00000000-0000-0000-0000-000000000001?version=3"
GRID = f"{HERE}/path/models/grid.json"
ELLIPSOID = Ellipsoid(EllipsoidRanges(200, 150.0, 100), Rotation(45, 10, 5))
SEARCH = SearchNeighborhood(ellipsoid=ELLIPSOID, max_samples=20, min_samples=4)
LIMITS = {
    "max_empty_octants": 4,
    "max_samples_per_octant": 3,
    "max_empty_quadrants": 2,
    "max_samples_per_quadrant": 5,
    "max_samples_per_drillhole": 3,
    "max_drillholes_per_estimate": 6,
}
LIMITED = SearchNeighborhood(ellipsoid=ELLIPSOID, max_samples=24, **LIMITS)
SOURCE = Source(object=POINTS, attribute="locations.attributes[?name=='grade']")
NEW = Target(object=GRID, attribute=CreateAttribute(name="out"))
OLD = Target(object=GRID, attribute=UpdateAttribute(reference="cell_attributes[?key=='abc']"))
FILTER = Filter(
    where=AllOfFilter(
        filters=[
            FilterCondition(attribute="domain", operator="in", values=["LMS1", 2]),
            AnyOfFilter(
                filters=[FilterCondition(attribute="grade", operator="less_than", threshold=1)]
            ),
        ]
    )
)
TAILS = {"upper": {"power": 0.5, "max": 10.0}, "lower": {"power": 1.0, "min": 0.0}}
CATEGORIES = [{"label": "waste"}, {"cutoff_grade": 0.5, "metal_price": 200, "label": "ore"}]
COSTS = {
    "processing_cost": 20,
    "mining_waste_cost": 5.0,
    "mining_ore_cost": 10.0,
    "metal_recovery_fraction": 0.85,
}
CONSIM: dict[str, Any] = {
    "source_object": POINTS,
    "source_attribute": "grade",
    "target_object": GRID,
    "neighborhood": SEARCH,
    "variogram_model": POINTS,
}

DUMPED: Mapping[str, tuple[BaseModel, ...]] = {
    "kriging": (
        kriging.KrigingParameters(source=SOURCE, target=NEW, variogram=POINTS, search=SEARCH),
        kriging.KrigingParameters(
            source=SOURCE,
            target=OLD,
            variogram=POINTS,
            search=LIMITED,
            method=kriging.SimpleKriging(mean=1.5),
            source_filter=FILTER,
            target_filter=FILTER,
            block_discretization=BlockDiscretization(nx=3, ny=3, nz=9),
            diagnostics=kriging.KrigingDiagnostics(
                **dict.fromkeys(kriging.RECOMMENDED_DIAGNOSTIC_NAMES, True)
            ),
        ),
    ),
    "idw": (
        idw.IDWParameters(source=SOURCE, target=NEW, neighborhood=LIMITED, power=2),
        idw.IDWParameters(
            source=SOURCE,
            target=OLD,
            neighborhood=SEARCH,
            power=0.1,
            source_filter=FILTER,
            target_filter=FILTER,
        ),
    ),
    "knn": (
        knn.KNNParameters(
            source=SOURCE,
            target=NEW,
            neighborhood=LIMITED,
            source_filter=FILTER,
            target_filter=FILTER,
        ),
    ),
    "break-ties": (
        break_ties.BreakTiesParameters(source=SOURCE, target=NEW, neighborhood=SEARCH, seed=-1),
    ),
    "declustering": (
        declustering.idw(POINTS, GRID, NEW, LIMITED),
        declustering.knn(POINTS, GRID, NEW, SEARCH),
    ),
    "normal-score": tuple(
        normal_score.NormalScoreParameters(
            method=way, source=SOURCE, target=NEW, distribution=POINTS
        )
        for way in ("forward", "backward")
    ),
    "continuous-distribution": (
        continuous_distribution.ContinuousDistributionParameters(
            source=SOURCE,
            weights=SOURCE,
            tail_extrapolation=TAILS,
            target={"reference": GRID, "overwrite": True, "description": "d", "tags": {"a": "b"}},
        ),
    ),
    "location-wise": (
        location_wise.LocationWiseParameters(
            source=SOURCE,
            target={"object": GRID},
            summary=True,
            quantiles=[0, 0.5, 1.0],
            probability_above_cutoff={"cutoffs": [1]},
            mean_above_cutoff={"cutoffs": [0.5, 0.25]},
        ),
    ),
    "loss-calculation": (
        loss_calculation.LossCalculationParameters(
            source=SOURCE, target=NEW, material_categories=CATEGORIES, **COSTS
        ),
    ),
    "profit-calculation": (
        profit_calculation.ProfitCalculationParameters(
            source=SOURCE, target=NEW, material_categories=CATEGORIES, **COSTS
        ),
    ),
    "conditional-turning-bands": (
        conditional_turning_bands.ConditionalTurningBandsParameters(
            source=POINTS,
            source_attribute="grade",
            target=GRID,
            filter=FILTER,
            source_filter=FILTER,
            neighborhood=SEARCH,
            distribution=POINTS,
            variogram_model=POINTS,
            kriging_method="ordinary",
            number_of_lines=1000,
            realizations=100,
        ),
    ),
    "consim": (
        conditioned_simulator.ConSimParameters(**CONSIM),
        conditioned_simulator.ConSimParameters(
            **CONSIM,
            filter=FILTER,
            source_filter=FILTER,
            block_discretization={"nx": 2},
            distribution={"weights": "w", "tail_extrapolation": {"upper": TAILS["upper"]}},
            number_of_simulations=100,
            number_of_simulations_to_save=0,
            loss_calculation={
                "material_categories": [{"cutoff_grade": 0.0, "metal_price": 0.0, "label": "w"}],
                **COSTS,
                "target_attribute": {"operation": "create", "name": "class"},
            },
            location_wise_quantiles=[0.1],
            probability_above_cutoff=[1.0],
            mean_above_cutoff=[1.0],
            perform_validation=True,
            report_context={"title": "t", "details": [{"label": "a", "value": "b"}]},
            report_mean_thresholds={"acceptable": 0.05, "marginal": 0.1},
        ),
    ),
    "simulation-report": (
        simulation_report.SimulationReportParameters(
            simulation_source=POINTS,
            source_attribute="grade",
            simulation_target=GRID,
            point_simulations="a",
            point_simulations_normal_score="b",
            block_simulations="c",
            block_simulations_normal_score="d",
            variogram_model=POINTS,
            neighborhood=SEARCH,
            distribution={"weights": "w"},
            number_of_simulations=50,
            report_context={"title": "t"},
            report_mean_thresholds={"acceptable": 0, "marginal": 0},
        ),
    ),
}
BY_SLUG = {kind.slug: kind for kind in KINDS.values()}
#: They travel within source and target.
MOVED = {"source_filter", "target_filter", "diagnostics"}


def dumped(model: BaseModel) -> dict[str, Any]:
    """Give what the vendor's runner sends."""
    return model.model_dump(mode="json", by_alias=True, exclude_none=True)


def accepted(task: str, params: Mapping[str, Any]) -> Parameters:
    decoded: Any = msgspec.convert(params, BY_SLUG[task].params, strict=True)
    check_params(decoded)
    return decoded  # type: ignore[no-any-return]


ALL = [(task, model) for task, models in DUMPED.items() for model in models]


def test_every_runner_of_the_vendor_is_tried() -> None:
    assert {runner.task for runner in _registry._runners.values()} == set(DUMPED)
    assert tasks.__name__  # it is the import that registers them


@pytest.mark.parametrize(("task", "model"), ALL, ids=[task for task, _ in ALL])
def test_what_the_vendor_dumps_is_accepted(task: str, model: BaseModel) -> None:
    accepted(task, dumped(model))


@pytest.mark.parametrize("task", DUMPED)
def test_our_fields_are_the_vendors(task: str) -> None:
    model = type(DUMPED[task][0])
    theirs = {field.alias or name for name, field in model.model_fields.items()}
    ours = {field.encode_name for field in msgspec.structs.fields(BY_SLUG[task].params)}

    same_place = MOVED - (set() if task in {"kriging", "idw", "knn"} else MOVED)
    assert ours - {"report"} == theirs - same_place


@pytest.mark.parametrize("task", DUMPED)
def test_what_the_vendor_leaves_out_has_the_vendors_default(task: str) -> None:
    model = DUMPED[task][0]
    said = accepted(task, dumped(model))

    for name, field in type(model).model_fields.items():
        ours = getattr(said, field.alias or name, None)
        if not field.is_required() and isinstance(ours, bool | int | float | str):
            assert ours == getattr(model, name)


LIMITED_TASKS = {"kriging", "idw", "knn", "declustering"}
SEARCHING = [task for task, models in DUMPED.items() if "neighborhood" in dumped(models[0])]


@pytest.mark.parametrize(("task", "limit"), list(itertools.product(SEARCHING, LIMITS)))
def test_sector_and_drillhole_limits_are_for_four_tasks_alone(task: str, limit: str) -> None:
    params = dumped(DUMPED[task][0])
    params["neighborhood"] = {**params["neighborhood"], limit: LIMITS[limit]}

    refused: Callable[[], Any] = lambda: accepted(task, params)  # noqa: E731 -- called in two ways
    if task in LIMITED_TASKS:
        refused()
    else:
        with pytest.raises(msgspec.ValidationError, match=limit):
            refused()


def test_a_power_that_is_null_is_kept_and_one_that_is_missing_is_two() -> None:
    params = dumped(declustering.knn(POINTS, GRID, NEW, SEARCH))
    assert getattr(accepted("declustering", params), "power", "no such") is None

    del params["power"]
    assert getattr(accepted("declustering", params), "power", None) == 2.0


def test_two_outputs_cannot_share_an_attribute() -> None:
    params = dumped(DUMPED["kriging"][0])
    params["target"]["diagnostics"] = {"kriging_variance": {"operation": "create", "name": "out"}}

    with pytest.raises(Problem, match="attribute of its own") as caught:
        accepted("kriging", params)

    assert caught.value.at == "target.diagnostics.kriging_variance"
