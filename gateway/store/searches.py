"""What a person searches for, found by indexes only: ids, and by what companies are known. Newest first, bounded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from gateway.store import ledger
from gateway.store.tables import aliases, companies, deliveries, exports, unique_ids

MOST = 1_000
"""How many deliveries or exports a search finds at most: the newest."""
_COMPANIES = 200
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Links:
    """How one company is known; the lists newest first, bounded."""

    company_id: str
    connection: str
    gateway_id: str
    record_id: str | None
    customer_data_id: str | None
    unique_ids: list[str]
    aliases: list[tuple[str, str, str]]
    """(kind, value, country)."""
    export_ids: list[str]
    delivery_ids: list[int]


def companies_of(connection: Connection, unique_id: str, beginnings: Sequence[str]) -> list[str]:
    """The companies that have this unique_id (the gateway's or the CRM's), or an alias that begins with one of these.

    Aliases are names as `adapters.company_ids.name_key` writes them, business ids, domains and vids.
    """
    by_id = select(unique_ids.c.company_id).where(unique_ids.c.unique_id == unique_id).limit(_COMPANIES)
    found = list(connection.execute(by_id).scalars())
    for beginning in beginnings:
        statement = select(aliases.c.company_id).where(*_begins(connection, beginning)).limit(_COMPANIES)
        found += connection.execute(statement).scalars()
    return list(dict.fromkeys(found))[:_COMPANIES]


def _begins(connection: Connection, beginning: str) -> list[ColumnElement[bool]]:
    value, end = aliases.c.value, beginning + _LAST
    if connection.dialect.name == "postgresql":
        # character by character, which is what the index is made for, whatever the database's collation
        return [value.op("~>=~", is_comparison=True)(beginning), value.op("~<~", is_comparison=True)(end)]
    return [value >= beginning, value < end]


def delivery_ids(connection: Connection, reference: str, company_ids: Collection[str]) -> list[int]:
    """The newest deliveries that have this number or this sender's id, or are about it, or about these companies."""
    found = ledger.ids_of(connection, reference) if _may_be_id(reference) else []
    known = select(unique_ids.c.unique_id).where(unique_ids.c.company_id.in_(company_ids))
    subjects = {reference, *company_ids, *connection.execute(known).scalars()}
    statement = (
        select(deliveries.c.id).where(deliveries.c.subject.in_(subjects)).order_by(deliveries.c.id.desc()).limit(MOST)
    )
    found += connection.execute(statement).scalars()
    return list(dict.fromkeys(found))[:MOST]


def export_ids(connection: Connection, reference: str, company_ids: Collection[str]) -> list[str]:
    """The newest exports that have this id, or whose delivery has this number, or that are of these companies."""
    found = list(connection.execute(select(exports.c.id).where(exports.c.id == reference)).scalars())
    if reference.isascii() and reference.isdigit():
        numbers = ledger.ids_of(connection, reference)
        found += connection.execute(
            select(exports.c.id).where(exports.c.delivery_id.in_(numbers)).limit(MOST)
        ).scalars()
    statement = (
        select(exports.c.id)
        .where(exports.c.company_id.in_(company_ids))
        .order_by(exports.c.received_at.desc(), exports.c.id.desc())
        .limit(MOST)
    )
    found += connection.execute(statement).scalars()
    return list(dict.fromkeys(found))[:MOST]


def _may_be_id(reference: str) -> bool:
    is_number = reference.isascii() and reference.isdigit()
    return is_number or reference.startswith(("exp_", "whk_", "evt_"))


def links_of(connection: Connection, company_id: str, most: int) -> Links | None:
    """How a company is known, with its newest exports and deliveries, at most so many."""
    columns = (companies.c.connection, companies.c.gateway_id, companies.c.record_id, companies.c.customer_data_id)
    row = connection.execute(select(*columns).where(companies.c.id == company_id)).one_or_none()
    if row is None:
        return None
    known = select(unique_ids.c.unique_id).where(unique_ids.c.company_id == company_id).order_by(unique_ids.c.unique_id)
    told = list(connection.execute(known).scalars())
    names = select(aliases.c.kind, aliases.c.value, aliases.c.country).where(aliases.c.company_id == company_id)
    pushes = select(exports.c.id).where(exports.c.company_id == company_id)
    work = select(deliveries.c.id).where(
        deliveries.c.subject.in_({company_id, *told}), deliveries.c.connection == row[0]
    )
    return Links(
        company_id,
        *row,
        unique_ids=told,
        aliases=[(kind, value, country) for kind, value, country in connection.execute(names.limit(most))],
        export_ids=list(connection.execute(pushes.order_by(exports.c.received_at.desc()).limit(most)).scalars()),
        delivery_ids=list(connection.execute(work.order_by(deliveries.c.id.desc()).limit(most)).scalars()),
    )


def company_of(connection: Connection, name: str, subject: str) -> str | None:
    """The company that a delivery's subject means: its own id, or a unique_id of its connection."""
    by_id = select(companies.c.id).where(companies.c.id == subject, companies.c.connection == name)
    by_unique_id = select(unique_ids.c.company_id).where(
        unique_ids.c.connection == name, unique_ids.c.unique_id == subject
    )
    found: str | None = connection.execute(by_id).scalar() or connection.execute(by_unique_id).scalar()
    return found
