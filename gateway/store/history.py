"""What was counted, minute by minute: kept by every process, added up across processes, read as series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, Table, case, cast, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.locks import COUNTING, try_lock
from gateway.store.operator_tables import BUCKETS, history, history_backlog, history_errors

MINUTE_MS = 60_000


class Slot(NamedTuple):
    """A minute of one connection's job."""

    minute: int
    """When it begins; Unix milliseconds."""
    connection: str
    job: str


@dataclass(slots=True)
class Tally:
    """What was counted in a slot."""

    count: int = 0
    errors: int = 0
    last_at: int = 0
    """When the last one that was let in came; 0: none was."""
    buckets: list[int] = field(default_factory=lambda: [0] * len(BUCKETS))
    """How many took at most so long, by `operator_tables.BOUNDS_MS`."""
    reasons: dict[str, int] = field(default_factory=dict)
    """Errors by reason word."""

    def add(self, other: "Tally") -> None:
        """Take another tally's counts in."""
        self.count += other.count
        self.errors += other.errors
        self.last_at = max(self.last_at, other.last_at)
        self.buckets = [one + more for one, more in zip(self.buckets, other.buckets, strict=True)]
        for reason, number in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + number


@dataclass(frozen=True, slots=True)
class Interval:
    """What was counted of one connection's job in an interval."""

    begins: int
    connection: str
    job: str
    count: int
    errors: int
    buckets: tuple[int, ...]


def add(connection: Connection, tallies: Mapping[Slot, Tally], backlog: Mapping[str, int], minute: int) -> bool:
    """Add these to what is kept, and the ages (milliseconds) of connections' oldest due deliveries in a minute.

    False, and nothing is added, while another process adds: on PostgreSQL, to wait for its rows with others' work in
    one transaction could end in a deadlock.
    """
    if not try_lock(connection, COUNTING):
        return False
    rows = [_row(slot, tally) for slot, tally in tallies.items()]
    errors = [
        {"minute": slot.minute, "connection": slot.connection, "job": slot.job, "reason": reason[:32], "count": number}
        for slot, tally in tallies.items()
        for reason, number in tally.reasons.items()
    ]
    ages = [{"minute": minute, "connection": name, "oldest_ms": age} for name, age in backlog.items()]
    _upsert(connection, history, rows, ("count", "errors", *BUCKETS), "last_at")
    _upsert(connection, history_errors, errors, ("count",))
    _upsert(connection, history_backlog, ages, (), "oldest_ms")
    return True


def _row(slot: Slot, tally: Tally) -> dict[str, object]:
    return {
        "minute": slot.minute,
        "connection": slot.connection,
        "job": slot.job,
        "count": tally.count,
        "errors": tally.errors,
        "last_at": tally.last_at,
        **dict(zip(BUCKETS, tally.buckets, strict=True)),
    }


def _upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, object]],
    summed: Sequence[str],
    greatest: str = "",
) -> None:
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(table)
    changes: dict[str, object] = {name: table.c[name] + new.excluded[name] for name in summed}
    if greatest:
        old, coming = table.c[greatest], new.excluded[greatest]
        changes[greatest] = case((coming > old, coming), else_=old)
    statement = new.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changes)
    connection.execute(statement, list(rows))


def intervals(
    connection: Connection, since: int, until: int, step_ms: int, name: str | None = None, job: str | None = None
) -> list[Interval]:
    """The counts of [since, until), added up by interval, of one connection or job or of all."""
    begins = _begins(history, step_ms)
    sums = [cast(func.sum(history.c[column]), BigInteger) for column in ("count", "errors", *BUCKETS)]
    statement = (
        select(begins, history.c.connection, history.c.job, *sums)
        .where(*_wanted(history, since, until, name, job))
        .group_by(begins, history.c.connection, history.c.job)
        .order_by(begins)
    )
    return [
        Interval(row[0], row[1], row[2], row[3], row[4], tuple(row[5:]))
        for row in map(tuple, connection.execute(statement))
    ]


def errors(
    connection: Connection, since: int, until: int, step_ms: int, name: str | None = None, job: str | None = None
) -> list[tuple[int, str, str, str, int]]:
    """(interval, connection, job, reason, how many) of [since, until)."""
    table = history_errors.c
    begins = _begins(history_errors, step_ms)
    statement = (
        select(begins, table.connection, table.job, table.reason, cast(func.sum(table.count), BigInteger))
        .where(*_wanted(history_errors, since, until, name, job))
        .group_by(begins, table.connection, table.job, table.reason)
        .order_by(table.reason)
    )
    return [(row[0], row[1], row[2], row[3], row[4]) for row in connection.execute(statement)]


def backlog(
    connection: Connection, since: int, until: int, step_ms: int, name: str | None = None
) -> list[tuple[int, str, int]]:
    """(interval, connection, greatest age in milliseconds) of [since, until)."""
    table = history_backlog.c
    begins = _begins(history_backlog, step_ms)
    statement = (
        select(begins, table.connection, func.max(table.oldest_ms))
        .where(*_wanted(history_backlog, since, until, name, None))
        .group_by(begins, table.connection)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(statement)]


def _begins(table: Table, step_ms: int) -> ColumnElement[int]:
    return table.c.minute - table.c.minute % step_ms


def _wanted(table: Table, since: int, until: int, name: str | None, job: str | None) -> list[ColumnElement[bool]]:
    conditions = [table.c.minute >= since, table.c.minute < until]
    if name is not None:
        conditions.append(table.c.connection == name)
    if job is not None:
        conditions.append(table.c.job == job)
    return conditions


def last_traffic(connection: Connection, names: Sequence[str], jobs: Sequence[str]) -> dict[tuple[str, str], int]:
    """When each connection was last called, by connection and job; one look at the index for each."""
    found: dict[tuple[str, str], int] = {}
    for name in names:
        for job in jobs:
            statement = (
                select(history.c.last_at)
                .where(history.c.connection == name, history.c.job == job, history.c.last_at > 0)
                .order_by(history.c.minute.desc())
                .limit(1)
            )
            if (at := connection.execute(statement).scalar()) is not None:
                found[name, job] = at
    return found


def remove(connection: Connection, before: int, span_ms: int) -> bool:
    """Remove what was counted before a time, at most `span_ms` of it from the oldest on; whether there is more."""
    oldest = min(
        (
            found
            for table in _TABLES
            if (found := connection.execute(select(func.min(table.c.minute))).scalar()) is not None
        ),
        default=before,
    )
    end = min(before, oldest + span_ms)
    for table in _TABLES:
        connection.execute(delete(table).where(table.c.minute < end))
    return end < before


_TABLES = (history, history_errors, history_backlog)
