"""What the store's times become when the clock has been set: none of them may hold work up, or let it go too early."""

from sqlalchemy import Connection, and_, case, func, select, update

from gateway.store.tables import UNFINISHED, WAITS_ITS_TURN, DeliveryState, companies, deliveries, heartbeat, is_in


def latest_time(connection: Connection) -> int:
    """The latest moment that the store knows to have been, Unix milliseconds; a clock before it was put back since."""
    newest = select(deliveries.c.created_at).order_by(deliveries.c.created_at.desc()).limit(1).scalar_subquery()
    known = connection.execute(select(newest, select(func.max(heartbeat.c.at)).scalar_subquery())).one()
    return max((each for each in known if each is not None), default=0)


def put_back(connection: Connection, now: int, back_ms: int, lease_until: int) -> None:
    """The clock was put back by `back_ms`, to `now`: what was to come comes that much earlier, though not before now.

    Several processes may tell of one step. Then a pause ends too early, which costs one attempt; none is too long.
    `lease_until` is the longest that a lease may run whose holder does not renew it.
    """
    pending = is_in(deliveries, DeliveryState.PENDING)
    earlier = deliveries.c.due_at - back_ms
    connection.execute(
        update(deliveries)
        .where(pending, deliveries.c.due_at > now, deliveries.c.due_at != WAITS_ITS_TURN)
        .values(due_at=case((earlier < now, now), else_=earlier))
    )
    connection.execute(
        update(deliveries)
        .where(is_in(deliveries, *UNFINISHED), deliveries.c.expires_at > now)
        .values(expires_at=deliveries.c.expires_at - back_ms)
    )
    connection.execute(
        update(deliveries)
        .where(is_in(deliveries, DeliveryState.RUNNING), deliveries.c.lease_until > lease_until)
        .values(lease_until=lease_until)
    )
    _settle_anew(connection, now, now, None)


def put_forward(connection: Connection, now: int, by_ms: int) -> None:
    """The clock was put forward by `by_ms`, to `now`: a create that had not settled before has not settled now."""
    _settle_anew(connection, now, now - by_ms, now)


def _settle_anew(connection: Connection, now: int, after: int, until: int | None) -> None:
    """Creates whose outcome is unknown get their whole time to settle once more.

    Which: `after` a time they were sent, or, with `until`, they were to settle between the two. Told twice, it is the
    same as told once.
    """
    row = companies.c
    which = row.create_sent_at > after if until is None else row.create_settles_at.between(after + 1, until)
    connection.execute(
        update(companies)
        .where(and_(which, row.record_id.is_(None), row.create_sent_at.is_not(None)))
        .values(create_settles_at=now + row.create_settles_at - row.create_sent_at, create_sent_at=now)
    )
