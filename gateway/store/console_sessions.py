"""The console's sessions and their signing key. Times are Unix milliseconds, UTC."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from gateway.store.locks import SIGNING, lock
from gateway.store.tables import console_keys, console_sessions


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as it is kept."""

    credential: str
    operator: str
    opened_at: int
    seen_at: int


def signing_key(connection: Connection, fresh: bytes, now: int) -> bytes:
    """The store's key; `fresh` becomes it if there is none yet. Needs a writing transaction."""
    lock(connection, SIGNING)
    found = connection.execute(select(console_keys.c.key).where(console_keys.c.id == 1)).scalar_one_or_none()
    if found is not None:
        return bytes(found)
    connection.execute(insert(console_keys).values(id=1, key=fresh, made_at=now))
    return fresh


def add(connection: Connection, id_digest: bytes, row: SessionRow, outlived: int) -> None:
    """Keep a new session; those that were opened before `outlived` go."""
    connection.execute(delete(console_sessions).where(console_sessions.c.opened_at < outlived))
    values = {name: getattr(row, name) for name in SessionRow.__dataclass_fields__}
    connection.execute(insert(console_sessions).values(id_digest=id_digest, **values))


def by_digest(connection: Connection, id_digest: bytes) -> SessionRow | None:
    """The session whose id has this digest."""
    columns = [console_sessions.c[name] for name in SessionRow.__dataclass_fields__]
    found = connection.execute(select(*columns).where(console_sessions.c.id_digest == id_digest)).one_or_none()
    return None if found is None else SessionRow(*found)


def touch(connection: Connection, id_digest: bytes, now: int) -> None:
    """Its operator is there."""
    connection.execute(update(console_sessions).where(console_sessions.c.id_digest == id_digest).values(seen_at=now))


def remove(connection: Connection, id_digest: bytes) -> None:
    """End it."""
    connection.execute(delete(console_sessions).where(console_sessions.c.id_digest == id_digest))
