"""Data of geoscience objects: signed URLs, the block-blob protocol, content that is its name."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from evo.common.io.storage import StorageBlock
from hypothesis import given
from hypothesis import strategies as st

from haulier.core.caller import Scope
from haulier.core.clock import FrozenClock
from haulier.core.problem import Code, Problem
from haulier.testing.dialect_world import ORGANISATION, World, open_world
from haulier.wire.evo.shelf import STORAGE
from haulier.wire.evo.signing import SECRET, Permission, Right, Signer, signer_of

ORG: Final = "00000000-0000-0000-0000-0000000000a1"
SPACE: Final = f"/geoscience-object/orgs/{ORG}/workspaces/00000000-0000-0000-0000-0000000000b2"
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTENT: Final = b"PAR1, more or less" * 1000


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a server without a worker."""
    with open_world(tmp_path_factory.mktemp("evo")) as world:
        world.services.files.ensure(ORGANISATION, STORAGE)
        yield world


def name_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def asked(world: World, *names: str, key: str = "owner") -> Any:
    answer = world.ask("PUT", f"{SPACE}/data", json=[{"name": name} for name in names], key=key)
    assert answer.status_code == 200, answer.text
    return answer.json()


def upload_url(world: World, content: bytes) -> str:
    url: str = asked(world, name_of(content))[0]["upload_url"]
    return url


def signed_url(world: World, content: bytes, permission: Permission) -> str:
    now = world.services.clock.now()
    right = Right(ORGANISATION, "data", name_of(content), permission)
    return signer_of(world.services).url("http://testserver.local", right, now)


def download_url(world: World, content: bytes) -> str:
    return signed_url(world, content, "r")


def put_part(world: World, url: str, content: bytes, **query: str) -> httpx.Response:
    plain = {"content-type": "text/plain; charset=UTF-8"}
    return world.client.put(replace_query(url, **query), content=content, headers=plain)


def uploaded(world: World, content: bytes) -> httpx.Response:
    """Upload as the vendor's client does: blocks with ids of 32 digits, then their list."""
    url, blocks = signed_url(world, content, "w"), []
    for offset in range(0, len(content), 7000):
        blocks.append(StorageBlock(offset))
        part = content[offset : offset + 7000]
        staged = put_part(world, url, part, comp="block", blockid=blocks[-1].id)
        assert (staged.status_code, staged.content) == (201, b"")
    return put_part(world, url, block_list(*blocks), comp="blocklist")


def block_list(*blocks: StorageBlock) -> bytes:
    inner = "".join(map(str, blocks))
    return f"<?xml version='1.0' encoding='utf-8'?><BlockList>{inner}</BlockList>".encode()


def with_query(url: str, **more: str) -> dict[str, str]:
    return {**dict(parse_qsl(urlsplit(url).query)), **more}


def replace_query(url: str, **more: str) -> str:
    return f"{url.partition('?')[0]}?{urlencode(with_query(url, **more))}"


def test_what_went_up_in_blocks_comes_down_in_ranges(world: World) -> None:
    done = uploaded(world, CONTENT)
    assert (done.status_code, done.content) == (201, b"")

    url = download_url(world, CONTENT)
    head = world.client.head(url)
    part = world.client.get(url, headers={"range": "bytes=5-9"})

    assert head.status_code == 200
    assert head.headers["accept-ranges"] == "bytes"
    assert int(head.headers["content-length"]) == len(CONTENT)
    assert (part.status_code, part.content) == (206, CONTENT[5:10])
    assert part.headers["content-range"] == f"bytes 5-9/{len(CONTENT)}"
    assert world.client.get(url).content == CONTENT


def test_data_that_is_there_is_not_asked_for_again(world: World) -> None:
    content = b"once"
    before = asked(world, name_of(content), name_of(b"never"))
    uploaded(world, content)

    after = asked(world, name_of(content), name_of(b"never"))

    assert [each["exists"] for each in before] == [False, False]
    assert [each["exists"] for each in after] == [True, False]
    assert after[0]["upload_url"] is None
    assert [each["id"] for each in after] == [each["id"] for each in before]
    assert asked(world, name_of(content), key="stranger")[0]["exists"] is False


@pytest.mark.parametrize("whole", [True, False])
def test_content_that_is_not_its_name_is_refused_and_not_kept(world: World, *, whole: bool) -> None:
    right = b"right" + bytes([whole])
    url = upload_url(world, right)

    if whole:
        refused = world.client.put(url, content=b"wrong")
    else:
        block = StorageBlock(0)
        put_part(world, url, b"wrong", comp="block", blockid=block.id)
        refused = put_part(world, url, block_list(block), comp="blocklist")

    assert refused.status_code == 422
    assert name_of(right) in refused.text
    assert asked(world, name_of(right))[0]["exists"] is False
    assert world.client.put(url, content=right).status_code == 201
    assert world.client.get(download_url(world, right)).content == right


