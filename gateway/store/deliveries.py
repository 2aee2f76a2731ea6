"""Deliveries: one durable unit of work towards a remote system, with its attempts. Who acts on them: `claims`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, insert, or_, select, update

from adapters.contract import Throttled
from gateway.store.sealed_columns import ATTEMPT_DETAIL, DETAIL, PAYLOAD, RESULT, opened, seal_of, shut
from gateway.store.sealing import Seal
from gateway.store.tables import UNFINISHED, DeliveryState, attempts, deliveries, is_besides, is_in


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
    sent_at: int | None
    """Since when it may be at the remote system; of kinds that go in batches."""
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
    did_not_arrive: bool = False
    """It is known not to be at the remote system: `sent_at` is cleared."""


COLUMNS = [deliveries.c[name] for name in Delivery.__dataclass_fields__]
# made once, as what every delivery goes through: to build a statement costs more than to run it
_BY_ID = select(*COLUMNS).where(deliveries.c.id == bindparam("of_id"))
_ADD = insert(deliveries)
_NEWEST_UNFINISHED = (
    select(*COLUMNS, deliveries.c.content_key)
    .where(
        deliveries.c.order_key == bindparam("of_key"),
        deliveries.c.kind == bindparam("of_kind"),
        is_in(deliveries, *UNFINISHED),
    )
    .order_by(deliveries.c.id.desc())
    .limit(1)
)
_WAITING = (
    is_in(deliveries, *UNFINISHED),  # what the index is made for
    is_besides(deliveries, DeliveryState.PENDING),
)
_HASTEN = (
    update(deliveries)
    .where(
        deliveries.c.order_key == bindparam("of_key"),
        *_WAITING,
        deliveries.c.due_at > bindparam("now"),
        or_(deliveries.c.reason.is_(None), deliveries.c.reason != Throttled.reason),
    )
    .values(due_at=bindparam("now"))
)
_FOLLOWING = (
    select(deliveries.c.id)
    .where(
        # the index is of subjects: webhooks would pay for another
        deliveries.c.subject == bindparam("about"),
        deliveries.c.order_key == bindparam("of_key"),
        deliveries.c.id > bindparam("after"),
    )
    .order_by(deliveries.c.id)
    .limit(1)
)


def read_row(seal: Seal, row: Sequence[object]) -> Delivery:
    """A row of `COLUMNS`; `CannotOpen` if it is sealed and no key opens it."""
    values = dict(zip(Delivery.__dataclass_fields__, row, strict=True))
    values["state"] = DeliveryState(str(values["state"]))
    for sealed in (PAYLOAD, DETAIL, RESULT):
        values[sealed.name] = opened(seal, sealed, values)
    return Delivery(**values)  # type: ignore[arg-type]  # the columns are named and typed as the fields are


def by_id(connection: Connection, delivery_id: int) -> Delivery | None:
    """The delivery with this id."""
    row = connection.execute(_BY_ID, {"of_id": delivery_id}).one_or_none()
    return read_row(seal_of(connection), row) if row else None


def locked(connection: Connection, delivery_ids: Collection[int]) -> dict[int, Delivery]:
    """These deliveries, none of which changes until this transaction ends."""
    statement = select(*COLUMNS).where(deliveries.c.id.in_(delivery_ids)).order_by(deliveries.c.id).with_for_update()
    seal = seal_of(connection)
    return {delivery.id: delivery for delivery in (read_row(seal, row) for row in connection.execute(statement))}


def add(connection: Connection, new: NewDelivery, now: int) -> int:
    """Store a delivery, pending; its id."""
    return _added(connection, _row_of(connection, new, now))


def add_running(connection: Connection, new: NewDelivery, now: int, owner: str, until: int) -> Delivery:
    """Store a delivery that `owner` acts on at once, with a lease until then. It must be the first of its order key."""
    row = _row_of(connection, new, now) | {
        "state": DeliveryState.RUNNING,
        "lease_owner": owner,
        "lease_until": until,
    }
    known = {**dict.fromkeys(Delivery.__dataclass_fields__), **row, "payload": new.payload}
    known["id"] = _added(connection, row)
    return Delivery(**{name: known[name] for name in Delivery.__dataclass_fields__})


def _row_of(connection: Connection, new: NewDelivery, now: int) -> dict[str, Any]:
    row = {
        "connection": new.connection,
        "kind": new.kind,
        "order_key": new.order_key,
        "content_key": new.content_key,
        "subject": new.subject,
        "payload": new.payload,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "due_at": now if new.due_at is None else new.due_at,
        "expires_at": new.expires_at,
        "created_at": now,
    }
    row["payload"] = shut(seal_of(connection), PAYLOAD, row)
    return row


def _added(connection: Connection, row: Mapping[str, Any]) -> int:
    key = connection.execute(_ADD, row).inserted_primary_key
    return int(key[0]) if key else 0


def unfinished_twin(connection: Connection, new: NewDelivery) -> Delivery | None:
    """An unfinished delivery of the same order key and equal content, if it is the newest of its key."""
    asked = {"of_key": new.order_key, "of_kind": new.kind}
    row = connection.execute(_NEWEST_UNFINISHED, asked).one_or_none()
    return read_row(seal_of(connection), row[:-1]) if row and row[-1] == new.content_key else None


def _waiting_of(order_key: str) -> tuple[ColumnElement[bool], ...]:
    return deliveries.c.order_key == order_key, *_WAITING


def hasten(connection: Connection, order_key: str, now: int) -> None:
    """Make what waits for its next attempt due at once, unless it is the remote that asked us to wait."""
    connection.execute(_HASTEN, {"of_key": order_key, "now": now})


_HELD = (
    (deliveries.c.id == bindparam("of_id"))
    & (deliveries.c.lease_owner == bindparam("of_owner"))
    & is_in(deliveries, DeliveryState.RUNNING)
    # claimed once more by the same owner after another's attempt: the number of this one is taken
    & (deliveries.c.attempts == bindparam("of_attempts"))
)
_ENDED = ("state", "attempts", "due_at", "reason", "detail", "result", "finished_at")
_FREE = {"lease_owner": None, "lease_until": None}
_FINISH = update(deliveries).where(_HELD).values({**{name: bindparam(f"new_{name}") for name in _ENDED}, **_FREE})
_FINISH_UNSENT = _FINISH.values(sent_at=None)
_ATTEMPT = insert(attempts)


def finish(
    connection: Connection, delivery: Delivery, owner: str, ending: Ending, started_at: int, now: int
) -> Delivery | None:
    """Record the end of an attempt; the delivery as it is then. None, and nothing is recorded, if the lease is lost."""
    number = delivery.attempts + (1 if ending.counts else 0)
    seal, told = seal_of(connection), {"id": delivery.id, "detail": ending.detail, "result": ending.result}
    ended = replace(
        delivery,
        state=ending.state,
        attempts=number,
        due_at=ending.due_at if ending.due_at is not None else delivery.due_at,
        sent_at=None if ending.did_not_arrive else delivery.sent_at,
        lease_owner=None,
        reason=None if ending.outcome == "ok" else ending.outcome,
        detail=ending.detail,
        result=ending.result,
        finished_at=now if ending.state not in UNFINISHED else None,
    )
    changed = connection.execute(
        _FINISH_UNSENT if ending.did_not_arrive else _FINISH,
        {
            "of_id": delivery.id,
            "of_owner": owner,
            "of_attempts": delivery.attempts,
            "new_state": ended.state,
            "new_attempts": number,
            "new_due_at": ended.due_at,
            "new_reason": ended.reason,
            "new_detail": shut(seal, DETAIL, told),
            "new_result": shut(seal, RESULT, told),
            "new_finished_at": ended.finished_at,
        },
    ).rowcount
    if changed and ending.counts:
        attempt = {
            "delivery_id": delivery.id,
            "number": number,
            "started_at": started_at,
            "ended_at": now,
            "outcome": ending.outcome,
            "detail": ending.detail,
        }
        connection.execute(_ATTEMPT, attempt | {"detail": shut(seal, ATTEMPT_DETAIL, attempt)})
    return ended if changed else None


def _dead_since_done() -> Select[Any]:
    of_subject = and_(deliveries.c.subject == bindparam("about"), deliveries.c.kind == bindparam("of_kind"))
    done = select(func.max(deliveries.c.id)).where(of_subject, deliveries.c.state == DeliveryState.DONE)
    return (
        select(*COLUMNS)
        .where(
            of_subject,
            deliveries.c.state == DeliveryState.DEAD,
            deliveries.c.id > func.coalesce(done.scalar_subquery(), 0),
        )
        .order_by(deliveries.c.id.desc())
    )


# made once: every feed asks it, and to make it takes longer than to run it
_DEAD_SINCE_DONE = _dead_since_done()


def dead_since_done(connection: Connection, subject: str, kind: str) -> list[Delivery]:
    """The dead letters of a kind about a subject that no later success has made up for, newest first."""
    seal = seal_of(connection)
    return [read_row(seal, row) for row in connection.execute(_DEAD_SINCE_DONE, {"about": subject, "of_kind": kind})]


def following(connection: Connection, delivery: Delivery, order_key: str) -> int | None:
    """The id of the first delivery of an order key, about the same subject, that was added after this one."""
    asked = {"about": delivery.subject, "of_key": order_key, "after": delivery.id}
    found: int | None = connection.execute(_FOLLOWING, asked).scalar()
    return found


def newest_waiting(connection: Connection, delivery: Delivery) -> int:
    """The id of the newest delivery of the same kind and order key that waits now; the delivery's own if none does."""
    statement = select(func.max(deliveries.c.id)).where(
        deliveries.c.kind == delivery.kind,
        *_waiting_of(delivery.order_key),
    )
    return max(delivery.id, connection.execute(statement).scalar() or 0)


def fold(connection: Connection, delivery: Delivery, newest: int, now: int) -> None:
    """Waiting deliveries of the same kind and key, up to `newest`, are done by what this one has done."""
    connection.execute(
        update(deliveries)
        .where(
            deliveries.c.kind == delivery.kind,
            *_waiting_of(delivery.order_key),
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
