"""Companies: who they are, their aliases, and their links to the CRM."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table, bindparam, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.identity import Identifier, recognise
from gateway.ids import new_id
from gateway.store.locks import RECOGNISING, lock
from gateway.store.tables import DeliveryState, aliases, companies, deliveries, unique_ids


@dataclass(frozen=True, slots=True)
class CompanyRow:
    """One company of one connection, and where its record stands."""

    id: str
    connection: str
    gateway_id: str
    record_id: str | None
    customer_data_id: str | None
    create_sent_at: int | None
    """Set while a create may have happened whose outcome is unknown; Unix milliseconds."""
    create_settles_at: int | None

    @property
    def unique_id(self) -> str:
        """The id that Vainu gets: the CRM's, or ours until the CRM's is known."""
        return self.record_id or self.gateway_id


_COLUMNS = [companies.c[name] for name in CompanyRow.__dataclass_fields__]
# made once: every feed asks them, and to make one takes longer than to run it
_BY_UNIQUE_ID = (
    select(*_COLUMNS)
    .join(unique_ids, unique_ids.c.company_id == companies.c.id)
    .where(unique_ids.c.connection == bindparam("connection"), unique_ids.c.unique_id == bindparam("unique_id"))
)
_HAS_DEAD = exists().where(
    deliveries.c.subject == companies.c.id,
    deliveries.c.kind == bindparam("kind"),
    deliveries.c.state == DeliveryState.DEAD,
)
_BY_UNIQUE_ID_AND_DEAD = _BY_UNIQUE_ID.add_columns(_HAS_DEAD)


def by_id(connection: Connection, company_id: str) -> CompanyRow | None:
    """The company with this id."""
    row = connection.execute(select(*_COLUMNS).where(companies.c.id == company_id)).one_or_none()
    return CompanyRow(*row) if row else None


def by_unique_id(connection: Connection, name: str, unique_id: str) -> CompanyRow | None:
    """The company that was ever known to Vainu by this unique_id: the gateway's own, or a CRM id."""
    row = connection.execute(_BY_UNIQUE_ID, {"connection": name, "unique_id": unique_id}).one_or_none()
    return CompanyRow(*row) if row else None


def by_unique_id_and_dead(
    connection: Connection, name: str, unique_id: str, kind: str
) -> tuple[CompanyRow | None, bool]:
    """As `by_unique_id`, and whether the company has a dead letter of this kind, made up for or not."""
    asked = {"connection": name, "unique_id": unique_id, "kind": kind}
    row = connection.execute(_BY_UNIQUE_ID_AND_DEAD, asked).one_or_none()
    return (CompanyRow(*row[:-1]), bool(row[-1])) if row else (None, False)


def by_record_ids(connection: Connection, name: str, record_ids: Sequence[str]) -> dict[str, CompanyRow]:
    """The companies whose records these are, by record id; of two that share one, the elder."""
    statement = (
        select(*_COLUMNS)
        .where(companies.c.connection == name, companies.c.record_id.in_(record_ids))
        .order_by(companies.c.created_at.desc(), companies.c.id.desc())
    )
    found = [CompanyRow(*row) for row in connection.execute(statement)]
    return {company.record_id: company for company in found if company.record_id is not None}


def recognise_or_add(
    connection: Connection, name: str, pushed: Sequence[Identifier], vid: int | None, now: int
) -> CompanyRow:
    """The company that a push means, added if it is new; all its identifiers become aliases.

    One transaction at a time, of all processes, from here to its end: two that both found nobody would add the company
    twice. So it belongs at the beginning of its transaction (`Store.write(…, first=True)`), before any other lock.
    """
    lock(connection, RECOGNISING)
    company_id = recognise(pushed, _known(connection, name, pushed))
    if company_id is None:
        company_id = _add(connection, name, pushed, vid, now)
    for identifier in pushed:
        _add_alias(connection, name, identifier, company_id)
    found = by_id(connection, company_id)
    assert found is not None  # noqa: S101 - it was read or written in this very transaction
    return found


def recognised(connection: Connection, name: str, pushed: Sequence[Identifier]) -> CompanyRow | None:
    """The company that a push would mean; nothing is added."""
    company_id = recognise(pushed, _known(connection, name, pushed))
    return None if company_id is None else by_id(connection, company_id)


def _known(connection: Connection, name: str, pushed: Sequence[Identifier]) -> list[tuple[str, Identifier]]:
    sharing = select(aliases.c.company_id).where(
        aliases.c.connection == name, aliases.c.value.in_({identifier.value for identifier in pushed})
    )
    statement = (
        select(aliases.c.company_id, aliases.c.kind, aliases.c.value, aliases.c.country)
        .join(companies, companies.c.id == aliases.c.company_id)
        .where(aliases.c.company_id.in_(sharing))
        .order_by(companies.c.created_at, companies.c.id)
    )
    return [(row.company_id, Identifier(row.kind, row.value, row.country)) for row in connection.execute(statement)]


