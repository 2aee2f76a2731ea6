"""The ledger: every delivery that is kept, searched and shown, and the replay of those that ended.

A replay sets a delivery that ended back to pending, due at once. Its attempts stay and are numbered on; the bounds of
attempts and of age begin anew. Its place in the order of its key is the old one. A running delivery is never touched.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, func, or_, select, tuple_, update

from gateway.ids import made_at
from gateway.store.deliveries import Delivery
from gateway.store.deliveries import by_id as delivery_by_id
from gateway.store.exports import body_of
from gateway.store.sealed_columns import ATTEMPT_DETAIL, DETAIL, seal_of, shown
from gateway.store.sealing import Seal
from gateway.store.tables import UNFINISHED, DeliveryState, attempts, deliveries, exports, is_in

REPLAYABLE = (DeliveryState.DEAD, DeliveryState.DONE, DeliveryState.IGNORED)
_LARGEST_ID = 2**63 - 1
_LONGEST_EXPORT_ID = 40

Cursor = tuple[int, int]
"""Where a page ended: the `created_at` and the id of its last entry."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deliveries; what is empty or None does not narrow. Times are Unix milliseconds, of `created_at`."""

    states: Collection[DeliveryState] = ()
    connection: str | None = None
    kind: str | None = None
    since: int | None = None
    """From this time on."""
    until: int | None = None
    """Before this time."""
    reason: str | None = None
    """The error's fixed word, such as `timeout`."""
    text: str = ""
    """Part of the subject, the reason or the detail, in any case of letters; not of a detail that is sealed."""
    kinds: Collection[str] = ()
    """Any of these."""
    ids: Collection[int] | None = None
    """Only these deliveries."""
    up_to: int | None = None
    """No delivery with a larger id."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """What a delivery must meet."""
        row = deliveries.c
        conditions: list[ColumnElement[bool]] = []
        if self.states:
            conditions.append(is_in(deliveries, *self.states))
        if self.connection is not None:
            conditions.append(row.connection == self.connection)
        if self.kind is not None:
            conditions.append(row.kind == self.kind)
        if self.kinds:
            conditions.append(row.kind.in_(self.kinds))
        if self.ids is not None:
            conditions.append(row.id.in_(self.ids))
        if self.up_to is not None:
            conditions.append(row.id <= self.up_to)
        if self.reason is not None:
            conditions.append(row.reason == self.reason)
        if self.since is not None:
            conditions.append(row.created_at >= self.since)
        if self.until is not None:
            conditions.append(row.created_at < self.until)
        if self.text:
            searched = (row.subject, row.reason, row.detail)
            conditions.append(or_(*(column.icontains(self.text, autoescape=True) for column in searched)))
        return conditions


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list of deliveries; times are Unix milliseconds, UTC."""

    id: int
    connection: str
    kind: str
    subject: str
    event_id: str | None
    state: DeliveryState
    attempts: int
    due_at: int
    reason: str | None
    detail: str | None
    created_at: int
    finished_at: int | None
    replayed_at: int | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first, and where the next page begins; None at the end."""

    entries: list[Entry]
    after: Cursor | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt; times are Unix milliseconds, UTC."""

    number: int
    started_at: int
    ended_at: int
    outcome: str
    """`ok`, or a reason word."""
    detail: str | None


