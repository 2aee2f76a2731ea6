"""Signed sessions of the console, kept in the store: valid at every gateway on it, ended at once at all of them."""

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime

from itsdangerous import BadSignature, Signer, URLSafeTimedSerializer

from gateway.clock import Clock, moment
from gateway.store import Store, console_sessions
from gateway.store.console_sessions import SessionRow

LONGEST_MS = 12 * 3_600_000
"""After this a session ends, whatever its operator does."""
IDLE_MS = 60 * 60_000
"""After this without a request of a person it ends; what a page asks by itself does not count."""
_TOUCH_MS = 60_000
"""How exactly the idle time is kept: a write per request would be one too many."""
_LONGEST_COOKIE = 300


@dataclass(frozen=True, slots=True)
class Session:
    """An operator's session. `id` is what the cookie holds: it must not be shown or logged."""

    id: str = field(repr=False)
    credential: str
    """What it was opened with (see gateway.console.credentials): it ends with that."""
    operator: str
    """The name that is shown, and written into the audit log."""
    ends_at: datetime
    """When it ends at the latest."""


class Sessions:
    """Opens, finds and ends sessions. The signing key is made once and kept in the store, so that all agree on it.

    A cookie without our signature costs no look into the store; the store holds only digests of session ids, so that
    who reads it (a backup, say) cannot act as an operator.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._key: bytes | None = None

    async def open(self, credential: str, operator: str) -> tuple[Session, str]:
        """A new session and the value of its cookie; `StoreUnavailable` if it cannot be kept."""
        now = self._clock()
        session = Session(secrets.token_urlsafe(32), credential, operator, moment(now + LONGEST_MS))
        row = SessionRow(credential, operator, now, now)
        signer = await self._signer("session")
        await self._store.write(lambda c: console_sessions.add(c, _digest(session.id), row, now - LONGEST_MS))
        return session, signer.sign(session.id).decode()

    async def find(self, cookie: str, *, is_person: bool = True) -> Session | None:
        """The session of a cookie; None if it is forged, unknown, ended, idle for too long or too old.

        `is_person`: whether somebody asked, rather than a page by itself; the idle time begins anew then.
        """
        session_id = await self._signed_id(cookie)
        if session_id is None:
            return None
        digest, now = _digest(session_id), self._clock()
        row = await self._store.read(lambda c: console_sessions.by_digest(c, digest))
        if row is None or now >= row.opened_at + LONGEST_MS or now >= row.seen_at + IDLE_MS:
            return None
        if is_person and now - row.seen_at >= _TOUCH_MS:
            await self._store.write(lambda c: console_sessions.touch(c, digest, now))
        return Session(session_id, row.credential, row.operator, moment(row.opened_at + LONGEST_MS))

    async def end(self, session: Session) -> None:
        """End it for good, at every gateway."""
        await self._store.write(lambda c: console_sessions.remove(c, _digest(session.id)))

    async def form_token(self, subject: str) -> str:
        """What a form must bring: only we can make it, and only for this session, or this visitor who signs in."""
        return (await self._signer("form")).get_signature(subject).decode()

    async def is_form_token(self, subject: str, token: str) -> bool:
        """Whether `token` is the one that `form_token` gives."""
        signer = await self._signer("form")
        return len(token) < _LONGEST_COOKIE and signer.verify_signature(subject.encode(), token.encode())

    async def serializer(self, purpose: str) -> URLSafeTimedSerializer:
        """Signs small values that a browser keeps for us for some minutes."""
        return URLSafeTimedSerializer(
            await self._keyed(), salt=f"console.{purpose}", signer_kwargs={"digest_method": hashlib.sha256}
        )

    async def _signed_id(self, cookie: str) -> str | None:
        if len(cookie) > _LONGEST_COOKIE:
            return None
        try:
            return (await self._signer("session")).unsign(cookie.encode()).decode()
        except (BadSignature, ValueError):
            return None

    async def _signer(self, purpose: str) -> Signer:
        key = await self._keyed()
        return Signer(key, salt=f"console.{purpose}", key_derivation="hmac", digest_method=hashlib.sha256)

    async def _keyed(self) -> bytes:
        if self._key is None:
            fresh, now = secrets.token_bytes(32), self._clock()
            self._key = await self._store.write(lambda c: console_sessions.signing_key(c, fresh, now), first=True)
        return self._key


def _digest(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()
