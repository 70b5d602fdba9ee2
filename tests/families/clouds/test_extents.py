"""No array grows with how far apart points are, or how small a cell is asked for.

Points lie at the ends of what 32 bits can store, alone, or all in one place; sizes are of any
order. Each step ends with a result or an error that says what to change, in little memory.
"""

import resource
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import CRS

from haulier.core.problem import Code, Problem
from haulier.families.clouds.family import FAMILY
from haulier.families.clouds.io.crs import wkt_of
from haulier.families.clouds.io.frame import Frame
from haulier.families.clouds.io.header import Triple
from haulier.families.clouds.io.layout import Layout
from haulier.families.clouds.io.lazwriter import ShardWriter, assemble
from haulier.testing.stepkind_suite import StepSample, do

LOW, HIGH = -(2**31), 2**31 - 1
Place = tuple[int, int, int]
MILLIMETRES: Triple = (0.001, 0.001, 0.001)
ZERO: Triple = (0.0, 0.0, 0.0)
CLOUDS: Mapping[str, Sequence[Place]] = {
    "ends": [(LOW, LOW, LOW), (HIGH, HIGH, HIGH)],
    "corners": [(LOW, LOW, 0), (HIGH, HIGH, 0), (LOW, HIGH, 5), (HIGH, LOW, 9)],
    "one": [(5, 5, 5)],
    "one at the end": [(LOW, HIGH, LOW)],
    "equal": [(7, 7, 7)] * 3000,
    "a line": [(LOW, 0, 0), (HIGH, 0, 0), (0, 0, 0)],
    "a plumb line": [(0, 0, LOW), (0, 0, HIGH), (0, 0, 0)],
}
#: More than a step takes here, and less than a grid over such extents would.
ROOM = 6 * 2**30

#: So small that all is refused, or nothing is told apart; or so large that rasters have few cells.
sizes = st.floats(1e-320, 0.1) | st.floats(1e4, 1e6) | st.sampled_from([5e-324, 1e6])
PARAMS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "REPROJECT_LAS": st.just(
        {"source_epsg": "EPSG:2154+EPSG:5720", "target_epsg": "EPSG:3857", "vertical": "keep"}
    ),
    "FILTER": st.just({"expression": "Z > 0"}),
    "CROP": st.just({"bbox": [-1e9, -1e9, 0, 0]}),
    "THIN": st.fixed_dictionaries(
        {"size": sizes, "method": st.sampled_from(["voxel_first", "voxel_centre", "poisson"])}
    ),
    "OUTLIER": st.fixed_dictionaries({"neighbours": st.integers(1, 100)}),
    "TILE_LAS": st.fixed_dictionaries({"size": sizes, "buffer": sizes})
    | st.fixed_dictionaries({"size": sizes, "origin": st.tuples(sizes, st.just(1e300))}),
    "CLASSIFY_GROUND": st.fixed_dictionaries({"cell_m": st.floats(1e-320, 0.1)}),
    "GENERATE_DEM": st.fixed_dictionaries(
        {
            "resolution": sizes,
            "surface": st.sampled_from(["dtm", "dsm", "chm"]),
            "ground": st.sampled_from(["auto", "smrf", "csf"]),
        }
    ),
    "HEIGHT_ABOVE_GROUND": st.fixed_dictionaries({"resolution": sizes}),
    "DENSITY": st.fixed_dictionaries({"resolution": sizes}),
    "REGRID_LAS": st.fixed_dictionaries({"resolution": sizes}),
    "COLORIZE_AS_DEM": st.fixed_dictionaries({"resolution": sizes}),
}
KINDS = sorted(
    name
    for name, kind in FAMILY.step_kinds.items()
    if "input_las" in kind.accepts and "input_tif" not in kind.accepts
)


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Let what asks for much memory fail at once."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (ROOM, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def write(
    path: Path, places: Sequence[Place], scales: Triple = MILLIMETRES, offsets: Triple = ZERO
) -> Path:
    """Write a cloud of stored numbers."""
    layout = Layout(6)
    records = np.zeros(len(places), layout.dtype)
    for axis, numbers in zip("XYZ", np.array(places).T, strict=True):
        records[axis] = numbers
    records["bit_fields"] = 0x11
    shard = path.with_suffix(".chunks")
    with ShardWriter(shard, layout) as writer:
        writer.add(records)
    wkt = wkt_of(CRS("EPSG:2154+EPSG:5720"))
    assemble(path, Frame(layout, scales, offsets, wkt), [(shard, writer.facts())])
    return path


@contextmanager
def or_a_problem() -> Iterator[None]:
    """Let a step end in a problem, too, that says where it is."""
    try:
        yield
    except Problem as problem:
        if problem.code is not Code.INVALID or not problem.at:
            raise


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_extent_and_no_size_takes_more_than_points_ask_for(
    kind: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    places = CLOUDS[data.draw(st.sampled_from(sorted(CLOUDS)))]
    params = data.draw(PARAMS.get(kind, st.just({})))
    folder = tmp_path_factory.mktemp("extent")
    sample = StepSample(kind, kind, {"input_las": [write(folder / "cloud.laz", places)]}, params)

    with or_a_problem():
        do(FAMILY, sample, folder / "world")


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("kind", ["BUILD_COPC", "DATASET_INFO", "OUTLIER", "THIN", "VALIDATE_LAS"])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_scale_and_no_offset_ends_in_anything_but_a_result_or_a_problem(
    kind: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    places = CLOUDS[data.draw(st.sampled_from(sorted(CLOUDS)))]
    scale = st.sampled_from([1e-300, 1e-12, 1e-3, 1e3, 1e6, 1e200])
    offset = st.sampled_from([0.0, -5e5, 1e15, -1e300])
    scales, offsets = data.draw(st.tuples(scale, scale, scale)), (data.draw(offset), 0.0, 0.0)
    params = data.draw(PARAMS.get(kind, st.just({})))
    folder = tmp_path_factory.mktemp("quanta")
    path = write(folder / "cloud.laz", places, scales, offsets)
    sample = StepSample(kind, kind, {"input_las": [path]}, params)

    with or_a_problem():
        do(FAMILY, sample, folder / "world")
