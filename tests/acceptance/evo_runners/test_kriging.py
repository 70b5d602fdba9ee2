"""Kriging by the vendor's runner, unmodified: each target, each diagnostic, each way to say it."""

import asyncio
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from evo.compute.tasks import BlockDiscretization, SearchNeighborhood, Source, Target
from evo.compute.tasks.common import (
    AllOfFilter,
    AnyOfFilter,
    Filter,
    FilterCondition,
    UpdateAttribute,
)
from evo.compute.tasks.geostatistics.kriging import (
    RECOMMENDED_DIAGNOSTIC_NAMES,
    KrigingDiagnostics,
    KrigingParameters,
    SimpleKriging,
)
from evo.objects import ObjectReference
from evo.objects.typed import (
    BlockModel,
    DownholeIntervals,
    DownholeIntervalsData,
    Ellipsoid,
    EllipsoidRanges,
    Point3,
    PointSet,
    PointSetData,
    Regular3DGrid,
    RegularBlockModelData,
    RegularMasked3DGrid,
    RegularMasked3DGridData,
    Rotation,
    Size3d,
    Size3i,
    Tensor3DGrid,
    Tensor3DGridData,
    object_from_uuid,
)
from numpy.typing import NDArray

Deposit = Any
Array = NDArray[np.float64]
TURN: Final = Rotation(dip_azimuth=45.0, dip=10.0, pitch=5.0)
RANGES: Final = EllipsoidRanges(major=60.0, semi_major=50.0, minor=30.0)
SEARCH: Final = SearchNeighborhood(ellipsoid=Ellipsoid(RANGES, TURN), max_samples=12)
ORIGIN: Final = Point3(x=0.0, y=0.0, z=0.0)


def kriging(there: Any, name: str, **more: Any) -> KrigingParameters:
    """Give parameters that work, and change some."""
    usual: dict[str, Any] = {
        "source": there.points.attributes["grade"],
        "target": Target.new_attribute(there.grid, name),
        "variogram": there.variogram,
        "search": SEARCH,
    }
    return KrigingParameters(**{**usual, **more})


def middles(deposit: Deposit) -> Array:
    """Give the middles of all blocks, x first."""
    steps = [(np.arange(n) + 0.5) * d for n, d in zip(deposit.SIZE, deposit.CELL, strict=True)]
    z, y, x = np.meshgrid(*steps[::-1], indexing="ij")
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)


def covariance(deposit: Deposit, a: Array, b: Array, nugget: float) -> Array:
    """Give the covariance of the deposit's variogram between places, by the vendor's rotation."""
    spherical, exponential = deposit.variogram.structures
    shape = spherical.anisotropy
    lags = (a[:, None] - b[None]) @ shape.rotation.as_rotation_matrix()
    sides = [shape.ranges.major, shape.ranges.semi_major, shape.ranges.minor]
    h = np.linalg.norm(lags / sides, axis=2)
    smooth = spherical.contribution * np.where(h < 1, 1 - 1.5 * h + 0.5 * h**3, 0.0)
    smooth = smooth + exponential.contribution * np.exp(-3 * h)
    return np.asarray(smooth + nugget * (h == 0))


def by_hand(deposit: Deposit, points: Array) -> tuple[float, float]:
    """Krige the mean over points from the nearest samples: estimate and variance.

    The nugget counts between samples, and neither within a block nor between block and sample.
    """
    places = deposit.samples[["x", "y", "z"]].to_numpy()
    nugget = deposit.variogram.nugget
    lags = (places - points.mean(axis=0)) @ TURN.as_rotation_matrix()
    apart = np.linalg.norm(lags / [RANGES.major, RANGES.semi_major, RANGES.minor], axis=1)
    near = np.argsort(apart)[: SEARCH.max_samples]
    n, own = len(near), nugget if len(points) == 1 else 0.0
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = covariance(deposit, places[near], places[near], nugget)
    system[n, n] = 0.0
    right = np.append(covariance(deposit, places[near], points, own).mean(axis=1), 1.0)
    solved = np.linalg.solve(system, right)
    block = covariance(deposit, points, points, own).mean()
    estimate = solved[:n] @ deposit.samples["grade"].to_numpy()[near]
    return float(estimate), float(block - solved @ right)


