"""The store's engine: group commit for writes, snapshots for reads, the same on SQLite and PostgreSQL.

Writers hand over a function of a connection. One thread runs all functions that arrived while the last
commit ran in one transaction, and answers each on its own. No timer: one caller alone waits for one commit.
"""

import asyncio
import contextlib
import queue
import stat
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from adapters.deadline import Deadline
from gateway import failpoints
from gateway.store import migrate
from gateway.store.backup import create_private, sqlite_file
from gateway.store.jobs import Answers, Job, Lane, Lot, groups, still_wanted
from gateway.store.threads import DaemonThreads

T = TypeVar("T")
Item = TypeVar("Item")
_TOO_LATE = "the store does not answer in time"
_READERS = 4
_LOCK_WAIT_MS = 2_000
"""How long SQLite waits for another process's write lock before the caller gets a 503."""
_POSTGRESQL = (
    f"lock_timeout={_LOCK_WAIT_MS}",
    # the locks of a machine that vanished in a transaction would stay for hours
    "idle_in_transaction_session_timeout=5000",
)


class StoreUnavailable(Exception):
    """Nothing can be kept or read just now; the message is safe to show, and nothing was kept."""


class WriteRefused(StoreUnavailable):
    """The database works and refuses this write for what it holds: a constraint, a value that it cannot keep."""


