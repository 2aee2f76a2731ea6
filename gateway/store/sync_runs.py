"""Runs of the customer sync: at most one at a time for a connection and a target, each under a lease."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from gateway.store.claims import Lease
from gateway.store.locks import SYNCING, lock
from gateway.store.sealed_columns import SYNC_DETAIL, seal_of, shown, shut
from gateway.store.tables import SyncState, sync_records, sync_refusals, sync_runs, sync_targets

_KEPT_RUNS = 50
"""How many runs of a connection and target are kept."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about: a connection's customers, and where they go (`vainu`, `aixon`)."""

    connection: str
    target: str


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One run as it stands; times are Unix milliseconds."""

    id: int
    connection: str
    target: str
    state: str
    dry_run: bool
    since: int | None
    phase: str
    cursor: str | None
    counts: str
    """JSON."""
    total: int | None
    detail: str | None
    lease_owner: str | None
    lease_until: int | None
    started_at: int
    updated_at: int
    ended_at: int | None


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest run as somebody saw it who decided to begin another."""

    id: int = 0
    state: str = ""

    @classmethod
    def of(cls, run: SyncRun | None) -> "Latest":
        """As seen in this moment."""
        return cls() if run is None else cls(run.id, run.state)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run that somebody asks for."""

    dry_run: bool = False
    full: bool = False
    """Begin anew, and send everything again."""
    since: int | None = None
    not_before: int = 0
    """An interrupted run that began earlier is not continued: its first customers are too old."""
    first_phase: str = ""
    after: Latest | None = None
    """Begin only while this is the newest run of all customers: two who saw that one is due begin one."""
    continues: bool = True
    """Whether an interrupted run can be continued at its cursor."""


class SyncRunning(Exception):
    """Another process works on a run of this scope."""

    def __init__(self, run: SyncRun) -> None:
        super().__init__(f"a sync of {run.connection} to {run.target} is running")
        self.run = run


class SyncLeaseLost(Exception):
    """Another process has taken the run over."""


_COLUMNS = [sync_runs.c[name] for name in SyncRun.__dataclass_fields__]


def _of(scope: Scope, *states: SyncState) -> tuple[ColumnElement[bool], ...]:
    return (
        sync_runs.c.connection == scope.connection,
        sync_runs.c.target == scope.target,
        *([sync_runs.c.state.in_([str(state) for state in states])] if states else []),
    )


def latest(connection: Connection, scope: Scope, *states: SyncState, whole: bool = False) -> SyncRun | None:
    """The newest run of the scope, of one of these states if any are given; `whole`: of all customers, no dry run."""
    statement = select(*_COLUMNS).where(*_of(scope, *states)).order_by(sync_runs.c.id.desc()).limit(1)
    if whole:
        statement = statement.where(sync_runs.c.dry_run.is_(False), sync_runs.c.since.is_(None))
    row = connection.execute(statement).one_or_none()
    return _read(connection, row) if row else None


def _read(connection: Connection, row: Sequence[object]) -> SyncRun:
    values = dict(zip(SyncRun.__dataclass_fields__, row, strict=True))
    values["detail"] = shown(seal_of(connection), SYNC_DETAIL, values)
    return SyncRun(**values)  # type: ignore[arg-type]  # the columns are named and typed as the fields are


def page(connection: Connection, limit: int, before: int | None = None, name: str | None = None) -> list[SyncRun]:
    """The newest runs with ids below `before`, of one connection or of all."""
    statement = select(*_COLUMNS).order_by(sync_runs.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(sync_runs.c.id < before)
    if name is not None:
        statement = statement.where(sync_runs.c.connection == name)
    return [_read(connection, row) for row in connection.execute(statement)]


def by_id(connection: Connection, run_id: int) -> SyncRun | None:
    """The run with this id."""
    row = connection.execute(select(*_COLUMNS).where(sync_runs.c.id == run_id)).one_or_none()
    return _read(connection, row) if row else None


def begin(
    connection: Connection, scope: Scope, wanted: Wanted, lease: Lease, now: int, is_gone: Callable[[str], bool]
) -> tuple[SyncRun, bool]:
    """The run that the holder of `lease` now works on, and whether it continues an interrupted one.

    `SyncRunning` where another holder lives; `is_gone` tells of its name whether it surely does not.
    """
    lock(connection, SYNCING)
    newest = latest(connection, scope, whole=True)
    if newest is not None and wanted.after not in (None, Latest.of(newest)):
        raise SyncRunning(newest)
    running = latest(connection, scope, SyncState.RUNNING)
    if running is not None:
        if (running.lease_until or 0) > now and not is_gone(running.lease_owner or ""):
            raise SyncRunning(running)
        state = SyncState.ABANDONED if running.dry_run else SyncState.INTERRUPTED
        _change(connection, running.id, state=state, detail="its process ended", ended_at=now)
    earlier = _continued(connection, scope, wanted)
    values: dict[str, object] = {
        "state": SyncState.RUNNING,
        "lease_owner": lease.owner,
        "lease_until": lease.until,
        "updated_at": now,
    }
    if earlier is not None:
        _change(connection, earlier.id, **values, detail=None, ended_at=None)
        return _by_id(connection, earlier.id), True
    if not wanted.dry_run and wanted.since is None:
        _begin_anew(connection, scope, wanted)
    values |= {"dry_run": wanted.dry_run, "since": wanted.since, "phase": wanted.first_phase}
    values |= {"connection": scope.connection, "target": scope.target, "counts": "{}", "started_at": now}
    run_id = connection.execute(insert(sync_runs).values(**values).returning(sync_runs.c.id)).scalar_one()
    _prune(connection, scope)
    return _by_id(connection, run_id), False


def _continued(connection: Connection, scope: Scope, wanted: Wanted) -> SyncRun | None:
    if wanted.dry_run or wanted.full or wanted.since is not None or not wanted.continues:
        return None
    found = latest(connection, scope, SyncState.INTERRUPTED, whole=True)
    return found if found is not None and found.started_at >= wanted.not_before else None


def _begin_anew(connection: Connection, scope: Scope, wanted: Wanted) -> None:
    connection.execute(update(sync_runs).where(*_of(scope, SyncState.INTERRUPTED)).values(state=SyncState.ABANDONED))
    if wanted.full:
        connection.execute(
            delete(sync_refusals).where(
                sync_refusals.c.connection == scope.connection, sync_refusals.c.target == scope.target
            )
        )
        connection.execute(
            update(sync_records)
            .where(sync_records.c.connection == scope.connection, sync_records.c.target == scope.target)
            .values(digest=None)
        )
        connection.execute(
            update(sync_targets)
            .where(sync_targets.c.connection == scope.connection, sync_targets.c.target == scope.target)
            .values(recognised_at=None)
        )


def _prune(connection: Connection, scope: Scope) -> None:
    kept = select(sync_runs.c.id).where(*_of(scope)).order_by(sync_runs.c.id.desc()).limit(_KEPT_RUNS)
    connection.execute(
        delete(sync_runs).where(
            *_of(scope, SyncState.DONE, SyncState.ABANDONED),
            sync_runs.c.id.not_in(kept.scalar_subquery()),
        )
    )


def _by_id(connection: Connection, run_id: int) -> SyncRun:
    return _read(connection, connection.execute(select(*_COLUMNS).where(sync_runs.c.id == run_id)).one())


def _change(connection: Connection, run_id: int, **values: object) -> None:
    statement = update(sync_runs).where(sync_runs.c.id == run_id)
    connection.execute(statement.values(**_sealed(connection, run_id, values)))


def _sealed(connection: Connection, run_id: int, values: Mapping[str, object]) -> dict[str, object]:
    if "detail" not in values:
        return dict(values)
    return {**values, "detail": shut(seal_of(connection), SYNC_DETAIL, {**values, "id": run_id})}


def change_held(connection: Connection, run_id: int, owner: str, **values: object) -> None:
    """Change a run as the holder of its lease; `SyncLeaseLost` if that is somebody else by now."""
    changed = connection.execute(
        update(sync_runs)
        .where(sync_runs.c.id == run_id, sync_runs.c.lease_owner == owner, sync_runs.c.state == SyncState.RUNNING)
        .values(**_sealed(connection, run_id, values))
    ).rowcount
    if not changed:
        raise SyncLeaseLost
