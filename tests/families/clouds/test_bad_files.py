"""Whatever is wrong with a file, every step says so, and writes nothing but where it may."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.families.clouds.landscape import SOUTH, WEST, write_landscape, write_picture

from haulier.core.problem import Code, Problem
from haulier.families.clouds import FAMILY
from haulier.testing.stepkind_suite import StepSample, do

Break = Callable[[Path], Path]

PARAMS: dict[str, dict[str, Any]] = {
    "REPROJECT_LAS": {"source_epsg": "EPSG:25832", "target_epsg": "EPSG:25833"},
    "FILTER": {"expression": "Z > 0"},
    "CROP": {"bbox": [WEST, SOUTH, WEST + 9, SOUTH + 9]},
    "THIN": {"size": 1.0},
    "TILE_LAS": {"size": 25.0},
    "REGRID_LAS": {"resolution": 1.0},
}
#: Kinds that take a cloud; VALIDATE_LAS reports what the others refuse.
KINDS = sorted(
    name
    for name, kind in FAMILY.step_kinds.items()
    if "input_las" in kind.accepts and name != "VALIDATE_LAS"
)


def damaged(change: Callable[[bytearray], Any], *, packed: bool = True) -> Break:
    """Give what writes a cloud, changed."""

    def write(folder: Path) -> Path:
        path = write_landscape(folder / ("broken.laz" if packed else "broken.las"), count=800)
        content = bytearray(path.read_bytes())
        given = change(content)
        path.write_bytes(content if given is None else given)
        return path

    return write


def put(kind: str, at: int, value: float) -> Callable[[bytearray], None]:
    return lambda content: struct.pack_into("<" + kind, content, at, value)


def noise(content: bytearray) -> None:
    begin = struct.unpack_from("<I", content, 96)[0] + 60
    content[begin : begin + 900] = np.random.default_rng(1).bytes(900)


def ept(change: Callable[[dict[str, Any]], Any]) -> Break:
    """Give what writes an EPT whose document was changed."""

    def write(folder: Path) -> Path:
        sample = StepSample("ept", "BUILD_EPT", {"input_las": [write_landscape(folder / "o.laz")]})
        _, world = do(FAMILY, sample, folder / "built")
        (output,) = world.outputs.values()
        head = json.loads((output.path / "ept.json").read_text())
        change(head)
        (output.path / "ept.json").write_text(json.dumps(head))
        return output.path

    return write


def climbing(folder: Path) -> Path:
    """Write an EPT whose hierarchy names a tile outside of it."""
    path = ept(lambda _: None)(folder)
    (path / "ept-hierarchy" / "0-0-0-0.json").write_text('{"../../secret": 5}')
    return path


def lost(folder: Path) -> Path:
    """Write an EPT without one of its tiles."""
    path = ept(lambda _: None)(folder)
    (path / "ept-data" / "0-0-0-0.laz").unlink()
    return path


def empty_folder(folder: Path) -> Path:
    path = folder / "nothing"
    path.mkdir()
    return path


BROKEN: dict[str, Break] = {
    "empty": damaged(lambda _: b""),
    "html": damaged(lambda _: b"<html>"),
    "half a header": damaged(lambda c: c[:200]),
    "header alone": damaged(lambda c: c[:375]),
    "half": damaged(lambda c: c[: len(c) // 2]),
    "half, plain": damaged(lambda c: c[: len(c) // 2], packed=False),
    "noise": damaged(noise),
    "version 3": damaged(put("B", 24, 3)),
    "format 11": damaged(put("B", 104, 11 | 0x80)),
    "short records": damaged(put("H", 105, 8)),
    "no scale": damaged(put("d", 131, 0.0)),
    "scale nan": damaged(put("d", 131, float("nan"))),
    "offset inf": damaged(put("d", 155, float("inf"))),
    "a million million points": damaged(put("Q", 247, 10**12)),
    "all points there can be": damaged(put("Q", 247, 2**64 - 1), packed=False),
    "VLRs": damaged(put("I", 100, 2**31)),
    "EVLRs": damaged(lambda c: struct.pack_into("<QI", c, 235, 2**62, 9)),
    "points beyond the end": damaged(put("I", 96, 2**31)),
    "an empty folder": empty_folder,
    "ept of no bounds": ept(lambda head: head.pop("bounds")),
    "ept of a strange type": ept(lambda head: head.update(dataType="exe")),
    "ept that climbs": climbing,
    "ept without a tile": lost,
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_cloud_ends_in_a_problem_of_every_step(name: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    broken = BROKEN[name](source)
    before = sorted(source.rglob("*"))

    for kind in KINDS:
        inputs = {"input_las": [broken]}
        if "input_tif" in FAMILY.step_kinds[kind].accepts:
            inputs["input_tif"] = [write_picture(tmp_path / "photo.tif")]
        with pytest.raises(Problem) as refusal:
            do(FAMILY, StepSample(kind, kind, inputs, PARAMS.get(kind, {})), tmp_path / kind)
        assert refusal.value.code in {Code.INVALID, Code.UNSUPPORTED, Code.NOT_FOUND}, kind
        assert str(tmp_path) not in refusal.value.detail

    assert sorted(source.rglob("*")) == before
    written = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert written <= {"source", "photo.tif", *KINDS}


def test_a_cloud_without_points_ends_in_an_empty_result_or_a_problem(tmp_path: Path) -> None:
    full = write_landscape(tmp_path / "full.laz", count=200)
    sample = StepSample("none", "FILTER", {"input_las": [full]}, {"expression": "Z > 1e6"})
    _, world = do(FAMILY, sample, tmp_path / "none")
    (output,) = world.outputs.values()

    for kind in KINDS:
        inputs = {"input_las": [output.path]}
        if "input_tif" in FAMILY.step_kinds[kind].accepts:
            inputs["input_tif"] = [write_picture(tmp_path / "photo.tif")]
        try:
            do(FAMILY, StepSample(kind, kind, inputs, PARAMS.get(kind, {})), tmp_path / kind)
        except Problem as problem:
            assert problem.code is Code.INVALID, kind  # noqa: PT017 -- either is right
