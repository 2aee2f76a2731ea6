"""The inbox: webhooks as they came, each of them a delivery from the moment it is kept.

The webhooks of one commit go in by few statements; one more tells each caller whether its own was the first.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, select, update

from gateway.store.jobs import MOST_IN_A_STATEMENT
from gateway.store.sealed_columns import PAYLOAD, seal_of, shut
from gateway.store.sealing import Seal
from gateway.store.tables import WAITS_ITS_TURN, DeliveryState, deliveries

BODY_WINDOW_MS = 3_600_000
"""How long an equal body counts as a repeat where the sender gives no id. Beyond it, it is news: "customer 7 has
changed" reads the same every time."""


class InboundEvent(msgspec.Struct, frozen=True):
    """One thing that a webhook tells, ready to be kept."""

    event_id: str
    connection: str
    kind: str
    order_key: str
    subject: str
    payload: bytes
    dedupe_key: str
    by_body: bool
    """Whether the dedupe key is of the body, for want of an id."""
    received_at: int
    """Unix milliseconds."""
    state: DeliveryState = DeliveryState.PENDING
    reason: str | None = None
    """For `ignored`: why no action is needed."""
    pause_ms: int = 0
    """How long it waits at least, for more about the same record to come and be done with it."""

    @property
    def due_at(self) -> int:
        """When it may be acted on; Unix milliseconds."""
        return self.received_at + self.pause_ms


class Kept(msgspec.Struct, frozen=True):
    """What the sender is told."""

    event_id: str
    duplicate: bool


class _Row(msgspec.Struct):
    """What is written of an event, in the order of the columns."""

    connection: str
    kind: str
    order_key: str
    subject: str
    event_id: str
    dedupe_key: str
    payload: bytes
    state: str
    reason: str | None
    due_at: int
    created_at: int
    finished_at: int | None


_COLUMNS = _Row.__struct_fields__
_DUE = _COLUMNS.index("due_at")
_INTO = f"INSERT INTO deliveries ({', '.join(_COLUMNS)}, content_key, attempts)"
_WHEN = (
    "CASE WHEN (SELECT 1 FROM deliveries AS other WHERE other.order_key = {key} "  # noqa: S608 - all values are bound
    f"AND other.state IN ('pending', 'running') LIMIT 1) IS NOT NULL THEN {WAITS_ITS_TURN} ELSE {{due}} END"
)
"""What has an unfinished one before it waits its turn; one look at the index, however much waits: of EXISTS PostgreSQL
would rather make a table of all that waits, once a statement."""


# texts made once, for SQLAlchemy asks as much time to fill a statement as SQLite to keep a row; one statement for all
# rows, for between two of them another thread would get the interpreter
@lru_cache(maxsize=MOST_IN_A_STATEMENT)
def _sqlite_insert(rows: int) -> str:
    values = ["?"] * len(_COLUMNS)
    values[_DUE] = _WHEN.format(key="?", due="?")
    row = f"({', '.join(values)}, '', 0)"
    return f"{_INTO} VALUES {', '.join([row] * rows)} ON CONFLICT DO NOTHING"


# one JSON text: psycopg makes arrays in Python, which costs as much as all the rest of a commit
_POSTGRESQL = (
    f"{_INTO} SELECT connection, kind, order_key, subject, event_id, dedupe_key, decode(payload, 'base64'), "  # noqa: S608 - all values are bound
    f"state, reason, {_WHEN.format(key='new.order_key', due='new.due_at')}, created_at, finished_at, '', 0 "
    "FROM json_to_recordset(%s::json) AS new (connection text, kind text, order_key text, subject text, event_id text, "
    "dedupe_key text, payload text, state text, reason text, due_at bigint, created_at bigint, finished_at bigint) "
    "ON CONFLICT DO NOTHING"
)


def is_one_statement(webhook: Sequence[InboundEvent]) -> bool:
    """Whether `keep` writes this by one statement, with others like it: it may then go without a transaction.

    Where an equal body came long ago it takes two more, each of which may be the last one that is done.
    """
    return len(webhook) == 1


