"""The conformance suite of dialects: subclass it, and run it with pytest.

class TestMyWire(DialectSuite):
    dialect = my_package.DIALECT

    def path_of(self, job: Job) -> str:
        return f"/mine/jobs/{job.id}"
"""

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar, Final

import msgspec
import pytest
from litestar import HttpMethod, Litestar, route
from litestar.testing import TestClient

from haulier.core.job import Job
from haulier.core.lifecycle import State
from haulier.core.problem import Code, Fault, Problem
from haulier.testing.dialect_world import (
    METHODS,
    World,
    a_job,
    filled,
    leaves,
    open_world,
    operations,
    submitted,
)
from haulier.testing.family_suite import hold
from haulier.wire import openapi, problems
from haulier.wire.dialect import Dialect, View

SERVER_FAULTS: Final = frozenset(
    {Code.TIMEOUT, Code.OUT_OF_MEMORY, Code.CRASHED, Code.UNAVAILABLE, Code.INTERNAL}
)
BASE: Final = "http://testserver.local"
LIMIT_BYTES: Final = 1 << 20
TOO_LONG: Final = b'{"x": "' + b"x" * (9 << 20) + b'"}'
JUNK: Final = (
    b"",
    b"{",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b"{}",
    b"\xff\xfe\x00",
    b'{"inputs": 3, "filename": [], "storage_id": {}, "job_type": 1e400}',
    b'{"job_type": "\\ud800"}',
    b"[" * 20_000,
)


