"""What clouds say of their coordinate systems, right, wrong and not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyproj import CRS

from haulier.families.clouds.io.cloud import open_cloud
from haulier.families.clouds.io.crs import (
    crs_of,
    has_height,
    horizontal,
    horizontal_unit_m,
    is_same,
    parse_crs,
    vertical_unit_m,
    wkt_of,
)


@pytest.mark.parametrize(
    ("name", "origin", "system", "codes"),
    [
        ("piney_2271_pf7.laz", "wkt", "NAD83 / Pennsylvania North (ftUS)", []),
        ("autzen_trim.laz", "wkt", "NAD_1983_HARN_Lambert_Conformal_Conic", []),
        ("bcts_1.laz", "geotiff", "NAD83 / BC Albers + CGVD28 height", []),
        ("epsg_4326.las", "geotiff", "WGS 84", []),
        ("file_with_both_wkt_and_geotiff_vlrs.las", "wkt", "NAD83_2011_Nebraska_ft",
         ["CRS_RECORDS_DISAGREE"]),
        ("warsaw_small.las", "wkt", None, ["CRS_UNREADABLE"]),
        ("simple.laz", "none", None, []),
        ("1.2-with-color.las", "none", None, []),
    ],
)  # fmt: skip
def test_a_published_cloud_says_its_system(
    published: Callable[[str], Path], name: str, origin: str, system: str | None, codes: list[str]
) -> None:
    said = crs_of(open_cloud(published(name)))

    assert (said.origin, said.crs and said.crs.name) == (origin, system)
    assert [note.code for note in said.notes] == codes


@pytest.mark.parametrize(
    ("value", "flat_m", "up_m", "height"),
    [
        ("EPSG:2271", 1200 / 3937, 1200 / 3937, False),
        ("EPSG:2994", 0.3048, 0.3048, False),
        ("EPSG:2271+EPSG:5703", 1200 / 3937, 1.0, True),
        ("EPSG:26915+EPSG:6360", 1.0, 1200 / 3937, True),
        ("EPSG:4326", 1.0, 1.0, False),
        ("EPSG:4979", 1.0, 1.0, True),
        ("EPSG:3857", 1.0, 1.0, False),
    ],
)
def test_units_are_those_of_the_axes(
    value: str,
    flat_m: float,
    up_m: float,
    height: bool,  # noqa: FBT001 -- expected
) -> None:
    crs = parse_crs(value, "source_epsg")

    assert horizontal_unit_m(crs) == pytest.approx(flat_m, rel=1e-12)
    assert vertical_unit_m(crs) == pytest.approx(up_m, rel=1e-12)
    assert has_height(crs) is height
    assert not has_height(horizontal(crs))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("EPSG:2271", "EPSG:2271+EPSG:6360", True),
        ("EPSG:2271", "EPSG:2272", False),
        ("EPSG:4326", "OGC:CRS84", True),  # another order of axes
        ("EPSG:4326", "EPSG:4979", True),
        ("EPSG:4326", "EPSG:4269", False),
        ("EPSG:2992", "EPSG:2994", False),  # another datum
    ],
)
def test_two_systems_are_the_same_if_x_and_y_mean_the_same(
    one: str, other: str, *, same: bool
) -> None:
    assert is_same(parse_crs(one, "a"), parse_crs(other, "b")) is same


@pytest.mark.parametrize("value", ["EPSG:2271", "EPSG:4979", "EPSG:26915+EPSG:5703", "ESRI:102729"])
def test_every_system_can_be_written_and_read_again(value: str) -> None:
    crs = parse_crs(value, "target_epsg")

    assert CRS.from_wkt(wkt_of(crs)).equals(crs, ignore_axis_order=True)
