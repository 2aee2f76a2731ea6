"""The inbox: webhooks as they came, each of them a delivery from the moment it is kept.

All webhooks of one commit go in by one statement; a second tells each caller whether its own was the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.claims import busy_keys
from gateway.store.tables import WAITS_ITS_TURN, DeliveryState, deliveries

BODY_WINDOW_MS = 3_600_000
"""How long an equal body counts as a repeat where the sender gives no id. Beyond it, it is news: "customer 7 has
changed" reads the same every time."""


@dataclass(frozen=True, slots=True)
class InboundEvent:
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


@dataclass(frozen=True, slots=True)
class Kept:
    """What the sender is told."""

    event_id: str
    duplicate: bool


# made once: to build a statement costs as much as to run it
_INSERT = {
    "sqlite": sqlite.insert(deliveries).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(deliveries).on_conflict_do_nothing(),
}


def keep(connection: Connection, webhooks: list[Sequence[InboundEvent]]) -> list[Kept]:
    """Keep the events of each webhook, once; what to tell each sender."""
    events = [event for webhook in webhooks for event in webhook]
    _forget_old_bodies(connection, [event for event in events if event.by_body])
    inserted = connection.execute(_INSERT[connection.dialect.name], _rows(connection, events)).rowcount
    firsts = [first for first, *_rest in webhooks]
    if inserted == len(events):
        return [Kept(first.event_id, False) for first in firsts]
    kept = _kept_ids(connection, firsts)
    return [Kept(kept[_key(first)], kept[_key(first)] != first.event_id) for first in firsts]


def _rows(connection: Connection, events: Sequence[InboundEvent]) -> list[dict[str, object]]:
    busy = busy_keys(connection, {event.order_key for event in events if event.state == DeliveryState.PENDING})
    rows = []
    for event in events:
        rows.append(_row(event, WAITS_ITS_TURN if event.order_key in busy else event.due_at))
        if event.state == DeliveryState.PENDING:
            busy.add(event.order_key)
    return rows


def _row(event: InboundEvent, due_at: int) -> dict[str, object]:
    finished = event.state == DeliveryState.IGNORED
    return {
        "connection": event.connection,
        "kind": event.kind,
        "order_key": event.order_key,
        "content_key": "",
        "subject": event.subject,
        "event_id": event.event_id,
        "dedupe_key": event.dedupe_key,
        "payload": event.payload,
        "state": event.state,
        "reason": event.reason,
        "attempts": 0,
        "due_at": due_at,
        "created_at": event.received_at,
        "finished_at": event.received_at if finished else None,
    }


def _key(event: InboundEvent) -> tuple[str, str, str]:
    return event.connection, event.kind, event.dedupe_key


def _forget_old_bodies(connection: Connection, events: Sequence[InboundEvent]) -> None:
    if not events:
        return
    oldest = min(event.received_at for event in events) - BODY_WINDOW_MS
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.dedupe_key.in_({event.dedupe_key for event in events}),
            deliveries.c.connection.in_({event.connection for event in events}),
            deliveries.c.kind.in_({event.kind for event in events}),
            deliveries.c.created_at < oldest,
        )
        .values(dedupe_key=None)
    )


def _kept_ids(connection: Connection, firsts: Sequence[InboundEvent]) -> dict[tuple[str, str, str], str]:
    """By key, what the sender of the first webhook of that key is told."""
    columns = (deliveries.c.connection, deliveries.c.kind, deliveries.c.dedupe_key)
    # one list a column, not a list of triples, which SQLite would look up in no index
    statement = select(*columns, deliveries.c.event_id).where(
        deliveries.c.connection.in_({event.connection for event in firsts}),
        deliveries.c.kind.in_({event.kind for event in firsts}),
        deliveries.c.dedupe_key.in_({event.dedupe_key for event in firsts}),
    )
    return {(row[0], row[1], row[2]): row[3] for row in connection.execute(statement)}
