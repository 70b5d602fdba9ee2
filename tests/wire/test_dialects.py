"""Every installed dialect holds to the public conformance suite."""

import pytest

from haulier.core.job import Job
from haulier.testing.dialect_suite import DialectSuite
from haulier.wire import evo, ogc, ordo, tomtom
from haulier.wire.dialect import Dialect, installed, owner


class TestEvo(DialectSuite):
    dialect = evo.DIALECT

    def path_of(self, job: Job) -> str:
        org_id = "00000000-0000-0000-0000-0000000000a1"
        return f"/compute/orgs/{org_id}/faults/{job.kind.lower()}/{job.id}/status"


class TestOgc(DialectSuite):
    dialect = ogc.DIALECT

    def path_of(self, job: Job) -> str:
        return f"/jobs/{job.id}"


class TestOrdo(DialectSuite):
    dialect = ordo.DIALECT

    def path_of(self, job: Job) -> str:
        return f"/ordo/jobs/{job.number}"


class TestTomtom(DialectSuite):
    dialect = tomtom.DIALECT

    def path_of(self, job: Job) -> str:
        return f"/maps/orbis/platform/gem/jobs/{job.number}"


def test_no_installed_dialect_escapes_the_suite() -> None:
    held = {suite.dialect.name for suite in DialectSuite.__subclasses__()}

    assert {dialect.name for dialect in installed()} <= held


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "ogc"),
        ("/jobs", "ogc"),
        ("/maps", "ogc"),
        ("/ordo/jobs/1", "ordo"),
        ("/ordoo", "ogc"),
        ("/maps/orbis/platform", "tomtom"),
        ("/maps/orbis/platform/gem/jobs/1", "tomtom"),
        ("/maps/orbis/platforms", "ogc"),
        ("/blob/a/default/b", "tomtom"),
        ("/v1/sys/wrapping/unwrap", "tomtom"),
        ("/v1/sys", "ogc"),
        ("/compute/orgs/a/b/c", "evo"),
        ("/geoscience-object", "evo"),
        ("/geoscience-objects", "ogc"),
        ("/workspace/orgs", "evo"),
    ],
)
def test_the_longest_prefix_decides_whose_a_path_is(path: str, name: str) -> None:
    dialects: tuple[Dialect, ...] = installed()

    assert owner(dialects, path).name == name