@pytest.mark.parametrize("cuts", [(1, 1, 1), (3, 2, 2)])
def test_blocks_are_what_a_plain_solver_makes_of_them(
    deposit: Deposit, cuts: tuple[int, int, int]
) -> None:
    name = f"checked {cuts}"
    nx, ny, nz = cuts

    async def work(context: Any, there: Any) -> Any:
        result = await deposit.quick(
            context,
            kriging(
                there,
                name,
                block_discretization=BlockDiscretization(nx=nx, ny=ny, nz=nz),
                diagnostics=KrigingDiagnostics(kriging_variance=f"{name} KV"),
            ),
        )
        return await result.to_dataframe(name, f"{name} KV")

    frame = deposit.do(work)

    along = [((np.arange(n) + 0.5) / n - 0.5) * d for n, d in zip(cuts, deposit.CELL, strict=True)]
    offsets = np.stack(np.meshgrid(*along, indexing="ij"), axis=-1).reshape(-1, 3)
    some = np.arange(0, 256, 17)
    expected = [by_hand(deposit, middles(deposit)[block] + offsets) for block in some]
    np.testing.assert_allclose(frame.iloc[some], expected, atol=1e-11)


@pytest.mark.slow
def test_every_kind_of_target_gets_the_same_numbers(deposit: Deposit) -> None:
    size, cell = Size3i(*deposit.SIZE), Size3d(*deposit.CELL)
    places = middles(deposit)
    mask = np.arange(256) % 3 > 0
    place: dict[str, Any] = {"origin": ORIGIN, "size": size}
    sizes = {
        f"cell_sizes_{axis}": np.full(n, d)
        for axis, n, d in zip("xyz", deposit.SIZE, deposit.CELL, strict=True)
    }

    async def work(context: Any, there: Any) -> Any:
        frame = pd.DataFrame(places, columns=["x", "y", "z"])
        masked = RegularMasked3DGridData(name="masked", cell_size=cell, mask=mask, **place)
        model = RegularBlockModelData(name="pit", origin=ORIGIN, n_blocks=size, block_size=cell)
        targets = (
            there.grid,
            await RegularMasked3DGrid.create(context, masked),
            await Tensor3DGrid.create(context, Tensor3DGridData(name="tensor", **place, **sizes)),
            await PointSet.create(context, PointSetData(name="middles", locations=frame)),
            await BlockModel.create_regular(context, model),
        )
        asked = [kriging(there, "", target=each.attributes["everywhere"]) for each in targets]
        results = await asyncio.gather(*(deposit.quick(context, each) for each in asked))
        newest = [await each.refresh() for each in targets]
        return results, newest, [await each.to_dataframe() for each in newest]

    results, newest, (whole, masked, tensor, points, blocks) = deposit.do(work)

    expected = whole["everywhere"].to_numpy()
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(masked["everywhere"], expected[mask], rtol=1e-13)
    np.testing.assert_allclose(tensor["everywhere"], expected, rtol=1e-13)
    np.testing.assert_allclose(points["everywhere"], expected, rtol=1e-13)
    ordered = blocks.sort_values(["z", "y", "x"])
    np.testing.assert_allclose(ordered[["x", "y", "z"]], places)
    np.testing.assert_allclose(ordered["everywhere"], expected, rtol=1e-13)
    assert [each.attribute_name for each in results] == ["everywhere"] * 5
    assert newest[-1].attributes["everywhere"].attribute_type == "Float64"


def test_all_sixteen_diagnostics_are_written_and_agree(deposit: Deposit) -> None:
    samples = deposit.samples
    table = pd.DataFrame({"hole_id": [f"H{n % 9}" for n in range(len(samples))]})
    table["from"], table["to"] = np.arange(120.0), np.arange(120.0) + 1
    for axis in "xyz":
        for end in ("start", "mid", "end"):
            table[f"{axis}_{end}"] = samples[axis]
    table["grade"] = samples["grade"]
    search = SearchNeighborhood(
        ellipsoid=SEARCH.ellipsoid, max_samples=12, min_samples=3, max_samples_per_drillhole=3
    )

    async def work(context: Any, there: Any) -> Any:
        data = DownholeIntervalsData(name="assays", intervals=table, is_composited=False)
        assays = await DownholeIntervals.create(context, data)
        result = await deposit.quick(
            context,
            kriging(
                there,
                "diagnosed",
                source=assays.attributes["grade"],
                search=search,
                diagnostics=KrigingDiagnostics(
                    **{name: f"d.{short}" for name, short in RECOMMENDED_DIAGNOSTIC_NAMES.items()}
                ),
            ),
        )
        assert isinstance(await result.get_target_object(), Regular3DGrid)
        return result, await result.to_dataframe()

    result, frame = deposit.do(work)

    assert set(result.diagnostics) == set(RECOMMENDED_DIAGNOSTIC_NAMES)
    of = {name: frame[f"d.{short}"] for name, short in RECOMMENDED_DIAGNOSTIC_NAMES.items()}
    assert of["valid"].dtype == bool
    assert of["valid"].all()
    counts = ["num_samples", "num_drillholes", "num_duplicates", "num_equidistant"]
    assert all(of[name].dtype == np.int64 for name in counts)
    assert of["num_samples"].between(3, 12).all()
    assert (of["num_drillholes"] * 3 >= of["num_samples"]).all()
    assert (of["num_drillholes"] <= np.minimum(of["num_samples"], 9)).all()
    np.testing.assert_allclose(of["sum_weights"], 1.0)
    np.testing.assert_allclose(of["sum_positive_weights"] + of["sum_negative_weights"], 1.0)
    np.testing.assert_allclose(of["kriging_efficiency"], 1 - of["kriging_variance"], atol=1e-12)
    assert (of["slope_of_regression"] <= 1 + 1e-12).all()
    assert (of["min_distance"] <= of["mean_distance"]).all()
    assert (of["aniso_min_distance"] <= of["aniso_mean_distance"]).all()
    assert (of["aniso_mean_distance"] <= 1).all()
    at_samples = of["min_distance"].iloc[deposit.sampled]
    assert (at_samples == 0).all()