def keep(connection: Connection, webhooks: list[Sequence[InboundEvent]]) -> list[Kept]:
    """Keep the events of each webhook, once; what to tell each sender."""
    events = [event for webhook in webhooks for event in webhook]
    firsts = [first for first, *_rest in webhooks]
    if _insert(connection, events) == len(events):
        return [Kept(first.event_id, False) for first in firsts]
    by_body = [event for event in events if event.by_body]
    if by_body and _forget_old_bodies(connection, by_body):
        _insert(connection, by_body)
    kept = _kept_ids(connection, firsts)
    return [Kept(kept[_key(first)], kept[_key(first)] != first.event_id) for first in firsts]


def _insert(connection: Connection, events: Sequence[InboundEvent]) -> int:
    """Insert those whose key is not there; how many that were."""
    return _INSERT[connection.dialect.name](connection, _rows(events, seal_of(connection)))


def _insert_sqlite(connection: Connection, rows: list[_Row]) -> int:
    inserted = 0
    for start in range(0, len(rows), MOST_IN_A_STATEMENT):
        some = rows[start : start + MOST_IN_A_STATEMENT]
        values: list[Any] = []
        for row in some:
            bound = msgspec.structs.astuple(row)
            values += (*bound[:_DUE], row.order_key, *bound[_DUE:])
        inserted += connection.exec_driver_sql(_sqlite_insert(len(some)), tuple(values)).rowcount
    return inserted


def _insert_postgresql(connection: Connection, rows: list[_Row]) -> int:
    return connection.exec_driver_sql(_POSTGRESQL, (msgspec.json.encode(rows).decode(),)).rowcount


_INSERT = {"sqlite": _insert_sqlite, "postgresql": _insert_postgresql}


def _rows(events: Sequence[InboundEvent], seal: Seal) -> list[_Row]:
    rows: list[_Row] = []
    before: set[str] = set()
    for event in events:
        is_pending = event.state == DeliveryState.PENDING
        rows.append(
            _Row(
                event.connection,
                event.kind,
                event.order_key,
                event.subject,
                event.event_id,
                event.dedupe_key,
                _sealed(event, seal) if seal.seals else event.payload,
                event.state.value,
                event.reason,
                WAITS_ITS_TURN if event.order_key in before else event.due_at,
                event.received_at,
                None if is_pending else event.received_at,
            )
        )
        if is_pending:
            before.add(event.order_key)
    return rows


def _sealed(event: InboundEvent, seal: Seal) -> bytes:
    row = {
        "connection": event.connection,
        "kind": event.kind,
        "order_key": event.order_key,
        "subject": event.subject,
        "created_at": event.received_at,
        "payload": event.payload,
    }
    sealed: bytes = shut(seal, PAYLOAD, row)
    return sealed


def _key(event: InboundEvent) -> tuple[str, str, str]:
    return event.connection, event.kind, event.dedupe_key


def _forget_old_bodies(connection: Connection, events: Sequence[InboundEvent]) -> bool:
    """Let go the keys of equal bodies that came before the window; whether there were any."""
    oldest = min(event.received_at for event in events) - BODY_WINDOW_MS
    statement = update(deliveries).where(*_of_keys(events), deliveries.c.created_at < oldest)
    return connection.execute(statement.values(dedupe_key=None)).rowcount > 0


def _kept_ids(connection: Connection, firsts: Sequence[InboundEvent]) -> dict[tuple[str, str, str], str]:
    """By key, what the sender of the first webhook of that key is told."""
    columns = (deliveries.c.connection, deliveries.c.kind, deliveries.c.dedupe_key, deliveries.c.event_id)
    rows = connection.execute(select(*columns).where(*_of_keys(firsts)))
    return {(name, kind, key): event_id for name, kind, key, event_id in rows}


def _of_keys(events: Sequence[InboundEvent]) -> tuple[ColumnElement[bool], ...]:
    """What has the keys of these events."""
    # one list a column, not a list of triples, which SQLite would look up in no index
    return (
        deliveries.c.connection.in_({event.connection for event in events}),
        deliveries.c.kind.in_({event.kind for event in events}),
        deliveries.c.dedupe_key.in_({event.dedupe_key for event in events}),
    )
