"""Copies a store into an empty one of either kind: every table, every row, the same ids, and the same next ids.

Both stores are had alone meanwhile. The target is filled in one transaction, so that a copy which ends early, however
it ends, leaves the target empty and can simply be made again. What was written is read back and compared before the
commit: by the number of rows, and by a digest which does not depend on their order, since two databases sort texts
differently. Sealed values are copied as they are: the same keys open them afterwards.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, Row, Table, func, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from gateway import failpoints
from gateway.store import migrate
from gateway.store.alone import alone
from gateway.store.backup import InUse, create_private, sqlite_file
from gateway.store.counters import last_number, set_last_number
from gateway.store.engine import open_engine, shown
from gateway.store.failures import cause
from gateway.store.tables import metadata

Watch = Callable[[str, int, int], None]
"""Hears, batch by batch, of a table: its name, how many rows are copied, of how many."""

_BATCH_ROWS = 200
"""A row holds a body of `server.max_body_bytes`, 1 MiB, at most."""
_DIGESTS = 1 << 128


class CopyRefused(Exception):
    """A copy cannot be made; the target holds nothing of it. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: how many rows, and the sum of their digests."""

    rows: int
    digest: int


@dataclass(frozen=True, slots=True)
class _Side:
    """A store that is had alone, and its storage URL for messages."""

    url: str
    connection: Connection


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that was copied, and found to be equal."""

    name: str
    content: Content


def copy_store(source: str, target: str, watch: Watch) -> list[CopiedTable]:
    """Copy one storage URL's store to another's; `CopyRefused` if anything stands against it."""
    if _same(source, target):
        raise CopyRefused(f"{shown(source)} is both source and target; name another database to copy to")
    try:
        with _reachable(source):
            _check_source(source)
        with _reachable(source), alone(source, writing=False) as reading:
            with _reachable(target):
                _prepare(target)
            with _reachable(target), alone(target, writing=True) as writing:
                _check_known(reading, source)
                _check_empty(writing, target)
                sides = _Side(source, reading), _Side(target, writing)
                copied = [_copy(*sides, table, watch) for table in metadata.sorted_tables]
                failpoints.reached("within:store.copy")
                writing.commit()
    except InUse as error:
        raise CopyRefused(str(error)) from None
    return copied


def _same(source: str, target: str) -> bool:
    files = sqlite_file(source), sqlite_file(target)
    if files[0] is not None and files[1] is not None:
        return files[0].resolve() == files[1].resolve()
    places = [(url.host, url.port, url.database, dict(url.query)) for url in (make_url(source), make_url(target))]
    return places[0] == places[1]


@contextlib.contextmanager
def _reachable(url: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise CopyRefused(f"{shown(url)}: {cause(error)}; the target holds nothing of the copy") from error


def _check_source(url: str) -> None:
    """It is there, and at our revision: a copy must not bring the store that it leaves behind up to date."""
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        raise CopyRefused(f"there is no store at {file}; name the one to copy from")
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            found = migrate.revision(connection)
    finally:
        engine.dispose()
    if found is None:
        raise CopyRefused(f"{shown(url)} is no gateway's store: it lacks the store's tables")
    if found != migrate.HEAD:
        raise CopyRefused(
            f"{shown(url)} has schema {found}, this gateway {migrate.HEAD}: "
            "start the gateway that you copy with on it once, stop it, then copy"
        )


def _prepare(url: str) -> None:
    """Make the target's tables."""
    file = sqlite_file(url)
    if file is not None:
        create_private(file)
    engine = open_engine(url)
    try:
        migrate.upgrade(engine)
    finally:
        engine.dispose()


def _check_known(connection: Connection, url: str) -> None:
    """No table would be left out: none is there that this program does not know."""
    if strangers := _strangers(connection):
        raise CopyRefused(
            f"{shown(url)} holds what is no part of a store ({', '.join(strangers)}); move that elsewhere"
        )


def _strangers(connection: Connection) -> list[str]:
    return sorted(set(inspect(connection).get_table_names()) - {"alembic_version", *metadata.tables})


def _check_empty(connection: Connection, url: str) -> None:
    strangers = _strangers(connection)
    held = [table.name for table in metadata.sorted_tables if not _passing(table) and _has_rows(connection, table)]
    if held or strangers:
        told = ", ".join([*held, *strangers])
        raise CopyRefused(f"{shown(url)} is not empty ({told}); name an empty database, or make this one anew")


def _passing(table: Table) -> bool:
    return bool(table.info.get("passing"))


def _has_rows(connection: Connection, table: Table) -> bool:
    return connection.execute(select(text("1")).select_from(table).limit(1)).first() is not None


def _copy(source: _Side, target: _Side, table: Table, watch: Watch) -> CopiedTable:
    """Copy one table, and compare."""
    if _passing(table):
        target.connection.execute(table.delete())
    with _reachable(source.url):
        total = source.connection.execute(select(func.count()).select_from(table)).scalar_one()
        number = last_number(source.connection, table)
    content = Content(0, 0)
    watch(table.name, 0, total)
    for rows in _batches(source, table):
        _insert(target, table, rows)
        content = _with(content, rows)
        watch(table.name, content.rows, total)
        failpoints.reached(f"within:store.copy.{table.name}")
    if number is not None:
        set_last_number(target.connection, table, number)
    if _content(target, table) != content or content.rows != total or last_number(target.connection, table) != number:
        raise CopyRefused(f"{table.name} reads otherwise at the target than at the source; nothing was kept there")
    return CopiedTable(table.name, content)


def _batches(side: _Side, table: Table) -> Iterator[Sequence[Row[Any]]]:
    with _reachable(side.url):
        yield from side.connection.execute(select(table).execution_options(yield_per=_BATCH_ROWS)).partitions()


def _insert(target: _Side, table: Table, rows: Sequence[Row[Any]]) -> None:
    try:
        target.connection.execute(table.insert(), [row._asdict() for row in rows])
    except SQLAlchemyError as error:
        keys = [tuple(row._mapping[column] for column in table.primary_key) for row in (rows[0], rows[-1])]
        where = f"a row of {table.name} between {keys[0]} and {keys[1]}"
        raise CopyRefused(f"the target cannot keep {where}: {cause(error)}; nothing was kept there") from error


def _content(side: _Side, table: Table) -> Content:
    content = Content(0, 0)
    for rows in _batches(side, table):
        content = _with(content, rows)
    return content


def _with(content: Content, rows: Sequence[Row[Any]]) -> Content:
    return Content(content.rows + len(rows), (content.digest + sum(map(_digest, rows))) % _DIGESTS)


def _digest(row: Row[Any]) -> int:
    written = repr(tuple(row)).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(written, digest_size=16).digest())