def _add(connection: Connection, name: str, pushed: Sequence[Identifier], vid: int | None, now: int) -> str:
    company_id, gateway_id = new_id("co", now), new_id("gw", now)
    business = next((one for one in pushed if one.kind == "business_id"), None)
    connection.execute(
        insert(companies).values(
            id=company_id,
            connection=name,
            gateway_id=gateway_id,
            vid=vid,
            business_id=business.value[:64] if business else None,
            country=next((one.country for one in pushed if one.country), None),
            created_at=now,
            updated_at=now,
        )
    )
    connection.execute(insert(unique_ids).values(connection=name, unique_id=gateway_id, company_id=company_id))
    return company_id


def _add_alias(connection: Connection, name: str, identifier: Identifier, company_id: str) -> None:
    # an alias that another company already has stays there: the stronger identifier has decided
    _insert_once(
        connection,
        aliases,
        connection=name,
        kind=identifier.kind,
        value=identifier.value,
        country=identifier.country,
        company_id=company_id,
    )


def _insert_once(transaction: Connection, table: Table, **values: object) -> None:
    dialect = postgresql if transaction.dialect.name == "postgresql" else sqlite
    transaction.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())


def linked_elsewhere(connection: Connection, company: CompanyRow, record_ids: Sequence[str]) -> set[str]:
    """Which of these CRM records belong to another company of the same connection."""
    statement = select(companies.c.record_id).where(
        companies.c.connection == company.connection,
        companies.c.id != company.id,
        companies.c.record_id.in_(record_ids),
    )
    return set(connection.execute(statement).scalars())


def adopt(connection: Connection, company: CompanyRow, record_id: str, now: int) -> bool:
    """Take a record that was found, so that no other company does; False if another has it already."""
    if linked_elsewhere(connection, company, [record_id]):
        return False
    connection.execute(
        update(companies).where(companies.c.id == company.id).values(record_id=record_id, updated_at=now)
    )
    _insert_once(connection, unique_ids, connection=company.connection, unique_id=record_id, company_id=company.id)
    return True


def link(connection: Connection, company: CompanyRow, record_id: str, now: int) -> None:
    """The company's record in the CRM is known: both ids stay valid for ever."""
    connection.execute(
        update(companies)
        .where(companies.c.id == company.id)
        .values(record_id=record_id, create_sent_at=None, create_settles_at=None, updated_at=now)
    )
    _insert_once(connection, unique_ids, connection=company.connection, unique_id=record_id, company_id=company.id)


def unlink(connection: Connection, company_id: str, now: int) -> None:
    """The CRM has deleted the record; its id still leads to the company, and so to its next record."""
    connection.execute(update(companies).where(companies.c.id == company_id).values(record_id=None, updated_at=now))


def set_customer_data_id(connection: Connection, company_id: str, customer_data_id: str, now: int) -> None:
    """Remember Vainu's id of its customer data for this company."""
    connection.execute(
        update(companies).where(companies.c.id == company_id).values(customer_data_id=customer_data_id, updated_at=now)
    )


def forget_customer_data(connection: Connection, name: str, customer_data_id: str, now: int) -> None:
    """Vainu has this customer data no more."""
    connection.execute(
        update(companies)
        .where(companies.c.connection == name, companies.c.customer_data_id == customer_data_id)
        .values(customer_data_id=None, updated_at=now)
    )


def create_leaves(connection: Connection, company: CompanyRow, now: int, settles_at: int) -> bool:
    """Note, before it leaves, that a create is on its way: whatever happens now, the CRM is searched first.

    False, and nothing is noted, if the company was linked, or another create sent, since `company` was read.
    """
    changed = connection.execute(
        update(companies)
        .where(
            companies.c.id == company.id,
            companies.c.record_id.is_(None),
            companies.c.create_sent_at.is_not_distinct_from(company.create_sent_at),
        )
        .values(create_sent_at=now, create_settles_at=settles_at, updated_at=now)
    ).rowcount
    return bool(changed)


def another_is_creating(connection: Connection, company: CompanyRow, now: int) -> bool:
    """Whether a create of another company is under way: a record that shows up now, of the right name, may be its."""
    statement = select(companies.c.id).where(
        companies.c.connection == company.connection,
        companies.c.id != company.id,
        companies.c.record_id.is_(None),
        companies.c.create_settles_at > now,
    )
    return connection.execute(statement.limit(1)).first() is not None


def create_ended(connection: Connection, company_id: str, settles_at: int | None, now: int) -> None:
    """A create ended without an id: `settles_at` None says that it surely did not happen."""
    values: dict[str, int | None] = {"create_settles_at": settles_at, "updated_at": now}
    if settles_at is None:
        values["create_sent_at"] = None
    connection.execute(update(companies).where(companies.c.id == company_id).values(**values))
