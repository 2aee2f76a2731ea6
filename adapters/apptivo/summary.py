"""A customer of Apptivo as Vainu's customer data holds it. Pure; field names C (airbyte's schemas, S003)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters import company_ids
from adapters.apptivo.feed import FeedReader, assignees_of, id_of
from adapters.apptivo.matching import attribute_values, named_business_ids
from adapters.apptivo.models import Outcome
from adapters.apptivo.ranges import lower_end
from adapters.contract import NOTES_CHARACTERS, CustomerSummary
from adapters.customers import Deals
from adapters.events import number
from adapters.plain_text import email_address, one_line, plain_text
from adapters.timestamps import TimestampRefused
from adapters.webhook_bodies import objects, record_id

_CLOSED = ("closeDate", "lastUpdateDate", "creationDate")
_LABELS = ("labelName", "name", "label", "text")
_CHANGED = ("lastUpdateDate", "creationDate")


def deals_of(opportunities: Iterable[Mapping[str, Any]], reader: FeedReader) -> Deals:
    """How many opportunities are won, lost and open, each counted once."""
    own = {record_id(id_of(row, "opportunityId")) or place: row for place, row in enumerate(opportunities)}
    counted: Counter[Outcome] = Counter(map(reader.outcome, own.values()))
    times = (won_at(row, reader) for row in own.values() if reader.outcome(row) == "won")
    return Deals(counted["open"], counted["won"], counted["lost"], max(filter(None, times), default=None))


def won_at(opportunity: Mapping[str, Any], reader: FeedReader) -> datetime | None:
    """When a won opportunity was won: the first date of it that can be read."""
    try:
        return reader.dates.read(reader.dates.first_of(opportunity, _CLOSED)).at
    except TimestampRefused:
        return None


def summary_of(
    customer_id: str, customer: Mapping[str, Any], deals: Deals | None, reader: FeedReader
) -> CustomerSummary:
    """The customer; `deals` is None where they were not asked for."""
    business_id, country = _business_id(customer, reader.settings.business_id_attribute)
    return CustomerSummary(
        record_id=customer_id,
        name=one_line(customer.get("customerName")),
        business_id=business_id,
        country=country,
        owner_email=next(filter(None, map(email_address, assignees_of(customer))), None),
        last_update=last_update_of(customer, reader),
        notes=plain_text(customer.get("description"), NOTES_CHARACTERS) or None,
        open_deals=None if deals is None else deals.open,
        won_deals=None if deals is None else deals.won,
        lost_deals=None if deals is None else deals.lost,
        last_won_at=None if deals is None else deals.last_won_at,
        city=next(filter(None, (one_line(row.get("city")) for row in objects(customer.get("addresses")))), None),
        industry=one_line(customer.get("industryName")) or None,
        revenue=number(customer.get("annualRevenue")),
        employees=lower_end(customer.get("employeeRange")),
        emails=_emails(customer),
        labels=_labels(customer.get("labels")),
    )


def _emails(customer: Mapping[str, Any]) -> tuple[str, ...]:
    listed = [row.get("emailAddress") for row in objects(customer.get("emailAddresses"))]
    return tuple(dict.fromkeys(filter(None, map(email_address, [*listed, customer.get("contactEmail")]))))


def _labels(labels: object) -> tuple[str, ...]:
    # that there is a list of them is C (airbyte); what is in it is G
    rows = labels if isinstance(labels, list) else []
    named = ([row.get(name) for name in _LABELS] if isinstance(row, Mapping) else [row] for row in rows)
    texts = (next(filter(None, map(one_line, names)), "") for names in named)
    return tuple(dict.fromkeys(filter(None, texts)))


def _business_id(customer: Mapping[str, Any], attribute: str | None) -> tuple[str | None, str | None]:
    codes = (company_ids.country_code(row.get("countryCode")) for row in objects(customer.get("addresses")))
    country = next(filter(None, codes), None)
    if attribute:
        written = (company_ids.written_id(value, country) for value in attribute_values(customer, attribute))
        return next((found for found in written if found[0]), (None, country))
    named = {company_ids.written_id(value, country) for value in named_business_ids(customer)}
    # two that differ: nobody has said which one is meant
    return named.pop() if len(named) == 1 else (None, country)


def last_update_of(customer: Mapping[str, Any], reader: FeedReader) -> datetime | None:
    """When the customer was last changed; None where no date of it can be read."""
    try:
        return reader.dates.read(reader.dates.first_of(customer, _CHANGED)).at
    except TimestampRefused:
        return None
