"""Companies: who they are, their aliases, and their links to the CRM."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Insert, Table, bindparam, exists, insert, select, update
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
    is_new: bool = False
    """Added by the transaction that it comes from: nothing else can be about it yet."""

    @property
    def unique_id(self) -> str:
        """The id that Vainu gets: the CRM's, or ours until the CRM's is known."""
        return self.record_id or self.gateway_id


def _inserts_once(table: Table) -> dict[str, Insert]:
    dialects = {"postgresql": postgresql, "sqlite": sqlite}
    return {name: dialect.insert(table).on_conflict_do_nothing() for name, dialect in dialects.items()}


_COLUMNS = [companies.c[name] for name in CompanyRow.__dataclass_fields__ if name != "is_new"]
# made once, as what every export goes through: to build a statement costs more than to run it
_BY_ID = select(*_COLUMNS).where(companies.c.id == bindparam("of_id"))
_SHARING = select(aliases.c.company_id).where(
    aliases.c.connection == bindparam("of_connection"), aliases.c.value.in_(bindparam("values", expanding=True))
)
_KNOWN = (
    select(aliases.c.company_id, aliases.c.kind, aliases.c.value, aliases.c.country)
    .join(companies, companies.c.id == aliases.c.company_id)
    .where(aliases.c.company_id.in_(_SHARING))
    .order_by(companies.c.created_at, companies.c.id)
)
_ADD = insert(companies)
_ADD_ALIASES = _inserts_once(aliases)
_ADD_UNIQUE_ID = _inserts_once(unique_ids)
_UPDATE = update(companies).where(companies.c.id == bindparam("of_id"))
_LINK = _UPDATE.values(
    record_id=bindparam("new_record_id"), create_sent_at=None, create_settles_at=None, updated_at=bindparam("now")
)
_CREATE_LEAVES = _UPDATE.where(
    companies.c.record_id.is_(None),
    companies.c.create_sent_at.is_not_distinct_from(bindparam("sent_before", type_=companies.c.create_sent_at.type)),
).values(create_sent_at=bindparam("now"), create_settles_at=bindparam("settles_at"), updated_at=bindparam("now"))
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
    row = connection.execute(_BY_ID, {"of_id": company_id}).one_or_none()
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
    found = None if company_id is None else by_id(connection, company_id)
    if found is None:
        found = _add(connection, name, pushed, vid, now)
    _add_aliases(connection, name, pushed, found.id)
    return found


def recognised(connection: Connection, name: str, pushed: Sequence[Identifier]) -> CompanyRow | None:
    """The company that a push would mean; nothing is added."""
    company_id = recognise(pushed, _known(connection, name, pushed))
    return None if company_id is None else by_id(connection, company_id)


def _known(connection: Connection, name: str, pushed: Sequence[Identifier]) -> list[tuple[str, Identifier]]:
    asked = {"of_connection": name, "values": list({identifier.value for identifier in pushed})}
    return [(company_id, Identifier(*alias)) for company_id, *alias in connection.execute(_KNOWN, asked)]


def _add(connection: Connection, name: str, pushed: Sequence[Identifier], vid: int | None, now: int) -> CompanyRow:
    company_id, gateway_id = new_id("co", now), new_id("gw", now)
    business = next((one for one in pushed if one.kind == "business_id"), None)
    row = {
        "id": company_id,
        "connection": name,
        "gateway_id": gateway_id,
        "vid": vid,
        "business_id": business.value[:64] if business else None,
        "country": next((one.country for one in pushed if one.country), None),
        "created_at": now,
        "updated_at": now,
    }
    connection.execute(_ADD, row)
    _add_unique_id(connection, name, gateway_id, company_id)
    return CompanyRow(company_id, name, gateway_id, None, None, None, None, is_new=True)


def _add_aliases(connection: Connection, name: str, pushed: Sequence[Identifier], company_id: str) -> None:
    # an alias that another company already has stays there: the stronger identifier has decided
    rows = [
        {"connection": name, "kind": one.kind, "value": one.value, "country": one.country, "company_id": company_id}
        for one in pushed
    ]
    if rows:
        connection.execute(_ADD_ALIASES[connection.dialect.name], rows)


def _add_unique_id(connection: Connection, name: str, unique_id: str, company_id: str) -> None:
    row = {"connection": name, "unique_id": unique_id, "company_id": company_id}
    connection.execute(_ADD_UNIQUE_ID[connection.dialect.name], row)


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
    _add_unique_id(connection, company.connection, record_id, company.id)
    return True


def link(connection: Connection, company: CompanyRow, record_id: str, now: int) -> None:
    """The company's record in the CRM is known: both ids stay valid for ever."""
    connection.execute(_LINK, {"of_id": company.id, "new_record_id": record_id, "now": now})
    _add_unique_id(connection, company.connection, record_id, company.id)


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
    noted = {"of_id": company.id, "sent_before": company.create_sent_at, "now": now, "settles_at": settles_at}
    return bool(connection.execute(_CREATE_LEAVES, noted).rowcount)


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
