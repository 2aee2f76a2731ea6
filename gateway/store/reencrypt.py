"""Writes stored values anew as they would be written now: sealed by the key that seals, or clear where none does.

In bounded batches, beside gateways at work: a value that one of them changes meanwhile is left to it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Table, select, tuple_, update

from gateway.store.failures import CannotOpen
from gateway.store.sealed_columns import SEALED, SealedColumn, opened, seal_of, shut
from gateway.store.sealing import Seal

COLUMNS: Mapping[Table, tuple[SealedColumn, ...]] = {
    table: tuple(columns) for table, columns in groupby(SEALED, lambda sealed: sealed.table)
}
Cursor = tuple[Any, ...]
"""Where a batch ended: the primary key of the last row it looked at."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some rows of a table."""

    looked_at: int
    written: int
    unopened: int
    """Rows left as they are, because no key at hand opens them."""
    after: Cursor | None
    """Where to go on; None at the end of the table."""


def rewrite(connection: Connection, table: Table, after: Cursor | None, limit: int) -> Batch:
    """Write the next `limit` rows of a table anew, as far as they need it."""
    if connection.dialect.name == "sqlite":
        # what is overwritten is not to stay in the file's free space
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    keys = list(table.primary_key.columns)
    names = {key.name for key in keys} | {name for each in COLUMNS[table] for name in (each.name, *each.row)}
    statement = select(*(table.c[name] for name in sorted(names))).order_by(*keys).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*keys) > after)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    seal = seal_of(connection)
    written = unopened = 0
    for row in rows:
        try:
            written += _rewritten(connection, table, row, seal)
        except CannotOpen:
            unopened += 1
    last = tuple(rows[-1][key.name] for key in keys) if len(rows) == limit else None
    return Batch(len(rows), written, unopened, last)


def _rewritten(connection: Connection, table: Table, row: dict[str, Any], seal: Seal) -> bool:
    old = [each for each in COLUMNS[table] if row[each.name] is not None and not seal.is_current(row[each.name])]
    if not old:
        return False
    clear = row | {each.name: opened(seal, each, row) for each in old}
    same = [table.c[key.name] == row[key.name] for key in table.primary_key.columns]
    # whoever has changed it since has written it as this one would
    same += [table.c[each.name] == row[each.name] for each in old]
    new = {each.name: shut(seal, each, clear) for each in old}
    return bool(connection.execute(update(table).where(*same).values(**new)).rowcount)
