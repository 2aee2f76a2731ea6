"""Exports: every push as it came, and the delivery that does its work."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from gateway.store import deliveries as deliveries_store
from gateway.store.sealed_columns import BODY, DETAIL, QUERY, RESULT, opened, seal_of, shut
from gateway.store.tables import UNFINISHED, DeliveryState, companies, deliveries, exports


@dataclass(frozen=True, slots=True)
class NewExport:
    """A push from Vainu, raw."""

    id: str
    connection: str
    customer_data_id: str | None
    query: str
    body: bytes


@dataclass(frozen=True, slots=True)
class ExportRow:
    """Where an export stands."""

    id: str
    joined: bool
    gateway_id: str
    record_id: str | None
    state: DeliveryState
    attempts: int
    reason: str | None
    detail: str | None
    result: str | None


# made once, as what every export goes through: to build a statement costs more than to run it
_ADD = insert(exports)
_BODY_OF = select(exports.c.id, exports.c.body).where(exports.c.id == bindparam("of_id"))
_ACCEPTED_IDS = select(exports.c.customer_data_id).where(
    exports.c.delivery_id == bindparam("of_delivery"),
    exports.c.customer_data_id.is_not(None),
    exports.c.accepted_at.is_not(None),
)


def add(connection: Connection, new: NewExport, company_id: str, delivery_id: int, joined: bool, now: int) -> None:
    """Keep a push."""
    row = {
        "id": new.id,
        "connection": new.connection,
        "company_id": company_id,
        "delivery_id": delivery_id,
        "joined": joined,
        "customer_data_id": new.customer_data_id,
        "query": new.query,
        "body": new.body,
        "received_at": now,
    }
    seal = seal_of(connection)
    row |= {sealed.name: shut(seal, sealed, row) for sealed in (QUERY, BODY)}
    connection.execute(_ADD, row)


def by_id(connection: Connection, name: str, export_id: str) -> ExportRow | None:
    """The export with this id on this connection."""
    statement = (
        select(
            exports.c.id,
            exports.c.joined,
            companies.c.gateway_id,
            companies.c.record_id,
            deliveries.c.state,
            deliveries.c.attempts,
            deliveries.c.reason,
            deliveries.c.detail,
            deliveries.c.result,
            exports.c.delivery_id,
        )
        .join(companies, companies.c.id == exports.c.company_id)
        .join(deliveries, deliveries.c.id == exports.c.delivery_id)
        .where(exports.c.id == export_id, exports.c.connection == name)
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    values = dict(row._mapping)
    values["state"] = DeliveryState(values["state"])
    seal, told = seal_of(connection), values | {"id": values.pop("delivery_id")}
    values |= {sealed.name: opened(seal, sealed, told) for sealed in (DETAIL, RESULT)}
    return ExportRow(**values)


def body_of(connection: Connection, export_id: str) -> bytes | None:
    """The body of an export as it came."""
    found = connection.execute(_BODY_OF, {"of_id": export_id}).mappings().first()
    body: bytes | None = opened(seal_of(connection), BODY, found) if found else None
    return body


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A push whose time is up before its delivery has ended."""

    export_id: str
    delivery_id: int
    now: int


def mark_accepted(connection: Connection, pushes: list[Unfinished]) -> list[deliveries_store.Delivery]:
    """Note that these exports are answered "accepted", unless their delivery has just finished: look at what returns.

    Many at a time: when a CRM falls silent, the time of all pushes that wait for it is up together.
    """
    # the lock keeps a delivery from finishing, on PostgreSQL, between this look and the note
    found = deliveries_store.locked(connection, {push.delivery_id for push in pushes})
    late = [push for push in pushes if found[push.delivery_id].state in UNFINISHED]
    if late:
        ids = [push.export_id for push in late]
        connection.execute(update(exports).where(exports.c.id.in_(ids)).values(accepted_at=late[0].now))
    return [found[push.delivery_id] for push in pushes]


def mark_answered(connection: Connection, push: Unfinished) -> None:
    """Note that an export was answered "accepted", whatever has become of its delivery since."""
    connection.execute(update(exports).where(exports.c.id == push.export_id).values(accepted_at=push.now))


def accepted_customer_data_ids(connection: Connection, delivery_id: int) -> list[str]:
    """Vainu's customer-data ids of the pushes that were answered "accepted", each once."""
    found = connection.execute(_ACCEPTED_IDS, {"of_delivery": delivery_id}).scalars()
    return list(dict.fromkeys(each for each in found if each))


def was_accepted(connection: Connection, delivery_id: int) -> bool:
    """Whether any push that this delivery serves was answered "accepted"."""
    statement = select(exports.c.id).where(exports.c.delivery_id == delivery_id, exports.c.accepted_at.is_not(None))
    return connection.execute(statement.limit(1)).first() is not None
