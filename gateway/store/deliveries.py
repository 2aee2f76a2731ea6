"""Deliveries: one durable unit of work towards a remote system, with its attempts.

Deliveries of one `order_key` run one after the other, oldest first, across all processes: claiming takes the
oldest unfinished one only, and a unique index allows one running per key. An expired lease is claimed again.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, or_, select, update

from adapters.contract import Throttled
from gateway.store.tables import UNFINISHED, WAITS_ITS_TURN, DeliveryState, attempts, deliveries


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery as stored; times are Unix milliseconds, UTC."""

    id: int
    connection: str
    kind: str
    order_key: str
    subject: str
    payload: bytes
    state: DeliveryState
    attempts: int
    due_at: int
    expires_at: int | None
    lease_owner: str | None
    reason: str | None
    detail: str | None
    result: str | None
    created_at: int
    finished_at: int | None
    replayed_at: int | None
    attempts_at_replay: int | None

    @property
    def bounds_from(self) -> int:
        """Since when its age is counted: a replay begins anew."""
        return self.created_at if self.replayed_at is None else self.replayed_at

    @property
    def bounded_attempts(self) -> int:
        """Its attempts since the last replay."""
        return self.attempts - (self.attempts_at_replay or 0)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to be stored."""

    connection: str
    kind: str
    order_key: str
    subject: str
    payload: bytes
    content_key: str = ""
    due_at: int | None = None
    """None: at once."""
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who may act on a delivery, and until when unless renewed."""

    owner: str
    until: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How an attempt ended: the delivery's next state and what is kept of it."""

    state: DeliveryState
    outcome: str
    """`ok`, or a reason word."""
    detail: str | None = None
    result: str | None = None
    due_at: int | None = None
    """When to try again; only with `pending`."""
    counts: bool = True
    """False for a pause that is nobody's failure."""


Waiting = Mapping[str, Collection[str]]
"""Connections whose work is wanted, each with the kinds of its work that are not, for now."""

_COLUMNS = [deliveries.c[name] for name in Delivery.__dataclass_fields__]


def _read(row: Sequence[object]) -> Delivery:
    values = dict(zip(Delivery.__dataclass_fields__, row, strict=True))
    values["state"] = DeliveryState(str(values["state"]))
    return Delivery(**values)  # type: ignore[arg-type]  # the columns are named and typed as the fields are


def by_id(connection: Connection, delivery_id: int) -> Delivery | None:
    """The delivery with this id."""
    row = connection.execute(select(*_COLUMNS).where(deliveries.c.id == delivery_id)).one_or_none()
    return _read(row) if row else None


def locked(connection: Connection, delivery_ids: Collection[int]) -> dict[int, Delivery]:
    """These deliveries, none of which changes until this transaction ends."""
    statement = select(*_COLUMNS).where(deliveries.c.id.in_(delivery_ids)).order_by(deliveries.c.id).with_for_update()
    return {delivery.id: delivery for delivery in map(_read, connection.execute(statement))}


def add(connection: Connection, new: NewDelivery, now: int) -> int:
    """Store a delivery, pending; its id."""
    statement = insert(deliveries).values(
        connection=new.connection,
        kind=new.kind,
        order_key=new.order_key,
        content_key=new.content_key,
        subject=new.subject,
        payload=new.payload,
        state=DeliveryState.PENDING,
        attempts=0,
        due_at=now if new.due_at is None else new.due_at,
        expires_at=new.expires_at,
        created_at=now,
    )
    key = connection.execute(statement).inserted_primary_key
    return int(key[0]) if key else 0


def unfinished_twin(connection: Connection, new: NewDelivery) -> Delivery | None:
    """An unfinished delivery of the same order key and equal content, if it is the newest of its key."""
    statement = (
        select(*_COLUMNS, deliveries.c.content_key)
        .where(
            deliveries.c.order_key == new.order_key,
            deliveries.c.kind == new.kind,
            deliveries.c.state.in_(UNFINISHED),
        )
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    row = connection.execute(statement).one_or_none()
    return _read(row[:-1]) if row and row[-1] == new.content_key else None


def hasten(connection: Connection, order_key: str, now: int) -> None:
    """Make what waits for its next attempt due at once, unless it is the remote that asked us to wait."""
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.order_key == order_key,
            deliveries.c.state == DeliveryState.PENDING,
            deliveries.c.due_at > now,
            or_(deliveries.c.reason.is_(None), deliveries.c.reason != Throttled.reason),
        )
        .values(due_at=now)
    )


def busy_keys(connection: Connection, order_keys: Collection[str]) -> set[str]:
    """Which of these order keys have something unfinished."""
    statement = select(deliveries.c.order_key).where(
        deliveries.c.order_key.in_(order_keys), deliveries.c.state.in_(UNFINISHED)
    )
    return set(connection.execute(statement.distinct()).scalars())


