"""Simulations and what is made of them by the vendor's runners, unmodified: all of it agrees.

They run once, as a geologist would run them, and every test looks at what is there then.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

import httpx
import numpy as np
import pandas as pd
import pytest
from evo.compute.tasks import SearchNeighborhood
from evo.compute.tasks.common import TaskRegistry
from evo.compute.tasks.geostatistics.conditional_turning_bands import (
    ConditionalTurningBandsParameters,
)
from evo.compute.tasks.geostatistics.conditioned_simulator import (
    ConSimLossCalculation,
    ConSimMaterialCategory,
    ConSimParameters,
    CreateAttribute,
    DistributionParams,
    ReportContext,
    ReportMeanThresholds,
    ValidationReportContextItem,
)
from evo.compute.tasks.geostatistics.continuous_distribution import (
    ContinuousDistributionParameters,
    DistributionTarget,
)
from evo.compute.tasks.geostatistics.location_wise import (
    LocationWiseParameters,
    LocationWiseTarget,
    MeanAboveCutoff,
    ProbabilityAboveCutoff,
)
from evo.compute.tasks.geostatistics.loss_calculation import LossCalculationParameters
from evo.compute.tasks.geostatistics.profit_calculation import ProfitCalculationParameters
from evo.compute.tasks.geostatistics.simulation_report import SimulationReportParameters
from evo.objects import ObjectReference
from evo.objects.typed import Ellipsoid, EllipsoidRanges, Rotation

pytestmark = pytest.mark.slow
Deposit = Any
Results = Mapping[str, Any]
SHAPE: Final = Ellipsoid(
    EllipsoidRanges(major=60.0, semi_major=50.0, minor=30.0),
    Rotation(dip_azimuth=45.0, dip=10.0, pitch=5.0),
)
SEARCH: Final = SearchNeighborhood(ellipsoid=SHAPE, max_samples=12)
CUTOFF: Final = 2.0
PRICE: Final = 8.0
COSTS: Final[Mapping[str, float]] = {
    "processing_cost": 8.0,
    "mining_waste_cost": 1.0,
    "mining_ore_cost": 3.0,
    "metal_recovery_fraction": 0.9,
}
CATEGORIES: Final = [
    {"cutoff_grade": 0.0, "metal_price": 0.0, "label": "waste"},
    {"cutoff_grade": CUTOFF, "metal_price": PRICE, "label": "ore"},
]
QUANTILES: Final = [0.1, 0.5, 0.9]
SAVED: Final = [f"gaps_simulations_{n}" for n in range(6)]


def simulated(deposit: Deposit) -> Any:
    """Give what simulates: by turning bands alone, and the whole workflow, validated."""

    async def work(context: Any, there: Any) -> Results:
        common: dict[str, Any] = {
            "variogram_model": there.variogram,
            "neighborhood": SEARCH,
            "number_of_lines": 100,
        }
        made = await deposit.quick(
            context,
            ContinuousDistributionParameters(
                source=there.points.attributes["grade"],
                target=DistributionTarget(
                    reference=ObjectReference.new(
                        context.get_environment(), object_path="made/of grades.json"
                    )
                ),
            ),
        )
        bands = ConditionalTurningBandsParameters(
            source=there.points,
            source_attribute=there.points.attributes["grade"],
            target=there.grid,
            distribution=made.distribution_reference,
            realizations=3,
            **common,
        )
        consim = ConSimParameters(
            source_object=there.points,
            source_attribute=there.points.attributes["gaps"],
            target_object=there.grid,
            distribution=DistributionParams(weights=there.points.attributes["mass"]),
            number_of_simulations=len(SAVED),
            number_of_simulations_to_save=len(SAVED),
            location_wise_quantiles=QUANTILES,
            probability_above_cutoff=[CUTOFF],
            mean_above_cutoff=[CUTOFF],
            loss_calculation=ConSimLossCalculation(
                material_categories=[ConSimMaterialCategory(**each) for each in CATEGORIES],
                target_attribute=CreateAttribute(name="class"),
                **COSTS,
            ),
            perform_validation=True,
            report_context=ReportContext(
                title="Pit 7", details=[ValidationReportContextItem(label="By", value="Ada")]
            ),
            report_mean_thresholds=ReportMeanThresholds(acceptable=0.3, marginal=0.6),
            **common,
        )
        given = {"conditional-turning-bands": await deposit.run(context, bands)}
        return given | {"consim": await deposit.run(context, consim)}

    return work


def summarised(deposit: Deposit) -> Any:
    """Give what looks at the simulations: statistics, categories, and a report."""

    async def work(context: Any, there: Any) -> Results:
        cells, grade = there.grid.attributes, there.points.attributes["gaps"]
        blocks = cells["gaps_simulations"]
        economy = {"material_categories": CATEGORIES, **COSTS}
        asked = {
            "location-wise": LocationWiseParameters(
                source=blocks,
                target=LocationWiseTarget(object=there.grid),
                summary=True,
                quantiles=QUANTILES,
                probability_above_cutoff=ProbabilityAboveCutoff(cutoffs=[CUTOFF]),
                mean_above_cutoff=MeanAboveCutoff(cutoffs=[CUTOFF]),
            ),
            "loss-calculation": LossCalculationParameters(
                source=blocks, target=cells["loss"], **economy
            ),
            "profit-calculation": ProfitCalculationParameters(
                source=blocks, target=cells["profit"], **economy
            ),
            "simulation-report": SimulationReportParameters(
                simulation_source=there.points,
                source_attribute=grade,
                simulation_target=there.grid,
                point_simulations=cells["gaps_point_simulations"],
                point_simulations_normal_score=cells["gaps_point_simulations_normal_score"],
                block_simulations=blocks,
                block_simulations_normal_score=cells["gaps_simulations_normal_score"],
                variogram_model=there.variogram,
                neighborhood=SEARCH,
                number_of_simulations=len(SAVED),
            ),
        }
        return {name: await deposit.run(context, each) for name, each in asked.items()}

    return work


async def frame(_: Any, there: Any) -> pd.DataFrame:
    blocks: pd.DataFrame = await there.grid.to_dataframe()
    return blocks


@pytest.fixture(scope="module")
def ran(deposit: Deposit) -> SimpleNamespace:
    """Run them all; give results by task, and the blocks."""
    results = {**deposit.do(simulated(deposit)), **deposit.do(summarised(deposit))}
    return SimpleNamespace(results=results, blocks=deposit.do(frame))


def test_six_runners_have_run(ran: SimpleNamespace) -> None:
    done = {type(result) for result in ran.results.values()}

    runners = TaskRegistry()._runners.values()
    assert {runner.task for runner in runners if runner.result_type in done} == set(ran.results)
    assert len(ran.results) == 6


def test_simulations_honour_the_samples(ran: SimpleNamespace, deposit: Deposit) -> None:
    grades = deposit.samples["grade"].head(len(deposit.sampled))
    gaps = deposit.samples["gaps"].head(len(deposit.sampled))

    for simulated, wanted in (("grade_simulations_0", grades), ("gaps_simulations_0", gaps)):
        there = wanted.notna().to_numpy()
        at = ran.blocks.iloc[deposit.sampled[there]]
        np.testing.assert_allclose(at[simulated], wanted[there], atol=1e-9)
    made = ran.results["conditional-turning-bands"].simulations_attribute
    assert made.name == "grade_simulations"


def test_statistics_of_a_simulation_are_those_of_its_realisations(ran: SimpleNamespace) -> None:
    blocks, saved = ran.blocks, ran.blocks[SAVED].to_numpy()
    above = np.where(saved > CUTOFF, saved, np.nan)

    expected = {
        "gaps_mean": saved.mean(axis=1),
        "gaps_min": saved.min(axis=1),
        "gaps_max": saved.max(axis=1),
        "gaps_probability_above_2": (saved > CUTOFF).mean(axis=1),
    }
    for name, values in expected.items():
        np.testing.assert_allclose(blocks[name], values, err_msg=name)
    some = ~np.isnan(above).all(axis=1)
    np.testing.assert_allclose(blocks["gaps_mean_above_2"][some], np.nanmean(above[some], axis=1))
    assert blocks["gaps_mean_above_2"][~some].isna().all()


def test_quantiles_rise_between_the_least_and_the_greatest(ran: SimpleNamespace) -> None:
    names = [each.name for each in ran.results["consim"].quantile_attributes]
    ladder = ran.blocks[["gaps_min", *names, "gaps_max"]].to_numpy()

    assert len(names) == 3
    assert (np.diff(ladder, axis=1) >= -1e-12).all()


def test_statistics_by_their_own_task_are_the_same(ran: SimpleNamespace) -> None:
    own = ran.results["location-wise"].attribute_names
    theirs = [f"gaps{name.removeprefix('gaps_simulations')}" for name in own]

    assert len(own) == 9
    for mine, consim in zip(own, theirs, strict=True):
        np.testing.assert_allclose(ran.blocks[mine], ran.blocks[consim], err_msg=mine)


def test_blocks_go_where_they_earn_most_or_lose_least(ran: SimpleNamespace) -> None:
    saved, blocks = ran.blocks[SAVED].to_numpy(), ran.blocks
    worth = (0.9 * PRICE * np.where(saved > CUTOFF, saved, 0.0)).mean(axis=1)
    wrong = (saved > CUTOFF) & (worth[:, None] > -1)

    assert (blocks["profit"] == np.where(worth > 8.0 + 3.0 - 1.0, "ore", "waste")).all()
    assert set(blocks["loss"]) == set(blocks["class"]) == {"ore", "waste"}
    assert (blocks["loss"] == blocks["class"]).all()
    assert (blocks["loss"][~wrong.any(axis=1)] == "waste").all()


@pytest.mark.parametrize("task", ["consim", "simulation-report"])
def test_the_report_is_a_page_for_those_with_a_key(
    ran: SimpleNamespace, deposit: Deposit, task: str
) -> None:
    result, server = ran.results[task], deposit.desk.server
    with httpx.Client(verify=False, timeout=60) as client:  # noqa: S501 -- our own server
        refused = client.get(result.dashboard_url)
        page = client.get(result.dashboard_url, headers={"authorization": f"Bearer {server.key}"})

    assert refused.status_code == 401
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html")
    assert "Pit 7" in page.text or task != "consim"
    summary = result.validation_summary
    assert summary.mean == pytest.approx(summary.reference_mean, abs=0.4)
