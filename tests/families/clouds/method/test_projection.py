"""One operation, pinned: what PROJ would choose here, under one name, wherever it is used."""

import numpy as np
import pytest
from pyproj import CRS, Transformer

from haulier.families.clouds.method.projection import (
    NoOperationError,
    find_operation,
    numeric_fingerprint,
    position,
    transform_of,
)

PENNSYLVANIA = (-79.5, 41.1, -79.4, 41.2)


def test_an_operation_says_its_accuracy_and_the_grids_that_a_better_one_needs() -> None:
    found = find_operation(CRS(2271), CRS(3857), PENNSYLVANIA)

    assert (found.accuracy_m, found.best_accuracy_m, found.is_ballpark) == (4.0, 2.0, False)
    assert "us_noaa_pahpgn.tif" in found.missing_grids
    assert found.pipeline.startswith("proj=pipeline step proj=unitconvert xy_in=us-ft")
    assert not found.uses_grids


def test_the_area_decides_between_operations() -> None:
    north = find_operation(CRS(31467), CRS(25832), (9.0, 53.0, 9.1, 53.1))
    south = find_operation(CRS(31467), CRS(25832), (9.0, 48.0, 9.1, 48.1))

    assert north.pipeline != south.pipeline
    assert north.area != south.area


def test_a_pinned_operation_does_not_change_from_place_to_place() -> None:
    south = find_operation(CRS(31467), CRS(25832), (9.0, 48.0, 9.1, 48.1))
    places = np.array([3_500_000.0, 3_500_000.0]), np.array([5_320_000.0, 5_960_000.0])

    both = transform_of(south.pipeline)(*places)
    free = Transformer.from_crs(31467, 25832, always_xy=True).transform(*places)

    alone = transform_of(south.pipeline)(places[0][1:], places[1][1:])
    assert both[1][1] == alone[1][0]
    assert abs(both[1][1] - free[1][1]) > 0.1  # PROJ by itself takes another one in the north


def test_a_missing_geoid_makes_a_ballpark() -> None:
    found = find_operation(CRS("EPSG:2271+6360"), CRS(4979), PENNSYLVANIA)

    assert found.is_ballpark
    assert found.accuracy_m is None


def test_no_usable_operation_is_an_error_that_names_the_grids() -> None:
    with pytest.raises(NoOperationError, match="no operation from 'NAD83 \\+ NAVD88") as caught:
        find_operation(CRS("EPSG:4269+5703"), CRS("EPSG:4326+3855"), PENNSYLVANIA)

    assert any("geoid" in name or "g2018" in name for name in caught.value.missing_grids)


@pytest.mark.parametrize(
    ("pipeline", "kinks"),
    [
        ("proj=pipeline step proj=hgridshift grids=a.tif", True),
        ("proj=pipeline step inv proj=vgridshift grids=a.tif", True),
        ("proj=pipeline step proj=utm zone=17", False),
    ],
)
def test_an_operation_that_reads_grids_has_kinks(pipeline: str, *, kinks: bool) -> None:
    found = find_operation(CRS(2271), CRS(3857), None)

    assert found.__class__(**{**found.__dict__, "pipeline": pipeline}).uses_grids is kinks


def test_position_is_on_the_datum_of_the_system_itself() -> None:
    lon, lat = position(CRS(2271), np.array([1_503_340.0]), np.array([375_718.0]))
    nowhere = position(CRS(32613), np.array([1e30]), np.array([1e30]))

    assert (lon[0], lat[0]) == pytest.approx((-79.43967, 41.18545), abs=1e-3)
    assert not np.isfinite(nowhere[0][0])


def test_the_fingerprint_stays_while_the_installation_stays() -> None:
    first = numeric_fingerprint()
    numeric_fingerprint.cache_clear()

    assert numeric_fingerprint() == first
    assert len(first) == 16
