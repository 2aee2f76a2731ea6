"""The audit log: who did what, appended and never changed."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from gateway.store.operator_tables import audit_log


@dataclass(frozen=True, slots=True)
class NewEntry:
    """Something that was done."""

    who: str
    action: str
    target: str
    address: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class Entry(NewEntry):
    """One entry as kept; `at` is Unix milliseconds."""

    id: int
    at: int


_COLUMNS = [audit_log.c[name] for name in Entry.__dataclass_fields__]
_LONGEST = {"who": 320, "action": 32, "target": 300, "address": 64, "outcome": 16, "detail": 2_000}


def append(connection: Connection, new: NewEntry, now: int) -> int:
    """Keep an entry; its id. What is too long for its column is cut."""
    values = {name: getattr(new, name).replace("\x00", "")[:longest] for name, longest in _LONGEST.items()}
    key = connection.execute(insert(audit_log).values(at=now, **values)).inserted_primary_key
    return int(key[0]) if key else 0


def page(
    connection: Connection, limit: int, before: int | None = None, who: str | None = None, action: str | None = None
) -> list[Entry]:
    """The newest entries with ids below `before`, at most `limit`."""
    statement = select(*_COLUMNS).order_by(audit_log.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit_log.c.id < before)
    if who is not None:
        statement = statement.where(audit_log.c.who == who)
    if action is not None:
        statement = statement.where(audit_log.c.action == action)
    return [Entry(*row) for row in connection.execute(statement)]


def remove(connection: Connection, before: int, limit: int) -> bool:
    """Remove entries older than a time (Unix milliseconds), at most `limit`; whether there may be more."""
    old = select(audit_log.c.id).where(audit_log.c.at < before).order_by(audit_log.c.at).limit(limit)
    ids = list(connection.execute(old).scalars())
    connection.execute(delete(audit_log).where(audit_log.c.id.in_(ids)))
    return len(ids) == limit
