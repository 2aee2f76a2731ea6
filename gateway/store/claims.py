"""Who may act on which delivery, and when it is its turn.

Deliveries of one `order_key` run one after the other, oldest first, across all processes: a claim takes the oldest
unfinished one only, and a unique index allows one running per key. What waits behind another is not even due
(`WAITS_ITS_TURN`), so that looking for work costs the same however long the backlog about one record is.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)

from gateway.store.deliveries import COLUMNS, Delivery, read_row
from gateway.store.failures import CannotOpen
from gateway.store.sealed_columns import seal_of
from gateway.store.tables import UNFINISHED, WAITS_ITS_TURN, DeliveryState, deliveries, is_besides, is_in

log = structlog.get_logger()

_other = deliveries.alias("other")
_of_key = _other.c.order_key == deliveries.c.order_key
_earlier = exists().where(_of_key, _other.c.id < deliveries.c.id, is_in(_other, *UNFINISHED))
# a replay may put an old delivery before one that runs already
_running = exists().where(_of_key, is_in(_other, DeliveryState.RUNNING))
_place = (deliveries.c.connection, deliveries.c.kind)
# made once: an idle worker looks twice a second, a busy one fifty times
_FIRST_DUE = (
    select(*_place, deliveries.c.due_at)
    .where(is_in(deliveries, DeliveryState.PENDING))
    .order_by(*_place, deliveries.c.due_at)
    .limit(1)
)
# two looks, not one for the pair: SQLite would begin at the pair, and pass over all that is due of it
_NEXT_KIND = _FIRST_DUE.where(deliveries.c.connection == bindparam("name"), deliveries.c.kind > bindparam("of_kind"))
_NEXT_CONNECTION = _FIRST_DUE.where(deliveries.c.connection > bindparam("name"))
_CLAIMABLE = (deliveries.c.due_at <= bindparam("now"), ~_earlier, ~_running)
_DUE = (
    select(*COLUMNS)
    .where(
        is_in(deliveries, DeliveryState.PENDING),
        deliveries.c.connection == bindparam("of_connection"),
        deliveries.c.kind == bindparam("of_kind"),
        *_CLAIMABLE,
    )
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(bindparam("most"))
    # PostgreSQL; SQLite has the whole write lock and ignores it
    .with_for_update(skip_locked=True)
)
_NEXT = (
    select(*COLUMNS)
    .where(
        deliveries.c.order_key == bindparam("of_key"),
        # what the index of keys is made for
        is_in(deliveries, *UNFINISHED),
        is_besides(deliveries, DeliveryState.PENDING),
        *_CLAIMABLE,
    )
    .order_by(deliveries.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_IS_HELD = (
    select(deliveries.c.id)
    .where(
        deliveries.c.id == bindparam("of_id"),
        deliveries.c.lease_owner == bindparam("of_owner"),
        deliveries.c.state == DeliveryState.RUNNING,
    )
    .with_for_update()
)
_LEASED = update(deliveries).values(
    state=DeliveryState.RUNNING, lease_owner=bindparam("new_owner"), lease_until=bindparam("new_until")
)
_TAKE = _LEASED.where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
# a list of ids is written into the statement each time
_TAKE_ONE = _LEASED.where(deliveries.c.id == bindparam("of_id"))
_oldest = select(func.min(_other.c.id)).where(_other.c.order_key == bindparam("of_key"), is_in(_other, *UNFINISHED))
_TURN = (
    update(deliveries)
    .where(deliveries.c.id == _oldest.scalar_subquery(), deliveries.c.due_at == WAITS_ITS_TURN)
    .values(due_at=bindparam("now"))
)
_SEALED_PAUSE_MS = 60_000
"""How long after a look at what no key opens the next one is."""
_FREED = {"state": DeliveryState.PENDING, "lease_owner": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may act on a delivery, and until when unless renewed."""

    owner: str
    until: int


@dataclass(frozen=True, slots=True)
class DueWork:
    """That a connection has due deliveries of a kind."""

    connection: str
    kind: str
    since: int
    """When the one that waits longest became due; Unix milliseconds."""


def due_work(connection: Connection, now: int) -> list[DueWork]:
    """Every connection and kind with due work, the longest waiting first; two looks at the index for each."""
    found: list[DueWork] = []
    row = connection.execute(_FIRST_DUE).one_or_none()
    while row is not None:
        name, kind, since = row
        if since <= now:
            found.append(DueWork(name, kind, since))
        row = (
            connection.execute(_NEXT_KIND, {"name": name, "of_kind": kind}).one_or_none()
            or connection.execute(_NEXT_CONNECTION, {"name": name}).one_or_none()
        )
    return sorted(found, key=lambda work: work.since)


def oldest_due(connection: Connection, now: int, names: Collection[str]) -> int | None:
    """When the longest-waiting due delivery of these connections became due; None when nothing waits."""
    return next((work.since for work in due_work(connection, now) if work.connection in names), None)


def claim(connection: Connection, lease: Lease, now: int, name: str, kind: str, limit: int) -> list[Delivery]:
    """Lease up to `limit` due deliveries of a connection and kind, oldest due first."""
    return _lease(connection, lease, _DUE, now, of_connection=name, of_kind=kind, most=limit)


