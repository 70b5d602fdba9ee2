"""All thirteen tasks by the vendor's own runners, unmodified, on one deposit."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from evo.compute.tasks import (
    BlockDiscretization,
    SearchNeighborhood,
    Source,
    Target,
    run,
)
from evo.compute.tasks.common import Filter, FilterCondition
from evo.compute.tasks.geostatistics import declustering
from evo.compute.tasks.geostatistics.break_ties import BreakTiesParameters
from evo.compute.tasks.geostatistics.conditional_turning_bands import (
    ConditionalTurningBandsParameters,
)
from evo.compute.tasks.geostatistics.conditioned_simulator import ConSimParameters
from evo.compute.tasks.geostatistics.continuous_distribution import (
    ContinuousDistributionParameters,
    DistributionTarget,
)
from evo.compute.tasks.geostatistics.idw import IDWParameters
from evo.compute.tasks.geostatistics.knn import KNNParameters
from evo.compute.tasks.geostatistics.kriging import KrigingDiagnostics, KrigingParameters
from evo.compute.tasks.geostatistics.location_wise import (
    LocationWiseParameters,
    ProbabilityAboveCutoff,
)
from evo.compute.tasks.geostatistics.loss_calculation import LossCalculationParameters
from evo.compute.tasks.geostatistics.normal_score import NormalScoreParameters
from evo.compute.tasks.geostatistics.profit_calculation import ProfitCalculationParameters
from evo.compute.tasks.geostatistics.simulation_report import SimulationReportParameters
from evo.objects import ObjectReference
from evo.objects.typed import (
    BlockModel,
    Ellipsoid,
    EllipsoidRanges,
    ExponentialStructure,
    Point3,
    PointSet,
    PointSetData,
    Regular3DGrid,
    Regular3DGridData,
    RegularBlockModelData,
    RegularMasked3DGrid,
    RegularMasked3DGridData,
    Size3d,
    Size3i,
    SphericalStructure,
    Variogram,
    VariogramData,
)

Desk = Any
SIZE: Final = Size3i(nx=8, ny=8, nz=4)
CELL: Final = Size3d(dx=12.5, dy=12.5, dz=5.0)
ORIGIN: Final = Point3(x=0.0, y=0.0, z=0.0)
RANGES: Final = EllipsoidRanges(major=60.0, semi_major=50.0, minor=30.0)
SEARCH: Final = SearchNeighborhood(ellipsoid=Ellipsoid(ranges=RANGES), max_samples=12)
CATEGORIES: Final = [
    {"label": "waste"},
    {"cutoff_grade": 2.0, "metal_price": 20.0, "label": "ore"},
]
COSTS: Final[Mapping[str, float]] = {
    "processing_cost": 5.0,
    "mining_waste_cost": 1.0,
    "mining_ore_cost": 2.0,
    "metal_recovery_fraction": 0.9,
}


def samples() -> pd.DataFrame:
    """Give a smooth field at 200 places, rounded so that values tie."""
    random = np.random.default_rng(7)
    places = random.uniform((0, 0, 0), (100, 100, 20), (200, 3))
    frame = pd.DataFrame(places, columns=["x", "y", "z"])
    frame["grade"] = (np.exp(np.sin(frame["x"] / 20)) + frame["y"] / 50).round(1)
    frame["domain"] = pd.Categorical(np.where(frame["x"] < 50, "west", "east"))
    return frame


async def deposit(context: Any) -> tuple[Any, Any, Any]:
    """Make points, a variogram and a grid."""
    points = await PointSet.create(context, PointSetData(name="points", locations=samples()))
    shape = Ellipsoid(ranges=RANGES)
    variogram = VariogramData(
        name="model",
        sill=1.0,
        nugget=0.1,
        is_rotation_fixed=True,
        structures=[
            SphericalStructure(contribution=0.5, anisotropy=shape),
            ExponentialStructure(contribution=0.4, anisotropy=shape),
        ],
    )
    grid = Regular3DGridData(name="grid", origin=ORIGIN, size=SIZE, cell_size=CELL)
    return (
        points,
        await Variogram.create(context, variogram),
        await Regular3DGrid.create(context, grid),
    )


@pytest.mark.slow
def test_estimates_are_read_back_from_grids(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        points, variogram, grid = await deposit(context)
        grade = Source(object=points, attribute="locations.attributes[?name=='grade']")
        west = Filter(
            where=FilterCondition(
                attribute=points.attributes["domain"], operator="in", values=["west"]
            )
        )
        mask = np.arange(SIZE.total_size) % 3 > 0
        masked = await RegularMasked3DGrid.create(
            context,
            RegularMasked3DGridData(
                name="masked", origin=ORIGIN, size=SIZE, cell_size=CELL, mask=mask
            ),
        )
        results = [
            await run(context, parameters, preview=True)
            for parameters in (
                KrigingParameters(
                    source=grade,
                    target=Target.new_attribute(grid, "kriged"),
                    variogram=variogram,
                    search=SEARCH,
                    block_discretization=BlockDiscretization(nx=3, ny=3, nz=2),
                    diagnostics=KrigingDiagnostics(
                        valid=True, kriging_variance=True, num_samples="count"
                    ),
                ),
                IDWParameters(
                    source=grade,
                    target=Target.new_attribute(grid, "idw"),
                    neighborhood=SEARCH,
                    power=2.0,
                    source_filter=west,
                ),
                KNNParameters(
                    source=grade, target=Target.new_attribute(masked, "knn"), neighborhood=SEARCH
                ),
            )
        ]
        frames = [await result.to_dataframe() for result in results]
        return results, frames, mask

    results, (kriged, idw, knn), mask = desk.do(work)

    assert set(results[0].diagnostics) == {"valid", "kriging_variance", "num_samples"}
    assert list(kriged) == ["kriged", "valid", "KV", "count"]
    assert kriged["valid"].dtype == bool
    assert (kriged["KV"] > 0).all()
    assert idw["idw"].notna().any()
    assert len(knn) == mask.sum()


@pytest.mark.slow
def test_a_block_model_is_kriged(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        points, variogram, _ = await deposit(context)
        model = await BlockModel.create_regular(
            context,
            RegularBlockModelData(name="pit", origin=ORIGIN, n_blocks=SIZE, block_size=CELL),
        )
        await run(
            context,
            KrigingParameters(
                source=points.attributes["grade"],
                target=model.attributes["kriged"],
                variogram=variogram,
                search=SEARCH,
            ),
            preview=True,
        )
        newest = await model.refresh()
        return newest.attributes, await newest.to_dataframe()

    attributes, frame = desk.do(work)

    assert [(each.name, each.attribute_type) for each in attributes] == [("kriged", "Float64")]
    assert len(frame) == SIZE.total_size
    assert frame["kriged"].between(0.3, 5.0).all()


@pytest.mark.slow
def test_samples_become_scores_and_back(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        points, _, grid = await deposit(context)
        grade = points.attributes["grade"]
        untied = await run(
            context,
            BreakTiesParameters(
                source=grade, target=Target.new_attribute(points, "untied"), neighborhood=SEARCH
            ),
        )
        weights = await run(
            context,
            declustering.idw(points, grid, Target.new_attribute(points, "weight"), SEARCH),
        )
        points = await weights.get_target_object()
        made = await run(
            context,
            ContinuousDistributionParameters(
                source=points.attributes["grade"],
                weights=points.attributes["weight"],
                target=DistributionTarget(
                    reference=ObjectReference.new(
                        context.get_environment(), object_path="made/distribution.json"
                    )
                ),
            ),
        )
        forward = await run(
            context,
            NormalScoreParameters(
                method="forward",
                source=points.attributes["grade"],
                target=Target.new_attribute(points, "score"),
                distribution=made.distribution_reference,
            ),
        )
        points = await forward.get_target_object()
        backward = await run(
            context,
            NormalScoreParameters(
                method="backward",
                source=points.attributes["score"],
                target=Target.new_attribute(points, "back"),
                distribution=made.distribution_reference,
            ),
        )
        return untied, await backward.to_dataframe()

    untied, frame = desk.do(work)

    assert untied.message.startswith("Broke the ties")
    assert frame["untied"].nunique() == 200
    assert frame["weight"].sum() == pytest.approx(1.0)
    assert frame["score"].std() == pytest.approx(1.0, abs=0.15)
    assert (frame["back"] == frame["grade"]).all()


@pytest.mark.slow
def test_simulations_are_made_summarised_classified_and_reported(desk: Desk) -> None:
    async def work(context: Any) -> Any:
        points, variogram, grid = await deposit(context)
        grade = points.attributes["grade"]
        made = await run(
            context,
            ContinuousDistributionParameters(
                source=grade,
                target=DistributionTarget(
                    reference=ObjectReference.new(
                        context.get_environment(), object_path="made/plain.json"
                    )
                ),
            ),
        )
        bands = await run(
            context,
            ConditionalTurningBandsParameters(
                source=points,
                source_attribute=grade,
                target=grid,
                distribution=made.distribution_reference,
                variogram_model=variogram,
                neighborhood=SEARCH,
                number_of_lines=100,
                realizations=3,
            ),
        )
        consim = await run(
            context,
            ConSimParameters(
                source_object=points,
                source_attribute=grade,
                target_object=grid,
                variogram_model=variogram,
                neighborhood=SEARCH,
                number_of_lines=100,
                number_of_simulations=6,
                location_wise_quantiles=[0.5],
                perform_validation=True,
            ),
        )
        grid = await consim.get_target_object()
        simulated = grid.attributes["grade_simulations"]
        wise = await run(
            context,
            LocationWiseParameters(
                source=simulated,
                target={"object": grid},
                summary=True,
                probability_above_cutoff=ProbabilityAboveCutoff(cutoffs=[2.0]),
            ),
        )
        classes = [
            await run(
                context,
                kind(
                    source=simulated,
                    target=Target.new_attribute(grid, name),
                    material_categories=CATEGORIES,
                    **COSTS,
                ),
            )
            for kind, name in (
                (LossCalculationParameters, "loss"),
                (ProfitCalculationParameters, "profit"),
            )
        ]
        report = await run(
            context,
            SimulationReportParameters(
                simulation_source=points,
                source_attribute=grade,
                simulation_target=grid,
                point_simulations=grid.attributes["grade_point_simulations"],
                point_simulations_normal_score=grid.attributes[
                    "grade_point_simulations_normal_score"
                ],
                block_simulations=simulated,
                block_simulations_normal_score=grid.attributes["grade_simulations_normal_score"],
                variogram_model=variogram,
                neighborhood=SEARCH,
                number_of_simulations=5,
            ),
        )
        return bands, consim, wise, await classes[-1].to_dataframe(), report

    bands, consim, wise, frame, report = desk.do(work)

    assert bands.simulations_attribute.name == "grade_simulations"
    assert consim.validation_summary.mean == pytest.approx(
        consim.validation_summary.reference_mean, rel=0.2
    )
    assert consim.dashboard_url.startswith("https://")
    assert "grade_simulations_mean" in wise.attribute_names
    assert set(frame["loss"].dropna().unique()) <= {"waste", "ore"}
    assert (frame["grade_min"] <= frame["grade_quantile_0.5"]).all()
    assert report.report_reference.startswith("https://")
