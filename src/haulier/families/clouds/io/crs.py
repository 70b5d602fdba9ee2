"""Which coordinate system a cloud says it is in, and which one a request means."""

import re
from dataclasses import dataclass
from struct import error as StructError  # noqa: N812 -- an exception, named as one
from struct import unpack_from
from typing import Final

from pyproj import CRS
from pyproj.exceptions import CRSError

from haulier.core.problem import Code, Problem
from haulier.families.clouds.io.cloud import Cloud
from haulier.families.clouds.io.frame import WKT, WKT_BIT
from haulier.families.clouds.io.header import read_evlr
from haulier.families.clouds.notes import Note

#: One code, such as EPSG:2271, ESRI:102729 or 2271; two with a plus are a compound one.
CODE: Final = re.compile(r"(?:([A-Za-z]{2,10}):)?([A-Za-z0-9._-]{1,32})")
WKT_START: Final = re.compile(r"[A-Z_]{4,20}\s*\[")
MOST_WKT: Final = 100_000
GEO_KEYS: Final = ("LASF_Projection", 34735)
PROJECTED_KEY, GEOGRAPHIC_KEY, VERTICAL_KEY = 3072, 2048, 4096
USER_DEFINED: Final = 32767
#: Versions of WKT from the one that most programs read to the one that can say everything.
WKT_VERSIONS: Final = ("WKT1_GDAL", "WKT2_2019")
THREE: Final = 3


@dataclass(frozen=True)
class FileCrs:
    """What a cloud says of its coordinate system.

    Attributes:
        crs: it, if it can be understood.
        wkt: its text as the file has it, or as we write what its keys say; empty if there is none.
        origin: "wkt", "geotiff" or "none".
        notes: what is odd about what it says.
    """

    crs: CRS | None
    wkt: str
    origin: str
    notes: tuple[Note, ...] = ()


def parse_crs(value: int | str, at: str) -> CRS:
    """Understand how a request names a coordinate system.

    Args:
        value: such as 2271, "EPSG:26915+EPSG:5703", "ESRI:102729" or WKT.
        at: the field that says it.

    Raises:
        Problem: INVALID, what was expected and what is not known of it.
    """
    text = str(value).strip()
    if WKT_START.match(text):
        wanted = text[:MOST_WKT]
    else:
        parts = [CODE.fullmatch(part.strip()) for part in text.split("+")]
        if not parts or len(parts) > 2 or None in parts:  # noqa: PLR2004 -- of a compound one
            detail = f"{at} must be like EPSG:2271, EPSG:26915+EPSG:5703 or WKT, got {text[:80]!r}"
            raise Problem(Code.INVALID, detail, at=at)
        wanted = "+".join(f"{(p[1] or 'EPSG').upper()}:{p[2]}" for p in parts if p)
    try:
        return CRS.from_user_input(wanted)
    except CRSError as error:
        reason = str(error).partition("(Internal Proj Error: ")[2].rstrip(")") or str(error)
        detail = f"{at} names a coordinate system that PROJ does not know: {text[:80]!r}"
        raise Problem(Code.INVALID, f"{detail} ({reason[:200]})", at=at) from None


def crs_of(cloud: Cloud) -> FileCrs:
    """Give what a cloud says of its coordinate system.

    Where it says it both as WKT and as GeoTIFF keys, the bit in its header decides, and a
    disagreement of the two is noted.
    """
    wkt, notes = _wkt_of(cloud)
    parsed = _parsed(wkt)
    if wkt and parsed is None:
        notes.append(Note("CRS_UNREADABLE", "the WKT of the file is not understood", _GIVE_SOURCE))
    keys = cloud.header.find_vlr(*GEO_KEYS)
    from_keys, key_notes = _from_geo_keys(keys.data) if keys else (None, [])
    notes += key_notes if parsed is None else []
    if parsed is not None and from_keys is not None and not is_same(parsed, from_keys):
        message = f"its WKT says '{parsed.name}', its GeoTIFF keys say '{from_keys.name}'"
        notes.append(Note("CRS_RECORDS_DISAGREE", message, "write one of them anew"))
    prefers_wkt = bool(cloud.header.global_encoding & WKT_BIT) or from_keys is None
    if parsed is not None and prefers_wkt:
        return FileCrs(parsed, wkt, "wkt", tuple(notes))
    if from_keys is not None:
        return FileCrs(from_keys, wkt_of(from_keys), "geotiff", tuple(notes))
    return FileCrs(None, wkt, "wkt" if wkt else "none", tuple(notes))


