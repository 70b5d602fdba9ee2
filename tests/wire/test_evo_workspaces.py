"""Discovery, workspaces and health on Evo's wire."""

from collections.abc import Iterator
from typing import Any, Final
from uuid import uuid4

import pytest
from evo.workspaces.endpoints import models

from haulier.testing.dialect_world import ORGANISATION, World, open_world
from haulier.wire.evo.paths import org_of

BOX: Final = {
    "type": "Polygon",
    "coordinates": [[[100.0, 0.0], [101.0, 0.0], [101.0, 1.0], [100.0, 1.0], [100.0, 0.0]]],
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker."""
    with open_world(tmp_path_factory.mktemp("evo")) as world:
        yield world


@pytest.fixture
def place(world: World) -> str:
    """Give an organisation without workspaces."""
    del world
    return f"/workspace/orgs/{uuid4()}/workspaces"


def made(world: World, place: str, name: str, **more: Any) -> dict[str, Any]:
    answer = world.ask("POST", place, json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    models.WorkspaceResponse.model_validate_json(answer.content)
    body: dict[str, Any] = answer.json()
    return body


def names(world: World, place: str, query: str = "") -> list[str]:
    answer = world.ask("GET", f"{place}?{query}")
    models.ListWorkspacesResponse.model_validate_json(answer.content)
    return [each["name"] for each in answer.json()["results"]]


def test_discovery_names_the_key_s_organisation_and_this_server(world: World) -> None:
    answer = world.ask("GET", "/evo/identity/v2/discovery?service=evo")

    models.DiscoveryResponse.model_validate_json(answer.content)
    found = answer.json()["discovery"]
    assert found["organizations"] == [{"id": org_of(ORGANISATION), "display_name": ORGANISATION}]
    assert [hub["url"] for hub in found["hubs"]] == ["http://testserver.local"]
    assert world.ask("GET", "/evo/identity/v2/discovery", key="").status_code == 401


def test_a_workspace_is_made_read_changed_put_away_and_brought_back(
    world: World, place: str
) -> None:
    body = made(world, place, "Pit 1", bounding_box=BOX, labels=["gold"], description="first")
    own = f"{place}/{body['id']}"

    assert world.ask("GET", own).json() == body
    assert (body["bounding_box"], body["labels"], body["current_user_role"]) == (
        BOX,
        ["gold"],
        "owner",
    )
    changed = world.ask("PATCH", own, json={"name": "Pit 2", "default_coordinate_system": "EPSG:1"})
    assert changed.json() | {"updated_at": "", "name": "", "default_coordinate_system": ""} == (
        body | {"updated_at": "", "name": "", "default_coordinate_system": ""}
    )
    assert world.ask("DELETE", own).status_code == 204
    assert (names(world, place), names(world, place, "deleted=true")) == ([], ["Pit 2"])
    assert world.ask("GET", own).status_code == 404
    assert world.ask("GET", f"{own}?deleted=true").status_code == 200
    assert world.ask("POST", f"{own}?deleted=false").status_code == 204
    assert names(world, place) == ["Pit 2"]


def test_a_name_is_one_workspace_s_alone(world: World, place: str) -> None:
    made(world, place, "Pit")
    other = made(world, place, "Dump")

    for method, path in (("POST", place), ("PATCH", f"{place}/{other['id']}")):
        answer = world.ask(method, path, json={"name": "Pit"})
        assert answer.status_code == 409
        assert answer.json()["invalid-params"][0]["name"] == "name"
    same = world.ask("PATCH", f"{place}/{other['id']}", json={"name": "Dump"})
    assert same.status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a", "b", "c"]),
        ("limit=2&offset=1", ["b", "c"]),
        ("order_by=desc:name&limit=2", ["c", "b"]),
        ("order_by=created_at", ["b", "c", "a"]),
        ("order_by=user_role,desc:name", ["c", "b", "a"]),
        ("name=B", ["b"]),
    ],
)
def test_workspaces_are_listed_in_pages(
    world: World, place: str, query: str, found: list[str]
) -> None:
    for name in ("b", "c", "a"):
        made(world, place, name)

    assert names(world, place, query) == found
    short = world.ask("GET", f"{place}/summary?{query}")
    models.ListWorkspaceSummaryResponse.model_validate_json(short.content)
    assert [each["name"] for each in short.json()["results"]] == found


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "x", "labels": ["y"] * 21}, "labels"),
        ({"name": "x", "bounding_box": {"type": "Point", "coordinates": []}}, "bounding_box.type"),
    ],
)
def test_a_workspace_that_cannot_be_is_refused_by_field(
    world: World, place: str, body: dict[str, Any], name: str
) -> None:
    answer = world.client.post(
        place, json=body, headers={"authorization": f"Bearer {world.keys['owner']}"}
    )

    assert answer.status_code == 422
    assert answer.json()["invalid-params"][0]["name"] == name


def test_the_role_in_a_workspace_is_what_the_key_allows(world: World, place: str) -> None:
    own = f"{place}/{made(world, place, 'Pit')['id']}"

    roles = [
        world.ask("GET", f"{own}/current-user-role", key=key).json().get("role")
        for key in ("owner", "reader", "stranger")
    ]

    assert roles == ["owner", "viewer", None]


@pytest.mark.parametrize("service", ["geoscience-object", "workspace"])
def test_health_is_told_in_the_client_s_words(world: World, service: str) -> None:
    assert world.ask("GET", f"/{service}/health_check", key="").text == "pass"
    full = world.ask("GET", f"/{service}/health_check?full=true", key="").json()
    assert full["status"] == "pass"
    assert full["dependencies"] == {"database": "pass", "storage": "pass"}


def test_the_next_page_is_of_what_was_asked_for(world: World, place: str) -> None:
    for name in ("pit 1", "pit 2", "heap", "pit 3"):
        made(world, place, name)
    first = world.ask("GET", f"{place}?name=pit&order_by=desc:name&limit=2").json()

    rest = world.ask("GET", first["links"]["next"].removeprefix("http://testserver.local")).json()

    assert [each["name"] for each in first["results"] + rest["results"]] == [
        "pit 3",
        "pit 2",
        "pit 1",
    ]
    assert rest["links"]["next"] is None