def give_turn(connection: Connection, order_key: str, now: int) -> None:
    """Make the oldest unfinished delivery of a key due, if it waits for its turn: the one before it has ended."""
    other = deliveries.alias("other")
    oldest = select(func.min(other.c.id)).where(other.c.order_key == order_key, other.c.state.in_(UNFINISHED))
    connection.execute(
        update(deliveries)
        .where(deliveries.c.id == oldest.scalar_subquery(), deliveries.c.due_at == WAITS_ITS_TURN)
        .values(due_at=now)
    )


def give_turns(connection: Connection, now: int) -> None:
    """`give_turn` for every key: on PostgreSQL one may be kept just while the one before it ends."""
    other = deliveries.alias("other")
    earlier = exists().where(
        other.c.order_key == deliveries.c.order_key,
        other.c.id < deliveries.c.id,
        other.c.state.in_(UNFINISHED),
    )
    connection.execute(
        update(deliveries)
        .where(deliveries.c.due_at == WAITS_ITS_TURN, deliveries.c.state == DeliveryState.PENDING, ~earlier)
        .values(due_at=now)
    )


def _claimable(now: int) -> ColumnElement[bool]:
    other = deliveries.alias("other")
    of_key = other.c.order_key == deliveries.c.order_key
    earlier = exists().where(of_key, other.c.id < deliveries.c.id, other.c.state.in_(UNFINISHED))
    # a replay may put an old delivery before one that runs already
    running = exists().where(of_key, other.c.state == DeliveryState.RUNNING)
    return or_(
        and_(deliveries.c.state == DeliveryState.PENDING, deliveries.c.due_at <= now, ~earlier, ~running),
        and_(deliveries.c.state == DeliveryState.RUNNING, deliveries.c.lease_until < now),
    )


def _of(waiting: Waiting) -> ColumnElement[bool]:
    held_back = [
        and_(deliveries.c.connection == name, deliveries.c.kind.in_(kinds)) for name, kinds in waiting.items() if kinds
    ]
    return and_(deliveries.c.connection.in_(waiting), *(~each for each in held_back))


def connection_with_work(connection: Connection, now: int, waiting: Waiting) -> str | None:
    """A connection of which a claim would find something; a read, so that an idle worker takes no write lock."""
    statement = select(deliveries.c.connection).where(_claimable(now), _of(waiting)).limit(1)
    found: str | None = connection.execute(statement).scalar()
    return found


def claim(
    connection: Connection, lease: Lease, now: int, waiting: Waiting, limit: int, order_key: str | None = None
) -> list[Delivery]:
    """Lease up to `limit` due deliveries of these connections, oldest due first; optionally of one key."""
    statement = (
        select(*_COLUMNS)
        .where(_claimable(now), _of(waiting))
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has the whole write lock and ignores it
    )
    if order_key is not None:
        statement = statement.where(deliveries.c.order_key == order_key)
    found = [_read(row) for row in connection.execute(statement)]
    if found:
        connection.execute(
            update(deliveries)
            .where(deliveries.c.id.in_([delivery.id for delivery in found]))
            .values(state=DeliveryState.RUNNING, lease_owner=lease.owner, lease_until=lease.until)
        )
    return [replace(delivery, state=DeliveryState.RUNNING, lease_owner=lease.owner) for delivery in found]


def is_held(connection: Connection, delivery: Delivery) -> bool:
    """Whether the lease under which this delivery was claimed is still in force: nobody else has claimed it since."""
    statement = select(deliveries.c.id).where(
        deliveries.c.id == delivery.id,
        deliveries.c.lease_owner == delivery.lease_owner,
        deliveries.c.state == DeliveryState.RUNNING,
    )
    return connection.execute(statement.with_for_update()).first() is not None


def renew(connection: Connection, lease: Lease, delivery_ids: Collection[int]) -> set[int]:
    """Prolong the leases that are still ours; the ids that are."""
    held = and_(
        deliveries.c.id.in_(delivery_ids),
        deliveries.c.lease_owner == lease.owner,
        deliveries.c.state == DeliveryState.RUNNING,
    )
    connection.execute(update(deliveries).where(held).values(lease_until=lease.until))
    return set(connection.execute(select(deliveries.c.id).where(held)).scalars())


def release(connection: Connection, owner: str, delivery_ids: Collection[int], now: int) -> None:
    """Give unfinished work back, due at once: the process is going away."""
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id.in_(delivery_ids),
            deliveries.c.lease_owner == owner,
            deliveries.c.state == DeliveryState.RUNNING,
        )
        .values(state=DeliveryState.PENDING, lease_owner=None, lease_until=None, due_at=now)
    )


