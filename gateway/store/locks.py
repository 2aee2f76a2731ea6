"""Locks that hold across all processes of one store, from the taking to the end of the transaction."""

from sqlalchemy import Connection, text

# any numbers that are ours alone: "vainu" in ASCII, and those after it
MIGRATING = 0x7661696E75
RECOGNISING = MIGRATING + 1
SYNCING = MIGRATING + 2
COUNTING = MIGRATING + 3
SIGNING = MIGRATING + 4


def lock(connection: Connection, key: int) -> None:
    """Wait for the lock and hold it; nothing to do on SQLite, where a writing transaction has the store to itself."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})


def try_lock(connection: Connection, key: int) -> bool:
    """Take the lock if nobody has it, without waiting; False if somebody does. Always taken on SQLite, as above."""
    if connection.dialect.name != "postgresql":
        return True
    taken = connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}).scalar_one()
    return bool(taken)
