"""Geoscience objects on Evo's wire: made, read, replaced, moved, put away, brought back, listed."""

import hashlib
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest
from evo.objects.endpoints import models

from haulier.testing.dialect_world import ORGANISATION, World, open_world
from haulier.wire.evo.signing import signer_of

ORG: Final = "00000000-0000-0000-0000-0000000000a1"
SCHEMA: Final = "/objects/pointset/1.2.0/pointset.schema.json"
VARIOGRAM: Final = "/objects/variogram/1.1.0/variogram.schema.json"
NOBODY: Final = str(UUID(int=1, version=4))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker."""
    with open_world(tmp_path_factory.mktemp("evo")) as world:
        yield world


@pytest.fixture
def space(world: World) -> str:
    """Give the address of a workspace that is empty."""
    del world
    return f"/geoscience-object/orgs/{ORG}/workspaces/{uuid4()}"


def document(**changes: Any) -> dict[str, Any]:
    return {"schema": SCHEMA, "uuid": None, "name": "points", "tags": {"a": "b"}} | changes


def made(world: World, space: str, path: str = "a/points.json", **changes: Any) -> dict[str, Any]:
    answer = world.ask("POST", f"{space}/objects/path/{path}", json=document(**changes))
    assert answer.status_code == 201, answer.text
    models.PostObjectResponse.model_validate_json(answer.content)
    body: dict[str, Any] = answer.json()
    return body


def replaced(
    world: World, space: str, object_id: str, if_match: str = "", **changes: Any
) -> httpx.Response:
    headers = {"if-match": if_match} if if_match else {}
    body = document(uuid=object_id, **changes)
    return world.ask("POST", f"{space}/objects/{object_id}", json=body, headers=headers)


def stored(world: World, space: str, content: bytes) -> str:
    """Upload data and give its name."""
    name = hashlib.sha256(content).hexdigest()
    (upload,) = world.ask("PUT", f"{space}/data", json=[{"name": name}]).json()
    if not upload["exists"]:
        assert world.client.put(upload["upload_url"], content=content).status_code == 201
    return name


def listed(world: World, space: str, query: str = "") -> list[str]:
    answer = world.ask("GET", f"{space}/objects?{query}")
    assert answer.status_code == 200, answer.text
    models.ListObjectsResponse.model_validate_json(answer.content)
    return [f"{each['path']}{each['name']}" for each in answer.json()["objects"]]


def test_an_object_is_read_back_as_it_was_made_by_path_and_by_id(world: World, space: str) -> None:
    body = made(world, space)

    by_path = world.ask("GET", f"{space}/objects/path/a/points.json")
    by_id = world.ask("GET", f"{space}/objects/{body['object_id']}")

    assert by_path.json() == by_id.json() == body
    assert body["object"] == document(uuid=body["object_id"])
    assert (body["object_path"], body["version_id"]) == ("a/points.json", "1")
    assert body["created_by"] == body["modified_by"]
    assert body["created_by"]["name"] == "suite"
    models.GetObjectResponse.model_validate_json(by_id.content)
    assert (
        world.ask("GET", f"{space}/objects/{body['object_id']}", key="stranger").status_code == 404
    )


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("points.json", "points.json"),
        ("./points.json", "points.json"),
        ("a/b/c d ä.json", "a/b/c d ä.json"),
        ("no-ending", "no-ending"),
    ],
)
def test_a_path_is_any_names_with_slashes(world: World, space: str, path: str, kept: str) -> None:
    assert made(world, space, path)["object_path"] == kept
    assert world.ask("GET", f"{space}/objects/path/{kept}").status_code == 200
    assert listed(world, space) == [kept]


@pytest.mark.parametrize("path", ["a/%2e%2e/b.json", "%00", "a%0Ab", "x" * 801])
def test_a_path_that_climbs_or_is_none_is_refused(world: World, space: str, path: str) -> None:
    answer = world.ask("POST", f"{space}/objects/path/{path}", json=document())

    assert answer.status_code == 422
    assert answer.json()["invalid-params"][0]["name"] == "objects_path"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"schema": "/objects/pointset/1.2/pointset.schema.json"}, "schema"),
        ({"schema": "/objects/pointset/1.2.0/variogram.schema.json"}, "schema"),
        ({"schema": None}, "schema"),
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"uuid": 7}, "uuid"),
        ({"uuid": "me"}, "uuid"),
    ],
)
def test_a_document_that_is_no_object_is_refused(
    world: World, space: str, changes: dict[str, Any], name: str
) -> None:
    answer = world.ask("POST", f"{space}/objects/path/a.json", json=document(**changes))

    assert answer.status_code == 422
    assert [each["name"] for each in answer.json()["invalid-params"]] == [name]
    assert listed(world, space) == []


def test_data_that_was_never_uploaded_is_named(world: World, space: str) -> None:
    there, gone = stored(world, space, b"there"), hashlib.sha256(b"gone").hexdigest()
    places = {"coordinates": {"data": there}, "attributes": [{"values": {"data": gone}}]}

    answer = world.ask("POST", f"{space}/objects/path/a.json", json=document(locations=places))

    assert answer.status_code == 422
    (fault,) = answer.json()["invalid-params"]
    assert fault["name"] == "locations.attributes[0].values.data"
    assert gone in fault["reason"]


def test_data_of_an_object_is_linked_once_and_read_without_a_key(world: World, space: str) -> None:
    first, second = (stored(world, space, content) for content in (b"first", b"second"))
    places = {"x": {"data": first}, "y": [{"data": second}, {"data": first}], "data": "no hash"}

    links = made(world, space, locations=places)["links"]["data"]

    assert [each["name"] for each in links] == sorted((first, second))
    for link in links:
        content = world.client.get(link["download_url"]).content
        assert hashlib.sha256(content).hexdigest() == link["name"]


def test_a_path_that_is_taken_is_told_as_the_vendor_s_client_reads_it(
    world: World, space: str
) -> None:
    body = made(world, space)

    answer = world.ask("POST", f"{space}/objects/path/a/points.json", json=document())

    assert answer.status_code == 409
    said = answer.json()
    assert said["type"].endswith("/geoscienceobject/objects/already-exists")
    assert (said["existing_id"], said["object_path"]) == (body["object_id"], "a/points.json")


def test_versions_are_kept_and_asked_for(world: World, space: str) -> None:
    body = made(world, space)
    place = f"{space}/objects/{body['object_id']}"

    second = replaced(world, space, body["object_id"], name="second").json()
    again = world.ask(
        "POST", f"{space}/objects/path/a/points.json", json=document(uuid=body["object_id"])
    )

    assert (second["version_id"], again.json()["version_id"]) == ("2", "3")
    assert world.ask("GET", f"{place}?version=1").json() == body
    assert (
        world.ask("GET", f"{space}/objects/path/a/points.json?version=2").json()["object"]["name"]
        == "second"
    )
    every = world.ask("GET", f"{place}?include_versions=true").json()
    assert [each["version_id"] for each in every["versions"]] == ["3", "2", "1"]
    some = world.ask("POST", f"{place}/versions", json={"version_ids": ["1", "3"]})
    assert [each["version_id"] for each in some.json()["versions"]] == ["1", "3"]
    models.ListVersionsResponse.model_validate_json(some.content)
    for missing in ("4", "0", "first", "-1"):
        assert world.ask("GET", f"{place}?version={missing}").status_code == 404
        absent = world.ask("POST", f"{place}/versions", json={"version_ids": ["1", missing]})
        assert absent.status_code == 404


@pytest.mark.parametrize(
    ("if_match", "status"), [("2", 201), ('"2"', 201), ("*", 201), ("1", 412), ("x", 412)]
)
def test_a_change_on_condition_is_made_of_the_newest_version_only(
    world: World, space: str, if_match: str, status: int
) -> None:
    object_id = made(world, space)["object_id"]
    replaced(world, space, object_id)

    answer = replaced(world, space, object_id, if_match)

    assert answer.status_code == status, answer.text
    if status == 412:
        assert answer.json()["type"].endswith("/geoscienceobject/objects/modified")


def test_an_object_that_has_not_changed_is_not_sent_again(world: World, space: str) -> None:
    body = made(world, space)
    place = f"{space}/objects/{body['object_id']}"

    same = world.ask("GET", place, headers={"if-none-match": body["etag"]})
    replaced(world, space, body["object_id"])
    other = world.ask("GET", place, headers={"if-none-match": body["etag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert (other.status_code, other.headers["etag"]) == (200, '"2"')


def test_an_object_moves_to_a_free_path_and_to_no_other(world: World, space: str) -> None:
    body, other = made(world, space), made(world, space, "other.json")
    moved = document(uuid=body["object_id"], name="moved")

    taken = world.ask("POST", f"{space}/objects/path/other.json", json=moved)
    free = world.ask("POST", f"{space}/objects/path/b/new.json", json=moved)

    assert (taken.status_code, taken.json()["existing_id"]) == (409, other["object_id"])
    assert (free.status_code, free.json()["version_id"]) == (201, "2")
    assert listed(world, space) == ["b/new.json", "other.json"]
    assert world.ask("GET", f"{space}/objects/path/a/points.json").status_code == 404
    unknown = world.ask("POST", f"{space}/objects/path/c.json", json=document(uuid=NOBODY))
    assert unknown.status_code == 404


def test_a_deleted_object_frees_its_path_and_comes_back(world: World, space: str) -> None:
    body = made(world, space)
    place = f"{space}/objects/{body['object_id']}"

    gone = world.ask("DELETE", f"{space}/objects/path/a/points.json")
    again = world.ask("DELETE", place)

    assert (gone.status_code, again.status_code) == (204, 404)
    assert world.ask("GET", place).status_code == 404
    away = world.ask("GET", f"{place}?deleted=true").json()
    assert away["deleted_at"] is not None
    assert (listed(world, space), listed(world, space, "deleted=true")) == ([], ["a/points.json"])
    back = world.ask("POST", f"{place}?deleted=false", headers={"content-type": "application/json"})
    assert (back.status_code, back.content) == (204, b"")
    assert world.ask("GET", place).json() == body
    assert world.ask("POST", f"{place}?deleted=false").status_code == 404


def test_an_object_whose_path_is_taken_comes_back_beside_it(world: World, space: str) -> None:
    first = made(world, space)["object_id"]
    world.ask("DELETE", f"{space}/objects/{first}")
    made(world, space)

    back = world.ask("POST", f"{space}/objects/{first}?deleted=false")

    assert back.status_code == 303
    models.PostObjectResponse.model_validate_json(back.content)
    assert back.json()["object_path"] == "a/points (1).json"
    assert listed(world, space) == ["a/points (1).json", "a/points.json"]


def test_an_update_and_a_restore_are_not_mixed(world: World, space: str) -> None:
    object_id = made(world, space)["object_id"]
    place = f"{space}/objects/{object_id}"

    for path, body in ((f"{place}?deleted=false", document(uuid=object_id)), (place, None)):
        assert world.ask("POST", path, json=body).status_code == 422
    assert world.ask("POST", place, json=document(uuid=NOBODY)).status_code == 422


def test_an_object_is_in_its_workspace_alone(world: World, space: str) -> None:
    body = made(world, space)
    elsewhere = f"{space.rpartition('/')[0]}/{uuid4()}"
    other_org = space.replace(ORG, str(uuid4()))

    for place in (elsewhere, other_org):
        assert world.ask("GET", f"{place}/objects/{body['object_id']}").status_code == 404
        assert replaced(world, place, body["object_id"]).status_code == 404
        assert world.ask("DELETE", f"{place}/objects/{body['object_id']}").status_code == 404
        assert listed(world, place) == []


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["a/grade.json", "b/gold.json", "gamma.json"]),
        ("limit=2", ["a/grade.json", "b/gold.json"]),
        ("limit=2&offset=2", ["gamma.json"]),
        ("order_by=asc:created_at", ["b/gold.json", "gamma.json", "a/grade.json"]),
        ("order_by=desc:created_at&limit=1", ["a/grade.json"]),
        ("order_by=object_name", ["gamma.json", "b/gold.json", "a/grade.json"]),
        ("order_by=created_by,desc:object_name", ["a/grade.json", "b/gold.json", "gamma.json"]),
        (f"schema_id={VARIOGRAM}", ["gamma.json"]),
        (f"schema_id={VARIOGRAM}&schema_id={SCHEMA}&limit=1&offset=1", ["b/gold.json"]),
        ("object_name=g&object_name=x", ["a/grade.json", "b/gold.json", "gamma.json"]),
        ("object_name=go", ["b/gold.json"]),
        ("created_at=gte:2026-01-01T00:00:00Z", ["a/grade.json", "b/gold.json", "gamma.json"]),
        ("created_at=gt:2026-01-01T00:00:00&created_at=lt:2026-01-02", []),
        (f"created_by={NOBODY}", []),
        (f"modified_by={NOBODY}&modified_by={NOBODY}", []),
        ("deleted=true", []),
    ],
)
def test_a_list_is_filtered_ordered_and_cut(
    world: World, space: str, query: str, names: list[str]
) -> None:
    made(world, space, "b/gold.json")
    made(world, space, "gamma.json", schema=VARIOGRAM)
    made(world, space, "a/grade.json")

    assert listed(world, space, query) == names


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("order_by=grade", "order_by"),
        ("order_by=up:created_at", "order_by"),
        ("created_at=yesterday", "created_at"),
        ("created_at=ne:2026-01-01T00:00:00Z", "created_at"),
        ("modified_at=2026-01-01&modified_at=2026-01-02&modified_at=2026-01-03", "modified_at"),
        ("created_by=me", "created_by"),
        ("limit=0", "limit"),
        ("limit=5001", "limit"),
        ("offset=-1", "offset"),
        ("deleted=perhaps", "deleted"),
    ],
)
def test_a_query_that_cannot_be_understood_is_refused_by_name(
    world: World, space: str, query: str, name: str
) -> None:
    answer = world.ask("GET", f"{space}/objects?{query}")

    assert answer.status_code == 422
    assert answer.json()["invalid-params"][0]["name"] == name


def test_a_filter_that_we_lack_is_refused_and_not_left_out(world: World, space: str) -> None:
    assert world.ask("GET", f"{space}/objects?geojson_bounding_box=(0,0)").status_code == 415


def test_pages_lead_to_each_other(world: World, space: str) -> None:
    for number in range(3):
        made(world, space, f"{number}.json")

    first = world.ask("GET", f"{space}/objects?limit=2&object_name=").json()
    second = world.ask("GET", first["links"]["next"]).json()

    assert (first["count"], first["total"], first["links"]["prev"]) == (2, 3, None)
    assert (second["count"], second["links"]["next"]) == (1, None)
    assert world.ask("GET", second["links"]["prev"]).json() == first


def test_all_workspaces_of_an_organisation_are_listed_together(world: World) -> None:
    org = str(uuid4())
    spaces = [f"/geoscience-object/orgs/{org}/workspaces/{uuid4()}" for _ in range(2)]
    for space in spaces:
        made(world, space)

    answer = world.ask("GET", f"/geoscience-object/orgs/{org}/objects?limit=5000&offset=0")

    models.ListOrgObjectsResponse.model_validate_json(answer.content)
    found = [each["workspace_id"] for each in answer.json()["objects"]]
    assert sorted(found) == sorted(space.rpartition("/")[2] for space in spaces)


def test_the_newest_versions_of_many_are_told_at_once(world: World, space: str) -> None:
    body = made(world, space)
    replaced(world, space, body["object_id"])

    answer = world.ask("PATCH", f"{space}/objects", json=[body["object_id"], NOBODY, "none"])

    assert answer.json() == [
        {"object_id": body["object_id"], "version_id": "2"},
        {"object_id": NOBODY, "version_id": None},
        {"object_id": "none", "version_id": None},
    ]
    assert world.ask("PATCH", f"{space}/objects", json=["x"] * 501).status_code == 422


def test_a_stage_is_of_one_version_and_can_be_taken_away(world: World, space: str) -> None:
    body = made(world, space)
    place = f"{space}/objects/{body['object_id']}"
    replaced(world, space, body["object_id"])
    stages = world.ask("GET", f"/geoscience-object/orgs/{ORG}/stages").json()["stages"]

    said = world.ask(
        "PATCH", f"{place}/metadata?version_id=1", json={"stage_id": stages[0]["stage_id"]}
    )

    assert (said.status_code, said.content) == (204, b"")
    assert world.ask("GET", f"{place}?version=1").json()["stage"] == stages[0]
    assert world.ask("GET", place).json()["stage"] is None
    assert world.ask("PATCH", f"{place}/metadata", json={"stage_id": NOBODY}).status_code == 422
    world.ask("PATCH", f"{place}/metadata", json={"stage_id": stages[2]["stage_id"]})
    assert world.ask("GET", f"{space}/objects").json()["objects"][0]["stage"] == stages[2]
    world.ask("PATCH", f"{place}/metadata", json={"stage_id": None})
    assert world.ask("GET", place).json()["stage"] is None


def test_links_of_an_object_are_signed_for_its_organisation(world: World, space: str) -> None:
    name = stored(world, space, b"signed")
    (link,) = made(world, space, locations={"data": name})["links"]["data"]

    assert f"/geoscience-data/{ORGANISATION}/data/{name}?" in link["download_url"]
    assert signer_of(world.services).secret.hex() not in link["download_url"]