class DialectSuite:
    """What every dialect must hold to; each method is a test."""

    dialect: ClassVar[Dialect]

    def path_of(self, job: Job) -> str:
        """Give the path at which the wire shows a job."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def world(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
        """Give a server that speaks this dialect and all that are installed."""
        with open_world(tmp_path_factory.mktemp("dialect")) as world:
            yield world

    @pytest.fixture(scope="class")
    @classmethod
    def view(cls, world: World) -> View:
        """Give what a rendering needs to know."""
        return View(BASE, world.services.kinds)

    @pytest.fixture(scope="class")
    @classmethod
    def document(cls, world: World) -> dict[str, Any]:
        """Give the dialect's OpenAPI document, as it is served."""
        answer = world.ask("GET", cls.dialect.document_path, key="")
        hold(answer.status_code == HTTPStatus.OK, f"the document is served, got {answer}")
        document: dict[str, Any] = answer.json()
        return document

    # What it says

    @pytest.mark.parametrize("state", State)
    def test_every_state_has_a_word(self, state: State) -> None:
        """The words are a total table."""
        hold(self.dialect.words.get(state), f"{self.dialect.name} has no word for {state}")

    @pytest.mark.parametrize("state", State)
    def test_a_job_in_every_state_is_shown_with_its_word(self, state: State, view: View) -> None:
        """A body says the word of the state somewhere."""
        body = msgspec.to_builtins(self.dialect.render(a_job(state), view))

        word = self.dialect.words[state]
        hold(word in list(leaves(body)), f"a {state} job must say {word!r}, got {body}")

    @pytest.mark.parametrize("state", State)
    def test_a_bare_job_in_every_state_is_shown(self, state: State, view: View) -> None:
        """A job without parameters, results and problem has a body, too."""
        bare = a_job(state, params={}, deliver={}, statistics=None, result=None, problem=None)

        hold(msgspec.json.encode(self.dialect.render(bare, view)), f"a bare {state} job is shown")

    @pytest.mark.parametrize("state", State)
    def test_what_is_read_back_is_shown_the_same(self, state: State, view: View) -> None:
        """render(parse(render(job))) is render(job), to the byte."""
        if self.dialect.parse is None:
            pytest.skip(f"{self.dialect.name} does not read its bodies back")
        shown = msgspec.json.encode(self.dialect.render(a_job(state), view))

        again = self.dialect.render(self.dialect.parse(msgspec.json.decode(shown)), view)

        hold(msgspec.json.encode(again) == shown, f"{shown!r} came back as {again}")

    @pytest.mark.parametrize("code", Code)
    def test_every_code_has_an_answer(self, code: Code) -> None:
        """The answers are a total table; 4xx is the caller's to mend, 5xx ours."""
        reply = self.dialect.replies.get(code)

        hold(reply and reply.word, f"{self.dialect.name} has no answer to {code}")
        assert reply is not None  # noqa: S101 -- held above
        fault = "5" if code in SERVER_FAULTS else "4"
        hold(str(reply.status)[0] == fault, f"{code} must be {fault}xx, is {reply.status}")

    @pytest.mark.parametrize("code", Code)
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    def test_every_problem_is_told_in_every_part_of_the_wire(self, code: Code, method: str) -> None:
        """Status and sentence arrive, also where the sentence needs quoting."""
        detail = 'roads[3].id must be unique, got "12" <&>'
        for prefix in self.dialect.prefixes:
            path = f"{prefix.rstrip('/')}/broken"
            with _broken(self.dialect, path, Problem(code, detail, at="roads[3].id")) as client:
                answer = client.request(method, path)
            hold(answer.status_code == self.dialect.replies[code].status, f"{path}: {answer}")
            told = method == "HEAD" or "roads[3].id must be unique" in answer.text
            hold(told, f"{path} must say what was wrong, said {answer.text!r}")

    def test_many_faults_are_told_at_once(self) -> None:
        """A caller mends everything in one go."""
        faults = (Fault("a", "a must be 1"), Fault("inputs.b[2]", "b must be 2"))
        path = f"{self.dialect.prefixes[0].rstrip('/')}/broken"
        problem = Problem(Code.INVALID, "a must be 1; b must be 2", at="a", faults=faults)

        with _broken(self.dialect, path, problem) as client:
            text = client.get(path).text

        hold("a must be 1" in text and "b must be 2" in text, f"both faults, got {text}")

    # How it is served

    def test_its_document_describes_its_operations(self, document: dict[str, Any]) -> None:
        """Operations have names of their own and a sentence."""
        ids = [operation["operationId"] for _, _, operation in operations(document)]

        hold(document["openapi"].startswith("3."), f"OpenAPI 3, got {document['openapi']}")
        hold(ids and len(ids) == len(set(ids)), f"operation ids must be unique, got {ids}")
        for path, method, operation in operations(document):
            said = operation.get("summary") or operation.get("description")
            hold(said, f"{method} {path} must say what it does")

    def test_its_page_for_people_needs_nothing_from_elsewhere(self, world: World) -> None:
        """The page works without the internet, and asks nobody."""
        answer = world.ask("GET", openapi.page_path(self.dialect), key="")

        hold(answer.status_code == HTTPStatus.OK, f"there must be a page, got {answer}")
        hold("default-src 'none'" in answer.headers["content-security-policy"], "a closed policy")
        found = re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", answer.text)
        hold(not found, f"the page must stand alone, it asks for {found}")

    @pytest.mark.parametrize("key", ["", "wrong"])
    def test_nothing_but_what_is_public_opens_without_a_key(
        self, world: World, document: dict[str, Any], key: str
    ) -> None:
        """401 with a challenge, for everything else."""
        sent = {"authorization": "Bearer hlr_nobody"} if key else {}
        for path, method, _ in _closed(document):
            answer = world.ask(method, filled(path), key="", headers=sent)
            hold(answer.status_code == HTTPStatus.UNAUTHORIZED, f"{method} {path}: {answer}")
            hold("Bearer" in answer.headers["www-authenticate"], f"{method} {path} must ask")

    def test_a_key_is_taken_from_each_of_its_headers(self, world: World) -> None:
        """A header of the wire's own carries a key, whatever Authorization says."""
        job = submitted(world)
        for header in self.dialect.key_headers:
            own = {header: world.keys["owner"], "authorization": "Bearer a-cloud's-own-token"}
            answer = world.ask("GET", self.path_of(job), key="", headers=own)
            hold(answer.is_success, f"{header}: {answer} {answer.text}")

    def test_a_key_that_may_only_read_changes_nothing(
        self, world: World, document: dict[str, Any]
    ) -> None:
        """403 before anything is looked at."""
        for path, method, _ in _closed(document):
            if method != "GET":
                answer = world.ask(method, filled(path), key="reader")
                hold(answer.status_code == HTTPStatus.FORBIDDEN, f"{method} {path}: {answer}")

    def test_a_job_is_shown_to_its_organisation_alone(self, world: World) -> None:
        """To others it is not there."""
        job = submitted(world)

        own = world.ask("GET", self.path_of(job))
        others = world.ask("GET", self.path_of(job), key="stranger")

        hold(own.is_success, f"the owner sees it: {own} {own.text}")
        hold(self.dialect.words[State.QUEUED] in own.text, f"as waiting: {own.text}")
        hold(others.status_code == HTTPStatus.NOT_FOUND, f"the stranger does not: {others}")

    def test_a_path_that_is_nothing_is_not_found(self, world: World) -> None:
        """404, however odd the path."""
        for prefix in self.dialect.prefixes:
            for tail in ("no-such-thing", "a/b/c/d/e", "%00", "..%2f..%2fetc", "ä", "x" * 5000):
                answer = world.ask("GET", f"{prefix.rstrip('/')}/{tail}")
                hold(answer.status_code == HTTPStatus.NOT_FOUND, f"{prefix}/{tail}: {answer}")

    def test_a_method_that_a_path_lacks_is_refused_by_name(
        self, world: World, document: dict[str, Any]
    ) -> None:
        """405, with the methods that there are."""
        for path, item in document["paths"].items():
            for method in METHODS:
                if method.lower() in item:
                    continue
                answer = world.ask(method, filled(path))
                refused = answer.status_code == HTTPStatus.METHOD_NOT_ALLOWED
                hold(refused, f"{method} {path} must be 405, got {answer}")
                hold(answer.headers.get("allow"), f"{method} {path} must say what is allowed")

    def test_options_of_every_path_are_told_to_anybody(
        self, world: World, document: dict[str, Any]
    ) -> None:
        """204, with the methods that there are."""
        for path, item in document["paths"].items():
            answer = world.ask("OPTIONS", filled(path), key="")
            hold(answer.status_code == HTTPStatus.NO_CONTENT, f"OPTIONS {path}: {answer}")
            named = {word.strip().lower() for word in answer.headers["allow"].split(",")}
            wanted = {method.lower() for method in METHODS} & item.keys()
            hold(wanted <= named, f"OPTIONS {path} must name {wanted}, named {named}")

    def test_head_is_get_without_a_body(self, world: World, document: dict[str, Any]) -> None:
        """HEAD has the status of GET and no body."""
        for path, method, _ in operations(document):
            if method != "GET":
                continue
            got, head = (world.ask(verb, filled(path)) for verb in ("GET", "HEAD"))
            hold(head.status_code == got.status_code, f"HEAD {path}: {head}, but GET {got}")
            hold(head.content == b"", f"HEAD {path} must have no body, got {head.content!r}")

    @pytest.mark.parametrize("junk", JUNK, ids=range(len(JUNK)))
    def test_junk_is_refused_and_never_breaks_the_server(
        self, world: World, document: dict[str, Any], junk: bytes
    ) -> None:
        """4xx for every body that is not meant for an operation."""
        for path, method, operation in operations(document):
            body = operation.get("requestBody", {}).get("content", {})
            if "application/json" not in body:
                continue
            headers = {"content-type": "application/json"}
            answer = world.ask(method, filled(path), content=junk, headers=headers)
            hold(answer.status_code // 100 == 4, f"{method} {path}: {answer} {answer.text}")  # noqa: PLR2004 -- 4xx

    def test_a_body_without_end_is_cut_off(self, world: World, document: dict[str, Any]) -> None:
        """413 instead of memory."""
        for path, method, operation in operations(document):
            if "application/json" in operation.get("requestBody", {}).get("content", {}):
                headers = {"content-type": "application/json"}
                answer = world.ask(method, filled(path), content=TOO_LONG, headers=headers)
                too_large = answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                hold(too_large, f"{method} {path} must be 413, got {answer}")


def _closed(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the operations that need a key."""
    for path, method, operation in operations(document):
        if operation.get("security") != []:
            yield path, method, operation


def _broken(dialect: Dialect, path: str, problem: Problem) -> TestClient[Litestar]:
    """Give a server that answers one path with a problem."""

    @route(path, http_method=[HttpMethod.GET, HttpMethod.HEAD], sync_to_thread=False)
    def broken() -> None:
        raise problem

    app = Litestar(
        [broken],
        exception_handlers={Exception: problems.handler((dialect,), LIMIT_BYTES)},
        logging_config=None,
        openapi_config=None,
    )
    return TestClient(app, raise_server_exceptions=False)