def test_the_source_may_be_named_in_every_way(deposit: Deposit) -> None:
    async def work(context: Any, there: Any) -> Any:
        points = there.points
        environment = context.get_environment()
        by_id = str(points.metadata.url).partition("?")[0]
        by_path = [
            str(ObjectReference.new(environment, object_path=path))
            for path in ("points.json", "./points.json")
        ]
        key = points.attributes["grade"].key
        said = [
            (by_id, "grade"),
            (f"{by_id}?version=1", "locations.attributes[0]"),
            (by_path[0], f"locations.attributes[?key=='{key}']"),
            (by_path[1], "locations.attributes[?name=='grade'] | [0]"),
            (by_id.replace(deposit.desk.server.url, "https://else.where"), key),
        ]
        for number, (object_, attribute) in enumerate(said):
            source = Source(object=object_, attribute=attribute)
            await deposit.quick(context, kriging(there, f"said {number}", source=source))
        return await (await there.grid.refresh()).to_dataframe()

    frame = deposit.do(work)

    for number in range(1, 5):
        assert (frame[f"said {number}"] == frame["said 0"]).all()


def test_an_update_replaces_the_values_of_one_attribute_alone(deposit: Deposit) -> None:
    async def work(context: Any, there: Any) -> Any:
        await deposit.quick(context, kriging(there, "kept"))
        await deposit.quick(context, kriging(there, "changed"))
        before = await there.grid.refresh()
        simple = {"method": SimpleKriging(mean=100.0), "search": SEARCH}
        await deposit.quick(
            context, kriging(there, "", target=before.attributes["changed"], **simple)
        )
        middle = await there.grid.refresh()
        named = Target(object=there.grid, attribute=UpdateAttribute(reference="changed"))
        await deposit.quick(context, kriging(there, "", target=named))
        after = await there.grid.refresh()
        first = await object_from_uuid(
            context, before.metadata.id, version=before.metadata.version_id
        )
        frames = [await each.to_dataframe("kept", "changed") for each in (before, middle, after)]
        return before, after, frames, await first.to_dataframe("changed")

    before, after, (old, simple, new), first = deposit.do(work)

    assert [each.key for each in before.attributes] == [each.key for each in after.attributes]
    assert (old["kept"] == new["kept"]).all()
    assert (simple["changed"] > old["changed"]).any()
    assert (new["changed"] == old["changed"]).all()
    assert (first["changed"] == old["changed"]).all()


def test_filters_choose_samples_and_blocks(deposit: Deposit) -> None:
    async def work(context: Any, there: Any) -> Any:
        points = there.points.attributes
        west = FilterCondition(attribute=points["domain"], operator="in", values=["west"])
        rich = FilterCondition(
            attribute=points["grade"], operator="greater_than_or_equal_to", threshold=3.0
        )
        first = FilterCondition(attribute=points["code"], operator="not_in", values=[1, 2])
        await deposit.quick(context, kriging(there, "everything"))
        grid = await there.grid.refresh()
        low = FilterCondition(
            attribute=grid.attributes["everything"], operator="less_than", threshold=2.0
        )
        both = Filter(where=AllOfFilter(filters=[west, AnyOfFilter(filters=[rich, first])]))
        result = await deposit.quick(
            context,
            kriging(
                there,
                "",
                target=grid.attributes["chosen"],
                source_filter=both,
                target_filter=Filter(where=low),
            ),
        )
        return result, await result.to_dataframe()

    result, frame = deposit.do(work)

    samples = deposit.samples
    used = (samples["domain"] == "west") & ((samples["grade"] >= 3) | (samples["code"] == 0))
    assert f"from {used.sum()} samples." in result.message
    assert f"Filtered out: {120 - used.sum()} samples." in result.message
    low = frame["everything"] < 2.0
    assert frame["chosen"][~low].isna().all()
    assert frame["chosen"][low].notna().any()