def lease_owners(connection: Connection) -> set[str]:
    """Everybody who holds a lease now."""
    statement = select(deliveries.c.lease_owner).where(deliveries.c.state == DeliveryState.RUNNING).distinct()
    return {owner for owner in connection.execute(statement).scalars() if owner is not None}


def release_all(connection: Connection, owners: Collection[str], now: int) -> int:
    """Give back what these owners, who are no more, hold, due at once; how many deliveries that were."""
    return connection.execute(
        update(deliveries)
        .where(deliveries.c.lease_owner.in_(owners), deliveries.c.state == DeliveryState.RUNNING)
        .values(state=DeliveryState.PENDING, lease_owner=None, lease_until=None, due_at=now)
    ).rowcount


def finish(connection: Connection, delivery: Delivery, owner: str, ending: Ending, started_at: int, now: int) -> bool:
    """Record the end of an attempt. False, and nothing is recorded, if the lease is no longer ours."""
    number = delivery.attempts + (1 if ending.counts else 0)
    finished = ending.state not in UNFINISHED
    changed = connection.execute(
        update(deliveries)
        .where(
            deliveries.c.id == delivery.id,
            deliveries.c.lease_owner == owner,
            deliveries.c.state == DeliveryState.RUNNING,
            # claimed once more by the same owner after another's attempt: the number of this one is taken
            deliveries.c.attempts == delivery.attempts,
        )
        .values(
            state=ending.state,
            attempts=number,
            due_at=ending.due_at if ending.due_at is not None else delivery.due_at,
            lease_owner=None,
            lease_until=None,
            reason=None if ending.outcome == "ok" else ending.outcome,
            detail=ending.detail,
            result=ending.result,
            finished_at=now if finished else None,
        )
    ).rowcount
    if changed and ending.counts:
        connection.execute(
            insert(attempts).values(
                delivery_id=delivery.id,
                number=number,
                started_at=started_at,
                ended_at=now,
                outcome=ending.outcome,
                detail=ending.detail,
            )
        )
    return bool(changed)


def dead_since_done(connection: Connection, subject: str, kind: str) -> list[Delivery]:
    """The dead letters of a kind about a subject that no later success has made up for, newest first."""
    of_subject = and_(deliveries.c.subject == subject, deliveries.c.kind == kind)
    done = select(func.max(deliveries.c.id)).where(of_subject, deliveries.c.state == DeliveryState.DONE)
    statement = (
        select(*_COLUMNS)
        .where(
            of_subject,
            deliveries.c.state == DeliveryState.DEAD,
            deliveries.c.id > func.coalesce(done.scalar_subquery(), 0),
        )
        .order_by(deliveries.c.id.desc())
    )
    return [_read(row) for row in connection.execute(statement)]


def oldest_due(connection: Connection, now: int, names: Collection[str]) -> int | None:
    """When the longest-waiting due delivery became due, Unix milliseconds; None when nothing waits."""
    statement = select(func.min(deliveries.c.due_at)).where(
        deliveries.c.state.in_(UNFINISHED), deliveries.c.due_at <= now, deliveries.c.connection.in_(names)
    )
    return connection.execute(statement).scalar()


def following(connection: Connection, delivery: Delivery, order_key: str) -> int | None:
    """The id of the first delivery of an order key that was added after this one."""
    statement = (
        select(deliveries.c.id)
        .where(deliveries.c.order_key == order_key, deliveries.c.id > delivery.id)
        .order_by(deliveries.c.id)
        .limit(1)
    )
    found: int | None = connection.execute(statement).scalar()
    return found


def newest_waiting(connection: Connection, delivery: Delivery) -> int:
    """The id of the newest delivery of the same kind and order key that waits now; the delivery's own if none does."""
    statement = select(func.max(deliveries.c.id)).where(
        deliveries.c.order_key == delivery.order_key,
        deliveries.c.kind == delivery.kind,
        deliveries.c.state == DeliveryState.PENDING,
    )
    return max(delivery.id, connection.execute(statement).scalar() or 0)


def fold(connection: Connection, delivery: Delivery, newest: int, now: int) -> None:
    """Waiting deliveries of the same kind and key, up to `newest`, are done by what this one has done."""
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.order_key == delivery.order_key,
            deliveries.c.kind == delivery.kind,
            deliveries.c.state == DeliveryState.PENDING,
            deliveries.c.id > delivery.id,
            deliveries.c.id <= newest,
        )
        .values(
            state=DeliveryState.DONE,
            finished_at=now,
            reason=None,
            detail=None,
            result=f'{{"status": "folded into {delivery.id}"}}',
        )
    )