@dataclass(frozen=True, slots=True)
class ServedExport:
    """An export whose work the delivery does."""

    id: str
    joined: bool
    customer_data_id: str | None
    received_at: int
    accepted_at: int | None


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything that is known of one delivery."""

    delivery: Delivery
    event_id: str | None
    attempts: list[Attempt]
    exports: list[ServedExport]
    body: bytes
    """What came in: the push that the payload names, else the payload itself."""
    overtaken_by: int | None
    """A newer delivery of the same kind, order key and subject that is done: a replay writes older content after it."""


_ENTRY = [deliveries.c[name] for name in Entry.__dataclass_fields__]


def entry_columns() -> list[Column[Any]]:
    """The columns of an entry."""
    return _ENTRY


def read_entry(seal: Seal, row: Sequence[object]) -> Entry:
    """A row of `entry_columns`."""
    values = dict(zip(Entry.__dataclass_fields__, row, strict=True))
    values["state"] = DeliveryState(str(values["state"]))
    values["detail"] = shown(seal, DETAIL, values)
    return Entry(**values)  # type: ignore[arg-type]  # the columns are named and typed as the fields are


def read_entries(connection: Connection, statement: Select[tuple[Any, ...]]) -> list[Entry]:
    """The rows of a selection of `entry_columns`."""
    seal = seal_of(connection)
    return [read_entry(seal, row) for row in connection.execute(statement)]


def search(connection: Connection, wanted: Filter, limit: int, after: Cursor | None = None) -> Page:
    """The deliveries wanted, newest first, at most `limit`, from the end of the page before on."""
    place = tuple_(deliveries.c.created_at, deliveries.c.id)
    statement = select(*_ENTRY).where(*wanted.conditions())
    if after is not None:
        statement = statement.where(place < after)
    newest_first = (deliveries.c.created_at.desc(), deliveries.c.id.desc())
    found = read_entries(connection, statement.order_by(*newest_first).limit(limit + 1))
    entries = found[:limit]
    return Page(entries, (entries[-1].created_at, entries[-1].id) if len(found) > limit else None)


def count(connection: Connection, wanted: Filter) -> dict[DeliveryState, int]:
    """How many there are in each state that occurs."""
    of_state = (deliveries.c.state, func.count())
    # apart, and each on its own index: together they would read every delivery there is
    parts = (is_in(deliveries, *UNFINISHED), deliveries.c.finished_at.is_not(None))
    found: dict[DeliveryState, int] = {}
    for part in parts:
        rows = connection.execute(select(*of_state).where(part, *wanted.conditions()).group_by(deliveries.c.state))
        found |= {DeliveryState(state): number for state, number in rows}
    return {state: found[state] for state in DeliveryState if state in found}


def standing(connection: Connection) -> dict[tuple[str, DeliveryState], int]:
    """How many deliveries of each connection are unfinished or dead letters, by connection and state."""
    found: dict[tuple[str, DeliveryState], int] = {}
    # a statement a state, each on the index of that state: together they would read every delivery there is
    for state in (*UNFINISHED, DeliveryState.DEAD):
        counted = select(deliveries.c.connection, func.count()).where(is_in(deliveries, state))
        for name, number in connection.execute(counted.group_by(deliveries.c.connection)):
            found[name, state] = number
    return found


def ids_of(connection: Connection, reference: str) -> list[int]:
    """The deliveries that a person means by a number or the id of a webhook (whk_…), export or customer events (evt_…).

    Dead letters come first: of many rows they are the ones to be looked at.
    """
    if reference.isascii() and reference.isdigit():
        statement = select(deliveries.c.id).where(deliveries.c.id == min(int(reference[:20]), _LARGEST_ID))
    elif reference.startswith("exp_"):
        statement = select(exports.c.delivery_id).where(exports.c.id == reference)
    else:
        # the time inside the id saves an index that every webhook would pay for
        made = made_at(reference)
        of_event = (deliveries.c.created_at == made, deliveries.c.event_id == reference)
        is_dead = deliveries.c.state == DeliveryState.DEAD
        statement = select(deliveries.c.id).where(*of_event).order_by(is_dead.desc(), deliveries.c.id)
    return list(connection.execute(statement).scalars())


def replay_ids_of(connection: Connection, reference: str) -> list[int]:
    """As `ids_of`, but of customer events only the dead letters: what is done of a request stays as it is."""
    if not reference.startswith("evt_"):
        return ids_of(connection, reference)
    statement = select(deliveries.c.id).where(
        deliveries.c.created_at == made_at(reference),
        deliveries.c.event_id == reference,
        deliveries.c.state == DeliveryState.DEAD,
    )
    return list(connection.execute(statement).scalars())


def detail(connection: Connection, delivery_id: int) -> Detail | None:
    """Everything about one delivery."""
    delivery = delivery_by_id(connection, delivery_id)
    if delivery is None:
        return None
    event_id = connection.execute(select(deliveries.c.event_id).where(deliveries.c.id == delivery_id)).scalar()
    return Detail(
        delivery,
        event_id,
        _attempts_of(connection, delivery_id),
        _exports_of(connection, delivery_id),
        _body_of(connection, delivery),
        _overtaken_by(connection, delivery),
    )


def _attempts_of(connection: Connection, delivery_id: int) -> list[Attempt]:
    columns = [attempts.c[name] for name in Attempt.__dataclass_fields__]
    statement = select(*columns).where(attempts.c.delivery_id == delivery_id).order_by(attempts.c.number)
    seal, of = seal_of(connection), {"delivery_id": delivery_id}
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    return [Attempt(**row | {"detail": shown(seal, ATTEMPT_DETAIL, row | of)}) for row in rows]


def _exports_of(connection: Connection, delivery_id: int) -> list[ServedExport]:
    columns = [exports.c[name] for name in ServedExport.__dataclass_fields__]
    statement = select(*columns).where(exports.c.delivery_id == delivery_id).order_by(exports.c.received_at)
    return [ServedExport(*row) for row in connection.execute(statement)]


def _body_of(connection: Connection, delivery: Delivery) -> bytes:
    if not delivery.payload.startswith(b"exp_") or len(delivery.payload) > _LONGEST_EXPORT_ID:
        return delivery.payload
    body = body_of(connection, delivery.payload.decode("ascii", "replace"))
    return delivery.payload if body is None else body


def _overtaken_by(connection: Connection, delivery: Delivery) -> int | None:
    statement = select(func.max(deliveries.c.id)).where(
        # by the index of subjects
        deliveries.c.subject == delivery.subject,
        deliveries.c.order_key == delivery.order_key,
        deliveries.c.id > delivery.id,
        deliveries.c.kind == delivery.kind,
        deliveries.c.state == DeliveryState.DONE,
    )
    return connection.execute(statement).scalar()


def entries(connection: Connection, delivery_ids: Collection[int]) -> list[Entry]:
    """The deliveries with these ids, by id."""
    return read_entries(connection, _by_ids(delivery_ids))


def _by_ids(delivery_ids: Collection[int]) -> Select[tuple[object, ...]]:
    return select(*_ENTRY).where(deliveries.c.id.in_(delivery_ids)).order_by(deliveries.c.id)


def replay(connection: Connection, delivery_ids: Collection[int], now: int) -> list[Entry]:
    """Replay these; the entries as they stood before. Those in a state of `REPLAYABLE` wait now, the others stay."""
    found = read_entries(connection, _by_ids(delivery_ids).with_for_update())
    _set_pending(connection, found, now)
    return found


def newest_id(connection: Connection) -> int:
    """The largest id so far; what comes later is not part of a replay that has begun."""
    return connection.execute(select(func.max(deliveries.c.id))).scalar() or 0


def replay_next(connection: Connection, wanted: Filter, after: int, last: int, limit: int, now: int) -> list[Entry]:
    """Replay the next `limit` of the wanted with an id above `after` and up to `last`, as they stood before, by id."""
    statement = (
        select(*_ENTRY)
        .where(*wanted.conditions(), deliveries.c.state.in_(REPLAYABLE))
        .where(deliveries.c.id > after, deliveries.c.id <= last)
        .order_by(deliveries.c.id)
        .limit(limit)
        .with_for_update()
    )
    found = read_entries(connection, statement)
    _set_pending(connection, found, now)
    return found


def _set_pending(connection: Connection, entries: Sequence[Entry], now: int) -> None:
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_([entry.id for entry in entries]), deliveries.c.state.in_(REPLAYABLE))
        .values(
            state=DeliveryState.PENDING,
            due_at=now,
            expires_at=None,  # nobody waits for the answer any more
            finished_at=None,
            result=None,
            reason="replayed",
            detail=None,
            replayed_at=now,
            attempts_at_replay=deliveries.c.attempts,
        )
    )
