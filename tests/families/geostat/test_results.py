"""Results are what the vendor's own models parse, and what they name is there."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jmespath
import msgspec
import pyarrow as pa
import pytest
from evo.compute.tasks import geostatistics
from evo.compute.tasks.common.runner import _registry
from evo.objects import ObjectReference, ObjectSchema
from evo.objects.parquet import ParquetLoader
from evo.objects.utils.table_formats import get_known_format

from haulier.core.family import JobResult
from haulier.families.geostat import FAMILY
from haulier.families.geostat.kinds import KINDS, REPORT_FILE
from haulier.testing.context import World, run_job
from haulier.testing.deposit import PARAMS, furnish
from haulier.testing.geoscience import SPACE, STORAGE, Gallery

MODELS = {runner.task: runner.result_model_type for runner in _registry._runners.values()}
VENDORS = [name for name, kind in KINDS.items() if kind.slug in MODELS]
WRITING = [name for name in PARAMS if name != "SIMULATION_REPORT"]
assert geostatistics  # it registers the vendor's runners

Done = tuple[Gallery, JobResult]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """Run a job of every kind, each in a world of its own."""
    made = {}
    for kind, params in PARAMS.items():
        world = World(tmp_path_factory.mktemp(kind))
        gallery = furnish(world)
        made[kind] = gallery, run_job(FAMILY, kind, {**params, "report": False}, world)
    return made


def test_the_vendor_has_thirteen_tasks() -> None:
    assert len(VENDORS) == 13


@pytest.mark.parametrize("kind", VENDORS)
def test_a_result_is_what_the_vendors_model_parses(kind: str, done: Mapping[str, Done]) -> None:
    _, result = done[kind]
    page, address = msgspec.json.encode(REPORT_FILE), b'"https://hub.test/jobs/1/report"'

    shown = msgspec.json.encode(result.result).replace(page, address)

    MODELS[KINDS[kind].slug].model_validate_json(shown)


@pytest.mark.parametrize("kind", PARAMS)
def test_every_result_says_in_a_sentence_what_was_done(kind: str, done: Mapping[str, Done]) -> None:
    _, result = done[kind]

    assert str(result.result["message"]).endswith(".")
    assert result.statistics


def references(value: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give every object or attribute that a result names."""
    if isinstance(value, Mapping):
        if isinstance(value.get("reference"), str) and "name" in value:
            yield value["reference"], value
        for each in value.values():
            yield from references(each)
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(references, value))


def entry_of(gallery: Gallery, text: str) -> Mapping[str, Any]:
    """Give the document that a reference names, of the version that it names."""
    said = ObjectReference(text)
    name = SPACE + said.object_path if said.object_path else ""
    id_ = "" if said.object_id is None else str(said.object_id)
    found = gallery.world.shelf.find("geoscience-object", name, id_, int(said.version_id or 0))
    assert found is not None, text
    document: Mapping[str, Any] = found.body["object"]
    return document


def main_reference(result: Mapping[str, Any]) -> str:
    for name in ("target", "distribution", "variogram", "experimental_variogram"):
        if name in result:
            return str(result[name]["reference"])
    raise AssertionError(result)


@pytest.mark.parametrize("kind", WRITING)
def test_what_a_result_names_is_there(kind: str, done: Mapping[str, Done]) -> None:
    gallery, result = done[kind]
    reference = main_reference(result.result)

    document = entry_of(gallery, reference)

    assert ObjectSchema.from_id(document["schema"])
    assert reference.startswith("https://hub.test/")
    for text, named in references(result.result):
        if not text.startswith("https://"):
            (found,) = jmespath.search(text, document)
            assert found["name"] == named["name"]


def tables(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("data"), str) and "length" in value:
            yield value
        for each in value.values():
            yield from tables(each)
    elif isinstance(value, list):
        yield from itertools.chain.from_iterable(map(tables, value))


@pytest.mark.parametrize("kind", WRITING)
def test_every_table_is_read_by_the_vendors_loader(kind: str, done: Mapping[str, Done]) -> None:
    gallery, result = done[kind]
    folder = gallery.world.storages[STORAGE]

    for info in tables(entry_of(gallery, main_reference(result.result))):
        path: Path = folder / info["data"]
        with ParquetLoader(pa.OSFile(str(path))) as loader:
            loader.validate_with_table_info(info)
            table = loader.load_as_table()
        if kind != "EXPERIMENTAL_VARIOGRAM":  # its tables have formats of their own
            assert get_known_format(table)


def test_the_caller_keeps_his_words_about_the_new_object(done: Mapping[str, Done]) -> None:
    gallery, result = done["CONTINUOUS_DISTRIBUTION"]

    document = entry_of(gallery, main_reference(result.result))

    assert document["tags"] == {"made": "here"}
    assert document["is_declustered"] is True
    assert document["cdf"]["upper_tail_extrapolation"] == {
        "power_model": {"max": 100.0, "power": 0.5}
    }


def test_a_new_version_keeps_what_the_wire_keeps_beside_the_object(
    done: Mapping[str, Done],
) -> None:
    gallery, _ = done["KRIGING"]

    entry = gallery.get("grid.json")

    assert entry.version == 2
    assert entry.body["created_by"] == "tests"
