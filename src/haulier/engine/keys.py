"""API keys: random secrets of which only a hash is kept, and who a secret belongs to."""

import base64
import hashlib
import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from haulier.config import DEV_KEY, DEV_ORGANISATION
from haulier.core.caller import Caller, Scope
from haulier.core.clock import Clock
from haulier.core.identity import new_job_id
from haulier.core.problem import Code, Problem
from haulier.engine.tables import keys

LOG: Final = logging.getLogger(__name__)
SECRET_BYTES: Final = 32
PREFIX: Final = "hlr_"
LONGEST_SECRET: Final = 256  # more is no key of ours, and not worth hashing
LONGEST_ORGANISATION: Final = 128
LONGEST_SUBJECT: Final = 256
BELIEVED: Final = timedelta(seconds=1)  # a revoked key may work for so long elsewhere
BELIEVED_AT_ONCE: Final = 10_000
USE_NOTED_EVERY: Final = timedelta(seconds=60)
REFUSAL: Final = "the API key is unknown, revoked or expired"


class KeyInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a key: everything but its secret."""

    id: str
    organisation: str
    subject: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None


class Keys:
    """The keys of every organisation.

    Args:
        engine: the database.
        clock: the time.
        dev: take the known key of development for the organisation "dev"; for loopback only.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, *, dev: bool = False) -> None:
        self._engine = engine
        self._clock = clock
        self._dev = dev
        self._believed: OrderedDict[str, tuple[Caller, datetime]] = OrderedDict()
        self._lock = threading.Lock()
        # A request must not wait for the database's write lock only to note a use.
        self._notes = ThreadPoolExecutor(max_workers=1, thread_name_prefix="key-use")
        self._last_note: Future[None] | None = None

    def create(
        self,
        organisation: str,
        *,
        subject: str = "",
        scopes: Iterable[Scope],
        expires_at: datetime | None = None,
    ) -> tuple[KeyInfo, str]:
        """Make a key, and give what is known of it and its secret, this once.

        Raises:
            Problem: INVALID; no scope, no such organisation can be, or an end in the past.
        """
        now = self._clock.now()
        allowed = tuple(scope for scope in Scope if scope in set(scopes))
        _check(organisation, subject, allowed, expires_at, now)
        noise = base64.urlsafe_b64encode(secrets.token_bytes(SECRET_BYTES)).rstrip(b"=")
        secret = PREFIX + noise.decode()
        info = KeyInfo(
            id=str(new_job_id(int(now.timestamp() * 1000))),
            organisation=organisation,
            subject=subject,
            scopes=allowed,
            created_at=now,
            expires_at=expires_at,
        )
        row = msgspec.structs.asdict(info) | {"hash": _hash(secret)}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(keys).values(row))
        return info, secret

    def get(self, organisation: str, key_id: str) -> KeyInfo:
        """Give what is known of a key of the organisation.

        Raises:
            Problem: NOT_FOUND; it has no such key.
        """
        wanted = sa.select(*_SHOWN).where(keys.c.id == key_id, keys.c.organisation == organisation)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            detail = f"organisation '{organisation}' has no key '{key_id}'"
            raise Problem(Code.NOT_FOUND, detail, at="key")
        return _info(row)

    def list(self, organisation: str = "") -> Sequence[KeyInfo]:
        """Give the keys of an organisation, or of all, in the order they were made."""
        wanted = sa.select(*_SHOWN).order_by(keys.c.created_at, keys.c.id)
        if organisation:
            wanted = wanted.where(keys.c.organisation == organisation)
        with self._engine.connect() as connection:
            return [_info(row) for row in connection.execute(wanted)]

    def revoke(self, organisation: str, key_id: str) -> KeyInfo:
        """End a key for good; to end it twice is to end it once.

        Raises:
            Problem: NOT_FOUND; the organisation has no such key.
        """
        change = (
            sa.update(keys)
            .where(
                keys.c.id == key_id,
                keys.c.organisation == organisation,
                keys.c.revoked_at.is_(None),
            )
            .values(revoked_at=self._clock.now())
        )
        with self._engine.begin() as connection:
            connection.execute(change)
        with self._lock:
            self._believed.clear()
        return self.get(organisation, key_id)

    def authenticate(self, secret: str) -> Caller:
        """Give whoever a secret belongs to.

        Raises:
            Problem: UNAUTHENTICATED; no key has it, or the key has ended.
        """
        if self._dev and secrets.compare_digest(secret.encode(errors="replace"), _DEV):
            return DEV_CALLER
        if not secret.startswith(PREFIX) or len(secret) > LONGEST_SECRET:
            raise Problem(Code.UNAUTHENTICATED, REFUSAL)
        digest, now = _hash(secret), self._clock.now()
        caller = self._recall(digest, now)
        return caller if caller is not None else self._check_in(digest, now)

    def _recall(self, digest: str, now: datetime) -> Caller | None:
        with self._lock:
            believed = self._believed.get(digest)
        if believed is None or not now < believed[1]:
            return None
        return believed[0]

    def _check_in(self, digest: str, now: datetime) -> Caller:
        """Look the key up, note its use, and believe it for a moment."""
        wanted = sa.select(*_SHOWN).where(keys.c.hash == digest)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).one_or_none()
        info = None if row is None else _info(row)
        if info is None or info.revoked_at or (info.expires_at and info.expires_at <= now):
            raise Problem(Code.UNAUTHENTICATED, REFUSAL)
        if info.used_at is None or now - info.used_at >= USE_NOTED_EVERY:
            self._last_note = self._notes.submit(self._note_use, info, now)
        caller = Caller(info.organisation, info.subject, frozenset(info.scopes))
        until = min(now + BELIEVED, info.expires_at) if info.expires_at else now + BELIEVED
        self.believe(digest, caller, until)
        return caller

    @property
    def believed(self) -> int:
        """How many secrets are known without asking the database."""
        return len(self._believed)

    def believe(self, digest: str, caller: Caller, until: datetime) -> None:
        """Take a secret's hash for the caller's until then; the oldest is forgotten."""
        with self._lock:
            self._believed[digest] = caller, until
            self._believed.move_to_end(digest)
            if len(self._believed) > BELIEVED_AT_ONCE:
                self._believed.popitem(last=False)

    def _note_use(self, info: KeyInfo, now: datetime) -> None:
        stale = sa.or_(keys.c.used_at.is_(None), keys.c.used_at <= now - USE_NOTED_EVERY)
        note = sa.update(keys).where(keys.c.id == info.id, stale).values(used_at=now)
        try:
            with self._engine.begin() as connection:
                connection.execute(note)
        except sa.exc.SQLAlchemyError:
            LOG.warning("the last use of key %s could not be noted", info.id, exc_info=True)

    def settle(self) -> None:
        """Wait until every use that was seen is noted."""
        if self._last_note is not None:
            self._last_note.result()


