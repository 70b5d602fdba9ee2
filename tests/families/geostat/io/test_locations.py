"""Locations: grids range by range, masks, drillholes; the vendor's own code is the judge."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evo.objects.typed.types import BoundingBox, Point3, Rotation, Size3d, Size3i
from hypothesis import given, settings
from hypothesis import strategies as st

from haulier.core.problem import Problem
from haulier.core.recipe import StepPlan
from haulier.families.geostat.io.attributes import attribute_lists, find_attribute
from haulier.families.geostat.io.geometry import holes_of, locations_of, steps_of
from haulier.families.geostat.io.grids import MaskedLocations, grid_of
from haulier.families.geostat.io.objects import PLACED, GeoObject, load_object
from haulier.families.geostat.io.tables import CHUNK_ROWS
from haulier.families.geostat.method.rotation import rotation_matrix
from haulier.testing.context import LocalContext, World
from haulier.testing.geoscience import Gallery
from haulier.testing.mining import collection

STEP = StepPlan("prepare", "geostat", "prepare")
ANGLES = st.tuples(st.floats(0, 360), st.floats(0, 180), st.floats(0, 360))


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    return Gallery(World(tmp_path))


def context_of(gallery: Gallery) -> LocalContext:
    return LocalContext(gallery.world, STEP, "run")


def loaded(gallery: Gallery, reference: str) -> GeoObject:
    return load_object(context_of(gallery), reference, at="target.object", allowed=PLACED)


@given(rotation=ANGLES)
@settings(max_examples=25, deadline=None)
def test_a_grid_lies_where_the_vendor_says(
    rotation: tuple[float, float, float], tmp_path_factory: pytest.TempPathFactory
) -> None:
    gallery = Gallery(World(tmp_path_factory.mktemp("world")))
    reference = gallery.grid(
        "g.json", (4, 3, 2), origin=(100.0, -50.0, 7.0), cell=(2.0, 3.0, 5.0), rotation=rotation
    )
    grid = grid_of(loaded(gallery, reference))
    box = BoundingBox.from_regular_grid(
        Point3(100.0, -50.0, 7.0), Size3i(4, 3, 2), Size3d(2.0, 3.0, 5.0), Rotation(*rotation)
    )

    centres = grid.centres(np.arange(24))

    halves = grid.sizes(np.zeros(1, dtype=np.int64))[0] / 2
    reach = np.abs(grid.axes) @ halves
    assert np.allclose((centres - reach).min(axis=0), box.min, atol=1e-9)
    assert np.allclose((centres + reach).max(axis=0), box.max, atol=1e-9)


def test_x_changes_fastest(gallery: Gallery) -> None:
    grid = grid_of(loaded(gallery, gallery.grid("g.json", (3, 2, 2), cell=(1.0, 1.0, 1.0))))

    centres = grid.centres(np.array([0, 1, 3, 6]))

    assert centres.tolist() == [[0.5, 0.5, 0.5], [1.5, 0.5, 0.5], [0.5, 1.5, 0.5], [0.5, 0.5, 1.5]]


def test_blocks_of_a_tensor_grid_have_sizes_of_their_own(gallery: Gallery) -> None:
    reference = gallery.tensor("t.json", ([1.0, 3.0], [2.0], [4.0]), (10.0, 0.0, 0.0))

    grid = grid_of(loaded(gallery, reference))

    assert grid.centres(np.array([0, 1])).tolist() == [[10.5, 1, 2], [12.5, 1, 2]]
    assert grid.sizes(np.array([0, 1])).tolist() == [[1, 2, 4], [3, 2, 4]]


@given(data=st.data(), active=st.lists(st.booleans(), min_size=60, max_size=60))
@settings(max_examples=25, deadline=None)
def test_any_range_of_a_masked_grid_is_that_of_the_active_blocks(
    data: st.DataObject, active: list[bool], tmp_path_factory: pytest.TempPathFactory
) -> None:
    gallery = Gallery(World(tmp_path_factory.mktemp("world")))
    object_ = loaded(gallery, gallery.grid("m.json", (5, 4, 3), mask=active))
    context = context_of(gallery)
    locations = locations_of(
        context, object_, attribute_lists(object_)[0], steps_of(context, object_)
    )
    expected = np.flatnonzero(active)
    first = data.draw(st.integers(0, len(expected)))
    last = data.draw(st.integers(first, len(expected)))

    assert isinstance(locations, MaskedLocations)
    assert locations.length == len(expected)
    assert locations.cells(context, first, last).tolist() == expected[first:last].tolist()


def test_a_large_mask_is_read_by_its_steps(gallery: Gallery) -> None:
    size = (CHUNK_ROWS, 3, 1)
    mask = np.random.default_rng(1).random(3 * CHUNK_ROWS) < 0.6
    object_ = loaded(gallery, gallery.grid("m.json", size, mask=mask))
    context = context_of(gallery)
    steps = steps_of(context, object_)
    locations = locations_of(context, object_, attribute_lists(object_)[0], steps)
    expected = np.flatnonzero(mask)

    assert isinstance(locations, MaskedLocations)
    assert len(steps) == len(expected) // CHUNK_ROWS + 2
    low, high = CHUNK_ROWS - 3, CHUNK_ROWS + 5
    assert locations.cells(context, low, high).tolist() == expected[low:high].tolist()
    assert locations.cells(context, 0, locations.length).tolist() == expected.tolist()


class CountingContext(LocalContext):
    """A context that counts how often a file is asked for."""

    reads = 0

    def read(self, value: Any) -> Path:
        """Give the local path of an input."""
        self.reads += 1
        return super().read(value)


def test_a_mask_is_gone_through_once_by_who_asks_in_order(gallery: Gallery) -> None:
    """Few of many blocks are active: every range of rows is a long way through the mask."""
    mask = np.zeros(40 * CHUNK_ROWS, dtype=bool)
    mask[:: 3 * CHUNK_ROWS // 1000] = True
    object_ = loaded(gallery, gallery.grid("m.json", (CHUNK_ROWS, 40, 1), mask=mask))
    context = CountingContext(gallery.world, STEP, "run")
    steps = steps_of(context, object_)
    locations = locations_of(context, object_, attribute_lists(object_)[0], steps)
    expected = np.flatnonzero(mask)
    context.reads = 0

    assert isinstance(locations, MaskedLocations)
    for low in range(0, locations.length, 64):
        for _ in range(2):  # as who needs places, and then sizes
            given = locations.cells(context, low, low + 64)
            assert given.tolist() == expected[low : low + 64].tolist()
    assert context.reads == 1


def test_ranges_of_a_mask_may_come_in_any_order(gallery: Gallery) -> None:
    mask = np.random.default_rng(2).random(5 * CHUNK_ROWS) < 0.7
    object_ = loaded(gallery, gallery.grid("m.json", (CHUNK_ROWS, 5, 1), mask=mask))
    context = context_of(gallery)
    steps = steps_of(context, object_)
    locations = locations_of(context, object_, attribute_lists(object_)[0], steps)
    expected = np.flatnonzero(mask)

    assert isinstance(locations, MaskedLocations)
    for low in (3 * CHUNK_ROWS + 7, 5, 5, CHUNK_ROWS, CHUNK_ROWS + 10, 0, locations.length - 2):
        high = min(low + CHUNK_ROWS, locations.length)
        assert np.array_equal(locations.cells(context, low, high), expected[low:high])


def test_a_mask_that_contradicts_its_document_is_refused(gallery: Gallery) -> None:
    gallery.grid("m.json", (2, 2, 2), mask=[1, 0, 1, 0, 1, 0, 1, 0])
    document = {**gallery.get("m.json").body["object"], "number_of_active_cells": 5}
    object_ = loaded(gallery, gallery.put("m.json", document))

    with pytest.raises(Problem, match="4 active blocks, its document says 5"):
        steps_of(context_of(gallery), object_)


def test_vertices_are_no_locations(gallery: Gallery) -> None:
    object_ = loaded(gallery, gallery.grid("g.json", (2, 2, 2)))

    with pytest.raises(Problem, match="by its cells"):
        locations_of(context_of(gallery), object_, attribute_lists(object_)[1])


def test_intervals_of_a_downhole_collection_lie_on_their_curves(gallery: Gallery) -> None:
    upright = [[0.0, 0.0, 90.0], [50.0, 0.0, 90.0]]
    slanted = [[0.0, 90.0, 45.0], [50.0, 90.0, 45.0]]
    grade = gallery.scalar("grade", [1.0, 2.0, 3.0])
    reference = collection(
        gallery,
        "c.json",
        [[0, 0, 100], [10, 20, 100]],
        [upright, slanted],
        [[[0, 2], [2, 4]], [[0, 2 * np.sqrt(2)]]],
        grade,
    )
    object_ = loaded(gallery, reference)
    attribute = find_attribute(
        object_, "collections[0].from_to.attributes[?name=='grade']", at="source.attribute"
    )
    context = context_of(gallery)

    places = locations_of(context, object_, attribute.owner).places(context, 0, 3)

    assert np.allclose(places, [[0, 0, 99], [0, 0, 97], [11, 20, 99]])
    holes = holes_of(context, object_, attribute.owner)
    assert holes is not None
    assert holes.tolist() == [0, 0, 1]


def test_a_hole_of_no_collar_is_refused(gallery: Gallery) -> None:
    collection(gallery, "c.json", [[0, 0, 0]], [[[0, 0, 90]]], [[[0, 1]]], gallery.scalar("g", [1]))
    document = gallery.get("c.json").body["object"]
    other = collection(
        gallery,
        "d.json",
        np.zeros((2, 3)),
        [[[0, 0, 90]]] * 2,
        [[[0, 1]]] * 2,
        gallery.scalar("g", [1, 2]),
    )
    broken = dict(gallery.get("d.json").body["object"])
    broken["location"] = document["location"]
    object_ = loaded(gallery, gallery.put("d.json", broken))

    with pytest.raises(Problem, match="hole 1, which has no collar"):
        locations_of(context_of(gallery), object_, attribute_lists(object_)[0])
    assert other


def test_our_rotation_is_the_vendors() -> None:
    for angles in ((0, 0, 0), (30, 60, 80), (360, 180, 360), (12.5, 90, 271)):
        assert np.allclose(rotation_matrix(*angles), Rotation(*angles).as_rotation_matrix())
