"""Estimates and transformations by the vendor's runners, unmodified: what they give is right.

They run once, as a geologist would run them, and every test looks at what is there then.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from evo.compute.tasks import SearchNeighborhood, Target, run
from evo.compute.tasks.common import TaskRegistry
from evo.compute.tasks.geostatistics import declustering
from evo.compute.tasks.geostatistics.break_ties import BreakTiesParameters
from evo.compute.tasks.geostatistics.continuous_distribution import (
    ContinuousDistributionParameters,
    DistributionTarget,
    TailExtrapolation,
    UpperTail,
)
from evo.compute.tasks.geostatistics.idw import IDWParameters
from evo.compute.tasks.geostatistics.knn import KNNParameters
from evo.compute.tasks.geostatistics.kriging import KrigingDiagnostics, KrigingParameters
from evo.compute.tasks.geostatistics.normal_score import NormalScoreParameters
from evo.objects import ObjectAPIClient, ObjectReference
from evo.objects.typed import Ellipsoid, EllipsoidRanges, Rotation

pytestmark = pytest.mark.slow
Deposit = Any
Results = Mapping[str, Any]
TURN: Final = Rotation(dip_azimuth=45.0, dip=10.0, pitch=5.0)
RANGES: Final = EllipsoidRanges(major=60.0, semi_major=50.0, minor=30.0)
SEARCH: Final = SearchNeighborhood(ellipsoid=Ellipsoid(RANGES, TURN), max_samples=12)


async def estimated(context: Any, there: Any) -> Results:
    """Run six tasks at once, as the vendor's own `run` does it; three write on one grid."""
    grade, grid, points = there.points.attributes["grade"], there.grid, there.points
    asked = {
        "kriging": KrigingParameters(
            source=grade,
            target=Target.new_attribute(grid, "kriged"),
            variogram=there.variogram,
            search=SEARCH,
            diagnostics=KrigingDiagnostics(kriging_variance=True),
        ),
        "idw": IDWParameters(
            source=grade, target=Target.new_attribute(grid, "idw"), neighborhood=SEARCH, power=2.0
        ),
        "knn": KNNParameters(
            source=grade, target=Target.new_attribute(grid, "knn"), neighborhood=SEARCH
        ),
        "break-ties": BreakTiesParameters(
            source=grade, target=points.attributes["untied"], neighborhood=SEARCH
        ),
        "declustering": declustering.idw(points, grid, points.attributes["weight"], SEARCH),
        "nearest": declustering.knn(points, grid, points.attributes["share"], SEARCH),
    }
    given = await run(context, list(asked.values()), preview=True)
    return dict(zip(asked, given, strict=True))


def transformed(deposit: Deposit) -> Any:
    """Give what makes a distribution, and scores of the samples and back."""

    async def work(context: Any, there: Any) -> Results:
        points = there.points
        made = await deposit.run(
            context,
            ContinuousDistributionParameters(
                source=points.attributes["grade"],
                weights=points.attributes["weight"],
                tail_extrapolation=TailExtrapolation(upper=UpperTail(power=0.5, max=9.0)),
                target=DistributionTarget(
                    reference=ObjectReference.new(
                        context.get_environment(), object_path="made/distribution.json"
                    ),
                    description="of the grades",
                    tags={"stage": "first"},
                ),
            ),
        )
        given = {"continuous-distribution": made}
        for method, source, name in (("forward", "grade", "score"), ("backward", "score", "back")):
            given[f"normal-score {method}"] = await deposit.run(
                context,
                NormalScoreParameters(
                    method=method,
                    source=points.attributes[source],
                    target=Target.new_attribute(points, name),
                    distribution=made.distribution_reference,
                ),
            )
            points = await points.refresh()
        client = ObjectAPIClient(
            context.get_environment(), context.get_connector(), context.get_cache()
        )
        stored = await client.download_object_by_path("made/distribution.json")
        return given | {"distribution": stored.as_dict()}

    return work


