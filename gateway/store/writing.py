"""The one connection that writes. It stays open between commits: to have one from a pool costs as much as a commit."""

import contextlib
import time
from collections.abc import Iterator

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

_TRUSTED_SECONDS = 1.0
"""How long a connection that worked is taken to work still."""


class Writing:
    """Used by one thread, but for `close` when that has ended."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._worked_at = 0.0

    def _opened(self) -> Connection:
        """The connection, in no transaction; opened anew where the last one broke."""
        if self._connection is None or not self._still_works(self._connection):
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._worked_at = time.monotonic()
        return self._connection

    @contextlib.contextmanager
    def statement(self) -> Iterator[Connection]:
        """The connection, for one statement that writes: it is a transaction by itself."""
        connection = self._opened()
        try:
            yield connection
        except BaseException:
            if connection.invalidated:
                self.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The connection, in a transaction that is committed at the end, or rolled back where something fails."""
        with self.statement() as connection:
            # IMMEDIATE takes SQLite's write lock at once: a read that turns into a write would fail instead of wait
            connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")
        try:
            yield connection
            connection.exec_driver_sql("COMMIT")
        except BaseException:
            self._roll_back(connection)
            raise

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError):
                # not back into the pool, where others would get it as it is
                connection.invalidate()
                connection.close()

    def _still_works(self, connection: Connection) -> bool:
        if time.monotonic() - self._worked_at < _TRUSTED_SECONDS:
            return True
        try:
            connection.exec_driver_sql("SELECT 1")
        except SQLAlchemyError:
            self.close()
            return False
        return True

    def _roll_back(self, connection: Connection) -> None:
        try:
            # SQLite ends a transaction by itself where the disk is full, and says so; psycopg knows no such word
            if getattr(connection.connection.driver_connection, "in_transaction", True):
                connection.exec_driver_sql("ROLLBACK")
        except SQLAlchemyError:
            # broken
            self.close()
