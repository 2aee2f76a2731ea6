"""The store's engine: group commit for writes, snapshots for reads, the same on SQLite and PostgreSQL.

Writers hand over a function of a connection. One thread runs all functions that arrived while the last
commit ran in one transaction, and answers each on its own. No timer: one caller alone waits for one commit.
"""

import asyncio
import queue
import stat
import threading
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Connection
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from adapters.deadline import Deadline
from gateway import failpoints
from gateway.store import migrate, seal_keys
from gateway.store.backup import create_private, sqlite_file
from gateway.store.engine import READERS, open_engine, shown
from gateway.store.failures import CannotOpen, StoreUnavailable, cause, refusal
from gateway.store.jobs import Answers, Job, Lane, Lot, are_one_statement, groups, still_wanted
from gateway.store.sealed_columns import with_seal
from gateway.store.sealing import Seal
from gateway.store.threads import DaemonThreads
from gateway.store.writing import Writing

log = structlog.get_logger()

T = TypeVar("T")
Item = TypeVar("Item")
_TOO_LATE = "the store does not answer in time"
ObserveCommit = Callable[[int, float, bool], None]
"""Hears of every batch of writes, on the writer's thread: how many, how many seconds, whether all of it was kept."""


class Store:
    """One database. `write` and `read` take functions that must do nothing but use the connection given:
    a write function may run twice (its first transaction having been rolled back).

    `seal` seals what people wrote or are, on its way to the disk (gateway.store.sealed_columns).
    """

    def __init__(
        self,
        url: str,
        observe: ObserveCommit = lambda _writes, _seconds, _is_kept: None,
        seal: Seal | None = None,
    ) -> None:
        self.url = url
        self.seal = seal or Seal()
        self._observe = observe
        self._engine = open_engine(url).execution_options(**with_seal(self.seal))
        self._queue: queue.SimpleQueue[Lot | None] = queue.SimpleQueue()
        self._lanes: WeakKeyDictionary[asyncio.AbstractEventLoop, Lane] = WeakKeyDictionary()
        self._readers = DaemonThreads(READERS, "store-read")
        self._writing = Writing(self._engine)
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
            self._check_keys()
        except CannotOpen as error:
            self._engine.dispose()
            raise CannotOpen(f"the store at {shown(self.url)} cannot be opened: {error}") from None
        except (SQLAlchemyError, OSError) as error:
            self._engine.dispose()
            raise StoreUnavailable(f"the store at {shown(self.url)} cannot be opened: {cause(error)}") from error
        if self._file is not None and self._file.stat().st_mode & stat.S_IROTH:
            log.warning("store.readable_by_others", file=str(self._file), mode=oct(self._file.stat().st_mode & 0o777))
        self._identity = self._identify()
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._writer.start()

    def _check_keys(self) -> None:
        with self._engine.connect() as connection:
            is_registered = seal_keys.check(connection, self.seal)
        if not is_registered:
            with self._writing.transaction() as connection:
                seal_keys.register(connection, self.seal)

    def truncate_log(self) -> None:
        """Empty SQLite's write-ahead log into the file, as far as nobody reads it just now: old content ends there."""
        if self._file is not None:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self, patience: float = 10.0) -> None:
        """Finish what was handed over, within `patience` seconds, and close every connection."""
        give_up = time.monotonic() + patience
        if self._writer is not None:
            for lane in list(self._lanes.values()):
                lane.flush()
            self._queue.put(None)
            self._writer.join(patience)
            self._writer = None
        self._writing.close()
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
        result: T = await self._answer(
            lambda connection, _items: [work(connection)], None, label, deadline, first=first
        )
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
        result: T = await self._answer(work, item, label, deadline, alone=False)
        return result

    def hand_over(
        self,
        work: Callable[[Connection, list[Item]], list[T]],
        item: Item,
        label: str,
        deadline: Deadline,
        done: Callable[[T | Exception], None],
        *,
        is_one_statement: bool = False,
    ) -> None:
        """As `write_many`, for a caller that has no task to wait in: `done` gets the result, or what it would raise.

        `is_one_statement` promises that `work`, given up to `MOST_IN_A_STATEMENT` such items, writes by one statement.
        """

        def told(result: T | Exception) -> None:
            if isinstance(result, Exception):
                done(refusal(result))
            else:
                failpoints.reached(f"after:{label}")
                done(result)

        self._begin(Job(work, item, False, label, deadline, told, is_one_statement=is_one_statement))

    async def _answer(
        self,
        work: Callable[[Connection, list[Any]], list[Any]],
        item: Any,
        label: str,
        deadline: Deadline | None,
        *,
        alone: bool = True,
        first: bool = False,
    ) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._begin(Job(work, item, alone, label, deadline, partial(_tell, future), first))
        try:
            result = await future
        except SQLAlchemyError as error:
            raise refusal(error) from error
        failpoints.reached(f"after:{label}")
        return result

    def _begin(self, job: Job) -> None:
        failpoints.reached(f"before:{job.label}")
        loop = asyncio.get_running_loop()
        lane = self._lanes.get(loop)
        if lane is None:
            lane = self._lanes[loop] = Lane(loop, self._queue.put, lambda: StoreUnavailable(_TOO_LATE))
        lane.add(job)

    async def read(self, work: Callable[[Connection], T], deadline: Deadline | None = None) -> T:
        """What `work` returns on a snapshot; `StoreUnavailable` if the store does not answer by the deadline."""
        try:
            return await _by(deadline, asyncio.wrap_future(self._readers.submit(lambda: self._read(work))))
        except (SQLAlchemyError, RuntimeError) as error:
            raise StoreUnavailable(f"the store cannot be read: {cause(error)}") from error

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self._engine.connect() as connection:
            return work(connection)

    def _write_loop(self) -> None:
        while (lot := self._queue.get()) is not None:
            started = time.perf_counter()
            answers = self._commit(lot.jobs)
            lot.lane.settle(answers)
            # after the answers: nobody waits for it
            is_kept = not any(isinstance(answer, Exception) for _job, answer in answers)
            self._observe(len(lot.jobs), time.perf_counter() - started, is_kept)

    def _commit(self, batch: list[Job]) -> Answers:
        """All in one transaction; if any one fails, each in its own, so that a bad one hurts nobody else."""
        begun = False
        try:
            self._check_place()
            if are_one_statement(batch):
                return self._execute(batch)
            with self._writing.transaction() as connection:
                begun = True
                wanted = still_wanted(batch)
                results = [each for group in groups(wanted) for each in _results(connection, group)]
                _reached_within(wanted)
        except Exception as error:
            # without the write lock nobody is to blame, and to wait for it once more for each would take for ever
            is_of_all = isinstance(error, OperationalError | StoreUnavailable) and not begun
            if len(batch) == 1 or is_of_all:
                return [(job, error) for job in batch]
            return [answer for job in batch for answer in self._commit([job])]
        return results

    def _execute(self, batch: list[Job]) -> Answers:
        """What is one statement needs no transaction around it: each of its steps asks for the interpreter again."""
        wanted = still_wanted(batch)
        if not wanted:
            return []
        with self._writing.statement() as connection:
            _reached_within(wanted)
            return _results(connection, wanted)

    def _check_place(self) -> None:
        """Not a commit into a file that has been deleted or replaced: SQLite would write on where nobody finds it."""
        found = self._identify()
        if found is None and self._file is not None:
            raise StoreUnavailable("the store cannot be written: its file is gone; put it back")
        if found != self._identity:
            # what is open still leads to the old file
            self._writing.close()
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


def _tell(future: "asyncio.Future[Any]", result: Any) -> None:
    # a caller that went away has cancelled its future; its work is kept all the same
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


async def _by(deadline: Deadline | None, answer: Awaitable[T]) -> T:
    if deadline is None:
        return await answer
    try:
        async with asyncio.timeout(deadline.remaining()):
            return await answer
    except TimeoutError:
        raise StoreUnavailable(_TOO_LATE) from None


def _reached_within(jobs: list[Job]) -> None:
    for label in {job.label for job in jobs}:
        failpoints.reached(f"within:{label}")


def _results(connection: Connection, group: list[Job]) -> list[tuple[Job, Any]]:
    results = group[0].work(connection, [job.item for job in group])
    return list(zip(group, results, strict=True))
