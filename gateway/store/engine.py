"""Connections to the database, set up so that what is committed is on disk."""

from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import QueuePool

READERS = 4
"""Connections for reading; one more writes."""
_LOCK_WAIT_MS = 2_000
"""How long SQLite waits for another process's write lock before the caller gets a 503."""
_POSTGRESQL = (
    f"lock_timeout={_LOCK_WAIT_MS}",
    # the locks of a machine that vanished in a transaction would stay for hours
    "idle_in_transaction_session_timeout=5000",
)


def open_engine(url: str) -> Engine:
    """The engine of a store's URL; nothing is connected yet."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            # what people wrote stays out of errors
            hide_parameters=True,
            pool_size=READERS + 1,
            connect_args={"connect_timeout": 2, "options": " ".join(f"-c {each}" for each in _POSTGRESQL)},
        )
    engine = create_engine(
        parsed.set(drivername="sqlite+pysqlite"),
        poolclass=QueuePool,
        hide_parameters=True,
        pool_size=READERS + 1,
        connect_args={"check_same_thread": False, "isolation_level": None},
    )
    event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_LOCK_WAIT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def shown(url: str) -> str:
    """The URL without its password."""
    return make_url(url).render_as_string(hide_password=True)
