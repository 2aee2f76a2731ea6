"""Which trace a piece of work began in, so that whoever does it, here or elsewhere, now or later, goes on with it.

Written only where traces are wanted. The key is the id that the sender was told: of an export, a webhook, or a request
of customer events.
"""

from sqlalchemy import Connection, delete, insert, select

from gateway.store.deliveries import Delivery
from gateway.store.tables import deliveries, exports, traces


def note(connection: Connection, keys: list[str], traceparent: str, now: int) -> None:
    """Note in which trace (W3C Trace Context's `traceparent`) this work came; Unix milliseconds."""
    connection.execute(insert(traces), [{"key": key, "traceparent": traceparent, "at": now} for key in keys])


def of_delivery(connection: Connection, delivery: Delivery) -> str | None:
    """The `traceparent` of what a delivery came with: its own, or that of the export which it follows."""
    event = select(deliveries.c.event_id).where(deliveries.c.id == delivery.id)
    key = connection.execute(event).scalar() or _export_of(connection, delivery)
    found: str | None = connection.execute(select(traces.c.traceparent).where(traces.c.key == key)).scalar()
    return found


def _export_of(connection: Connection, delivery: Delivery) -> str | None:
    """The newest export that the delivery, or the one before it about the same company, serves."""
    served = select(exports.c.id).where(exports.c.company_id == delivery.subject, exports.c.delivery_id <= delivery.id)
    newest: str | None = connection.execute(
        served.order_by(exports.c.delivery_id.desc(), exports.c.id).limit(1)
    ).scalar()
    return newest


def forget(connection: Connection, before: int) -> None:
    """Remove what was noted before a time, Unix milliseconds."""
    connection.execute(delete(traces).where(traces.c.at < before))
