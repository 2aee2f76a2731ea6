"""The list of exports for operators, as `lists` does it for deliveries, and one export as a whole."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, func, select, tuple_

from gateway.store.ledger import Filter
from gateway.store.lists import SCANNED, ids_in
from gateway.store.sealed_columns import BODY, DETAIL, QUERY, RESULT, opened_or_none, seal_of, shown
from gateway.store.sealing import Seal
from gateway.store.tables import UNFINISHED, DeliveryState, companies, deliveries, exports

ExportCursor = tuple[int, str]
"""Where a page of exports ended: the `received_at` and the id of its last entry."""


@dataclass(frozen=True, slots=True)
class ExportEntry:
    """An export with what became of it; times are Unix milliseconds."""

    id: str
    connection: str
    company_id: str
    delivery_id: int
    joined: bool
    customer_data_id: str | None
    query: str
    received_at: int
    accepted_at: int | None
    body: bytes
    gateway_id: str
    record_id: str | None
    state: DeliveryState
    attempts: int
    reason: str | None
    detail: str | None
    result: str | None
    finished_at: int | None
    replayed_at: int | None


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Some exports, newest first; as `lists.DeliveryPage`."""

    entries: list[ExportEntry]
    after: ExportCursor | None
    searched_until: int | None


_place = tuple_(exports.c.received_at, exports.c.id)
_newest = (exports.c.received_at.desc(), exports.c.id.desc())
_OF_COMPANIES = ("gateway_id", "record_id")
_OF_DELIVERIES = ("state", "attempts", "reason", "detail", "result", "finished_at", "replayed_at")
_joined = exports.join(companies, companies.c.id == exports.c.company_id).join(
    deliveries, deliveries.c.id == exports.c.delivery_id
)


def _columns() -> list[ColumnElement[Any]]:
    tables = {**dict.fromkeys(_OF_COMPANIES, companies), **dict.fromkeys(_OF_DELIVERIES, deliveries)}
    return [tables.get(name, exports).c[name] for name in ExportEntry.__dataclass_fields__]


def _select() -> Select[tuple[Any, ...]]:
    return select(*_columns()).select_from(_joined)


def export_page(
    connection: Connection,
    wanted: Filter,
    limit: int,
    after: ExportCursor | None = None,
    ids: Collection[str] | None = None,
) -> ExportPage:
    """The newest exports whose deliveries are wanted, and only these `ids`, where there are any.

    Of the filter count the states, the reason, and, as the export's own, the connection and the times.
    """
    indexed, others = _conditions(connection, wanted)
    if after is not None:
        indexed.append(_place < after)
    if ids is not None:
        others.append(exports.c.id.in_(ids))
    end = _end_of_look(connection, indexed) if others and ids is None else None
    if end is not None:
        indexed.append(_place >= end)
    statement = _select().where(*indexed, *others).order_by(*_newest).limit(limit + 1)
    seal = seal_of(connection)
    found = [_entry(seal, row) for row in connection.execute(statement).mappings()]
    entries = found[:limit]
    if len(found) > limit:
        return ExportPage(entries, (entries[-1].received_at, entries[-1].id), None)
    return ExportPage(entries, end, end[0] if end else None)


def _end_of_look(connection: Connection, indexed: Collection[ColumnElement[bool]]) -> ExportCursor | None:
    statement = select(exports.c.received_at, exports.c.id).where(*indexed).order_by(*_newest)
    row = connection.execute(statement.limit(1).offset(SCANNED - 1)).one_or_none()
    return None if row is None else (row[0], row[1])


def _conditions(connection: Connection, wanted: Filter) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """The conditions that the index of the list serves, and the others."""
    indexed: list[ColumnElement[bool]] = []
    others: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        indexed.append(exports.c.received_at >= wanted.since)
    if wanted.until is not None:
        indexed.append(exports.c.received_at < wanted.until)
    if wanted.connection is not None:
        others.append(exports.c.connection == wanted.connection)
    if wanted.reason is not None:
        others.append(deliveries.c.reason == wanted.reason)
    if wanted.states:
        others.append(func.coalesce(deliveries.c.state, "").in_(wanted.states))
        if set(wanted.states) <= {*UNFINISHED, DeliveryState.DEAD}:
            few = ids_in(connection, wanted.states)
            others += [] if few is None else [exports.c.delivery_id.in_(few)]
    return indexed, others


def _entry(seal: Seal, row: RowMapping) -> ExportEntry:
    values = {str(name): value for name, value in row.items()}
    of_delivery = {**values, "id": values["delivery_id"]}
    values |= {sealed.name: shown(seal, sealed, values) for sealed in (BODY, QUERY)}
    values |= {"detail": shown(seal, DETAIL, of_delivery), "result": opened_or_none(seal, RESULT, of_delivery)}
    return ExportEntry(**{**values, "state": DeliveryState(values["state"])})


def export_entry(connection: Connection, export_id: str) -> ExportEntry | None:
    """The export with this id, of whichever connection."""
    row = connection.execute(_select().where(exports.c.id == export_id)).mappings().one_or_none()
    return None if row is None else _entry(seal_of(connection), row)
