"""Backup and restore of the SQLite file, while gateways run and when none does.

A backup is one snapshot, copied by SQLite's backup API: writers go on. It is checked page by page and table by table
before it gets its name. A restore checks the same first, wants the store for itself, and goes through SQLite, too:
into the same file, in one transaction. Backups and whatever is left beside the store are for their owner only (0600).
"""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy.engine import make_url

from gateway.store.migrate import HEAD

_LOCK_WAIT_SECONDS = 2.0
_COMPANIONS = ("-wal", "-shm", "-journal")
_PRIVATE = 0o600


class BackupRefused(Exception):
    """A backup or a restore cannot be done; nothing was changed. The message says what to do."""


class WrongFile(BackupRefused):
    """The file named is not one that a backup may go to, or come from."""


class InUse(BackupRefused):
    """Somebody has the store open."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What a backup or a restored store holds, verified."""

    rows: Mapping[str, int]
    """By table."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and where the store that it replaced is kept; None if there was none."""

    copied: Copied
    replaced: Path | None


def sqlite_file(url: str) -> Path | None:
    """The file of a storage URL; None for PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def create_private(store: Path) -> None:
    """Make the store's file, empty and for its owner only, unless it is there. SQLite gives its log the same mode."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(store, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE))


def back_up(store: Path, target: Path, *, replace: bool) -> Copied:
    """Copy the store to `target`; `BackupRefused` if that cannot be, or if the target is there and `replace` is not."""
    if not store.exists():
        raise BackupRefused(f"there is no store at {store} yet: no gateway has run with this configuration")
    _check_target(store, target, replace)
    with _plain_faults(f"the backup to {target} failed"), _partial(target) as partial:
        with closing(_reading(store)) as source:
            # the copy and the counts are of one snapshot
            source.execute("BEGIN")
            rows = _row_counts(source)
            _copy(source, partial)
        copied = verified(partial)
        if copied.rows != rows:
            raise BackupRefused(f"the backup differs from the store in its row counts; {target} was not made")
        _place(partial, target, replace)
    return copied


def _check_target(store: Path, target: Path, replace: bool) -> None:
    taken = [store.resolve(), *(Path(f"{store.resolve()}{end}") for end in _COMPANIONS)]
    if target.resolve() in taken:
        raise WrongFile(f"{target} is the store itself; name another file")
    if target.is_dir():
        raise WrongFile(f"{target} is a folder; name a file")
    if target.exists() and not replace:
        raise WrongFile(f"{target} exists; name another file, or overwrite it with --force")


def restore(source: Path, store: Path, now: datetime) -> Restored:
    """Put a backup in the store's place, and keep what was there beside it, named after `now` (UTC)."""
    if source.resolve() == store.resolve():
        raise WrongFile(f"{source} is the store itself; name a backup of it")
    copied = verified(source)
    kept = _free_name(store, now)
    with _plain_faults(f"the restore of {source} failed"):
        if not store.exists():
            _set_aside(store, kept)
            _make(source, store)
            return Restored(copied, None)
        try:
            _restore_into(source, store, kept)
        except sqlite3.DatabaseError as error:
            if not _reason(error).startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
                raise
            # no gateway can use a file that SQLite itself does not take
            kept.unlink(missing_ok=True)
            _set_aside(store, kept)
            _make(source, store)
    return Restored(copied, kept)


def verified(backup: Path) -> Copied:
    """What a backup holds; `BackupRefused` if it is not a sound copy of a gateway's store."""
    try:
        with closing(_reading(backup)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            if found != ["ok"]:
                raise BackupRefused(f"{backup} is damaged: {' '.join(found[0].split())[:120]}")
            rows = _row_counts(connection)
            revision = _revision(connection, rows)
    except sqlite3.Error as error:
        raise BackupRefused(f"{backup} cannot be read as a backup: {error}") from None
    if revision is None:
        raise BackupRefused(f"{backup} is not a copy of a gateway's store: it lacks the store's tables")
    if revision > HEAD:
        raise BackupRefused(f"{backup} was made by a newer gateway (schema {revision}, this one knows {HEAD})")
    return Copied(rows, backup.stat().st_size)


def _revision(connection: sqlite3.Connection, rows: Mapping[str, int]) -> str | None:
    if not {"alembic_version", "companies", "deliveries"} <= rows.keys():
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _reading(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing; autocommit, so that transactions are ours."""
    address = f"file:{quote(str(file.resolve()))}?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None, timeout=_LOCK_WAIT_SECONDS)


def _row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
        )
    ]
    return {name: connection.execute(_count(name)).fetchone()[0] for name in names}


def _count(table: str) -> str:
    quoted = table.replace('"', '""')
    return f'SELECT count(*) FROM "{quoted}"'  # noqa: S608 - a table of the file itself, quoted


def _copy(source: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.backup(copy)
        # one file without companions, which can be read from anywhere
        copy.execute("PRAGMA journal_mode=DELETE")


@contextlib.contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """An empty private file beside the target, gone at the end unless it was given its name."""
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.partial")
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE))
    try:
        yield partial
    finally:
        for leftover in (partial, *(Path(f"{partial}{end}") for end in _COMPANIONS)):
            leftover.unlink(missing_ok=True)


def _place(partial: Path, target: Path, replace: bool) -> None:
    """Give a finished file its name, durably; never over another unless told so."""
    _sync(partial)
    if not replace:
        # takes the name, or fails if somebody took it meanwhile
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, _PRIVATE))
    partial.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(source: Path, store: Path) -> None:
    with _partial(store) as partial:
        with closing(_reading(source)) as reading:
            _copy(reading, partial)
        _place(partial, store, replace=False)


def _restore_into(source: Path, store: Path, kept: Path) -> None:
    with closing(sqlite3.connect(store, isolation_level=None, timeout=_LOCK_WAIT_SECONDS)) as connection:
        take_file(connection, store)
        create_private(kept)
        _copy(connection, kept)
        _sync(kept)
        with closing(_reading(source)) as reading:
            reading.backup(connection)


def take_file(connection: sqlite3.Connection, store: Path) -> None:
    """Lock everybody out until the connection closes; `InUse` while a gateway has the store open."""
    try:
        # leaving WAL wants the file alone, and an open gateway holds a lock even when it does nothing
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if _reason(error).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise InUse(f"a gateway uses {store}; stop it first, then try again") from None
        raise


def _reason(error: sqlite3.Error) -> str:
    # what Python's own module raises carries no code
    return getattr(error, "sqlite_errorname", "")


def _free_name(store: Path, now: datetime) -> Path:
    base = f"{store.name}.replaced-{now:%Y%m%dT%H%M%SZ}"
    names = (base if number == 1 else f"{base}-{number}" for number in range(1, 1_000))
    return next(store.with_name(name) for name in names if not store.with_name(name).exists())


def _set_aside(store: Path, kept: Path) -> None:
    """Move a store that is no use, and its log: SQLite would play the old log into the new file."""
    for end in ("", *_COMPANIONS):
        with contextlib.suppress(FileNotFoundError):
            Path(f"{store}{end}").rename(f"{kept}{end}")


@contextlib.contextmanager
def _plain_faults(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupRefused(f"{what}: {error.strerror}") from None
    except sqlite3.Error as error:
        raise BackupRefused(f"{what}: {error}") from None
