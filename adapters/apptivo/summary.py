"""A customer of Apptivo as Vainu's customer data holds it. Pure; field names C (airbyte's schemas, S003)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from adapters import company_ids
from adapters.apptivo.feed import FeedReader, assignees_of, id_of
from adapters.apptivo.matching import attribute_values
from adapters.apptivo.models import Outcome
from adapters.contract import NOTES_CHARACTERS, CustomerSummary
from adapters.plain_text import email_address, one_line, plain_text
from adapters.timestamps import TimestampRefused
from adapters.webhook_bodies import objects, record_id

_CHANGED = ("lastUpdateDate", "creationDate")


def deals_of(opportunities: Iterable[Mapping[str, Any]], reader: FeedReader) -> Counter[Outcome]:
    """How many opportunities are won, lost and open, each counted once."""
    deals: dict[str | int, Outcome] = {}
    for place, row in enumerate(opportunities):
        deals[record_id(id_of(row, "opportunityId")) or place] = reader.outcome(row)
    return Counter(deals.values())


def summary_of(
    customer_id: str, customer: Mapping[str, Any], deals: Counter[Outcome] | None, reader: FeedReader
) -> CustomerSummary:
    """The customer; `deals` is None where they were not asked for."""
    business_id, country = _business_id(customer, reader.settings.business_id_attribute)
    return CustomerSummary(
        record_id=customer_id,
        name=one_line(customer.get("customerName")),
        business_id=business_id,
        country=country,
        owner_email=next(filter(None, map(email_address, assignees_of(customer))), None),
        last_update=_last_update(customer, reader),
        notes=plain_text(customer.get("description"), NOTES_CHARACTERS) or None,
        open_deals=None if deals is None else deals["open"],
        won_deals=None if deals is None else deals["won"],
        lost_deals=None if deals is None else deals["lost"],
    )


def _business_id(customer: Mapping[str, Any], attribute: str | None) -> tuple[str | None, str | None]:
    codes = (company_ids.country_code(row.get("countryCode")) for row in objects(customer.get("addresses")))
    country = next(filter(None, codes), None)
    # without the setting any custom attribute might be meant, and none is
    values = attribute_values(customer, attribute) if attribute else []
    written = (company_ids.written_id(value, country) for value in values)
    return next((found for found in written if found[0]), (None, country))


def _last_update(customer: Mapping[str, Any], reader: FeedReader) -> datetime | None:
    try:
        return reader.dates.read(reader.dates.first_of(customer, _CHANGED)).at
    except TimestampRefused:
        return None
