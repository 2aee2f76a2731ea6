"""Customer events: each row of a request is a delivery from the moment it is kept.

The rows of a request are found by its id, which is their `event_id`, and whose time is their `created_at`.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.ids import made_at
from gateway.store.claims import Lease, renew
from gateway.store.sealed_columns import DETAIL, PAYLOAD, RESULT, Row, opened, seal_of, shut
from gateway.store.sealing import Seal
from gateway.store.tables import UNFINISHED, DeliveryState, deliveries


@dataclass(frozen=True, slots=True)
class NewRow:
    """One row, ready to be kept."""

    subject: str
    """The row's identifier for people; at most 128 characters."""
    payload: bytes
    dedupe_key: str | None = None
    """A row of the same kind and key that is kept already stays as it is; None is never the same."""


@dataclass(frozen=True, slots=True)
class NewEvents:
    """Rows of one request, ready to be kept."""

    request_id: str
    connection: str
    kind: str
    """Of the deliveries."""
    rows: Sequence[NewRow]
    first: int = 0
    """The place of the first row among all rows of the request."""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One row as it stands."""

    delivery_id: int
    state: DeliveryState
    attempts: int
    reason: str | None
    detail: str | None
    result: str | None
    """JSON of the last attempt; None before the first, and where the attempt told nothing of the row."""
    payload: bytes | None
    """The row itself, where there is no result."""


def keep(connection: Connection, requests: list[NewEvents]) -> list[int]:
    """Keep the rows of each request, pending; how many of each were new."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(deliveries).on_conflict_do_nothing().returning(deliveries.c.event_id)
    rows = [row for request in requests for row in _rows(request, seal_of(connection))]
    new = Counter(connection.execute(statement, rows).scalars())
    return [new[request.request_id] for request in requests]


def _rows(request: NewEvents, seal: Seal) -> list[dict[str, object]]:
    at = made_at(request.request_id)
    rows: list[dict[str, object]] = [
        {
            "connection": request.connection,
            "kind": request.kind,
            # of its own: rows wait for no other row
            "order_key": f"{request.connection}:{request.kind}:{request.request_id}:{place}",
            "content_key": "",
            "subject": row.subject,
            "event_id": request.request_id,
            "dedupe_key": row.dedupe_key,
            "payload": row.payload,
            "state": DeliveryState.PENDING,
            "attempts": 0,
            "due_at": at,
            "created_at": at,
        }
        for place, row in enumerate(request.rows, request.first)
    ]
    for each in rows:
        each["payload"] = shut(seal, PAYLOAD, each)
    return rows


def request_of(connection: Connection, name: str, kind: str, dedupe_key: str) -> str | None:
    """The id of the request whose row has this dedupe key; None if there is no such row."""
    found: str | None = connection.execute(
        select(deliveries.c.event_id).where(
            deliveries.c.connection == name, deliveries.c.kind == kind, deliveries.c.dedupe_key == dedupe_key
        )
    ).scalar()
    return found


def rows_of(connection: Connection, name: str, kind: str, request_id: str) -> list[KeptRow]:
    """Every row of a request that is still kept, in the request's order; none for an id that is not one of ours."""
    row = deliveries.c
    payload = case((row.result.is_(None), row.payload)).label("payload")
    columns = (row.id, row.state, row.attempts, row.reason, row.detail, row.result)
    bound_to = [row[name] for name in PAYLOAD.row]
    statement = select(*columns, payload, *bound_to).where(*_of_request(name, kind, request_id)).order_by(row.id)
    seal = seal_of(connection)
    return [_kept(seal, found) for found in connection.execute(statement).mappings()]


def _kept(seal: Seal, row: Row) -> KeptRow:
    return KeptRow(
        row["id"],
        DeliveryState(row["state"]),
        row["attempts"],
        row["reason"],
        opened(seal, DETAIL, row),
        opened(seal, RESULT, row),
        opened(seal, PAYLOAD, row),
    )


def counts_of(connection: Connection, name: str, kind: str, request_id: str) -> dict[DeliveryState, int]:
    """How many rows of a request are in each state that occurs."""
    statement = (
        select(deliveries.c.state, func.count())
        .where(*_of_request(name, kind, request_id))
        .group_by(deliveries.c.state)
    )
    return {DeliveryState(state): number for state, number in connection.execute(statement)}


def unfinished(counts: dict[DeliveryState, int]) -> int:
    """How many of the rows counted are not finished."""
    return sum(counts.get(state, 0) for state in UNFINISHED)


def _of_request(name: str, kind: str, request_id: str) -> tuple[ColumnElement[bool], ...]:
    row = deliveries.c
    # the time inside the id leads to the rows by an index that there is
    return row.created_at == made_at(request_id), row.event_id == request_id, row.connection == name, row.kind == kind


def leave(connection: Connection, lease: Lease, delivery_ids: Collection[int], now: int) -> set[int]:
    """Note that these are about to leave, and prolong their leases; the ids of those that are still ours.

    Who finds the note of a process that died asks the remote system before it sends them again.
    """
    held = renew(connection, lease, delivery_ids)
    connection.execute(update(deliveries).where(deliveries.c.id.in_(held)).values(sent_at=now))
    return held
