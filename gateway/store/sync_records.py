"""What each customer was last sent as, by connection and target; and what is known of the target as a whole."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import sync_refusals
from gateway.store.sync_runs import Scope
from gateway.store.tables import SyncState, sync_records, sync_runs, sync_targets


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a customer at the target."""

    digest: bytes | None = None
    """16 bytes, of what the target has taken; None: it must be sent, whatever it is."""
    remote_id: str | None = None
    create_sent: bool = False
    """A create left whose outcome is unknown: the target is asked before the next one."""


@dataclass(frozen=True, slots=True)
class Missing:
    """A customer that earlier runs saw, and this one did not."""

    record_id: str
    remote_id: str | None


_records = sync_records.c


def _of(scope: Scope, table: Table = sync_records) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.connection == scope.connection, table.c.target == scope.target


def known(connection: Connection, scope: Scope, record_ids: Sequence[str]) -> dict[str, Known]:
    """What is known of these customers; those that nothing is known of are left out."""
    statement = select(_records.record_id, _records.digest, _records.remote_id, _records.create_sent).where(
        *_of(scope), _records.record_id.in_(record_ids)
    )
    return {row[0]: Known(*row[1:]) for row in connection.execute(statement)}


def keep(connection: Connection, scope: Scope, found: Mapping[str, Known], run_id: int) -> None:
    """Keep this of these customers, which the run has seen."""
    rows = [
        {
            "record_id": record_id,
            "digest": each.digest,
            "remote_id": each.remote_id,
            "create_sent": each.create_sent,
            "seen_run": run_id,
        }
        for record_id, each in found.items()
    ]
    _upsert(connection, scope, rows, ("digest", "remote_id", "create_sent", "seen_run"))


def see(connection: Connection, scope: Scope, record_ids: Iterable[str], run_id: int, *, add: bool = True) -> None:
    """The CRM lists these customers: note it, also of those unknown until now unless `add` is False."""
    ids = list(record_ids)
    if add:
        rows = [{"record_id": each, "create_sent": False, "seen_run": run_id} for each in ids]
        _upsert(connection, scope, rows, ("seen_run",))
    elif ids:
        connection.execute(update(sync_records).where(*_of(scope), _records.record_id.in_(ids)).values(seen_run=run_id))


def creates_leave(connection: Connection, scope: Scope, record_ids: Iterable[str], run_id: int) -> None:
    """Note, before they leave, that creates of these customers are on their way."""
    rows = [{"record_id": each, "create_sent": True, "seen_run": run_id} for each in record_ids]
    _upsert(connection, scope, rows, ("create_sent", "seen_run"))


def is_being_created(connection: Connection, scope: Scope, record_id: str, now: int) -> bool:
    """Whether a run that lives may be creating this customer at the target in this moment."""
    is_sent = select(_records.record_id).where(*_of(scope), _records.record_id == record_id, _records.create_sent)
    is_running = select(sync_runs.c.id).where(
        *_of(scope, sync_runs), sync_runs.c.state == SyncState.RUNNING, sync_runs.c.lease_until > now
    )
    return all(connection.execute(statement.limit(1)).first() for statement in (is_sent, is_running))


def recognise(connection: Connection, scope: Scope, remote_ids: Mapping[str, str]) -> None:
    """The target holds these already: remote id by the CRM's record id. A run has not seen them by that."""
    rows = [
        {"record_id": record_id, "remote_id": remote_id, "create_sent": False, "seen_run": 0}
        for record_id, remote_id in remote_ids.items()
    ]
    _upsert(connection, scope, rows, ("remote_id",))


def told(connection: Connection, scope: Scope, record_id: str, digest: bytes, remote_id: str) -> None:
    """Somebody other than a run has told the target of this customer."""
    row = {
        "record_id": record_id,
        "digest": digest,
        "remote_id": remote_id,
        "create_sent": False,
        "seen_run": 0,
    }
    _upsert(connection, scope, [row], ("digest", "remote_id", "create_sent"))
    sync_refusals.forget(connection, scope, [record_id])


def holders(connection: Connection, scope: Scope, remote_ids: Sequence[str]) -> dict[str, str]:
    """Which customer each of these objects of the target belongs to, by remote id; only customers of the CRM count.

    What was only found at the target, under an id that no run has met, may be somebody else's and old.
    """
    statement = select(_records.remote_id, _records.record_id).where(
        *_of(scope), _records.remote_id.in_(remote_ids), _records.seen_run > 0
    )
    return {row.remote_id: row.record_id for row in connection.execute(statement)}


def missing(connection: Connection, scope: Scope, run_id: int, after: str, limit: int) -> list[Missing]:
    """Customers that this run did not see and earlier ones did, by record id, from the one behind `after` on."""
    statement = (
        select(_records.record_id, _records.remote_id)
        .where(*_of(scope), _records.record_id > after, _records.seen_run > 0, _records.seen_run < run_id)
        .order_by(_records.record_id)
        .limit(limit)
    )
    return [Missing(*row) for row in connection.execute(statement)]


def forget(connection: Connection, scope: Scope, record_ids: Sequence[str]) -> None:
    """These customers are gone at both ends."""
    connection.execute(delete(sync_records).where(*_of(scope), _records.record_id.in_(record_ids)))
    sync_refusals.forget(connection, scope, record_ids)


def recognised_at(connection: Connection, scope: Scope) -> int | None:
    """When what the target held already was listed; None if it never was, or is to be listed again."""
    statement = select(sync_targets.c.recognised_at).where(*_of(scope, sync_targets))
    return connection.execute(statement).scalar_one_or_none()


def set_recognised(connection: Connection, scope: Scope, now: int) -> None:
    """All that the target held at this moment is known."""
    _set_target(connection, scope, recognised_at=now)


def cell(connection: Connection, scope: Scope) -> str | None:
    """What is remembered of Aixon's cell, as JSON."""
    statement = select(sync_targets.c.cell).where(*_of(scope, sync_targets))
    return connection.execute(statement).scalar_one_or_none()


def set_cell(connection: Connection, scope: Scope, text: str | None) -> None:
    """Remember this of Aixon's cell; None forgets it."""
    _set_target(connection, scope, cell=text)


def last_import(connection: Connection, scope: Scope) -> str | None:
    """The id of Vainu's batch import that was started last, unless it is known to have ended."""
    return cell(connection, scope)


def set_last_import(connection: Connection, scope: Scope, job_id: str | None) -> None:
    """Remember this batch import; None: it has ended."""
    set_cell(connection, scope, job_id)


def _set_target(connection: Connection, scope: Scope, **values: object) -> None:
    row = {"connection": scope.connection, "target": scope.target, **values}
    statement = _insert_into(connection, sync_targets).values(row)
    keys = [sync_targets.c.connection, sync_targets.c.target]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))


def _upsert(connection: Connection, scope: Scope, rows: Sequence[Mapping[str, object]], changed: Sequence[str]) -> None:
    """Insert rows; of those that are there, these columns change."""
    if not rows:
        return
    statement = _insert_into(connection, sync_records)
    statement = statement.on_conflict_do_update(
        index_elements=[_records.connection, _records.target, _records.record_id],
        set_={name: statement.excluded[name] for name in changed},
    )
    own = {"connection": scope.connection, "target": scope.target}
    connection.execute(statement, [{**own, **row} for row in rows])


def _insert_into(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