def claim_next(connection: Connection, lease: Lease, now: int, order_key: str) -> list[Delivery]:
    """Lease the next delivery of an order key, if it is due; one or none."""
    return _lease(connection, lease, _NEXT, now, of_key=order_key)


def _lease(
    connection: Connection, lease: Lease, statement: Select[tuple[object, ...]], now: int, **asked: object
) -> list[Delivery]:
    rows: Sequence[Row[tuple[object, ...]]] = connection.execute(statement, {"now": now, **asked}).all()
    found = _opened(connection, rows, now)
    if found:
        ids = [delivery.id for delivery in found]
        take, those = (_TAKE_ONE, {"of_id": ids[0]}) if len(ids) == 1 else (_TAKE, {"ids": ids})
        connection.execute(take, {**those, "new_owner": lease.owner, "new_until": lease.until})
    return [replace(delivery, state=DeliveryState.RUNNING, lease_owner=lease.owner) for delivery in found]


def _opened(connection: Connection, rows: Sequence[Row[tuple[object, ...]]], now: int) -> list[Delivery]:
    """The rows that a key at hand opens; the others wait, untouched but for their time: they may be opened later."""
    seal, found, shut = seal_of(connection), [], {}
    for row in rows:
        try:
            found.append(read_row(seal, row))
        except CannotOpen as error:
            shut[row.id] = str(error)
    if shut:
        log.error("delivery.sealed", deliveries=list(shut), detail=next(iter(shut.values())))
        connection.execute(
            update(deliveries).where(deliveries.c.id.in_(shut)).values(due_at=now + _SEALED_PAUSE_MS, reason="sealed")
        )
    return found


def is_held(connection: Connection, delivery: Delivery) -> bool:
    """Whether the lease under which this delivery was claimed is still in force: nobody else has claimed it since."""
    asked = {"of_id": delivery.id, "of_owner": delivery.lease_owner}
    return connection.execute(_IS_HELD, asked).first() is not None


def renew(connection: Connection, lease: Lease, delivery_ids: Collection[int]) -> set[int]:
    """Prolong the leases that are still ours; the ids that are."""
    held = _held(lease.owner, delivery_ids)
    connection.execute(update(deliveries).where(held).values(lease_until=lease.until))
    return set(connection.execute(select(deliveries.c.id).where(held)).scalars())


def release(connection: Connection, owner: str, delivery_ids: Collection[int], now: int) -> None:
    """Give unfinished work back, due at once: the process is going away."""
    connection.execute(update(deliveries).where(_held(owner, delivery_ids)).values(**_FREED, due_at=now))


def _held(owner: str, delivery_ids: Collection[int]) -> ColumnElement[bool]:
    return and_(
        deliveries.c.id.in_(delivery_ids),
        deliveries.c.lease_owner == owner,
        deliveries.c.state == DeliveryState.RUNNING,
    )


def holders(connection: Connection) -> dict[str, int]:
    """Everybody who holds a lease now, and when the first of their leases runs out; Unix milliseconds."""
    statement = (
        select(deliveries.c.lease_owner, func.min(deliveries.c.lease_until))
        .where(is_in(deliveries, DeliveryState.RUNNING))
        .group_by(deliveries.c.lease_owner)
    )
    return {str(owner): int(until or 0) for owner, until in connection.execute(statement)}


def release_abandoned(
    connection: Connection, gone: Collection[str], ran_out_before: int, now: int, but: Collection[int]
) -> int:
    """Give back what is held by these owners, who are no more, or by a lease that ran out; how many that were.

    Not those of the ids in `but`, on which the caller is at work itself. What is given back is due `now`.
    """
    abandoned = and_(
        or_(deliveries.c.lease_owner.in_(gone), deliveries.c.lease_until < ran_out_before), deliveries.c.id.not_in(but)
    )
    statement = update(deliveries).where(is_in(deliveries, DeliveryState.RUNNING), abandoned)
    return connection.execute(statement.values(**_FREED, due_at=now)).rowcount


def running_keys(connection: Connection, order_keys: Collection[str]) -> set[str]:
    """Those of the order keys of which somebody works on a delivery."""
    statement = select(deliveries.c.order_key).where(
        deliveries.c.order_key.in_(order_keys), is_in(deliveries, DeliveryState.RUNNING)
    )
    return set(connection.execute(statement).scalars())


def give_turn(connection: Connection, order_key: str, now: int) -> None:
    """Make the oldest unfinished delivery of a key due, if it waits for its turn: the one before it has ended."""
    connection.execute(_TURN, {"of_key": order_key, "now": now})


def stranded_keys(connection: Connection) -> list[str]:
    """Order keys whose oldest delivery waits for a turn that nobody will give it.

    On PostgreSQL one may be kept by one process just while another ends the one before it.
    """
    statement = select(deliveries.c.order_key).where(
        is_in(deliveries, DeliveryState.PENDING), deliveries.c.due_at == WAITS_ITS_TURN, ~_earlier
    )
    return list(connection.execute(statement).scalars())