async def frames(_: Any, there: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    return await there.points.to_dataframe(), await there.grid.to_dataframe()


@pytest.fixture(scope="module")
def ran(deposit: Deposit) -> SimpleNamespace:
    """Run them all; give results by name, the samples and the blocks."""
    results = {**deposit.do(estimated), **deposit.do(transformed(deposit))}
    points, blocks = deposit.do(frames)
    return SimpleNamespace(results=results, points=points, blocks=blocks)


def test_seven_runners_have_run(ran: SimpleNamespace) -> None:
    done = {type(result) for result in ran.results.values()}

    runners = TaskRegistry()._runners.values()
    assert {runner.task for runner in runners if runner.result_type in done} == {
        *("kriging", "idw", "knn", "break-ties", "declustering"),
        *("continuous-distribution", "normal-score"),
    }


def test_tasks_that_write_on_one_grid_at_once_lose_nothing(ran: SimpleNamespace) -> None:
    assert {"kriged", "KV", "idw", "knn"} <= set(ran.blocks)
    assert {"grade", "domain", "untied", "weight", "share"} <= set(ran.points)
    versions = {ran.results[name].target_reference for name in ("kriging", "idw", "knn")}
    assert len(versions) == 3


def test_an_estimate_at_a_sample_is_the_sample(ran: SimpleNamespace, deposit: Deposit) -> None:
    blocks = ran.blocks.iloc[deposit.sampled]
    grades = deposit.samples["grade"].head(len(deposit.sampled))

    np.testing.assert_allclose(blocks["kriged"], grades, atol=1e-12)
    np.testing.assert_allclose(blocks["KV"], 0.0, atol=1e-12)
    assert (blocks["idw"].to_numpy() == grades.to_numpy()).all()
    assert (ran.blocks["KV"].drop(blocks.index) > 0).all()


def test_knn_is_the_mean_of_the_nearest_in_the_ellipsoid_s_space(
    ran: SimpleNamespace, deposit: Deposit
) -> None:
    middles = (np.array([[0, 0, 0], [7, 3, 2]]) + 0.5) * deposit.CELL
    places = deposit.samples[["x", "y", "z"]].to_numpy()
    lags = (places[None] - middles[:, None]) @ TURN.as_rotation_matrix()
    apart = np.linalg.norm(lags / [RANGES.major, RANGES.semi_major, RANGES.minor], axis=2)
    nearest = np.argsort(apart, axis=1)[:, : SEARCH.max_samples]

    expected = deposit.samples["grade"].to_numpy()[nearest].mean(axis=1)
    np.testing.assert_allclose(ran.blocks["knn"].iloc[[0, 7 + 8 * (3 + 8 * 2)]], expected)


def test_declustering_weights_are_shares_of_one(ran: SimpleNamespace) -> None:
    for name in ("weight", "share"):
        assert ran.points[name].sum() == pytest.approx(1.0, abs=1e-12)
        assert (ran.points[name] >= 0).all()
    assert not np.allclose(ran.points["weight"], ran.points["share"])


def test_values_without_ties_are_ordered_as_the_tied_ones_are(ran: SimpleNamespace) -> None:
    ordered = ran.points.sort_values("untied")

    assert ordered["untied"].is_unique
    assert ordered["grade"].is_monotonic_increasing
    assert (ordered["untied"] - ordered["grade"]).abs().max() < 0.1


def test_scores_are_normal_and_give_the_values_back_exactly(ran: SimpleNamespace) -> None:
    weights, scores = ran.points["weight"], ran.points["score"]

    assert (weights * scores).sum() == pytest.approx(0.0, abs=0.1)
    assert (weights * scores**2).sum() == pytest.approx(1.0, abs=0.15)
    assert (ran.points["back"] == ran.points["grade"]).all()


def test_a_distribution_says_of_itself_what_was_asked(ran: SimpleNamespace) -> None:
    stored = ran.results["distribution"]

    assert ran.results["continuous-distribution"].distribution_name == "distribution"
    assert (stored["description"], stored["tags"]) == ("of the grades", {"stage": "first"})
    assert stored["is_declustered"] is True
    assert stored["cdf"]["upper_tail_extrapolation"] == {"power_model": {"max": 9.0, "power": 0.5}}


def test_results_print_as_the_vendor_s_notebooks_show_them(ran: SimpleNamespace) -> None:
    for name, result in ran.results.items():
        if name != "distribution":
            assert str(result).startswith("✓")
    assert ran.results["idw"].message == (
        "Estimated 256 of 256 blocks of 'grid' by inverse distance from 120 samples."
    )
