"""Write Entwine Point Tile: tiles, hierarchy, sources, and the head that makes it whole."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import lazrs
import msgspec
import pyarrow as pa
from pyproj import CRS

from haulier.families.clouds.io.dimensions import dimensions_of, unpacked
from haulier.families.clouds.io.ept import ELSEWHERE, Head, Key, Srs, name_of
from haulier.families.clouds.io.frame import HEADER_SIZE, Facts, Frame, all_vlrs, header_bytes
from haulier.families.clouds.io.laszip import TABLE_AT
from haulier.families.clouds.io.layout import Layout, Records
from haulier.families.clouds.io.lazwriter import laz_vlr
from haulier.families.clouds.io.vlr import Vlr
from haulier.families.clouds.method.paging import plan_pages

VERSION: Final = "1.1.0"
ZSTD_LEVEL: Final = 3


def encode_binary(records: Records, layout: Layout) -> bytes:
    """Give a node as an uncompressed tile: one dimension behind the other, point by point."""
    return unpacked(records, dimensions_of(layout)).tobytes()


def encode_zstandard(records: Records, layout: Layout) -> bytes:
    """Give a node as a tile compressed by Zstandard."""
    codec = pa.Codec("zstd", compression_level=ZSTD_LEVEL)
    return bytes(codec.compress(encode_binary(records, layout), asbytes=True))


def chunk_table(chunks: Sequence[tuple[int, int]], laz: Vlr) -> bytes:
    """Give the table that stands behind the compressed points: points and bytes of each chunk."""
    stream = io.BytesIO()
    lazrs.write_chunk_table(stream, list(chunks), lazrs.LazVlr(laz.data))
    return stream.getvalue()


def laz_tile(frame: Frame, facts: Facts, chunk: bytes) -> bytes:
    """Give a compressed node as a LAZ file of one chunk."""
    laz = laz_vlr(frame.layout, chunk_points=facts.point_count)
    vlrs = (*all_vlrs(frame), laz)
    packed = b"".join(vlr.packed() for vlr in vlrs)
    points_at = HEADER_SIZE + len(packed)
    header = header_bytes(frame, facts, vlrs=vlrs, offset_to_points=points_at)
    table_at = points_at + TABLE_AT.size + len(chunk)
    table = chunk_table([(facts.point_count, len(chunk))], laz)
    return b"".join((header, packed, TABLE_AT.pack(table_at), chunk, table))


def write_hierarchy(
    folder: Path, keys: Sequence[Key], counts: Sequence[int], nodes_max: int
) -> None:
    """Write the pages of the hierarchy."""
    for page in plan_pages(keys, nodes_max):
        listed = {
            name_of(keys[node]): ELSEWHERE if node in page.links else counts[node]
            for node in page.entries
        }
        path = folder / "ept-hierarchy" / f"{name_of(keys[page.root])}.json"
        path.write_bytes(msgspec.json.encode(listed))


def write_sources(folder: Path, sources: Sequence[Mapping[str, Any]]) -> None:
    """Write what is known of the sources.

    Args:
        folder: the tiles'.
        sources: of each its `path`, `points`, `bounds`, `srs` and `metadata`, in the order of
            their OriginId.
    """
    manifest = []
    for number, source in enumerate(sources):
        name = f"{number}.json"
        brief = {each: source[each] for each in ("path", "points", "bounds")}
        manifest.append({**brief, "inserted": True, "metadataPath": name})
        (folder / "ept-sources" / name).write_bytes(_json(source))
    (folder / "ept-sources" / "manifest.json").write_bytes(_json(manifest))


def write_head(folder: Path, head: Head) -> None:
    """Write `ept.json`, and so make the folder one that readers open: to be called last."""
    (folder / "ept.json").write_bytes(_json(head))


def srs_of(crs: CRS | None, wkt: str) -> Srs:
    """Give the coordinate system with its codes, where it has them."""
    if crs is None:
        return Srs(wkt=wkt)
    parts = crs.sub_crs_list if crs.is_compound else [crs]
    codes = [part.to_authority() for part in parts]
    if codes[0] is None:
        return Srs(wkt=wkt)
    authority, horizontal = codes[0]
    vertical = ""
    if len(codes) > 1 and codes[1] is not None and codes[1][0] == authority:
        vertical = codes[1][1]
    return Srs(authority, horizontal, vertical, wkt)


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n"
