"""What is removed when it is old: finished deliveries with their attempts and exports. Companies, their aliases and
their unique_ids stay for ever, and so do dead letters and whatever is unfinished, with the exports they need."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, tuple_

from gateway.store.failures import CannotOpen
from gateway.store.sealed_columns import PAYLOAD, opened, seal_of
from gateway.store.tables import DeliveryState, attempts, deliveries, exports

REMOVABLE = (DeliveryState.DONE, DeliveryState.IGNORED)
_KEPT = (DeliveryState.PENDING, DeliveryState.RUNNING, DeliveryState.DEAD)

Cursor = tuple[int, int]
"""Where a batch ended: the `finished_at` and the id of the last delivery it looked at."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many deliveries were removed, and where to go on; None when nothing is left to look at."""

    removed: int
    after: Cursor | None


def remove(connection: Connection, state: DeliveryState, before: int, after: Cursor, limit: int) -> Batch:
    """Remove deliveries of a state that finished before a time (Unix milliseconds), looking at `limit` of them."""
    place = tuple_(deliveries.c.finished_at, deliveries.c.id)
    statement = (
        select(deliveries.c.finished_at, deliveries.c.id)
        .where(deliveries.c.state == state, deliveries.c.finished_at < before, place > after)
        .order_by(deliveries.c.finished_at, deliveries.c.id)
        .limit(limit)
        # PostgreSQL: what another process removes or replays now is not ours
        .with_for_update(skip_locked=True)
    )
    found = [(row[0], row[1]) for row in connection.execute(statement)]
    old = {delivery_id for _finished_at, delivery_id in found}
    old -= _still_needed(connection, old)
    connection.execute(delete(attempts).where(attempts.c.delivery_id.in_(old)))
    connection.execute(delete(exports).where(exports.c.delivery_id.in_(old)))
    connection.execute(delete(deliveries).where(deliveries.c.id.in_(old)))
    return Batch(len(old), found[-1] if len(found) == limit else None)


def _still_needed(connection: Connection, delivery_ids: Collection[int]) -> set[int]:
    """Those with an export that is the payload of a delivery that stays, such as a dead letter about its contacts."""
    columns = (exports.c.id, exports.c.delivery_id, exports.c.company_id)
    served = connection.execute(select(*columns).where(exports.c.delivery_id.in_(delivery_ids))).all()
    statement = select(deliveries.c.payload, *(deliveries.c[name] for name in PAYLOAD.row)).where(
        deliveries.c.subject.in_({row.company_id for row in served}), deliveries.c.state.in_(_KEPT)
    )
    seal = seal_of(connection)
    payloads, in_doubt = set(), set()
    for row in connection.execute(statement).mappings():
        try:
            payloads.add(opened(seal, PAYLOAD, row))
        except CannotOpen:
            in_doubt.add(row["subject"])
    return {row.delivery_id for row in served if row.id.encode() in payloads or row.company_id in in_doubt}
