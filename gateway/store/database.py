"""The store's engine: group commit for writes, snapshots for reads, the same on SQLite and PostgreSQL.

Writers hand over a function of a connection. One thread runs all functions that arrived while the last
commit ran in one transaction, and answers each on its own. No timer: one caller alone waits for one commit.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from gateway.store import migrate

T = TypeVar("T")
_BATCH = 256
_READERS = 4
_LOCK_WAIT_MS = 2_000
"""How long SQLite waits for another process's write lock before the caller gets a 503."""


class StoreUnavailable(Exception):
    """Nothing can be kept or read just now; the message is safe to show, and nothing was kept."""


class Store:
    """One database. `write` and `read` take functions that must do nothing but use the connection given:
    a write function may run twice (its first transaction having been rolled back)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)
        self._queue: queue.SimpleQueue[tuple[Callable[[Connection], Any], Future[Any]] | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, "store-read")
        self._writer: threading.Thread | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of the SQLite file, whose disk must not fill up; None for PostgreSQL."""
        url = make_url(self.url)
        return Path(url.database or ".").resolve().parent if url.get_backend_name() == "sqlite" else None

    def open(self) -> None:
        """Bring the schema up to date and start the writer; `StoreUnavailable` if that cannot be."""
        try:
            migrate.upgrade(self._engine)
        except (SQLAlchemyError, OSError) as error:
            self._engine.dispose()
            raise StoreUnavailable(f"the store at {_shown(self.url)} cannot be opened: {_cause(error)}") from error
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Finish what was handed over, then close every connection."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join(10)
            self._writer = None
        self._readers.shutdown(wait=True)
        self._engine.dispose()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, once its transaction is on disk; `StoreUnavailable` if it is not."""
        future: Future[T] = Future()
        self._queue.put((work, future))
        try:
            return await asyncio.wrap_future(future)
        except SQLAlchemyError as error:
            raise StoreUnavailable(f"the store cannot be written: {_cause(error)}") from error

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns on a snapshot; `StoreUnavailable` if the store does not answer."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)
        except (SQLAlchemyError, RuntimeError) as error:
            raise StoreUnavailable(f"the store cannot be read: {_cause(error)}") from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)

    def _write_loop(self) -> None:
        while (first := self._queue.get()) is not None:
            batch = [first]
            stop = False
            with contextlib.suppress(queue.Empty):
                while len(batch) < _BATCH:
                    item = self._queue.get_nowait()
                    if item is None:
                        stop = True
                        break
                    batch.append(item)
            self._commit(batch)
            if stop:
                return

    def _commit(self, batch: list[tuple[Callable[[Connection], Any], Future[Any]]]) -> None:
        """All in one transaction; if any one fails, each in its own, so that a bad one hurts nobody else."""
        try:
            with self._engine.connect() as connection, _writing(connection):
                results = [work(connection) for work, _future in batch]
        except Exception as error:
            if len(batch) == 1:
                _settle(batch[0][1], error=error)
                return
            for item in batch:
                self._commit([item])
            return
        for (_work, future), result in zip(batch, results, strict=True):
            _settle(future, result=result)


def _settle(future: "Future[Any]", result: Any = None, error: Exception | None = None) -> None:
    # a caller that went away has cancelled its future; its work is kept all the same
    with contextlib.suppress(Exception):
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


@contextlib.contextmanager
def _writing(connection: Connection) -> Any:
    if connection.dialect.name == "sqlite":
        # IMMEDIATE takes the write lock at once: a read that turns into a write would fail instead of wait
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=_READERS + 1)
    engine = create_engine(
        parsed.set(drivername="sqlite+pysqlite"),
        poolclass=QueuePool,
        pool_size=_READERS + 1,
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


def _shown(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)


def _cause(error: BaseException) -> str:
    """What went wrong in the database's own words, without the statement and its parameters."""
    if isinstance(error, IntegrityError):
        return "a constraint was broken"
    if isinstance(error, DBAPIError) and error.orig is not None:
        return " ".join(str(error.orig).split())[:200]
    return type(error).__name__
