"""Files on the caller's side: hashed, resumed, and put in place whole or not at all."""

import hashlib
import importlib.util
import os
import secrets
from pathlib import Path
from typing import BinaryIO, Final

from haulier.client.errors import IntegrityError, ProtocolError
from haulier.client.headers import parse_content_range
from haulier.client.protocol import Answer

CHUNK_BYTES: Final = 1 << 18
PARTIAL: Final = 206
LOCKS: Final = importlib.util.find_spec("fcntl") is not None  # Windows has none


def file_sha256(path: Path) -> str:
    """Hash a file.

    Returns:
        64 hexadecimal digits.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def safe_name(filename: str, fallback: str) -> str:
    """Give a file name that stays in its folder, whatever the server called the file."""
    name = filename.replace("\\", "/").rpartition("/")[2]
    cleaned = "".join(letter for letter in name if letter.isprintable()).strip()
    return fallback if cleaned in {"", ".", ".."} else cleaned


def target_of(path: Path | str | None, filename: str) -> Path:
    """Give where a download goes: `path`, or `filename` in it where it is a folder."""
    if path is None:
        return Path(filename)
    wanted = Path(path)
    ends_as_folder = str(path).endswith(("/", os.sep))
    return wanted / filename if wanted.is_dir() or ends_as_folder else wanted


def open_alone(path: Path) -> tuple[BinaryIO, Path]:
    """Open a file to add to, that nobody else adds to meanwhile.

    Returns:
        The file and its path: `path`, or a new one beside it while another holds that.
    """
    file = path.open("ab+")
    if _claim(file) and _stands_at(file, path):
        return file, path
    file.close()
    own = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    return own.open("ab+"), own


def _claim(file: BinaryIO) -> bool:
    if not LOCKS:
        return False
    import fcntl  # noqa: PLC0415 -- not on every system

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _stands_at(file: BinaryIO, path: Path) -> bool:
    """Whether the path still names this file: another may have renamed it before the lock."""
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return False


class Landing:
    """A download on its way: bytes gather beside the target and are renamed when whole.

    The gathering file carries the content's hash in its name, so a download that broke,
    even of another process, goes on where it stopped, and never mixes two contents.

    Attributes:
        target: where the file will stand.
        size_bytes: what was promised; -1 where unknown.
        sha256: what was promised; empty where unknown, and then nothing is taken up.
    """

    def __init__(self, target: Path, size_bytes: int, sha256: str) -> None:
        """Take up what an earlier try left, or begin."""
        self.target = target
        self.size_bytes = size_bytes
        self.sha256 = sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        mark = sha256[:16] or secrets.token_hex(8)
        self._file, self.gathering = open_alone(target.with_name(f".{target.name}.{mark}.part"))
        self._hash = hashlib.sha256()
        self.held_bytes = 0
        self._take_up()

    def _take_up(self) -> None:
        self._file.seek(0)
        while chunk := self._file.read(CHUNK_BYTES):
            self._hash.update(chunk)
            self.held_bytes += len(chunk)
        if 0 <= self.size_bytes < self.held_bytes:
            self.restart()

    def range_headers(self) -> dict[str, str]:
        """Give the fields that ask for the rest only."""
        return {"Range": f"bytes={self.held_bytes}-"} if self.held_bytes else {}

    def complete(self) -> bool:
        """Whether every promised byte is here."""
        return 0 <= self.size_bytes == self.held_bytes

    def begin(self, answer: Answer) -> None:
        """Take the head of an answer: a whole body starts the file again.

        Raises:
            ProtocolError: a part that does not begin where ours ends.
        """
        if answer.status != PARTIAL:
            self.restart()
            return
        part = parse_content_range(answer.header("content-range"))
        if part is None or part.start != self.held_bytes:
            raise ProtocolError(
                f"asked {answer.url} for bytes from {self.held_bytes}, got the range "
                f"{answer.header('content-range')!r}"
            )

    def write(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.held_bytes += len(chunk)

    def restart(self) -> None:
        """Forget what has come."""
        self._file.truncate(0)
        self._hash = hashlib.sha256()
        self.held_bytes = 0

    def settle(self) -> Path:
        """Check the bytes and put the file in place.

        Raises:
            IntegrityError: length or hash differ from the promise; the bytes are removed.
        """
        fault = self._fault()
        if fault:
            self.gathering.unlink(missing_ok=True)
            raise IntegrityError(f"{self.target.name}: {fault}; the download was removed")
        self._file.flush()
        os.fsync(self._file.fileno())
        self.gathering.replace(self.target)
        return self.target

    def close(self) -> None:
        """Let go of the file; what has come of a known content stays for the next try."""
        self._file.close()
        if not self.sha256:
            self.gathering.unlink(missing_ok=True)

    def _fault(self) -> str:
        if self.size_bytes >= 0 and self.held_bytes != self.size_bytes:
            return f"expected {self.size_bytes} bytes, got {self.held_bytes}"
        found = self._hash.hexdigest()
        if self.sha256 and found != self.sha256:
            return f"expected SHA-256 {self.sha256}, got {found}"
        return ""