_GIVE_SOURCE: Final = "say which coordinate system it is in, as source_epsg"


def _wkt_of(cloud: Cloud) -> tuple[str, list[Note]]:
    record = cloud.header.find_vlr(*WKT)
    for evlr in cloud.header.evlrs:
        if record is None and (evlr.user_id, evlr.record_id) == WKT:
            record = read_evlr(cloud.path, evlr) if evlr.size_bytes <= MOST_WKT else None
    if record is None:
        return "", []
    wkt = record.data.decode("utf-8", "replace").strip("\0 \r\n\t")
    if wkt:
        return wkt, []
    return "", [Note("CRS_EMPTY_WKT", "the file has a WKT record with nothing in it", _GIVE_SOURCE)]


def _parsed(wkt: str) -> CRS | None:
    try:
        return CRS.from_wkt(wkt) if wkt else None
    except CRSError:
        return None


def _from_geo_keys(data: bytes) -> tuple[CRS | None, list[Note]]:
    """Understand a directory of GeoTIFF keys, where its systems have codes."""
    keys: dict[int, int] = {}
    try:
        number = unpack_from("<4H", data)[3]
        for index in range(number):
            key, place, _, value = unpack_from("<4H", data, 8 + 8 * index)
            if place == 0:
                keys[key] = value
    except StructError:
        message = f"its directory of GeoTIFF keys ends after {len(data)} bytes"
        return None, [Note("CRS_UNREADABLE", message, _GIVE_SOURCE)]
    code = keys.get(PROJECTED_KEY, keys.get(GEOGRAPHIC_KEY, 0))
    if code in {0, USER_DEFINED}:
        message = "its GeoTIFF keys describe a system without an EPSG code"
        return None, [Note("CRS_USER_DEFINED", message, _GIVE_SOURCE)] if code else []
    vertical = keys.get(VERTICAL_KEY, 0)
    for text in (f"EPSG:{code}+EPSG:{vertical}", f"EPSG:{code}"):
        try:
            return CRS.from_user_input(text), []
        except CRSError:
            continue
    message = f"its GeoTIFF keys say EPSG:{code}, which PROJ does not know"
    return None, [Note("CRS_UNREADABLE", message, _GIVE_SOURCE)]


def wkt_of(crs: CRS) -> str:
    """Give the text that a LAS file says a system with: WKT 1 where that can say it."""
    for version in WKT_VERSIONS:
        try:
            return str(crs.to_wkt(version))
        except CRSError:
            continue
    raise ValueError(f"PROJ has no WKT of '{crs.name}'")


def horizontal(crs: CRS) -> CRS:
    """Give the part of a system that is about X and Y."""
    if crs.is_compound:
        return crs.sub_crs_list[0]
    return crs.to_2d() if len(crs.axis_info) == THREE and not crs.is_geocentric else crs


def vertical(crs: CRS) -> CRS | None:
    """Give the vertical system of a compound one."""
    return crs.sub_crs_list[1] if crs.is_compound else None


def has_height(crs: CRS) -> bool:
    """Say whether a system says what Z is."""
    return len(crs.axis_info) == THREE and not crs.is_geocentric


def is_same(one: CRS, other: CRS) -> bool:
    """Say whether X and Y mean the same in two systems; names and heights do not matter."""
    return bool(horizontal(one).equals(horizontal(other), ignore_axis_order=True))


def horizontal_unit_m(crs: CRS) -> float:
    """Give the metres of a unit of X and Y; 1 where they are angles."""
    axis = crs.axis_info[0]
    return 1.0 if is_angular(crs) else float(axis.unit_conversion_factor)


def vertical_unit_m(crs: CRS) -> float:
    """Give the metres of a unit of Z: of its own axis, or else what X and Y suggest."""
    if has_height(crs):
        return float(crs.axis_info[2].unit_conversion_factor)
    return horizontal_unit_m(crs)


def is_angular(crs: CRS) -> bool:
    """Say whether X and Y are angles."""
    return bool(horizontal(crs).is_geographic)