DEV_CALLER: Final = Caller(DEV_ORGANISATION, "dev", frozenset(Scope))
_DEV: Final = DEV_KEY.encode()
_SHOWN: Final = tuple(column for column in keys.c if column.name != "hash")


def _hash(secret: str) -> str:
    """Hash a secret; 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _info(row: sa.Row[Any]) -> KeyInfo:
    return msgspec.convert(row._mapping, KeyInfo, strict=False)  # noqa: SLF001 -- SQLAlchemy's public name


def _check(
    organisation: str,
    subject: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None,
    now: datetime,
) -> None:
    plain = organisation.isprintable() and organisation.strip() == organisation != "*"
    if not 0 < len(organisation) <= LONGEST_ORGANISATION or not plain:
        detail = (
            f"organisation must be 1 to {LONGEST_ORGANISATION} printable characters other than"
            f" '*', with no space at their ends, got {organisation!r}"
        )
        raise Problem(Code.INVALID, detail, at="organisation")
    if len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        detail = f"subject must be at most {LONGEST_SUBJECT} printable characters, got {subject!r}"
        raise Problem(Code.INVALID, detail, at="subject")
    if not scopes:
        detail = f"scopes must name at least one of {', '.join(Scope)}, got none"
        raise Problem(Code.INVALID, detail, at="scopes")
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
        detail = f"expires_at must be an aware time in the future, got {expires_at.isoformat()}"
        raise Problem(Code.INVALID, detail, at="expires_at")
