"""A customer of CRM.COM as Vainu's customer data holds it. Pure; sources: upstream-apis sections 2.4 to 2.6."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from adapters import company_ids
from adapters.contract import NOTES_CHARACTERS, CustomerSummary
from adapters.crmcom.envelope import unexpected
from adapters.crmcom.feed import Outcome, assignees_of, outcome_of
from adapters.crmcom.mapping import addresses_of, company_name, numbers_of
from adapters.plain_text import email_address, one_line, plain_text
from adapters.timestamps import Reading, TimestampRefused
from adapters.webhook_bodies import objects

_CHANGED = ("updated_date", "created_date")
_COUNTRIES = ("country", "country_identifier")


def deals_of(leads: Iterable[object]) -> Counter[Outcome]:
    """How many leads are won, lost and open; a row that is no object is an `UnexpectedReply`, never overlooked."""
    deals: Counter[Outcome] = Counter()
    for lead in leads:
        if not isinstance(lead, Mapping):
            raise unexpected("leads that are objects", lead)
        deals[outcome_of(lead)] += 1
    return deals


def summary_of(
    contact_id: str, contact: Mapping[str, Any], deals: Counter[Outcome], read: Callable[[object], Reading]
) -> CustomerSummary:
    """The customer whose contact information this is; `read` reads times on the firm's clocks."""
    business_id, country = _business_id(contact)
    return CustomerSummary(
        record_id=contact_id,
        name=one_line(company_name(contact)),
        business_id=business_id,
        country=country,
        owner_email=next(filter(None, map(email_address, assignees_of(contact))), None),
        last_update=_last_update(contact, read),
        notes=plain_text(contact.get("notes"), NOTES_CHARACTERS) or None,
        open_deals=deals["open"],
        won_deals=deals["won"],
        lost_deals=deals["lost"],
    )


def _business_id(contact: Mapping[str, Any]) -> tuple[str | None, str | None]:
    written = [address.get(name) for address in addresses_of(contact) for name in _COUNTRIES]
    country = next(filter(None, map(_country_code, written)), None)
    found = (company_ids.written_id(number, country) for number in numbers_of(contact))
    return next((each for each in found if each[0]), (None, country))


def _country_code(country: object) -> str | None:
    # which field of a country holds its ISO code is U; no other has two letters
    texts = country.values() if isinstance(country, Mapping) else [country]
    return next(filter(None, map(company_ids.country_code, texts)), None)


def _last_update(contact: Mapping[str, Any], read: Callable[[object], Reading]) -> datetime | None:
    times = [row.get(name) for row in (*objects(contact.get("log_information")), contact) for name in _CHANGED]
    for time in times:
        with suppress(TimestampRefused):
            return read(time).at
    return None
