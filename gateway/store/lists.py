"""The list of deliveries for operators: newest first, page by page, each look bounded however large the store is.

The newest come by an index. Where a filter wants few of many, at most `SCANNED` are looked through, and the page says
how far back that was. Dead letters have an index of their own; unfinished ones are asked for by id while they are few.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, select, tuple_

from gateway.store.ledger import Cursor, Entry, Filter, entry_columns, read_entries
from gateway.store.tables import UNFINISHED, DeliveryState, deliveries, is_besides, is_in

SCANNED = 50_000
"""How many rows one page looks through at most."""
FEW = 5_000
"""How many ids one statement is given at most."""


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, newest first."""

    entries: list[Entry]
    after: Cursor | None
    """Where the next page begins; None at the end."""
    searched_until: int | None
    """How far back was looked, Unix milliseconds, where that was not the end of the list."""


_place = tuple_(deliveries.c.created_at, deliveries.c.id)
_newest = (deliveries.c.created_at.desc(), deliveries.c.id.desc())


def delivery_page(connection: Connection, wanted: Filter, limit: int, after: Cursor | None = None) -> DeliveryPage:
    """The newest deliveries wanted, from the end of the page before on."""
    wanted = _by_ids_where_few(connection, wanted)
    indexed, others = _conditions(wanted)
    if after is not None:
        indexed.append(_place < after)
    end = _end_of_look(connection, indexed) if others and wanted.ids is None else None
    if end is not None:
        indexed.append(_place >= end)
    statement = select(*entry_columns()).where(*indexed, *others).order_by(*_newest).limit(limit + 1)
    found = read_entries(connection, statement)
    entries = found[:limit]
    if len(found) > limit:
        return DeliveryPage(entries, (entries[-1].created_at, entries[-1].id), None)
    return DeliveryPage(entries, end, end[0] if end else None)


def _end_of_look(connection: Connection, indexed: Collection[ColumnElement[bool]]) -> Cursor | None:
    """The last row that one page looks at; None where that is all there are."""
    statement = select(deliveries.c.created_at, deliveries.c.id).where(*indexed).order_by(*_newest)
    row = connection.execute(statement.limit(1).offset(SCANNED - 1)).one_or_none()
    return None if row is None else (row[0], row[1])


def _conditions(wanted: Filter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """The conditions that the index of the list serves, and the others.

    Those of states stand so that no planner takes the index of states: it would have to sort all that it finds.
    """
    if wanted.ids is not None:
        return [], wanted.conditions()
    indexed = Filter(since=wanted.since, until=wanted.until).conditions()
    others = replace(wanted, states=(), since=None, until=None).conditions()
    if tuple(wanted.states) == (DeliveryState.DEAD,):
        indexed.append(is_in(deliveries, DeliveryState.DEAD))
    elif wanted.states:
        others.append(is_besides(deliveries, *wanted.states))
    return indexed, others


def _by_ids_where_few(connection: Connection, wanted: Filter) -> Filter:
    if wanted.ids is not None or not wanted.states or not set(wanted.states) <= set(UNFINISHED):
        return wanted
    ids = ids_in(connection, UNFINISHED)
    return wanted if ids is None else replace(wanted, ids=ids)


def ids_in(connection: Connection, states: Collection[DeliveryState]) -> list[int] | None:
    """The ids of the unfinished deliveries, or dead letters, or both; None if they are many."""
    found: list[int] = []
    # both of the unfinished states together: that is what their index is made for
    for group in (UNFINISHED, (DeliveryState.DEAD,)):
        if set(group) & set(states):
            statement = select(deliveries.c.id).where(is_in(deliveries, *group)).limit(FEW + 1)
            found += connection.execute(statement).scalars()
    return found if len(found) <= FEW else None