class Store:
    """One database. `write` and `read` take functions that must do nothing but use the connection given:
    a write function may run twice (its first transaction having been rolled back)."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = _engine(url)
        self._queue: queue.SimpleQueue[Lot | None] = queue.SimpleQueue()
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, Lane] = WeakKeyDictionary()
        self._readers = DaemonThreads(_READERS, "store-read")
        self._writer: threading.Thread | None = None
        parsed = make_url(url)
        self._file = Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
        self._identity: tuple[int, int] | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of the SQLite file, whose disk must not fill up; None for PostgreSQL."""
        return self._file.resolve().parent if self._file is not None else None

    def open(self) -> None:
        """Bring the schema up to date and start the writer; `StoreUnavailable` if that cannot be."""
        try:
            file = sqlite_file(self.url)
            if file is not None:
                create_private(file)
            migrate.upgrade(self._engine)
        except (SQLAlchemyError, OSError) as error:
            self._engine.dispose()
            raise StoreUnavailable(f"the store at {_shown(self.url)} cannot be opened: {_cause(error)}") from error
        self._identity = self._identify()
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._writer.start()

    def close(self, patience: float = 10.0) -> None:
        """Finish what was handed over, within `patience` seconds, and close every connection."""
        give_up = time.monotonic() + patience
        if self._writer is not None:
            for lane in list(self._lanes.values()):
                lane.flush()
            self._queue.put(None)
            self._writer.join(patience)
            self._writer = None
        self._readers.close(max(0.0, give_up - time.monotonic()))
        self._engine.dispose()

    async def write(
        self,
        work: Callable[[Connection], T],
        label: str = "",
        deadline: Deadline | None = None,
        *,
        first: bool = False,
    ) -> T:
        """What `work` returns, once its transaction is on disk; `StoreUnavailable` if it is not, by the deadline.

        `label` names the write, for tests that kill the process around it (gateway.failpoints). `first` is for work
        that takes a lock of all processes: it runs before the rest of its transaction, which holds nothing yet then.
        """
        job = Job(lambda connection, _items: [work(connection)], None, True, label, deadline, first)
        result: T = await self._answer(job)
        return result

    async def write_many(
        self,
        work: Callable[[Connection, list[Item]], list[T]],
        item: Item,
        label: str = "",
        deadline: Deadline | None = None,
    ) -> T:
        """As `write`, for work that does many items in one go: `work` gets the items of all callers of one commit.

        It must return a result for each item, in their order.
        """
        result: T = await self._answer(Job(work, item, False, label, deadline))
        return result

    def hand_over(
        self,
        work: Callable[[Connection, list[Item]], list[T]],
        item: Item,
        label: str,
        deadline: Deadline,
        done: Callable[[T | Exception], None],
    ) -> None:
        """As `write_many`, for a caller that has no task to wait in: `done` gets the result, or what it would raise."""
        job = Job(work, item, False, label, deadline)
        self._begin(job)
        timer = job.loop.call_later(deadline.remaining(), _expire, job)

        def settled(future: "asyncio.Future[T]") -> None:
            timer.cancel()
            error = future.exception()
            if error is None:
                failpoints.reached(f"after:{label}")
            done(future.result() if error is None else _refusal(error))

        job.future.add_done_callback(settled)

    async def _answer(self, job: Job) -> Any:
        self._begin(job)
        try:
            result = await _in_time(job)
        except SQLAlchemyError as error:
            raise _refusal(error) from error
        failpoints.reached(f"after:{job.label}")
        return result

    def _begin(self, job: Job) -> None:
        failpoints.reached(f"before:{job.label}")
        lane = self._lanes.get(job.loop)
        if lane is None:
            lane = self._lanes[job.loop] = Lane(job.loop, self._queue.put)
        lane.add(job)

    async def read(self, work: Callable[[Connection], T], deadline: Deadline | None = None) -> T:
        """What `work` returns on a snapshot; `StoreUnavailable` if the store does not answer by the deadline."""
        try:
            return await _by(deadline, asyncio.wrap_future(self._readers.submit(lambda: self._read(work))))
        except (SQLAlchemyError, RuntimeError) as error:
            raise StoreUnavailable(f"the store cannot be read: {_cause(error)}") from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)

    def _write_loop(self) -> None:
        while (lot := self._queue.get()) is not None:
            lot.lane.settle(self._commit(lot.jobs))

    def _commit(self, batch: list[Job]) -> Answers:
        """All in one transaction; if any one fails, each in its own, so that a bad one hurts nobody else."""
        begun = False
        try:
            self._check_place()
            with self._engine.connect() as connection, _writing(connection):
                begun = True
                wanted = still_wanted(batch)
                results = [each for group in groups(wanted) for each in _results(connection, group)]
                for label in {job.label for job in wanted}:
                    failpoints.reached(f"within:{label}")
        except Exception as error:
            if len(batch) == 1 or not begun:
                # without the write lock nobody is to blame, and to wait for it once more for each would take for ever
                return [(job, error) for job in batch]
            return [answer for job in batch for answer in self._commit([job])]
        return results

    def _check_place(self) -> None:
        """Not a commit into a file that has been deleted or replaced: SQLite would write on where nobody finds it."""
        found = self._identify()
        if found is None and self._file is not None:
            raise StoreUnavailable("the store cannot be written: its file is gone; put it back")
        if found != self._identity:
            # what is open still leads to the old file
            self._engine.dispose()
            self._identity = found

    def _identify(self) -> tuple[int, int] | None:
        """Which file the database is; None if it is none, as for PostgreSQL."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None


async def _in_time(job: Job) -> Any:
    if job.deadline is None:
        return await job.future
    # cheaper than asyncio.timeout, and this is on the way of every webhook
    timer = job.loop.call_later(job.deadline.remaining(), _expire, job)
    try:
        return await job.future
    finally:
        timer.cancel()


def _refusal(error: BaseException) -> Exception:
    """What a caller is told of a failed write; what is no fault of the database's stays what it is."""
    if isinstance(error, IntegrityError | DataError):
        return WriteRefused(f"the store cannot keep this: {_cause(error)}")
    if isinstance(error, SQLAlchemyError):
        return StoreUnavailable(f"the store cannot be written: {_cause(error)}")
    return error if isinstance(error, Exception) else StoreUnavailable(_TOO_LATE)


def _expire(job: Job) -> None:
    if not job.future.done():
        job.future.set_exception(StoreUnavailable(_TOO_LATE))


async def _by(deadline: Deadline | None, answer: Awaitable[T]) -> T:
    if deadline is None:
        return await answer
    try:
        async with asyncio.timeout(deadline.remaining()):
            return await answer
    except TimeoutError:
        raise StoreUnavailable(_TOO_LATE) from None


def _results(connection: Connection, group: list[Job]) -> list[tuple[Job, Any]]:
    results = group[0].work(connection, [job.item for job in group])
    return list(zip(group, results, strict=True))


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
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            pool_size=_READERS + 1,
            connect_args={"connect_timeout": 2, "options": " ".join(f"-c {each}" for each in _POSTGRESQL)},
        )
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
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__
