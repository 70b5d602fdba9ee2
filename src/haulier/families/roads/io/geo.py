"""What a file says of its geometry: the metadata of GeoParquet, and the coordinate system."""

from typing import Any, Final

import msgspec
from pyproj import CRS
from pyproj.exceptions import CRSError

from haulier.core.problem import Code, Problem

AT: Final = "input"


class GeoColumn(msgspec.Struct, frozen=True):
    """What GeoParquet says of a column; `crs` is PROJJSON, and absent means OGC:CRS84."""

    encoding: str = "WKB"
    crs: dict[str, Any] | str | None = None


class Geo(msgspec.Struct, frozen=True):
    """The metadata of GeoParquet, of which we need so much."""

    primary_column: str = ""
    columns: dict[str, GeoColumn] = {}

    def column(self, name: str) -> GeoColumn:
        """Give what is said of a column: the defaults where nothing is."""
        return self.columns.get(name, GeoColumn())


def read_geo(raw: bytes | None) -> Geo:
    """Read the metadata of GeoParquet; a file may have none.

    Raises:
        Problem: INVALID, naming the member that is not as GeoParquet has it.
    """
    if raw is None:
        return Geo()
    try:
        return msgspec.json.decode(raw, type=Geo)
    except msgspec.MsgspecError as error:
        detail = f"the 'geo' metadata of the file is not valid GeoParquet metadata: {error}"
        raise Problem(Code.INVALID, detail, at=AT) from error


def check_crs(said: object, geometry: str) -> None:
    """Refuse everything but WGS 84 longitude and latitude; nothing said means just that.

    Raises:
        Problem: INVALID; another coordinate system, or none that can be read.
    """
    if not said:
        return
    try:
        crs = CRS.from_user_input(said)
    except CRSError as error:
        detail = f"the coordinate system of column {geometry!r} cannot be read: {error}"
        raise Problem(Code.INVALID, detail, at=f"input.{geometry}") from error
    datum = (crs.datum.name if crs.datum is not None else "").lower()
    if crs.is_geographic and ("world geodetic system 1984" in datum or "wgs 84" in datum):
        return
    authority = ":".join(crs.to_authority() or ())
    kind = "projected" if crs.is_projected else "other"
    raise Problem(
        Code.INVALID,
        f"column {geometry!r} must be in WGS 84 longitude and latitude (EPSG:4326 or OGC:CRS84), "
        f"got the {kind} coordinate system {crs.name!r}{f' ({authority})' if authority else ''}",
        at=f"input.{geometry}",
    )
