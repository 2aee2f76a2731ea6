"""A row that health writes to know that the store can be written."""

from sqlalchemy import Connection, insert, update

from gateway.store.tables import heartbeat


def beat(connection: Connection, now: int) -> None:
    """Write the time, Unix milliseconds."""
    changed = connection.execute(update(heartbeat).where(heartbeat.c.id == 1).values(at=now)).rowcount
    if not changed:
        connection.execute(insert(heartbeat).values(id=1, at=now))