def test_a_url_allows_its_file_its_method_and_its_hour_alone(world: World) -> None:
    uploaded(world, CONTENT)
    other = b"another file"
    uploaded(world, other)
    read, write = download_url(world, CONTENT), upload_url(world, b"to be written")

    assert world.client.get(read).status_code == 200
    assert world.client.put(read, content=CONTENT).status_code == 403
    assert world.client.get(write).status_code == 403
    assert world.client.get(read.replace(name_of(CONTENT), name_of(other))).status_code == 403
    assert world.client.get(read.replace("/acme/", "/others/")).status_code == 403
    assert world.client.get(read.replace("/data/", "/uploads/")).status_code == 403
    assert world.client.get(read.replace("/data/", "/nowhere/")).status_code == 404
    assert world.client.get(read.partition("?")[0]).status_code == 403
    later = replace_query(read, se=str(int(with_query(read)["se"]) + 1))
    assert world.client.get(later).status_code == 403
    for refused in (world.client.get(later), world.client.get(write)):
        assert refused.headers["content-type"] == "application/xml"
        assert "signature" in refused.text


@pytest.mark.parametrize(
    ("name", "value"),
    [("sig", ""), ("sig", "AAAA"), ("sig", "ä" * 43), ("se", "0"), ("se", "-1"), ("se", "9" * 30)],
)
def test_a_tampered_url_opens_nothing(world: World, name: str, value: str) -> None:
    uploaded(world, CONTENT)

    answer = world.client.get(replace_query(download_url(world, CONTENT), **{name: value}))

    assert answer.status_code in {403, 422}
    assert answer.headers["content-type"] == "application/xml"


def test_a_url_ends_after_an_hour() -> None:
    signer, clock, right = Signer(b"x" * 32), FrozenClock(NOW), Right("acme", "data", "a" * 64, "r")
    query = with_query(signer.url("https://here", right, NOW))

    def open_() -> frozenset[Scope]:
        return signer.caller(right, int(query["se"]), query["sig"], clock.now()).scopes

    clock.move(timedelta(minutes=59, seconds=59).total_seconds())
    assert open_() == {Scope.READ}
    clock.move(1)
    with pytest.raises(Problem, match="has ended") as refused:
        open_()
    assert (refused.value.code, refused.value.at) == (Code.FORBIDDEN, "query.se")


WORDS: Final = st.text(min_size=1, max_size=8)
RIGHTS: Final = st.builds(Right, WORDS, WORDS, WORDS, st.sampled_from(["r", "w"]))
ENDS: Final = st.integers(0, 1 << 40)


@given(made=st.tuples(RIGHTS, ENDS), asked_for=st.tuples(RIGHTS, ENDS))
def test_a_signature_is_for_what_was_signed_and_nothing_else(
    made: tuple[Right, int], asked_for: tuple[Right, int]
) -> None:
    signer = Signer(b"x" * 32)
    signature = signer.signature(*made)

    assert (signer.signature(*asked_for) == signature) == (made == asked_for)
    assert Signer(b"y" * 32).signature(*made) != signature


def test_a_signed_url_has_no_key_in_it_and_its_secret_is_nobody_s_to_read(world: World) -> None:
    url = upload_url(world, b"no key")

    assert "hlr_" not in url
    assert re.fullmatch(
        r"http://testserver\.local/geoscience-data/acme/data/[0-9a-f]{64}\?se=\d+&sig=[\w-]{43}",
        url,
    )
    assert world.ask("GET", f"/catalog/{SECRET}").status_code == 404
    assert world.ask("GET", f"/catalog/{SECRET}/geoscience-data").status_code == 404
    assert signer_of(world.services) == signer_of(world.services)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "1 to 32 names"),
        (["a" * 64] * 33, "1 to 32 names"),
        (["A" * 64], "[0].name must be the SHA-256"),
        (["a" * 64, "roads.parquet"], "[1].name must be the SHA-256"),
        (["../" + "a" * 61], "[0].name must be the SHA-256"),
    ],
)
def test_names_that_are_no_hashes_are_refused(world: World, names: list[str], said: str) -> None:
    content = [{"name": name} for name in names]
    answer = world.client.put(
        f"{SPACE}/data",
        json=content,
        headers={"authorization": f"Bearer {world.keys['owner']}"},
    )

    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_data_lies_once_in_a_storage_of_the_organisation(world: World) -> None:
    uploaded(world, CONTENT)
    other = SPACE.replace("b2", "b3")

    again = world.ask("PUT", f"{other}/data", json=[{"name": name_of(CONTENT)}]).json()

    assert again[0]["exists"] is True
    listed = world.ask("GET", f"/storages/{STORAGE}/files").json()["files"]
    assert [each["filename"] for each in listed].count(name_of(CONTENT)) == 1


def test_the_md5_of_a_block_is_looked_at(world: World) -> None:
    content = b"with a sum"
    url = upload_url(world, content)
    wrong = base64.b64encode(hashlib.md5(b"other", usedforsecurity=False).digest()).decode()

    answer = world.client.put(url, content=content, headers={"content-md5": wrong})

    assert answer.status_code == 422
    assert answer.headers["x-ms-error-code"] == "Md5Mismatch"


def test_one_secret_is_made_however_many_ask_first(world: World) -> None:
    services = replace(world.services)

    assert {signer_of(services).secret for _ in range(3)} == {signer_of(world.services).secret}
