"""The calls that move files, as flows: up and down, checked, resumed."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from haulier.client import bodies
from haulier.client.answers import Artifact, StoredFile
from haulier.client.errors import FIRST_ERROR, IntegrityError, RefusedError, conflict
from haulier.client.flows import Flows, id_of
from haulier.client.headers import parse_repr_digest, repr_digest
from haulier.client.options import JobId
from haulier.client.protocol import (
    Answer,
    Flow,
    Outcome,
    Pause,
    Request,
    decode,
    exchange,
    failure,
    path_of,
    work,
    worth_repeating,
)
from haulier.client.transfer import Landing, file_sha256, safe_name, target_of

MARK_DIGITS: Final = 8
UNSATISFIABLE: Final = 416


@dataclass(frozen=True, slots=True)
class Transfers:
    """The calls of one client that move files."""

    flows: Flows

    def upload(self, path: Path, storage: str, *, filename: str, replace: bool) -> Flow[StoredFile]:
        """Send a file; one with the same content that is there already is not sent again.

        Where another file has the name: a `filename` that was asked for is refused, and
        the file's own name gets a mark of its content, so that no file that a running job
        may still read changes under it.

        Raises:
            ConflictError: another file has the name that was asked for.
            IntegrityError: the server holds other bytes than were read here.
        """
        if not path.is_file():
            raise FileNotFoundError(f"no file {path}")
        place = storage or (yield from self._default_storage())
        sha256 = yield from work(partial(file_sha256, path))
        name = filename or path.name
        there = yield from self._find(place, name)
        if there is not None and there.sha256 == sha256:
            return there
        if there is not None and not replace:
            if filename:
                raise conflict(
                    f"storage '{place}' has another file of the name '{filename}'; "
                    "ask for another name, or for it to be replaced"
                )
            name = f"{path.stem}-{sha256[:MARK_DIGITS]}{path.suffix}"
        return (yield from self._put(path, place, name, sha256))

    def download(self, job: JobId, artifact: Artifact | str, path: Path | str | None) -> Flow[Path]:
        """Fetch an artifact, by its name or as "step.name"; a folder as a tar archive."""
        if isinstance(artifact, str):
            artifact = yield from self._artifact(job, artifact)
        name = safe_name(artifact.filename, artifact.name)
        target = target_of(path, f"{name}.tar" if artifact.folder else name)
        url = path_of("jobs", id_of(job), "artifacts", artifact.path)
        if artifact.folder:  # what is known of it is not of the archive
            return (yield from self._land(url, target, -1, ""))
        return (yield from self._land(url, target, artifact.size_bytes, artifact.sha256))

    def fetch(self, storage: str, filename: str, path: Path | str | None) -> Flow[Path]:
        """Fetch a file of a storage."""
        info = yield from self._find(storage, filename)
        if info is None:
            info = StoredFile(storage=storage, filename=filename)  # the GET says what is wrong
        target = target_of(path, safe_name(filename, "file"))
        url = path_of("storages", storage, "files", filename)
        return (yield from self._land(url, target, info.size_bytes, info.sha256))

    def files(self, storage: str) -> Flow[list[StoredFile]]:
        """Give the files of a storage."""
        place = storage or (yield from self._default_storage())
        found = yield from self.flows.get(bodies.FileList, "storages", place, "files")
        return list(found.files)

    def remove(self, storage: str, filename: str) -> Flow[None]:
        """Remove a file of a storage."""
        yield from self.flows.send("DELETE", "storages", storage, "files", filename)

    def _default_storage(self) -> Flow[str]:
        """Give the server's own storage, or the first where it has none."""
        found = yield from self.flows.storages()
        if not found:
            raise conflict("the server has no storage to upload to; add one first")
        return next((one.name for one in found if not one.url), found[0].name)

    def _artifact(self, job: JobId, name: str) -> Flow[Artifact]:
        found = yield from self.flows.artifacts(job)
        for artifact in found:
            if name in {artifact.name, artifact.path}:
                return artifact
        return Artifact(name=name)  # the GET says what is wrong

    def _find(self, storage: str, filename: str) -> Flow[StoredFile | None]:
        request = Request("HEAD", path_of("storages", storage, "files", filename))
        try:
            answer = yield from exchange(request, self.flows.policy)
        except RefusedError:  # without a body, as HEAD is: the next request says what is wrong
            return None
        length = answer.header("content-length")
        return StoredFile(
            storage=storage,
            filename=filename,
            size_bytes=int(length) if length.isdigit() else -1,
            sha256=parse_repr_digest(answer.header("repr-digest")),
            etag=answer.header("etag"),
        )

    def _put(self, path: Path, storage: str, name: str, sha256: str) -> Flow[StoredFile]:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(path.stat().st_size),
            "Repr-Digest": repr_digest(sha256),
        }
        url = path_of("storages", storage, "files", name)
        request = Request("PUT", url, headers=headers, body=path)
        answer = yield from exchange(request, self.flows.policy)
        stored = decode(answer, StoredFile)
        if stored.sha256 and stored.sha256 != sha256:
            raise IntegrityError(
                f"{path}: SHA-256 {sha256} was sent and {stored.sha256} was stored; "
                "did the file change meanwhile?"
            )
        return msgspec.structs.replace(stored, storage=storage, filename=name, sha256=sha256)

    def _land(self, url: str, target: Path, size_bytes: int, sha256: str) -> Flow[Path]:
        landing = yield from work(partial(Landing, target, size_bytes, sha256))
        try:
            yield from self._fill(landing, url)
            return (yield from work(landing.settle))
        finally:
            landing.close()

    def _fill(self, landing: Landing, url: str) -> Flow[None]:
        """Ask for the rest until it is here; a try that brought bytes is no failed one."""
        attempt = 0
        while not landing.complete():
            held_before = landing.held_bytes
            attempt += 1
            request = Request("GET", url, headers=landing.range_headers(), sink=landing)
            outcome = yield request
            if isinstance(outcome, Answer) and outcome.status < FIRST_ERROR:
                return
            if isinstance(outcome, Answer) and outcome.status == UNSATISFIABLE:
                landing.restart()
            if landing.held_bytes > held_before:
                attempt = 1
            pause_s = self._pause_s(request, outcome, attempt)
            if pause_s is None:
                raise failure(outcome)
            yield Pause(pause_s)

    def _pause_s(self, request: Request, outcome: Outcome, attempt: int) -> float | None:
        asked_s = None
        if isinstance(outcome, Answer):
            if outcome.status != UNSATISFIABLE and not worth_repeating(request, outcome):
                return None
            asked_s = outcome.retry_after_s
        return self.flows.policy.pause(attempt, asked_s)
