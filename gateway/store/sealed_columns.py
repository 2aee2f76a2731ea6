"""Which columns hold what people wrote or are, and are sealed where `storage.encryption_key` is set.

The others stay clear because the store looks rows up, orders and counts by them: ids, times, states, reason words,
digests, and by what a company is recognised (its aliases: business id, domain, name).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, RowMapping, Text

from gateway.store.failures import CannotOpen
from gateway.store.sealing import Seal
from gateway.store.tables import attempts, deliveries, exports, sync_refusals, sync_runs

Row = Mapping[str, Any] | RowMapping
"""A row by the names of its columns."""
_OPTION = "gateway_seal"
_place = msgspec.json.Encoder().encode


class SealedColumn:
    """One sealed column, and by which columns of its row a value is bound to it: they never change."""

    def __init__(self, column: Column[Any], *row: str) -> None:
        self.column = column
        self.table = column.table
        self.name = column.name
        self.row = row
        self.is_text = isinstance(column.type, Text)
        self._label = (str(self.table.name), str(self.name))

    def place(self, row: Row) -> bytes:
        """Where the value of this row is."""
        return _place([*self._label, *(row[name] for name in self.row)])


PAYLOAD = SealedColumn(deliveries.c.payload, "connection", "kind", "order_key", "subject", "created_at")
"""Bound to what is known before the database gives the row its id."""
DETAIL = SealedColumn(deliveries.c.detail, "id")
RESULT = SealedColumn(deliveries.c.result, "id")
ATTEMPT_DETAIL = SealedColumn(attempts.c.detail, "delivery_id", "number")
BODY = SealedColumn(exports.c.body, "id")
QUERY = SealedColumn(exports.c.query, "id")
SYNC_DETAIL = SealedColumn(sync_runs.c.detail, "id")
REFUSAL = SealedColumn(sync_refusals.c.told, "connection", "target", "record_id")

SEALED = (PAYLOAD, DETAIL, RESULT, ATTEMPT_DETAIL, BODY, QUERY, SYNC_DETAIL, REFUSAL)


def with_seal(seal: Seal) -> dict[str, Any]:
    """The engine's options by which its connections know the seal."""
    return {_OPTION: seal}


def seal_of(connection: Connection) -> Seal:
    """The seal of the store that a connection is of."""
    seal: Seal = connection.get_execution_options()[_OPTION]
    return seal


def shut(seal: Seal, sealed: SealedColumn, row: Row) -> Any:
    """The column's value of a row about to be written, as it is to be stored."""
    value = row[sealed.name]
    if value is None or not seal.seals:
        return value
    place = sealed.place(row)
    return seal.shut_text(value, place) if sealed.is_text else seal.shut(value, place)


def opened(seal: Seal, sealed: SealedColumn, row: Row) -> Any:
    """The column's value of a row that was read; `CannotOpen`."""
    value = row[sealed.name]
    if value is None or not value.startswith("\x01" if sealed.is_text else b"\x01"):
        return value
    place = sealed.place(row)
    return seal.open_text(value, place) if sealed.is_text else seal.open(value, place)


def shown(seal: Seal, sealed: SealedColumn, row: Row) -> Any:
    """As `opened`, for a list that a person reads: a value that cannot be opened is told in its place."""
    try:
        return opened(seal, sealed, row)
    except CannotOpen as error:
        return f"({error})" if sealed.is_text else f"({error})".encode()


def opened_or_none(seal: Seal, sealed: SealedColumn, row: Row) -> Any:
    """As `opened`, for a list that reads more into the value than a text: None where it cannot be opened."""
    try:
        return opened(seal, sealed, row)
    except CannotOpen:
        return None
