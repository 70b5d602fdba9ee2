"""Block models on Evo's wire, without jobs: made or refused, and listed in an order."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from evo.blockmodels.endpoints import models

from haulier.core.problem import Code, Fault, ProblemBody
from haulier.families.blocks import model
from haulier.testing.dialect_world import ORGANISATION, World, open_world
from haulier.wire.evo import blockshelf
from haulier.wire.evo.blockjobs import update_member
from haulier.wire.evo.errors import describe, renamed

ORG: Final = "00000000-0000-0000-0000-0000000000a1"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker."""
    with open_world(tmp_path_factory.mktemp("evo")) as world:
        yield world


@pytest.fixture
def place(world: World) -> str:
    """Give the address of the block models of an empty workspace."""
    del world
    return f"/blockmodel/orgs/{ORG}/workspaces/{uuid4()}/block-models"


def new(name: str, blocks: tuple[int, int, int] = (4, 3, 2)) -> dict[str, Any]:
    sides = ("x", "y", "z")
    return {
        "name": name,
        "model_origin": dict.fromkeys(sides, 0.0),
        "size_options": {
            "model_type": "regular",
            "n_blocks": dict(zip(("nx", "ny", "nz"), blocks, strict=True)),
            "block_size": dict.fromkeys(sides, 10.0),
        },
    }


def made(world: World, place: str, name: str) -> str:
    answer = world.ask("POST", place, json=new(name))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["bm_uuid"])


def names(world: World, place: str, query: str = "") -> list[str]:
    answer = world.ask("GET", f"{place}?{query}")
    assert answer.status_code == 200, answer.text
    models.PaginatedResponseBlockModel.model_validate_json(answer.content)
    return [each["name"] for each in answer.json()["results"]]


def test_a_model_that_no_job_could_take_is_refused_when_it_is_made(
    world: World, place: str
) -> None:
    most = blockshelf.MOST_BLOCKS

    fits = world.ask("POST", place, json=new("fits", (most // 1000, 1000, 1)))
    vast = world.ask("POST", place, json=new("vast", (most // 1000 + 1, 1000, 1)))

    assert most == model.MOST_BLOCKS
    assert (fits.status_code, vast.status_code) == (201, 422)
    body = vast.json()
    (fault,) = body["invalid-params"]
    assert fault["name"] == "size_options.n_blocks"
    assert "at most 200,000,000 blocks, got 200,001 x 1,000 x 1 = 200,001,000" in fault["reason"]
    assert names(world, place) == ["fits"]
    objects = place.replace("blockmodel/", "geoscience-object/").replace("block-models", "objects")
    assert world.ask("GET", objects).json()["total"] == 1


def test_models_are_listed_by_what_is_asked_and_by_the_last_change_else(
    world: World, place: str
) -> None:
    ids = {name: made(world, place, name) for name in ("bbb", "aaa", "ccc")}
    assert world.ask("PATCH", f"{place}/{ids['aaa']}", json={"description": "d"}).status_code == 200

    assert names(world, place) == ["aaa", "ccc", "bbb"]
    assert names(world, place, "order_by=name") == ["aaa", "bbb", "ccc"]
    assert names(world, place, "order_by=desc:created_at&offset=1") == ["aaa", "bbb"]
    refused = world.ask("GET", f"{place}?order_by=size")
    assert refused.status_code == 422
    assert refused.json()["invalid-params"][0]["name"] == "order_by"


def test_models_that_were_deleted_are_listed_apart(world: World, place: str) -> None:
    ids = [made(world, place, name) for name in ("stays", "goes")]
    assert world.ask("DELETE", f"{place}/{ids[1]}").status_code == 204

    assert names(world, place) == names(world, place, "deleted=false") == ["stays"]
    assert names(world, place, "deleted=true") == ["goes"]


@pytest.mark.parametrize(
    ("at", "member"),
    [
        ("new[0].title", "columns.new[0].title"),
        ("change", "columns.rename"),
        ("file", "file"),
    ],
)
def test_a_parameter_of_an_update_is_called_as_the_request_calls_it(at: str, member: str) -> None:
    problem = renamed(ProblemBody(Code.INVALID, "why", at, (Fault(at, "why"),)), update_member)

    assert [each.name for each in describe(problem).invalid_params] == [member]


@pytest.mark.slow
def test_every_model_of_a_large_workspace_is_listed(world: World, place: str) -> None:
    catalog = world.services.catalog
    first = made(world, place, "model")
    org, space = place.split("/")[3], place.split("/")[5]
    body = catalog.get(ORGANISATION, blockshelf.TYPE, f"{org}/{space}/{first}").body
    for _ in range(10_000):
        catalog.put(ORGANISATION, blockshelf.TYPE, f"{org}/{space}/{uuid4()}", body, expects=0)

    page = world.ask("GET", f"{place}?offset=9990").json()

    assert (page["total"], page["count"]) == (10_001, 11)
    assert page["results"][-1]["bm_uuid"] == first
