"""Which places the entries of an organisation may name: by put, by look-up, by any spelling."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from haulier import app
from haulier.config import FIRST_ORGANISATION, Settings
from haulier.core.clock import SystemClock
from haulier.core.problem import Code, Problem
from haulier.engine.catalog import SHARED, Catalog
from haulier.engine.reach import Reach, reach_of

RELEASE = "overture_release"


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    for name in ("data", "exchange", "operators"):
        (tmp_path / name).mkdir()
    roots = f"{(tmp_path / 'exchange').as_uri()}, s3://customers/acme"
    return Settings(data=tmp_path / "data", database_url=database_url, storage_roots=roots)


def refusal(reach: Reach, organisation: str, url: object) -> Problem:
    with pytest.raises(Problem) as caught:
        reach.check(organisation, "overture_release 'x'", {"url": url}, at="url")
    assert caught.value.at == "url"
    return caught.value


def test_an_organisation_cannot_register_anothers_files_as_a_release(settings: Settings) -> None:
    services = app.build_services(settings)
    others = settings.data / "files" / "storages" / "acme" / "storage-001"

    for url in (str(others), others.as_uri(), "/etc/passwd", "file:///etc", "s3://any-bucket/x"):
        with pytest.raises(Problem, match="HAULIER_STORAGE_ROOTS") as caught:
            services.catalog.put("evil", RELEASE, "x", {"url": url})
        assert (caught.value.code, caught.value.at) == (Code.FORBIDDEN, "url"), url

    assert services.catalog.list("evil", RELEASE) == []
    services.engine.dispose()


def test_a_job_does_not_get_a_place_that_was_allowed_when_it_was_put(
    settings: Settings, database: sa.Engine
) -> None:
    earlier = Catalog(database, SystemClock(), Reach([], operators=["evil"]))
    earlier.put("evil", RELEASE, "x", {"url": "/etc/passwd"})

    now = Catalog(database, SystemClock(), reach_of(settings))

    with pytest.raises(Problem) as caught:
        now.get("evil", RELEASE, "x")
    assert (caught.value.code, caught.value.at) == (Code.FORBIDDEN, RELEASE)
    now.delete("evil", RELEASE, "x")  # whose it is can still see it, and be rid of it


def test_an_organisation_names_places_below_the_roots(settings: Settings, tmp_path: Path) -> None:
    reach = reach_of(settings)

    for url in (
        (tmp_path / "exchange").as_uri(),
        f"{(tmp_path / 'exchange').as_uri()}/a%20b/",
        str(tmp_path / "exchange" / "release"),
        "s3://customers/acme",
        "s3://customers/acme/theme=transportation/",
    ):
        reach.check("acme", "overture_release 'x'", {"url": url}, at="url")


def test_no_spelling_leads_out_of_the_roots(settings: Settings, tmp_path: Path) -> None:
    reach = reach_of(settings)
    (tmp_path / "exchange" / "link").symlink_to(tmp_path / "operators")
    root = (tmp_path / "exchange").as_uri()

    for url in (
        f"{root}/../operators",
        f"{root}/%2e%2e/operators",
        f"{root}/link",
        str(tmp_path / "exchange" / "link"),
        str(tmp_path / "exchange" / ".." / "operators"),
        f"{root}-of-another",
        "s3://customers/acme-of-another",
        "s3://customers/acme/../other",
        "s3://customers/acme/%2E%2E/other",
        "s3://customers/acme/./x",
        "s3://customers/acme//x",
        "s3://customers/acme?endpoint_override=evil.example.org",
        "s3://customers/acme/#x",
        "s3://customers/acme/\\..\\x",
        "s3://me:secret@customers/acme",
        "S3://CUSTOMERS/acme",
        "https://customers/acme",
        "file://customers/acme",
    ):
        problem = refusal(reach, "acme", url)
        assert problem.code is Code.FORBIDDEN, url
        assert "secret" not in problem.detail


@pytest.mark.parametrize(
    "url",
    ["x", "~/x", "file:/etc", "a/b://c", " /etc", "/etc\n", "s3://customers/acme/%0ax", "/a\0", 5,
     ["/etc"], "s3://[x"],
)  # fmt: skip
def test_what_is_no_place_is_refused_whoever_names_it(url: object, settings: Settings) -> None:
    for organisation in ("acme", FIRST_ORGANISATION, SHARED):
        assert refusal(reach_of(settings), organisation, url).code is Code.INVALID


def test_an_operator_names_any_place_but_the_servers_own_data(
    settings: Settings, tmp_path: Path
) -> None:
    reach = reach_of(settings)
    (tmp_path / "link").symlink_to(settings.data)

    for organisation in (FIRST_ORGANISATION, SHARED):
        for url in (str(tmp_path / "operators"), "s3://any-bucket/x", "gs://anonymous@b/c"):
            reach.check(organisation, "overture_release 'x'", {"url": url}, at="url")
        for place in (tmp_path, settings.data / "scratch", settings.data / "files" / "storages"):
            problem = refusal(reach, organisation, str(place))
            assert problem.code is Code.FORBIDDEN
            assert "own files" in problem.detail
        assert refusal(reach, organisation, str(tmp_path / "link")).code is Code.FORBIDDEN


def test_a_root_that_holds_the_servers_own_data_does_not_open_it(tmp_path: Path) -> None:
    reach = Reach([str(tmp_path / "data")], roots=[str(tmp_path)])

    for place in (tmp_path, tmp_path / "data", tmp_path / "data" / "files"):
        assert "own files" in refusal(reach, "acme", place.as_uri()).detail


def test_the_organisation_of_development_is_an_operator_only_in_development(
    tmp_path: Path,
) -> None:
    body = {"url": "/srv/overture"}

    reach_of(Settings(data=tmp_path, dev=True)).check("dev", "release", body, at="url")

    assert refusal(reach_of(Settings(data=tmp_path)), "dev", body["url"]).code is Code.FORBIDDEN


def test_the_operators_are_those_of_the_setting(tmp_path: Path) -> None:
    reach = reach_of(Settings(data=tmp_path, operators="ops, acme"))

    reach.check("acme", "release", {"url": "/srv/overture"}, at="url")

    assert refusal(reach, FIRST_ORGANISATION, "/srv/overture").code is Code.FORBIDDEN


def test_a_root_that_is_no_place_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        reach_of(Settings(data=tmp_path, storage_roots="customers"))

    assert (caught.value.code, caught.value.at) == (Code.INVALID, "storage_roots")
